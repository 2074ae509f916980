/** What an option states of a file wins over what is found in it, also where it states what is usual. */
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { readingOptions, type ReadingFlags, readingSettings } from '../../src/cli/settings/reading.ts'
import { LadingError } from '../../src/core/errors.ts'
import type { Reading } from '../../src/format/reading.ts'
import { inspect } from '../../src/infer/inspect.ts'
import { sourceOf } from '../support/inferred.ts'

function settings(...args: readonly string[]): Reading {
  const command = readingOptions().reduce((each, option) => each.addOption(option), new Command())
  return readingSettings(command.parse(args, { from: 'user' }).opts<ReadingFlags>())
}

/** How many records there are, which of them are rejected, and the columns with their types. */
async function shown(text: string, ...args: readonly string[]): Promise<string> {
  const found = await inspect(sourceOf(Buffer.from(text)), settings(...args), 'file').catch(
    (error: unknown) => {
      if (error instanceof LadingError) return error.code
      throw error
    },
  )
  if (typeof found === 'string') return found
  const { outcome, proposal } = found
  const columns = proposal.columns.map(({ field, type }) => `${field} ${type.name}`)
  return `${outcome.records} (${outcome.rejected}): ${columns.join(', ')}`
}

const rows = (n: number) => Array.from({ length: n }, (_, row) => `${row},${row}\n`).join('')

/** By option: a file, what is found in it, and what the option says against that. */
const cases: Readonly<Record<string, readonly [text: string, found: string, args: string, stated: string]>> =
  {
    format: ['{"a":1}\n{"a":2}\n', '2 (0): a integer', '--format csv', '1 (0): {"a":1} json'],
    encoding: ['é\nx\n', '1 (0): é text', '--encoding windows-1252', '1 (0): Ã© text'],
    'line-end': [
      'a,b\n1,x\ry\rz\r\rx\n2,y\n',
      '6 (0): a,b text',
      '--line-end lf',
      '2 (0): a integer, b text',
    ],
    'skip-lines': [
      'by x\n\na,b\n1,2\n3,4\n',
      '2 (0): a integer, b integer',
      '--skip-lines 3',
      '2 (0): column_1 integer, column_2 integer',
    ],
    delimiter: ['a;b\n1;2\n', '1 (0): a integer, b integer', '--delimiter ,', '1 (0): a;b text'],
    quote: [
      "a,b\n'x,y',2\n'z,w',4\n",
      '2 (0): a text, b integer',
      '--quote "',
      '2 (0): a text, b text, column_3 integer',
    ],
    multiline: [
      'a,b\n0,"x\n1,"y"\n2,"z"\n3,"w"\n',
      '4 (1): a integer, b text',
      '--multiline',
      '3 (1): a integer, b text',
    ],
    escape: [
      'a,b\n1,"\\"x, y\\""\n2,"\\"z\\" w"\n',
      '2 (0): a integer, b text',
      '--escape none',
      '2 (1): a integer, b text',
    ],
    trim: [
      'a, b\n1, "x, y"\n2, "z, w"\n',
      '2 (0): a integer, b text',
      '--no-trim',
      '2 (0): a integer, b text, column_3 text',
    ],
    ragged: [
      `a,b\n1,2,\n3,4,\n${rows(5)}`,
      '7 (0): a integer, b integer',
      '--ragged reject',
      '7 (2): a integer, b integer',
    ],
    'blank-lines': [
      'a,b\n1,2\n\n3,4\n\n',
      '4 (0): a integer, b integer',
      '--blank-lines reject',
      '4 (2): a integer, b integer',
    ],
    'header-rows': [
      '1,2\n1,2\n3,4\n',
      '3 (0): column_1 integer, column_2 integer',
      '--header-rows 1',
      '2 (0): 1 integer, 2 integer',
    ],
    header: [
      'a,b\n1,2\n',
      '1 (0): a integer, b integer',
      '--no-header',
      '2 (0): column_1 text, column_2 text',
    ],
    decimal: [
      'a;b\n1,5;2\n2,5;3\n',
      '2 (0): a numeric, b integer',
      '--decimal .',
      '2 (0): a text, b integer',
    ],
  }

describe('an option', () => {
  it.each(Object.entries(cases))('--%s wins over what is found', async (_, [text, found, args, stated]) => {
    expect(await shown(text)).toBe(found)
    expect(await shown(text, ...args.split(' '))).toBe(stated)
  })

  it('that leaves lines out keeps them from saying how the others are written', async () => {
    const stated = '2 (0): id text, t text'
    expect(await shown('a b\nid,t\nx,b\n8,h\n', '--skip-lines', '1')).toBe(stated)
    expect(await shown('sep=,\na;b;c\nid,t\nx,b\n8,h\n', '--skip-lines', '2')).toBe(stated)
    expect(await shown(`${';;;\n'.repeat(9)}id,t\nx,b\n8,h\n`, '--skip-lines', '9')).toBe(stated)
    expect(await shown('a\n', '--skip-lines', '3')).toBe('HEADER_MISMATCH')
  })

  it('that states counts since 1970 makes a column of instants', async () => {
    const counts = 'id,at\n1,1700000000\n2,1700000000.5\n'
    expect(await shown(counts, '--date-format', 'at=epoch-s')).toBe('2 (0): id integer, at timestamptz')
  })

  it('that states a type which there is not is refused, with the nearest that there is', async () => {
    const refused = (columns: Readonly<Record<string, string>>) =>
      inspect(sourceOf(Buffer.from('id,t\n1,x\n')), {}, 'file', { columns })
    for (const [type, near] of [
      ['bigin', '; did you mean bigint? ('],
      ['bigint(3)', '; did you mean bigint? ('],
      ['constructor', ' ('],
    ] as const)
      await expect(refused({ id: type })).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining(`"${type}" is no type for id${near}`),
      })
  })

  it('of reading is among these, or states what no file is found to have', () => {
    const notFound = [
      'records',
      'unwrap',
      'footer-lines',
      'comment',
      'null',
      'thousands',
      'money',
      'date-format',
    ]
    const others = [...notFound, 'round', 'excel-text', 'skip-when']
    const names = readingOptions().map(({ long }) => (long ?? '').replace(/^--(no-)?/, ''))
    expect([...new Set(names)].toSorted()).toEqual([...Object.keys(cases), ...others].toSorted())
  })
})
