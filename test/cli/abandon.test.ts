/** `lading abandon`: a load that can never be finished is over, and says what it leaves out. */
import { writeFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { expectError, Folder, header, pasted, record } from './run.ts'

const file = (...ids: readonly number[]) => header + ids.map((id) => record(id)).join('')

it('a load whose file was corrected is given up by what verify prints, and the corrected file is loaded', async () => {
  await using folder = await Folder.make({ 'a.csv': file(1, 2, 3, 4) })
  await folder.lading('load', 'a.csv', '--limit', '2')
  await writeFile(folder.at('a.csv'), file(1, 2, 3, 5))
  const stuck = await folder.lading('verify', '--republish-missing')
  expect(stuck).toMatchObject({ code: 4, err: expect.stringContaining('SOURCE_CHANGED') })
  const given = await folder.paste(pasted(stuck.out, 'abandon'))
  expect(given).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^gave up load \w+ of a\.csv: 2 of 4 records are left out$/m),
  })
  expect(await folder.lading('verify')).toMatchObject({
    code: 0,
    out: expect.stringContaining('2 records of the skipped left out on purpose'),
  })
  expectError(await folder.lading('abandon', 'a.csv'), 'NOT_FOUND', 66, 'no load is open')
  await writeFile(folder.at('a.csv'), file(1, 2, 3, 4))
  expect((await folder.lading('load', 'a.csv')).err).toContain(
    'a load of the same name and content was given up',
  )
  expect(folder.rows()).toBe(2)
})

it('a load of which nothing has arrived is given up, and its messages are dropped', async () => {
  await using folder = await Folder.make({ 'a.csv': file(1, 2), 'b.csv': file(3) })
  await folder.lading('load', 'b.csv')
  await folder.lading('produce', 'a.csv')
  expect(await folder.json('abandon', 'a.csv')).toMatchObject([{ source: 'a.csv', records: 2, leftOut: 2 }])
  expect(await folder.lading('verify')).toMatchObject({ code: 0 })
  expect(await folder.json('consume', '--until-empty')).toMatchObject({ messages: 1, loaded: 0 })
  expect(await folder.json('status')).toMatchObject({
    queue: { ready: 0 },
    loads: [{ skipped: 2, open: 0 }, { loaded: 1 }],
  })
})

it('a load with a dead letter that could still be loaded is not given up', async () => {
  await using folder = await Folder.make({ 'a.csv': file(1, 2, 3) })
  const trial = await folder.json<{ produced: { loadId: string }[] }>(
    'load',
    'a.csv',
    '--to',
    'sqlite::memory:',
  )
  await folder.lading('load', 'a.csv', '--set-aside', `${trial.produced[0]?.loadId}/0`)
  expectError(await folder.lading('abandon', 'a.csv'), 'USAGE', 64, 'dead letters', 'lading dead list')
})
