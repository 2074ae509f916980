/** What a queue of NATS meets rarely: ends of connections, of leases and of requests. */
import { AckPolicy, JetStreamApiError, jetstreamManager } from '@nats-io/jetstream'
import { afterEach, expect, it, vi } from 'vitest'
import { parseAddress } from '../../src/queue/nats/address.ts'
import { Connection } from '../../src/queue/nats/connection.ts'
import { queueError } from '../../src/queue/nats/errors.ts'
import { Held } from '../../src/queue/nats/held.ts'
import type { Settlements } from '../../src/queue/nats/settlements.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { useNats } from '../../tooling/servers/nats.ts'
import { messageOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'
import { startProxy } from '../support/proxy.ts'

const { server, freshUrl } = useNats()
const done = { kind: 'done' } as const
const streamOf = (url: string): string => new URL(url).searchParams.get('stream') ?? ''

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

it('a connection that has ended says so to whoever asks it for anything', async () => {
  await using proxy = await startProxy(freshUrl())
  const connection = await Connection.open(parseAddress(proxy.url), false)
  const ended = Promise.withResolvers<void>()
  connection.onEnd(ended.resolve)
  proxy.reset()
  await ended.promise
  const unavailable = expect.objectContaining({ code: 'QUEUE_UNAVAILABLE' })
  let told = 0
  connection.onEnd(() => told++)
  expect(told).toBe(1)
  expect(() => connection.send('a', '')).toThrow(unavailable)
  expect(() => connection.subscribe(() => undefined)).toThrow(unavailable)
  await expect(connection.flush()).rejects.toThrow(unavailable)
  await connection.close()
})

it.each([
  [10_059, 404, false, 'QUEUE_MISSING'],
  [10_054, 400, false, 'MESSAGE_TOO_LARGE'],
  [10_039, 503, false, 'QUEUE_REFUSED'],
  [10_039, 503, true, 'QUEUE_HOLD'],
] as const)('error %i of JetStream (status %i, open before: %s) is %s', (number, status, wasOpen, code) => {
  const error = new JetStreamApiError({ err_code: number, code: status, description: 'says the test' })
  expect(queueError(error, 'here', wasOpen)).toMatchObject({ code, message: 'here: says the test' })
})

it('nothing is published after a stop, nothing asked of a queue that is closed, and no message is peeked at for none', async () => {
  const url = freshUrl()
  const queue = await openQueue(url)
  const published = queue.publish([messageOf('a', 0)], { signal: AbortSignal.abort() })
  await expect(published).rejects.toMatchObject({ code: 'ABORTED' })
  await queue.publish([messageOf('a', 1)])
  expect(await queue.peek(0)).toEqual([])
  const [held] = await new Reader(queue).take(1)
  // A settlement that is under way is waited for.
  void held?.settle(done)
  await queue[Symbol.asyncDispose]()
  await expect(queue.depth()).rejects.toMatchObject({ code: 'INTERNAL' })
  // An address of this machine too, but not by its name.
  await using far = await openQueue(url.replace('127.0.0.1', '0.0.0.0'))
  expect(await far.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  expect(far.traits.warnings).toEqual([expect.stringMatching(/^nats:\/\/ sends .* as plain text/)])
})

it('a lease is renewed for as long as it was asked for, unless it is lost or the connection is', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
  const sent: string[] = []
  let isAway = false
  const send = async (_: string, payload: string) => {
    sent.push(payload)
    if (isAway) throw new Error('away, says the test')
  }
  const holder = { leaseMs: 1_000, settlements: { send } as unknown as Settlements, settled: () => undefined }
  const held = new Held({ key: 'a', body: Buffer.alloc(0), headers: {}, weight: 0 }, 1, 'subject', holder)
  await held.extend(5_000)
  await vi.advanceTimersByTimeAsync(700)
  expect(sent).toEqual(['+WPI', '+WPI', '+WPI'])
  isAway = true
  await vi.advanceTimersByTimeAsync(333)
  expect(sent).toHaveLength(4)
  // As after a process was stopped for long.
  vi.spyOn(performance, 'now').mockReturnValue(60_000)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(sent).toHaveLength(4)
  await held.settle(done)
  expect(sent).toHaveLength(4)
})

it('a message of which the lease was lost before it was handed out is left to the server', async () => {
  await using queue = await openQueue(freshUrl({ lease: '2' }))
  const reader = new Reader(queue, 1)
  for (let n = 0; n < 2; n++) {
    await queue.publish([messageOf('a', n)])
    await (await reader.takeOne()).settle(done)
  }
  await reader.takeAvailable()
  await queue.publish([messageOf('a', 2)])
  await expect.poll(() => queue.depth()).toMatchObject({ ready: 0 })
  const now = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => now() + 60_000)
  expect(await reader.next()).toEqual([])
  vi.restoreAllMocks()
  const again = await reader.takeOne()
  expect([again.key, again.attempt]).toEqual(['a/2', 2])
  await again.settle(done)
})

