import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { afterEach, describe, expect, it } from 'vitest'
import type { LadingEvent } from '../../src/core/events.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { useNats } from '../../tooling/servers/nats.ts'
import { expectWhole, keysOf, sorted } from '../contract/queue/expected.ts'
import { messageOf, messagesOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'
import { startProxy } from '../support/proxy.ts'
import { reportedBy } from './external-client.ts'

const { server, freshUrl } = useNats()

const done = { kind: 'done' } as const
const unavailable = expect.objectContaining({
  code: 'QUEUE_UNAVAILABLE',
  message: expect.stringMatching(/^stream \S+ at 127\.0\.0\.1:\d+: .+$/),
})
const streamOf = (url: string): string => new URL(url).searchParams.get('stream') ?? ''

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

/** The client itself, for what others do to a stream. */
async function client() {
  const nats = await server().connect()
  open.push(nats)
  return { nats, manager: await jetstreamManager(nats), publisher: jetstream(nats) }
}

describe('when a NATS server fails', () => {
  it('what it confirmed is there after it was killed, and everybody goes on', async () => {
    await using queue = await openQueue(freshUrl({ lease: '1' }))
    await queue.publish(messagesOf('a', 0, 50))
    const reader = new Reader(queue)
    const [first] = await reader.take(50)
    await first?.settle(done)
    server().kill()
    await expect(reader.take(51)).rejects.toThrow(unavailable)
    await expect(queue.publish([messageOf('b', 0)])).rejects.toThrow(unavailable)
    await server().start()
    await expect.poll(() => queue.publish([messageOf('b', 1)])).toBeUndefined()
    const again = await new Reader(queue).drain(50)
    again.forEach(expectWhole)
    const expected = [...messagesOf('a', 0, 50), messageOf('b', 1)].filter(({ key }) => key !== first?.key)
    expect(sorted([...new Set(keysOf(again))])).toEqual(expect.arrayContaining(sorted(keysOf(expected))))
  })

  it('a delivery outlives its connection: it is settled on another one', async () => {
    const url = freshUrl()
    await using proxy = await startProxy(url)
    await using queue = await openQueue(proxy.url)
    await queue.publish(messagesOf('a', 0, 3))
    const reader = new Reader(queue)
    const taken = await reader.take(3)
    proxy.reset()
    await expect(reader.take(1)).rejects.toThrow(unavailable)
    await Promise.all(taken.map((delivery) => delivery.settle(done)))
    await expect.poll(() => queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })

  it('a line that is dead is noticed by who publishes and by who waits for messages', async () => {
    await using proxy = await startProxy(freshUrl())
    await using queue = await openQueue(`${proxy.url}&heartbeat=1&timeout=0.5`)
    const reader = new Reader(queue)
    await reader.next()
    proxy.blackHole(true)
    await expect(queue.publish([messageOf('a', 0)])).rejects.toThrow(unavailable)
    await expect(reader.take(1)).rejects.toThrow(unavailable)
    proxy.blackHole(false)
    await expect.poll(() => queue.publish([messageOf('a', 1)]).catch(() => 'not yet')).toBeUndefined()
    expect(keysOf(await new Reader(queue).take(1))).not.toEqual([])
  })

  it('a stop does not wait for a server that does not answer', async () => {
    await using proxy = await startProxy(freshUrl())
    await using queue = await openQueue(`${proxy.url}&timeout=0.5`)
    proxy.blackHole(true)
    const stop = new AbortController()
    const opened = openQueue(proxy.url, { signal: stop.signal })
    stop.abort()
    await expect(opened).rejects.toThrow(expect.objectContaining({ code: 'ABORTED' }))
    await expect(queue.depth()).rejects.toThrow(unavailable)
  })

  it('a message whose confirmation was lost is in the stream once when it is sent again', async () => {
    const url = freshUrl()
    await using first = await openQueue(url)
    await using proxy = await startProxy(url, {
      swallowReply: (sent) => sent.includes('Lading-Message'),
    })
    await using queue = await openQueue(proxy.url)
    await expect(queue.publish([messageOf('a', 0)])).rejects.toThrow(unavailable)
    await first.publish([messageOf('a', 0)])
    expect(await first.depth()).toEqual({ ready: 1, inFlight: 0, dead: 0 })
  })
})

describe('a message that is sent again', () => {
  it('comes again where the stream does not have it any more', async () => {
    await using queue = await openQueue(freshUrl())
    await queue.publish([messageOf('a', 0)])
    const reader = new Reader(queue)
    await (await reader.takeOne()).settle(done)
    await expect.poll(() => queue.depth()).toMatchObject({ inFlight: 0 })
    await queue.publish([messageOf('a', 0)])
    expectWhole(await reader.takeOne())
  })

  it('on purpose is stored once for each purpose, however often it is tried', async () => {
    await using queue = await openQueue(freshUrl())
    for (const resent of [undefined, undefined, 'one', 'one', 'other'])
      await queue.publish([{ ...messageOf('a', 0), ...(resent === undefined ? {} : { resent }) }])
    expect((await queue.depth()).ready).toBe(3)
  })
})

describe('a stream that others change', () => {
  it('is made again by who may, when it was deleted', async () => {
    const url = freshUrl()
    await using queue = await openQueue(url)
    const reader = new Reader(queue)
    await reader.next()
    const { manager } = await client()
    await manager.streams.delete(streamOf(url))
    await expect(reader.take(1)).rejects.toThrow(unavailable)
    await expect.poll(() => queue.publish([messageOf('a', 0)]).catch(() => 'not yet')).toBeUndefined()
    expectWhole(await new Reader(queue).takeOne())
  })

  it('is missing for who may not make it', async () => {
    const url = freshUrl()
    await using made = await openQueue(url)
    await using queue = await openQueue(url, { create: false })
    const { manager } = await client()
    await manager.consumers.delete(streamOf(url), 'lading')
    await expect(new Reader(queue).take(1)).rejects.toThrow(
      expect.objectContaining({ code: 'QUEUE_MISSING' }),
    )
    await manager.streams.delete(streamOf(url))
    await expect(queue.publish([messageOf('a', 0)])).rejects.toThrow(
      expect.objectContaining({ code: 'QUEUE_MISSING' }),
    )
    expect(made.id).toBe(queue.id)
  })

  it('and is full makes producers wait until consumers have made room, and says so', async () => {
    const url = freshUrl()
    const events: LadingEvent[] = []
    await using queue = await openQueue(url, { onEvent: (event) => events.push(event) })
    const { manager } = await client()
    const { config } = await manager.streams.info(streamOf(url))
    await manager.streams.update(streamOf(url), { ...config, max_msgs: 10 })
    const published = queue.publish(messagesOf('a', 0, 30))
    await expect.poll(() => reportedBy(events)).toContain('waiting QUEUE_HOLD')
    const taken = await new Reader(queue).drain(30)
    await published
    expect(sorted(keysOf(taken))).toEqual(sorted(keysOf(messagesOf('a', 0, 30))))
    expect(reportedBy(events)).toContain('resumed QUEUE_HOLD')
  })

  it('is another queue when it was made again', async () => {
    const url = freshUrl()
    await using first = await openQueue(url)
    const { manager } = await client()
    await manager.streams.delete(streamOf(url))
    await using second = await openQueue(url)
    expect(second.id).not.toBe(first.id)
  })
})

describe.each([
  ['a server', { jetstream: 'max_file_store: 8MB' }],
  [
    'an account',
    {
      settings: 'accounts { A { users: [{ user: a, password: b }], jetstream: { max_file: 8MB } } }',
      client: { user: 'a', pass: 'b' },
    },
  ],
])('%s that has no room for more', (_name, options) => {
  const { freshUrl: smallUrl } = useNats(options)

  it('makes producers wait until consumers have made room, and says so', async () => {
    const events: LadingEvent[] = []
    const url = smallUrl().replace('//', '//a:b@')
    await using queue = await openQueue(url, { onEvent: (event) => events.push(event) })
    const body = Buffer.alloc(500_000)
    const messages = Array.from({ length: 30 }, (_, n) => ({ key: `large/${n}`, body, headers: {} }))
    const published = queue.publish(messages)
    await expect.poll(() => reportedBy(events), { timeout: 10_000 }).toContain('waiting QUEUE_HOLD')
    const taken = await new Reader(queue).drain(30)
    await published
    // The server looks for room once it has stored a message: one that it refuses may be delivered, too.
    expect(sorted([...new Set(keysOf(taken))])).toEqual(sorted(keysOf(messages)))
    expect(reportedBy(events)).toContain('resumed QUEUE_HOLD')
  })
})

describe('what is in hand', () => {
  it('begins with one message, because that may be what kills consumers', async () => {
    await using queue = await openQueue(freshUrl({ lease: '1' }))
    await queue.publish(messagesOf('a', 0, 30))
    expect(await new Reader(queue).take(1)).toHaveLength(1)
  })

  it('is bounded by bytes where large messages follow small ones', async () => {
    await using queue = await openQueue(freshUrl())
    const large = Buffer.alloc(900_000)
    await queue.publish(messagesOf('small', 0, 500))
    for (let n = 0; n < 10; n++)
      await queue.publish(
        Array.from({ length: 10 }, (_, i) => ({ key: `large/${n}/${i}`, body: large, headers: {} })),
      )
    const reader = new Reader(queue, 2_000)
    const taken = await reader.take(500)
    await Promise.all(taken.map((delivery) => delivery.settle(done)))
    const held = await reader.takeAvailable()
    const bytes = held.reduce((sum, { body }) => sum + body.length, 0)
    expect(bytes).toBeGreaterThan(0)
    expect(bytes).toBeLessThan(48 * 1024 * 1024)
    await Promise.all(held.map((delivery) => delivery.settle(done)))
    const rest = await reader.drain(100 - held.length)
    expect(held.length + rest.length).toBe(100)
  })

  it('is given up to others by who does not come back for more', async () => {
    const url = freshUrl()
    await using queue = await openQueue(url)
    const idle = new Reader(queue)
    await idle.takeAvailable()
    await using other = await openQueue(url)
    const reader = new Reader(other)
    let n = 0
    const comes = async () => {
      await queue.publish([messageOf('a', n++)])
      return (await reader.next())?.length
    }
    await expect.poll(comes, { timeout: 10_000 }).toBeGreaterThan(0)
  })

  it('is told by its age', async () => {
    await using queue = await openQueue(freshUrl())
    expect(await queue.oldest?.()).toBeUndefined()
    await queue.publish(messagesOf('a', 0, 2))
    const reader = new Reader(queue)
    const [first, second] = await reader.take(2)
    expect(await queue.oldest?.()).toBeGreaterThanOrEqual(0)
    await Promise.all([first?.settle(done), second?.settle(done)])
    await expect.poll(() => queue.oldest?.()).toBeUndefined()
  })
})

describe('messages that other programs publish', () => {
  it('come with their headers and their id, and those without one with a key that stays the same', async () => {
    const url = freshUrl({ lease: '1' })
    await using queue = await openQueue(url)
    const { nats, publisher } = await client()
    const { headers } = await import('@nats-io/transport-node')
    const sent = headers()
    sent.append('Content-Type', 'application/json')
    sent.append('x-many', 'one')
    sent.append('x-many', 'two')
    await publisher.publish(streamOf(url), '{"n":1}', { headers: sent, msgID: 'their-id' })
    nats.publish(streamOf(url), '{"n":2}')
    await nats.flush()
    expect((await queue.peek(5)).map(({ key }) => key)).toEqual(['their-id', expect.stringContaining('/2')])
    const reader = new Reader(queue)
    const [one, two] = await reader.take(2)
    expect(one).toMatchObject({
      key: 'their-id',
      headers: { 'Content-Type': 'application/json', 'x-many': 'one, two' },
      attempt: 1,
    })
    expect(two).toMatchObject({ key: expect.stringMatching(/^lading-.+@.+\/2$/), headers: {}, attempt: 1 })
    expect(Buffer.from(two?.body ?? []).toString()).toBe('{"n":2}')
    await two?.settle({ kind: 'retry', afterMs: 0, code: 'SINK_BUSY' })
    await one?.settle(done)
    expect(await reader.takeOne()).toMatchObject({ key: two?.key, attempt: 2 })
  })

  it('stay in a stream that keeps them, and this consumer has each once', async () => {
    const url = freshUrl({ subject: 'orders.new', consumer: 'loader' })
    const { manager, publisher } = await client()
    await manager.streams.add({ name: streamOf(url), subjects: ['orders.*'] })
    await publisher.publish('orders.old', 'not for us')
    await publisher.publish('orders.new', 'for us')
    await using queue = await openQueue(url)
    expect(await queue.depth()).toEqual({ ready: 1, inFlight: 0, dead: 0 })
    expect((await queue.peek(9)).map(({ body }) => Buffer.from(body).toString())).toEqual(['for us'])
    const reader = new Reader(queue)
    await (await reader.takeOne()).settle(done)
    await expect.poll(() => queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
    await queue.publish([messageOf('a', 0)])
    expectWhole(await reader.takeOne())
    expect((await manager.streams.info(streamOf(url))).state.messages).toBe(3)
  })
})
