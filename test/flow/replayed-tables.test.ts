/** Rejects of many tables are replayed together. */
import { expect, it } from 'vitest'
import { Folder } from '../cli/run.ts'

it('a table that is gone, and one without a key, keep back their own rejects alone, and it is said why', async () => {
  const csv = 'id\n1\nx\n'
  await using folder = await Folder.make({ 'gone.csv': csv, 'keyless.csv': csv, 'keyed.csv': csv })
  for (const name of ['gone', 'keyless'])
    await folder.lading('load', `${name}.csv`, '--columns', 'id:integer')
  await folder.lading('load', 'keyed.csv', '--columns', 'id:integer', '--key', 'id')
  for (const id of ['1', '2', '3']) await folder.lading('rejects', 'edit', id, '--record', '2')
  folder.sql('ALTER TABLE gone RENAME TO moved')
  const run = await folder.lading('rejects', 'replay', '--on-conflict', 'update')
  expect(run.code, run.err).toBe(3)
  expect(run.out.split('\n')).toEqual([
    expect.stringMatching(
      /^1: still rejected: SCHEMA_MISMATCH: there is no table gone, .*: make it, .* or discard/,
    ),
    expect.stringMatching(/^2: still rejected: SCHEMA_MISMATCH: .* table keyless has no unique index/),
    '3: loaded',
    'of 3 rejects: loaded 1, skipped 0, still rejected 2',
    '',
  ])
  expect((await folder.lading('rejects', 'replay')).out).toMatch(
    /^1: still .* no table gone.*\n2: loaded\nof 2/,
  )
  const named = /--pipeline gone --table/.exec(run.out)?.[0].split(' ') ?? []
  expect((await folder.lading('rejects', 'replay', ...named, 'moved')).out).toBe('1: loaded\n')
})
