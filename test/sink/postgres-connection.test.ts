/** One session of PostgreSQL after the other, what is asked about one that is silent, and what errors mean. */
import { expect, it } from 'vitest'
import { Connection } from '../../src/driver/postgres/connection.ts'
import { sinkError } from '../../src/driver/postgres/errors.ts'
import { OwnSessions } from '../../src/driver/postgres/sessions.ts'
import { askAbout } from '../../src/driver/postgres/silence.ts'
import { LadingError } from '../../src/core/errors.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { startProxy } from '../support/proxy.ts'
import { openPostgres } from './postgres-target.ts'

it('a host of several addresses, none of which answers, is unavailable, and each address is named', () => {
  const refused = (address: string) => new Error(`connect ECONNREFUSED ${address}:5432`)
  expect(sinkError(new AggregateError([refused('::1'), refused('127.0.0.1')]))).toMatchObject({
    code: 'SINK_UNAVAILABLE',
    message: 'PostgreSQL: connect ECONNREFUSED ::1:5432, connect ECONNREFUSED 127.0.0.1:5432',
  })
})

it('a database whose name the driver would cut off is refused, and one with other signs is not', () => {
  for (const sign of ['?', '#'])
    expect(() => new OwnSessions(`postgresql://me@localhost/a${encodeURIComponent(sign)}b`), sign).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('takes no name') }),
    )
  for (const name of ['a/b', 'a:b', 'a@b', 'a%b', 'a b'])
    expect(new OwnSessions(`postgresql://me@localhost/${encodeURIComponent(name)}`).place).toBe(
      `postgresql://localhost/${encodeURIComponent(name)}`,
    )
})

describePostgres('a session of PostgreSQL', () => {
  it('whose server is busy is heard of, whatever becomes of what is done then', async () => {
    await using target = await openPostgres()
    await using connection = new Connection(new OwnSessions(target.url))
    const done: string[] = []
    connection.onBusy = async () => {
      done.push('asked')
      throw new Error('not allowed')
    }
    const busy = () => connection.use(() => Promise.reject(new LadingError('SINK_BUSY', 'locked')))
    await expect(busy()).rejects.toMatchObject({ code: 'SINK_BUSY', message: 'locked' })
    expect(done).toEqual(['asked'])
  })

  it('that breaks all the time is remembered by its last breaks', async () => {
    await using target = await openPostgres()
    await using connection = new Connection(new OwnSessions(target.url), { isGuest: true })
    const pids: number[] = []
    for (let n = 0; n < 66; n++) {
      await connection.use(async (client) => {
        pids.push((await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid ?? 0)
      })
      const broken = connection.use(() => Promise.reject(new LadingError('SINK_UNAVAILABLE', 'away')))
      await expect(broken).rejects.toMatchObject({ message: 'away' })
    }
    expect(connection.lost.map(({ pid }) => pid)).toEqual(pids.slice(-64))
  })

  it.for([
    ['that has no number yet', undefined, 'the server does not answer'],
    ['that the server does not know', 1, 'the server does not know the session any more'],
  ] as const)('%s is given up where it is silent', async ([, pid, why]) => {
    await using target = await openPostgres()
    expect(await askAbout(pid, new OwnSessions(target.url).config, 5_000)).toEqual({ why })
  })

  it('is kept where the server refuses to be asked about it, and given up where it cannot be asked', async () => {
    await using target = await openPostgres()
    const { config } = new OwnSessions(target.url.replace(/\w+$/, 'not_there'))
    expect(await askAbout(1, config, 5_000)).toBeUndefined()
    await using proxy = await startProxy(target.url, {
      swallowReply: (sent) => sent.includes('pg_stat_activity'),
    })
    expect(await askAbout(1, new OwnSessions(proxy.url).config, 5_000)).toEqual({
      why: 'the server cannot be reached',
    })
  })
})
