import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Code } from '../../src/core/errors.ts'
import { parseAddress } from '../../src/queue/redis/address.ts'
import { reasonAgainst } from '../../src/queue/redis/server.ts'
import { examineQueue, openQueue } from '../../src/queue/registry.ts'
import { freePort, guardFolder, spawnProgram } from '../../tooling/servers/engine.ts'
import { makeFolder, serverUser } from '../../tooling/servers/machine.ts'
import { redisProgram, type RedisServer, startRedis } from '../../tooling/servers/redis.ts'
import { describeRedis } from '../../tooling/servers/streams.ts'
import { expectWhole } from '../contract/queue/expected.ts'
import { messageOf, messagesOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'
import { levels, named } from '../doctor/findings.ts'
import { type Certificates, certificates } from './certificates.ts'

const secret = 'hunter2'

async function expectRefused(
  work: Promise<unknown>,
  code: Code,
  ...parts: readonly (string | RegExp)[]
): Promise<void> {
  const error: unknown = await work.catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code, message: expect.stringMatching(/^stream \S+ at \S+:\d+.*: .+$/) })
  for (const part of parts) expect((error as Error).message).toMatch(part)
  expect((error as Error).message).not.toContain(secret)
}

describeRedis('a Redis server that is not fit for a queue', ({ server, freshUrl }) => {
  /** Opens a queue where the server has these settings, and puts them back. */
  async function withSettings(settings: Readonly<Record<string, string>>, work: () => Promise<void>) {
    const before: string[][] = []
    for (const [name, value] of Object.entries(settings)) {
      before.push((await server().command('CONFIG', 'GET', name)) as string[])
      await server().command('CONFIG', 'SET', name, value)
    }
    try {
      await work()
    } finally {
      for (const [name = '', value = ''] of before) await server().command('CONFIG', 'SET', name, value)
    }
  }

  it.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random'])(
    'that may drop the queue (%s) is refused, and nothing is made',
    async (policy) => {
      const url = freshUrl()
      await withSettings({ 'maxmemory-policy': policy }, () =>
        expectRefused(openQueue(url), 'QUEUE_REFUSED', policy, 'noeviction'),
      )
      expect(await server().command('DBSIZE')).toBe(0)
    },
  )

  it('that writes nothing to a disk is refused, unless the URL says that this is known; then it warns', async () => {
    await withSettings({ appendonly: 'no' }, async () => {
      await expectRefused(openQueue(freshUrl()), 'QUEUE_REFUSED', 'appendonly', 'persistence=none')
      await using queue = await openQueue(freshUrl('&persistence=none'))
      expect(queue.traits.warnings).toEqual([expect.stringContaining('lost with its process')])
    })
  })

  it.each([
    [{ appendonly: 'no', save: '3600 1' }, ['snapshots']],
    [{ appendfsync: 'everysec' }, ['once a second']],
    [{ appendfsync: 'no' }, ['leaves it to its system']],
    [{}, []],
  ])('with %j says what may be lost: %j', async (settings, parts) => {
    await withSettings(settings, async () => {
      await using queue = await openQueue(freshUrl())
      expect(queue.traits.warnings).toEqual(parts.map((part) => expect.stringContaining(part)))
    })
  })

  it.each([
    ['a Sentinel', ['--sentinel'], 'name the primary itself'],
    ['part of a cluster', ['--cluster-enabled', 'yes'], 'not supported'],
  ])('that is %s is refused in one sentence', async (_, args, part) => {
    const folder = makeFolder('lading-redis-', serverUser('redis'))
    const keeper = guardFolder(folder)
    const [config, port] = [join(folder, 'redis.conf'), await freePort()]
    writeFileSync(config, `port ${port}\nbind 127.0.0.1\ndir ${folder}\n`)
    // A Sentinel writes to it.
    chmodSync(config, 0o666)
    const program = {
      path: await redisProgram(),
      args: [config, ...args],
      env: {},
      user: serverUser('redis'),
    }
    spawnProgram({ ...program, logFile: join(folder, 'log') }, (pid) => keeper.tell(String(pid ?? '')))
    const url = `redis://127.0.0.1:${port}`
    const opened = () => openQueue(url).catch((error: unknown) => error)
    await expect
      .poll(opened, { timeout: 20_000 })
      .toMatchObject({ code: 'QUEUE_REFUSED', message: expect.stringContaining(part) })
    const found = []
    for await (const finding of await examineQueue(url, { create: true })) found.push(finding)
    expect(levels(found, 'fail')).toContainEqual(expect.stringMatching(`^server: QUEUE_REFUSED: .*${part}`))
    await keeper.close()
  })

  it.each(['6.2.14', ''])('that is an old one (%j) is refused', (version) => {
    const facts = { version, info: {}, settings: undefined }
    expect(reasonAgainst(facts, parseAddress(freshUrl()))).toMatch(
      /^it is Redis .*; a queue needs Redis 7\.0/,
    )
  })

  it('that is a replica is refused; one that becomes one is waited for', async () => {
    const url = freshUrl()
    await using queue = await openQueue(url)
    await server().command('REPLICAOF', '127.0.0.1', String(await freePort()))
    try {
      await expectRefused(openQueue(url), 'QUEUE_REFUSED', 'replica')
      for (let n = 0; n < 2; n++) await expectRefused(queue.publish([messageOf('a', n)]), 'QUEUE_UNAVAILABLE')
    } finally {
      await server().command('REPLICAOF', 'NO', 'ONE')
    }
    await queue.publish([messageOf('b', 0)])
    expect((await queue.depth()).ready).toBe(1)
  })

  it('a stream of another group is refused, before its messages are removed', async () => {
    const url = freshUrl()
    const stream = new URL(url).searchParams.get('stream') ?? ''
    await server().command('XGROUP', 'CREATE', stream, 'theirs', '0', 'MKSTREAM')
    await expectRefused(openQueue(url), 'QUEUE_REFUSED', 'theirs')
    expect(await server().command('XINFO', 'GROUPS', stream)).toHaveLength(1)
    await using queue = await openQueue(`${url}&group=theirs`, { create: false })
    await queue.publish([messageOf('a', 0)])
    await new Reader(queue).drain(1)
  })

  it('a key that holds something else is refused', async () => {
    const url = freshUrl()
    const stream = new URL(url).searchParams.get('stream') ?? ''
    await server().command('SET', `${stream}:due`, 'x')
    await expectRefused(openQueue(url), 'QUEUE_REFUSED', 'holds something else (string)')
    await server().command('SET', stream, 'x')
    await expectRefused(openQueue(url), 'QUEUE_REFUSED', 'holds something else (string)')
  })

  it('a queue that is missing is told, and nothing is made, with create: false', async () => {
    await server().command('FLUSHALL')
    await expectRefused(openQueue(freshUrl(), { create: false }), 'QUEUE_MISSING', 'no such stream')
    expect(await server().command('DBSIZE')).toBe(0)
    await server().command('XADD', 'others', '*', 'a', '1')
    const url = `${server().url}?stream=others`
    await expectRefused(openQueue(url, { create: false }), 'QUEUE_MISSING', 'no group lading')
    await expectRefused(openQueue(`${server().url}/99?stream=others`), 'QUEUE_REFUSED', 'out of range')
  })

  it('a server that is not there is unavailable', async () => {
    await expectRefused(
      openQueue(`redis://me:${secret}@127.0.0.1:${await freePort()}`),
      'QUEUE_UNAVAILABLE',
      'ECONNREFUSED',
    )
  })
})

