/** docs/reference/ says what the code says, so that no option, error, metric or variable is without its line. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { allVariables } from '../../src/cli/settings/variables.ts'
import { unexplained } from '../../tooling/docs/api.ts'
import { leaves } from '../../tooling/docs/commander.ts'
import { pages, reference } from '../../tooling/docs/pages.ts'
import { renderTypes, typesPath } from '../../tooling/docs/types.ts'
import { readSources, root } from '../structure/sources.ts'

it.each(pages)('docs/reference/$name is what `npm run docs` writes', async ({ name, render }) => {
  expect(readFileSync(join(reference, name), 'utf8')).toBe(await render())
})

it('the types of a configuration file are what `npm run docs` writes', async () => {
  expect(readFileSync(typesPath, 'utf8')).toBe(await renderTypes())
})

it('every export of the library says what it is', () => {
  expect(unexplained()).toEqual([])
})

it('no page is left of something that is not generated any more', () => {
  const names = pages.map(({ name }) => name).filter((name) => !name.includes('/'))
  expect(globSync('*', { cwd: reference }).toSorted()).toEqual(names.toSorted())
})

/** From a load, and from `lading run`, to the processes that they start. */
const internal = ['LADING_DERIVATION', 'LADING_RUN', 'LADING_TIED']

it('every environment variable that the code names is explained', async () => {
  const text = [...readSources()]
    .filter(([path]) => path !== 'src/cli/settings/variables.ts')
    .map(([, source]) => source)
    .concat(readFileSync(join(root, 'bin/lading.js'), 'utf8'))
    .join('\n')
  const prefixes = 'LADING|OTEL|POSTGRES|RABBITMQ|AWS|GEN|TARGET_FILE|CSV_PARSER|XDG|NODE'
  const named = new RegExp(`\\b(?:(?:${prefixes})_[A-Z_]*[A-Z]|SQS_URL|PG_URL|LOG_LEVEL|NO_COLOR)\\b`, 'g')
  const read = /(?<=\benv\[')\w+(?='\])/g
  const found = new Set([...(text.match(named) ?? []), ...(text.match(read) ?? [])])
  expect(found.size).toBeGreaterThan(40)
  const options = (await leaves()).flatMap((leaf) => leaf.options.map(({ envVar }) => envVar))
  const explained = new Set([
    ...internal,
    ...options,
    ...allVariables.flatMap(({ variables }) => variables.map(({ name }) => name)),
  ])
  expect([...found].filter((name) => !explained.has(name))).toEqual([])
})

it('no variable of lading is explained that the code does not know', () => {
  const text = [...readSources()]
    .filter(([path]) => !path.endsWith('/variables.ts'))
    .map(([, source]) => source)
    .join('\n')
  const ours = allVariables
    .flatMap(({ variables }) => variables.map(({ name }) => name))
    .filter((name) => /^(LADING|POSTGRES|RABBITMQ|GEN|TARGET_FILE|CSV_PARSER)_/.test(name))
  // A key's file and id are put together of its name.
  expect(ours.filter((name) => !text.includes(name.replace(/_(FILE|ID)$/, '')))).toEqual([])
})
