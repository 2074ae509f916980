/** What a stream does beside the contract: messages of others, what others do to it, and what is left in Redis. */
import { expect, it } from 'vitest'
import { mostInFlightBytes } from '../../src/queue/queue.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { aloneFrom } from '../../src/queue/window.ts'
import { describeRedis } from '../../tooling/servers/streams.ts'
import { keysOf } from '../contract/queue/expected.ts'
import { messageOf, messagesOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'

const done = { kind: 'done' } as const
const release = { kind: 'release' } as const
const streamOf = (url: string): string => new URL(url).searchParams.get('stream') ?? ''
const textsOf = (bodies: readonly { readonly body: Uint8Array }[]): string[] =>
  bodies.map(({ body }) => Buffer.from(body).toString())

describeRedis('a stream of Redis', ({ server, freshUrl }) => {
  it('messages of others have their field as body, the other fields as headers, and the id of the entry as key', async () => {
    const url = freshUrl()
    await using queue = await openQueue(url)
    const id = await server().command('XADD', streamOf(url), '*', 'kind', 'login', 'body', '{"id":1}')
    const [seen] = await queue.peek(1)
    const taken = await new Reader(queue).takeOne()
    for (const message of [seen, taken])
      expect(message).toMatchObject({ key: `${streamOf(url)}/${String(id)}`, headers: { kind: 'login' } })
    expect(textsOf([taken])).toEqual(['{"id":1}'])
  })

  it('another field is the body where the URL names it; without one, the fields are the record', async () => {
    const url = freshUrl('&body=data')
    await using queue = await openQueue(url)
    await server().command('XADD', streamOf(url), '*', 'data', '{"id":1}', 'body', 'x')
    await server().command('XADD', streamOf(url), '*', 'id', '2', 'name', 'Ada')
    await server().command('XADD', streamOf(url), '*', 'lading', 'not JSON', 'name', 'Ada')
    const taken = await new Reader(queue).take(3)
    expect(textsOf(taken)).toEqual([
      '{"id":1}',
      '{"id":"2","name":"Ada"}',
      '{"lading":"not JSON","name":"Ada"}',
    ])
    expect(taken.map(({ headers }) => headers)).toEqual([{ body: 'x' }, {}, {}])
  })

  it('no field of others is left out: one that stands twice does so in the record', async () => {
    const url = freshUrl()
    await using queue = await openQueue(url)
    await server().command('XADD', streamOf(url), '*', 'id', '1', 'id', '2', '__proto__', 'x')
    await server().command('XADD', streamOf(url), '*', 'body', '{}', 'body', 'x', '__proto__', 'y')
    const taken = await new Reader(queue).take(2)
    expect(textsOf(taken)).toEqual(['{"id":"1","id":"2","__proto__":"x"}', '{}'])
    expect(Object.entries(taken[1]?.headers ?? {})).toEqual([
      ['body', 'x'],
      ['__proto__', 'y'],
    ])
  })

  it('what is done leaves nothing in Redis but the empty stream and its name', async () => {
    const url = freshUrl()
    const stream = streamOf(url)
    await using queue = await openQueue(url)
    await queue.publish(messagesOf('a', 0, 50))
    await new Reader(queue).drain(50)
    expect(await server().command('XLEN', stream)).toBe(0)
    expect(await server().command('EXISTS', `${stream}:due`)).toBe(0)
    expect(await server().command('XPENDING', stream, 'lading')).toEqual([0, null, null, null])
  })

  it('what another program took in the name of the group comes again when it was idle for a lease', async () => {
    const url = freshUrl('&lease=0.2s')
    await using queue = await openQueue(url)
    await queue.publish(messagesOf('a', 0, 3))
    const stream = streamOf(url)
    await server().command('XREADGROUP', 'GROUP', 'lading', 'other', 'COUNT', '2', 'STREAMS', stream, '>')
    const taken = await new Reader(queue).drain(3)
    expect(keysOf(taken).toSorted()).toEqual(['a/0', 'a/1', 'a/2'])
    expect(Object.fromEntries(taken.map(({ key, attempt }) => [key, attempt]))).toEqual({
      'a/0': 2,
      'a/1': 2,
      'a/2': 1,
    })
  })

  it('what was in hand comes again even where the set of leases was removed', async () => {
    const url = freshUrl('&lease=0.2s')
    await using queue = await openQueue(url)
    await queue.publish(messagesOf('a', 0, 2))
    await new Reader(queue).take(2)
    await server().command('DEL', `${streamOf(url)}:due`)
    expect((await new Reader(queue).take(2)).map(({ attempt }) => attempt)).toEqual([2, 2])
  })

  it('what others removed from the stream while it was in hand is not waited for', async () => {
    const url = freshUrl('&lease=0.2s')
    await using queue = await openQueue(url)
    await queue.publish(messagesOf('a', 0, 2))
    await new Reader(queue).take(2)
    await server().command('XTRIM', streamOf(url), 'MAXLEN', '1')
    const reader = new Reader(queue)
    expect(keysOf(await reader.take(1))).toEqual(['a/1'])
    expect(await reader.takeAvailable()).toEqual([])
    expect(await queue.depth()).toEqual({ ready: 0, inFlight: 1, dead: 0 })
  })

  it('a message that may kill its consumer is taken alone', async () => {
    const url = freshUrl('&lease=300s')
    await using queue = await openQueue(url)
    await queue.publish([messageOf('killer', 0)])
    const [killer] = await new Reader(queue).take(1)
    await killer?.settle({ kind: 'retry', afterMs: 0, code: 'SINK_BUSY' })
    for (let attempt = 2; attempt < aloneFrom; attempt++)
      await (await new Reader(queue).takeOne()).settle({ kind: 'retry', afterMs: 0, code: 'SINK_BUSY' })
    await queue.publish(messagesOf('a', 0, 20))
    const reader = new Reader(queue)
    const first = await reader.takeAvailable()
    expect(first.map(({ key, attempt }) => [key, attempt])).toEqual([['killer/0', aloneFrom]])
    await first[0]?.settle(done)
    expect((await reader.take(20)).map(({ attempt }) => attempt)).toEqual(Array(20).fill(1))
  })

  it('bodies in hand are bounded by bytes, those that are only referred to included', async () => {
    await using queue = await openQueue(freshUrl())
    const weight = mostInFlightBytes / 4
    const messages = messagesOf('a', 0, 20).map((message, n) =>
      n % 2 === 0 ? { ...message, weight } : { ...message, body: Buffer.alloc(weight) },
    )
    await queue.publish(messages)
    const reader = new Reader(queue)
    const taken = await reader.takeAvailable()
    expect(taken).toHaveLength(4)
    await taken[0]?.settle(done)
    expect(await reader.takeAvailable()).toHaveLength(1)
  })

  it('the age of the oldest message is told, in hand or not', async () => {
    const url = freshUrl()
    await using queue = await openQueue(url)
    expect(await queue.oldest?.()).toBeUndefined()
    await queue.publish([messageOf('a', 0)])
    const delivery = await new Reader(queue).takeOne()
    const age = (await queue.oldest?.()) ?? -1
    expect(age).toBeGreaterThanOrEqual(0)
    expect(age).toBeLessThan(60_000)
    await delivery.settle(done)
    expect(await queue.oldest?.()).toBeUndefined()
  })

  it('the same queue is the same from wherever it is opened; after the server forgot it, it is another one', async () => {
    const url = freshUrl()
    await using queue = await openQueue(url)
    await using again = await openQueue(url, { create: false })
    expect(again.id).toBe(queue.id)
    await server().command('FLUSHDB')
    await using another = await openQueue(url)
    expect(another.id).not.toBe(queue.id)
  })

  it('a stream that is removed under its users is made again, and what is published then is delivered', async () => {
    const url = freshUrl()
    await using queue = await openQueue(url)
    await queue.publish(messagesOf('a', 0, 3))
    const reader = new Reader(queue)
    const taken = await reader.take(3)
    await server().command('DEL', streamOf(url))
    await Promise.all([taken[0]?.settle(done), taken[1]?.settle(release)])
    await queue.publish([messageOf('b', 0)])
    expect(keysOf(await reader.take(1))).toEqual(['b/0'])
    await using user = await openQueue(url, { create: false })
    await server().command('DEL', streamOf(url))
    await expect(user.publish([messageOf('b', 1)])).rejects.toMatchObject({ code: 'QUEUE_MISSING' })
    await expect(new Reader(user).take(1)).rejects.toMatchObject({ code: 'QUEUE_MISSING' })
  })

  it('a group that was made behind messages is told, with what delivers them', async () => {
    const url = freshUrl()
    const stream = streamOf(url)
    await server().command('XADD', stream, '*', 'body', '{}')
    await server().command('XGROUP', 'CREATE', stream, 'lading', '$')
    await using queue = await openQueue(url, { create: false })
    const [warning = ''] = queue.traits.warnings ?? []
    expect(warning).toContain('passed over')
    const [, ...command] = /\((XGROUP) (SETID) (\S+) (\S+) (\d+),/.exec(warning) ?? []
    await server().command(...command)
    await new Reader(queue).take(1)
    await using again = await openQueue(url)
    expect(again.traits.warnings).toEqual([])
  })
})
