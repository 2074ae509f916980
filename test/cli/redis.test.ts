/** The command with a queue of Redis, over SQLite: loads, messages of others, looks; no password is ever shown. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openQueue } from '../../src/index.ts'
import { type RedisServer, startRedis } from '../../tooling/servers/redis.ts'
import { describeRedis } from '../../tooling/servers/streams.ts'
import { expectError, Folder, header, record, records, type Run } from './run.ts'

const secret = 'CANARY-pw'
const others = header + Array.from({ length: 20 }, (_, n) => record(30 + n)).join('')

describeRedis('lading with a queue of Redis', () => {
  let server: RedisServer
  let streams = 0
  const fresh = () => `${server.url}?stream=cli-${streams++}`

  beforeAll(async () => {
    server = await startRedis({ settings: { requirepass: secret } })
  })
  afterAll(() => server.stop())

  /** What was printed holds no password. */
  function shown(run: Run): Run {
    expect(run.out + run.err).not.toContain(secret)
    return run
  }

  it('load, produce and consume, each record once; verify adds up', { timeout: 200_000 }, async () => {
    const queue = fresh()
    await using folder = await Folder.make({ 'a.csv': records(30), 'b.csv': others })
    const to = ['--to', `sqlite:${folder.at('target.db')}`]
    expect(shown(await folder.lading('load', 'a.csv', '--queue', queue, ...to)).code).toBe(0)
    expect(shown(await folder.lading('produce', 'b.csv', '--queue', queue, '--state', 's.db')).code).toBe(0)
    expect(await folder.json('peek', '--queue', queue)).toMatchObject([{ attempt: 0 }])
    expect(await folder.json('status', '--queue', queue)).toMatchObject({
      queue: { ready: 1, inFlight: 0, dead: 0 },
    })
    expect(shown(await folder.lading('consume', '--until-empty', '--queue', queue, ...to)).code).toBe(0)
    expect(shown(await folder.lading('verify', ...to)).out).toContain('adds up')
    expect(await folder.json('status', '--queue', queue)).toMatchObject({
      queue: { ready: 0, inFlight: 0, dead: 0 },
    })
  })

  it('entries of others are records: JSON in a field, and fields', { timeout: 200_000 }, async () => {
    const queue = fresh()
    await using folder = await Folder.make()
    await (await openQueue(queue))[Symbol.asyncDispose]()
    const stream = new URL(queue).searchParams.get('stream') ?? ''
    const [id = '', time = '', value = ''] = record(7).trim().split(',')
    const [, names] = [header, header.trim().split(',')]
    const fields = Object.entries(
      Object.fromEntries(names.map((name, n) => [name, [id, time, value][n] ?? ''])),
    )
    await server.command('XADD', stream, '*', ...fields.flat())
    await server.command('XADD', stream, '*', 'body', JSON.stringify(Object.fromEntries(fields)), 'kind', 'x')
    await server.command('XADD', stream, '*', 'body', 'no JSON')
    const run = shown(
      await folder.lading(
        'consume',
        '--until-empty',
        '--queue',
        queue,
        '--to',
        `sqlite:${folder.at('t.db')}`,
      ),
    )
    expect(run.code).toBe(3)
    expect(run.err).toContain('NOT_OURS')
    expect(run.out).toMatch(/^ +3 +0 +0 +0 +1 +2 +2 +0 +0$/m)
  })

  it(
    'a wrong password, a missing stream and a server that is away end with one line',
    { timeout: 200_000 },
    async () => {
      const url = fresh()
      await using folder = await Folder.make({ 'a.csv': records(1) })
      const consume = async (queue: string, ...flags: string[]) =>
        shown(await folder.lading('consume', '--to', 'sqlite:t.db', '--queue', queue, ...flags))
      const [wrong, missing, away] = await Promise.all([
        consume(url.replace(secret, `${secret}x`)),
        consume(url, '--no-create'),
        consume(`redis://:${secret}@127.0.0.1:1`, '--start-timeout', '0.2'),
      ])
      expectError(wrong, 'QUEUE_REFUSED', 78, 'WRONGPASS')
      expectError(missing, 'QUEUE_MISSING', 78, 'no such stream')
      expectError(away, 'QUEUE_UNAVAILABLE', 69, 'ECONNREFUSED')
    },
  )
})
