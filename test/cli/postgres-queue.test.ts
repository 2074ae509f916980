import { expect, it } from 'vitest'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { expectError, Folder, records } from './run.ts'

const secret = 'CANARY-pw'

describePostgres('lading with a queue in PostgreSQL', () => {
  it('ends with one line that holds no password where there is no queue, or no server', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    await using database = await freshDatabase()
    const url = new URL(`${database.url}?queue=none`)
    url.password = secret
    const closed = `postgresql://me:${secret}@127.0.0.1:1/db?queue=q`
    const runs = await Promise.all([
      folder.lading('produce', 'a.csv', '--queue', url.href, '--no-create'),
      folder.lading('consume', '--queue', url.href, '--no-create'),
      folder.lading('produce', 'a.csv', '--queue', closed, '--start-timeout', '0.1'),
      folder.lading('consume', '--queue', closed, '--start-timeout', '0.1'),
      folder.lading('doctor', 'a.csv', '--queue', closed, '--to', 'sqlite:x.db'),
    ])
    for (const run of runs.slice(0, 2)) expectError(run, 'QUEUE_MISSING', 78, 'no queue none')
    for (const run of runs.slice(2, 4)) expectError(run, 'QUEUE_UNAVAILABLE', 69, 'ECONNREFUSED')
    for (const { out, err } of runs) expect(out + err).not.toContain(secret)
  })

  it('loads each record once, and shows what is there', async () => {
    await using folder = await Folder.make({ 'a.csv': records(50) })
    await using database = await freshDatabase()
    const queue = ['--queue', `${database.url}?queue=readings`]
    const to = ['--to', database.url, ...queue]
    const produced = await folder.lading(
      'produce',
      'a.csv',
      ...queue,
      '--chunk-bytes',
      '200',
      '--state',
      'state.db',
    )
    expect(produced, produced.err).toMatchObject({ code: 0 })
    expect(await folder.json('status', ...to)).toMatchObject({ queue: { ready: 7, inFlight: 0, dead: 0 } })
    expect((await folder.lading('peek', ...queue)).out).toContain('a.csv')
    const consumed = await folder.lading('consume', '--until-empty', ...to)
    expect(consumed, consumed.err).toMatchObject({ code: 0 })
    expect(await folder.json('status', ...to)).toMatchObject({
      queue: { ready: 0, inFlight: 0, dead: 0 },
      loads: [{ records: 50, loaded: 50, open: 0 }],
    })
    const loaded = await folder.lading('load', 'a.csv', ...to, '--again')
    expect(loaded.err).not.toContain('warning')
  })
})