describeRedis('a Redis server with users', ({ server }) => {
  const at = (user: string, password = secret) =>
    `redis://${user}:${password}@127.0.0.1:${server().port}?stream=users`
  const rights =
    '+eval +info +xadd +xrange +xlen +xreadgroup +xpending +xclaim +xack +xdel +xgroup +xinfo +type +zadd +zrem +zscore +zrangebyscore +set +get +time'

  beforeAll(async () => {
    const user = (name: string, ...rules: readonly string[]) =>
      server().command('ACL', 'SETUSER', name, 'on', `>${secret}`, ...rules)
    await user('least', '~users', '~users:due', '~users:id', ...rights.split(' '))
    await user('reader', '~users*', '+@read', '+info')
    await user('elsewhere', '~other*', '+@all')
  })

  it('a wrong password, and a user without rights, are told in one line', async () => {
    await expectRefused(openQueue(at('least', 'wrong')), 'QUEUE_REFUSED', 'WRONGPASS')
    await expectRefused(openQueue(at('reader')), 'QUEUE_REFUSED', 'NOPERM')
    await expectRefused(openQueue(at('elsewhere')), 'QUEUE_REFUSED', 'NOPERM')
  })

  it('a user with the rights of the page does all that producers and consumers do', async () => {
    await using queue = await openQueue(at('least'))
    expect(queue.traits.warnings).toEqual([expect.stringContaining('does not tell appendfsync')])
    await queue.publish(messagesOf('a', 0, 3))
    expect(await queue.peek(3)).toHaveLength(3)
    const reader = new Reader(queue)
    const [one, two, three] = await reader.take(3)
    await one?.extend?.(60_000)
    await Promise.all([
      one?.settle({ kind: 'done' }),
      two?.settle({ kind: 'release', afterMs: 20 }),
      three?.settle({ kind: 'retry', afterMs: 0, code: 'SINK_BUSY' }),
    ])
    await reader.drain(2)
    expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
    expect(await queue.oldest?.()).toBeUndefined()
  })
})

