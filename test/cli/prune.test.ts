/** `lading prune`: the ledger gets smaller, and no promise weaker than what it says. */
import { expect, it } from 'vitest'
import { Folder, header, record } from './run.ts'

const bad = `${header}${record(1)}${record(2, 'x')}${record(3, 'y')}`

interface Kept {
  readonly entries: number
  readonly bytes: number
}

it('what is settled and old goes, receipts add up, and no file is loaded twice', async () => {
  await using folder = await Folder.make({ 'a.csv': bad })
  expect(await folder.run(['load', 'a.csv'])).toMatchObject({ code: 3 })
  await folder.run(['rejects', 'discard', '1'])
  const rehearsed = await folder.json<Record<string, Kept>>('prune', '--older-than', '0s', '--dry-run')
  expect(rehearsed).toMatchObject({ removed: false, rejects: { entries: 1 }, letters: { entries: 0 } })
  expect(await folder.run(['prune', '--older-than', '1d'])).toMatchObject({
    code: 0,
    out: '0 settled rejects removed (0 bytes)\n0 settled dead letters removed (0 bytes)\n',
  })
  const run = await folder.run(['prune', '--older-than', '0s'])
  expect(run.out).toMatch(/^1 settled reject removed \(\d+ bytes\)\n/)
  expect(run.out).toContain('sqlite3 ./lading.db VACUUM')
  expect(folder.sql('SELECT id, state, length(raw) AS raw FROM lading_reject')).toEqual([
    { id: 1, state: 'discarded', raw: 0 },
    { id: 2, state: 'open', raw: record(3, 'y').length - 1 },
  ])
  expect(await folder.run(['verify', '--allow-rejects'])).toMatchObject({ code: 0 })
  expect(await folder.run(['prune', '--older-than', '0s', '--what', 'rejects,loads'])).toMatchObject({
    code: 0,
  })
  expect((await folder.run(['load', 'a.csv'])).out).toContain('loaded 0 records')
  // Only on request: a load that is forgotten is loaded again.
  const forgotten = await folder.run(['prune', '--older-than', '0s', '--what', 'loads', '--open'])
  expect(forgotten.out).toMatch(/^1 complete load removed .*: the file of such a load is loaded again/)
  // Nor is it open now, and published once more as if a queue had been lost.
  const verified = await folder.run(['verify', '--republish-missing', '--json'])
  expect([verified.code, verified.out.trim(), verified.err]).toEqual([0, '[]', ''])
  expect((await folder.run(['load', 'a.csv', '--allow-rejects'])).code).toBe(0)
})

it.for([
  ['prune'],
  ['prune', '--older-than', '90'],
  ['prune', '--older-than', '90d', '--what', 'everything'],
])('is refused before anything is opened: %s', async (args) => {
  await using folder = await Folder.make()
  expect(await folder.run(args)).toMatchObject({ code: 64, out: '' })
})