it('requests that run out are made again, and each delivery is counted', async () => {
  const url = freshUrl()
  const nats = await server().connect()
  const manager = await jetstreamManager(nats)
  await manager.streams.add({ name: streamOf(url), subjects: [streamOf(url)], retention: 'workqueue' })
  await manager.consumers.add(streamOf(url), {
    durable_name: 'lading',
    ack_policy: AckPolicy.Explicit,
    max_expires: 1e9,
  })
  let requests = 0
  nats.subscribe(`$JS.API.CONSUMER.MSG.NEXT.${streamOf(url)}.lading`, { callback: () => void requests++ })
  await nats.flush()
  await using queue = await openQueue(url)
  const reader = new Reader(queue)
  const asked = async () => (await reader.next(), requests)
  await expect.poll(asked, { timeout: 10_000 }).toBeGreaterThan(1)
  await queue.publish([messageOf('a', 0)])
  for (let n = 0; n < 5; n++)
    await (await reader.takeOne()).settle({ kind: 'retry', afterMs: 0, code: 'SINK_BUSY' })
  const suspect = await reader.takeOne()
  expect(suspect).toMatchObject({ key: 'a/0', attempt: 6 })
  await suspect.settle(done)
  await nats.close()
})

it('a consumer that hears nothing of what it asked for is given up', async () => {
  await using queue = await openQueue(freshUrl())
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const reader = new Reader(queue)
  await reader.next()
  vi.advanceTimersByTime(20_000)
  await expect(reader.next()).rejects.toMatchObject({
    code: 'QUEUE_UNAVAILABLE',
    message: expect.stringContaining('nothing is heard of the consumer'),
  })
})

it('more consumers than may wait at once are told to wait', async () => {
  const url = freshUrl()
  const nats = await server().connect()
  const manager = await jetstreamManager(nats)
  await manager.streams.add({ name: streamOf(url), subjects: [streamOf(url)] })
  await manager.consumers.add(streamOf(url), {
    durable_name: 'lading',
    ack_policy: AckPolicy.Explicit,
    max_waiting: 1,
  })
  await nats.close()
  await using first = await openQueue(url)
  await using second = await openQueue(url)
  await new Reader(first).next()
  await expect(new Reader(second).take(1)).rejects.toMatchObject({ code: 'QUEUE_BUSY' })
})

it('a header that only looks like ours is one of another program', async () => {
  const url = freshUrl()
  await using queue = await openQueue(url)
  const { headers } = await import('@nats-io/transport-node')
  const sent = headers()
  sent.append('Lading-Message', '{')
  const nats = await server().connect()
  nats.publish(streamOf(url), 'theirs', { headers: sent })
  await nats.flush()
  await nats.close()
  const delivery = await new Reader(queue).takeOne()
  expect(delivery.headers).toEqual({ 'Lading-Message': '{' })
})
