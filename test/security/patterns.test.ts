/** Nobody who writes a file or a message keeps the program busy with a text that an expression goes over again and again. */
import { expect, it } from 'vitest'
import { readSources } from '../structure/sources.ts'
import { hangingText, patternsIn } from './patterns.ts'

/** Where the text is short, or nobody else has written it. */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  'the command line and the configuration': [
    'src/cli/commands/run.ts',
    'src/cli/main.ts',
    'src/cli/settings/',
    'src/infer/profile/written-type.ts',
    'src/queue/sqs/address.ts',
    'src/source/file/discover.ts',
  ],
  'texts of the program itself': [
    'src/core/counted.ts',
    'src/model/hooks.ts',
    'src/sink/duckdb/doctor/table-state.ts',
    'src/sink/postgres/doctor/table-state.ts',
    'src/sink/sqlite/doctor/table-state.ts',
  ],
  'replies of servers, which hold names and no values': [
    'src/driver/postgres/copy.ts',
    'src/driver/postgres/errors.ts',
    'src/queue/postgres/errors.ts',
    'src/sink/duckdb/errors.ts',
  ],
  'cells of at most 60 characters': ['src/infer/sniff/kinds.ts'],
  'names of files, which have an end': ['src/infer/inspect.ts'],
}

const isExcepted = (place: string): boolean =>
  Object.values(exceptions)
    .flat()
    .some((path) => place.startsWith(path))

it('no expression of the program takes more than linear time for data', () => {
  const patterns = [...readSources()].flatMap(([path, text]) => patternsIn(path, text))
  expect(patterns.length).toBeGreaterThan(300)
  const slow = patterns.flatMap((pattern) => {
    const unit = isExcepted(pattern.place) ? undefined : hangingText(pattern)
    return unit === undefined
      ? []
      : [`${pattern.place}: /${pattern.source}/ and ${JSON.stringify(unit)} repeated`]
  })
  expect(slow).toEqual([])
})

it.each([/[ \t]+$/, /^(\w+\s?)+$/, /([a-z][a-z0-9]*:\/+)\S*@/])('one that does is found: %s', (expression) =>
  expect(hangingText(expression)).toBeDefined(),
)
