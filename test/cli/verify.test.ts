import { readdir, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { expectError, Folder, records } from './run.ts'

const loseQueue = async (folder: Folder) => {
  for (const end of ['', '-wal', '-shm']) await rm(folder.at(`.lading/queue.db${end}`), { force: true })
}

describe.concurrent('verify', () => {
  it('of one database does not miss what was loaded into another', async () => {
    await using folder = await Folder.make({ 'a.csv': records(3), 'b.csv': records(4) })
    await folder.lading('load', 'a.csv', '--to', 'sqlite:a.db')
    await folder.lading('load', 'b.csv', '--to', 'sqlite:b.db')
    for (const name of ['a', 'b']) {
      expect(await folder.lading('verify', '--to', `sqlite:./${name}.db`)).toMatchObject({
        code: 0,
        out: expect.stringContaining(`${name}.csv`),
      })
    }
  })

  it('exits with 1 while records are open, publishes again what a lost queue held, and then adds up', async () => {
    await using folder = await Folder.make({ 'a.csv': records(8) })
    await folder.lading('produce', 'a.csv', '--chunk-bytes', '30')
    // Ten deliveries make a message run alone: one message is one batch then, so that the batch is a part of
    // the load.
    const database = new DatabaseSync(folder.at('.lading/queue.db'))
    database.exec('UPDATE message SET attempt = 10')
    database.close()
    expect((await folder.lading('consume', '--batches', '1')).code).toBe(0)
    const open = await folder.lading('verify')
    expect(open.code, open.err).toBe(1)
    expect(open.out).toMatch(/a\.csv +8 +\d +0 +0 +0 +[1-7]\n\d records? without a verdict yet/)
    await loseQueue(folder)

    const republish = await folder.lading('verify', '--republish-missing')
    expect(republish.code).toBe(1)
    expect(republish.err).toMatch(/^published \d chunks? of load \S+ again\n$/)
    expect((await folder.lading('consume', '--until-empty')).code).toBe(0)
    expect(await folder.lading('verify')).toMatchObject({
      code: 0,
      out: expect.stringContaining('every load is complete'),
    })
    expect(folder.rows()).toBe(8)
    // Now there is nothing left to publish.
    expect(await folder.lading('verify', '--republish-missing')).toMatchObject({ code: 0, err: '' })
    expect(await folder.lading('verify', 'a.csv', '--republish-missing')).toMatchObject({ code: 0, err: '' })
    expect(await folder.json('status')).toMatchObject({ queue: { ready: 0 } })
  })

  it('publishes a load again of which nothing ever arrived, and one whose file is gone does not keep the others', async () => {
    await using folder = await Folder.make({ 'a.csv': records(2), 'gone.csv': records(3) })
    await folder.lading('produce', 'gone.csv', 'a.csv')
    await loseQueue(folder)
    await rm(folder.at('gone.csv'))
    const run = await folder.lading('verify', '--republish-missing')
    expect(run.code).toBe(66)
    expect(run.err).toMatch(/^error SOURCE_MISSING: .*gone\.csv/m)
    expect(run.err).toMatch(/^published 1 chunk of load/m)
    expect(await folder.json('consume', '--until-empty')).toMatchObject({ loaded: 2 })
  })

  it('shows a load of which nothing ever arrived as open, and exits with 1', async () => {
    await using folder = await Folder.make({ 'a.csv': records(2), 'b.csv': records(3) })
    await folder.lading('load', 'a.csv')
    const [{ loadId }] = await folder.json<[{ loadId: string }]>('produce', 'b.csv')
    await loseQueue(folder)
    const run = await folder.lading('verify')
    expect(run.code, run.err).toBe(1)
    expect(run.out).toMatch(new RegExp(`^${loadId.slice(0, 8)} +b\\.csv +3 +0 +0 +0 +0 +3$`, 'm'))
    expect(run.out).toContain('3 records without a verdict yet')
    expect(run.out).not.toContain('DO NOT ADD UP')
    const one = await folder.lading('verify', loadId, '--json')
    expect(one.code, one.err).toBe(1)
    expect(JSON.parse(one.out)).toMatchObject([{ loadId, records: 3, open: 3, chunksDone: 0, problems: [] }])
    expect((await folder.lading('verify', '--pipeline', 'another')).code).toBe(0)
    await folder.lading('verify', '--republish-missing')
    expect(await folder.json('consume', '--until-empty')).toMatchObject({ loaded: 3 })
    expect((await folder.lading('verify')).code).toBe(0)
  })

  it('counts a load of which nothing was published as open only while its file is what was planned', async () => {
    const names = ['changed.csv', 'gone.csv', 'part.csv', 'same.csv']
    await using folder = await Folder.make(Object.fromEntries(names.map((name) => [name, records(3)])))
    await folder.write('loaded.csv', records(2))
    await folder.lading('load', 'loaded.csv')
    await folder.lading('produce', ...names, '--chunk-bytes', '30')
    await loseQueue(folder)
    // As of a producer that was killed when it had planned all of them and published a part of one.
    const database = new DatabaseSync(folder.at('.lading/producer.db'))
    database.exec(
      "UPDATE load SET published_at = NULL WHERE name <> 'loaded.csv'; UPDATE chunk SET confirmed = chunk = 0 AND load = (SELECT no FROM load WHERE name = 'part.csv')",
    )
    database.close()
    const open = async () => {
      const run = await folder.lading('verify', '--json')
      expect(run.code, run.err).toBe(1)
      return (JSON.parse(run.out) as { source: string; open: number }[])
        .flatMap((load) => (load.open > 0 ? load.source : []))
        .toSorted()
    }
    expect(await open()).toEqual(names)
    for (const name of ['gone.csv', 'part.csv']) await rm(folder.at(name))
    await folder.write('changed.csv', records(4))
    expect(await open()).toEqual(['part.csv', 'same.csv'])
  })

  it('does without the state of a producer, and makes none', async () => {
    await using folder = await Folder.make({ 'a.csv': records(2) })
    await folder.lading('load', 'a.csv')
    expect(await folder.lading('verify', '--state', 'elsewhere/producer.db')).toMatchObject({
      code: 0,
      err: '',
    })
    expect(await readdir(folder.path)).not.toContain('elsewhere')
  })

  it.each(['sqlite:z?.db', 'SQLITE:z.db'])('finds the database %s where load put it', async (to) => {
    await using folder = await Folder.make({ 'a.csv': records(2) })
    expect((await folder.lading('load', 'a.csv', '--to', to)).code).toBe(0)
    expect(await folder.json('verify', '--to', to)).toMatchObject([{ loaded: 2 }])
  })

  it('names what does not add up, and exits with 1', async () => {
    await using folder = await Folder.make({ 'a.csv': records(2), 'b.csv': `${records(1)}x,a,1\n` })
    await folder.lading('load', 'a.csv', 'b.csv')
    const database = new DatabaseSync(folder.at('lading.db'))
    database.exec(
      "DELETE FROM lading_reject; PRAGMA ignore_check_constraints = ON; UPDATE lading_load SET loaded = 1 WHERE source = 'a.csv'",
    )
    database.close()
    const run = await folder.lading('verify')
    expect(run.code).toBe(1)
    expect(run.out).toMatch(
      /^[0-9a-f]{8}: DOES NOT ADD UP: every chunk has a verdict, and 1 records have none$/m,
    )
    expect(run.out).toMatch(/^[0-9a-f]{8}: DOES NOT ADD UP: 1 records are rejected, and 0 rejects are kept$/m)
    expect(run.out).toContain('2 of 2 loads DO NOT ADD UP')
    const json = await folder.lading('verify', '--json', '--allow-rejects')
    expect(json.code).toBe(1)
    expect(
      (JSON.parse(json.out) as { problems: string[] }[]).flatMap(({ problems }) => problems),
    ).toHaveLength(2)
  })

  it('without a plan for the load says so', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    await folder.lading('load', 'a.csv')
    const unknown = '11111111-1111-8111-8111-111111111111'
    const run = await folder.lading('verify', unknown, '--republish-missing')
    expect(run.code).toBe(66)
    expectError({ ...run, out: '' }, 'NOT_FOUND', 66, unknown)
  })
})