describeRedis('Redis over TLS', () => {
  let server: RedisServer
  let files: Certificates
  let tlsPort = 0

  beforeAll(async () => {
    files = certificates()
    files.authority('ours')
    files.authority('theirs')
    files.certificate('server', 'ours')
    files.certificate('client', 'ours')
    tlsPort = await freePort()
    server = await startRedis({
      settings: {
        'tls-port': String(tlsPort),
        'tls-cert-file': files.at('server.pem'),
        'tls-key-file': files.at('server.key'),
        'tls-ca-cert-file': files.at('ours.pem'),
      },
    })
  })
  afterAll(async () => {
    await server.stop()
    files[Symbol.dispose]()
  })

  const at = (parts: Readonly<Record<string, string>>, host = '127.0.0.1') =>
    `rediss://${host}:${tlsPort}?stream=tls&timeout=5&${Object.entries(parts)
      .map(([name, file]) => `${name}=${encodeURIComponent(files.at(file))}`)
      .join('&')}`
  const client = { cert: 'client.pem', key: 'client.key' }

  it('takes a client with the right certificates', async () => {
    await using queue = await openQueue(at({ ca: 'ours.pem', ...client }))
    expect(queue.traits.warnings).toEqual([])
    await queue.publish([messageOf('a', 0)])
    expectWhole(await new Reader(queue).takeOne())
    const found = []
    for await (const finding of await examineQueue(at({ ca: 'ours.pem', ...client }), { create: true }))
      found.push(finding)
    expect(named(found, 'encryption')).toMatchObject([
      { level: 'ok', detail: expect.stringContaining('TLS') },
    ])
  })

  it.each([
    [
      'whose authority we do not know',
      { ca: 'theirs.pem', ...client },
      '127.0.0.1',
      /TLS: .*(certificate|issuer)/,
    ],
    ['whose certificate is for another host', { ca: 'ours.pem', ...client }, 'localhost', /TLS: .*altnames/],
  ])('a server %s is refused', async (_, parts, host, part) => {
    await expectRefused(openQueue(at(parts, host)), 'QUEUE_REFUSED', part)
  })

  it('a port without TLS is named as what it may be', async () => {
    const url = `rediss://127.0.0.1:${server.port}?stream=tls&timeout=1`
    await expectRefused(openQueue(url), 'QUEUE_UNAVAILABLE', 'does its port speak TLS?')
  })

  it('a server that wants a certificate of ours, and gets none, lets nobody in', async () => {
    const error: unknown = await openQueue(at({ ca: 'ours.pem' })).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: expect.stringMatching(/^QUEUE_(REFUSED|UNAVAILABLE)$/) })
  })

  it('a file of the authority that holds none is refused', async () => {
    writeFileSync(files.at('none.pem'), 'nothing')
    const error: unknown = await openQueue(at({ ca: 'none.pem' })).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'QUEUE_REFUSED' })
  })
})
