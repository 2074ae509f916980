import { expect, it } from 'vitest'
import { openQueue } from '../../src/queue/registry.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { startProxy } from '../support/proxy.ts'
import { type Frame, methods, startFrameProxy } from './frames.ts'
import { keysOf, sorted } from '../contract/queue/expected.ts'
import { messageOf, messagesOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'
import { externalClient } from './external-client.ts'

const done = { kind: 'done' } as const
const unavailable = expect.objectContaining({ code: 'QUEUE_UNAVAILABLE' })

/**
 * A broker that says nothing but heartbeats on the first connection for publishing, as after a queue was
 * deleted under its publishers.
 */
const startDeaf = (url: string) =>
  startFrameProxy(url, ({ from, connection, channel }: Frame) =>
    from === 'broker' && connection === publishing && channel > 0 ? 'drop' : 'pass',
  )
/** The connection for receiving is opened before it. */
const publishing = 1

describeRabbit('a RabbitMQ broker that does not answer', () => {
  it('and keeps the connection open is given up, and publishing goes on over another one', async () => {
    await using proxy = await startDeaf(freshQueueUrl())
    // Long enough that even a busy machine connects within it.
    await using queue = await openQueue(`${proxy.url}&timeout=2`)
    await expect(queue.publish([messageOf('a', 0)])).rejects.toThrow(
      expect.objectContaining({
        code: 'QUEUE_UNAVAILABLE',
        message: expect.stringContaining('does not answer'),
      }),
    )
    await queue.publish([messageOf('a', 1)])
    expect((await queue.depth()).ready).toBe(1)
  })

  it('is not waited for after a stop', async () => {
    await using proxy = await startDeaf(freshQueueUrl())
    await using queue = await openQueue(proxy.url)
    const stop = new AbortController()
    const published = queue.publish([messageOf('a', 0)], { signal: stop.signal })
    stop.abort()
    await expect(published).rejects.toThrow(expect.objectContaining({ code: 'ABORTED' }))
  })

  it('is not waited for after a stop where the queue is only being opened', async () => {
    await using proxy = await startProxy(freshQueueUrl())
    proxy.blackHole(true)
    const stop = new AbortController()
    const opened = openQueue(proxy.url, { signal: stop.signal })
    stop.abort()
    await expect(opened).rejects.toThrow(expect.objectContaining({ code: 'ABORTED' }))
  })

  it('because the line is dead loses its consumer, and others get what it held', async () => {
    const url = freshQueueUrl()
    await using proxy = await startProxy(url)
    await using held = await openQueue(`${proxy.url}&heartbeat=1&timeout=0.5`)
    await held.publish(messagesOf('a', 0, 20))
    const reader = new Reader(held)
    await reader.take(20)
    proxy.blackHole(true)
    await using queue = await openQueue(url)
    const taken = await new Reader(queue).take(20)
    expect(sorted(keysOf(taken))).toEqual(sorted(keysOf(messagesOf('a', 0, 20))))
    await expect(reader.take(1)).rejects.toThrow(unavailable)
    await Promise.all(taken.map((delivery) => delivery.settle(done)))
  })
})

describeRabbit('a RabbitMQ queue', () => {
  it('with a single active consumer is counted like any other, where messages cannot be fetched from it', async () => {
    const url = freshQueueUrl()
    await using other = await externalClient(url)
    await other.channel.assertQueue(other.queue, {
      durable: true,
      arguments: { 'x-queue-type': 'quorum', 'x-single-active-consumer': true },
    })
    await using queue = await openQueue(url, { create: false })
    const reader = new Reader(queue)
    await reader.takeAvailable()
    expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
    await queue.publish([messageOf('a', 0)])
    expect((await reader.takeOne()).key).toBe('a/0')
  })

  it('is not called empty while what was given back is on its way into it', async () => {
    const url = freshQueueUrl()
    const passing = { channel: 0, declared: Number.POSITIVE_INFINITY }
    // What is given back is kept until the broker has counted all three queues, as if its log were slow.
    await using proxy = await startFrameProxy(url, ({ from, channel, method }) => {
      if (from === 'client' && method === methods.basicNack) Object.assign(passing, { channel, declared: 0 })
      if (from === 'broker' && method === methods.queueDeclareOk && ++passing.declared === 3)
        setImmediate(() => proxy.release())
      return from === 'client' && channel === passing.channel && passing.declared < 3 ? 'keep' : 'pass'
    })
    await using queue = await openQueue(proxy.url)
    await queue.publish(messagesOf('small', 0, 30))
    const reader = new Reader(queue)
    const small = await reader.take(30)
    // Beyond what may be in hand beside the others.
    const large = { ...messageOf('large', 0), weight: 64 * 1024 * 1024 }
    await queue.publish([large])
    await reader.takeAvailable()
    await Promise.all(small.map((delivery) => delivery.settle(done)))
    await reader.takeAvailable()
    const { ready, inFlight = 0 } = await queue.depth()
    expect(ready + inFlight).toBe(1)
    expect(keysOf(await reader.drain(1))).toEqual([large.key])
  })
})
