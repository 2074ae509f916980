import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { LadingEvent } from '../../src/core/events.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { keysOf, sorted } from '../contract/queue/expected.ts'
import { messageOf, messagesOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'
import { mib, externalClient, reportedBy } from './external-client.ts'

const full = {
  durable: true,
  arguments: { 'x-queue-type': 'quorum', 'x-max-length': 3, 'x-overflow': 'reject-publish' },
}

/** A quorum queue refuses a moment after it has become full. */
async function oneByOne(queue: Queue, signal?: AbortSignal): Promise<void> {
  for (const message of messagesOf('a', 0, 20)) await queue.publish([message], { signal })
}

describeRabbit('publishing to RabbitMQ', () => {
  it('to a queue that was deleted fails, and the next one makes it anew', async () => {
    const url = freshQueueUrl()
    await using other = await externalClient(url)
    await using queue = await openQueue(url)
    await queue.publish([messageOf('a', 0)])
    await other.channel.deleteQueue(other.queue)
    await expect(queue.publish(messagesOf('a', 1, 3))).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    await queue.publish([messageOf('a', 4)])
    expect(await queue.depth()).toEqual({ ready: 1, inFlight: 0, dead: 0 })
  })

  it('to a queue that was deleted fails as often as it is tried, where we are not to make it', async () => {
    const url = freshQueueUrl()
    await using other = await externalClient(url)
    await other.channel.assertQueue(other.queue, { durable: true })
    await using queue = await openQueue(url, { create: false })
    await queue.publish([messageOf('a', 0)])
    await other.channel.deleteQueue(other.queue)
    await expect(queue.publish([messageOf('a', 1)])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    for (let i = 0; i < 2; i++)
      await expect(queue.publish([messageOf('a', 1)])).rejects.toMatchObject({ code: 'QUEUE_MISSING' })
  })

  it('to a full queue is told and waits, and brings each message once', async () => {
    const url = freshQueueUrl()
    await using other = await externalClient(url)
    await other.channel.assertQueue(other.queue, full)
    const events: LadingEvent[] = []
    await using queue = await openQueue(url, { create: false, onEvent: (event) => events.push(event) })
    const published = oneByOne(queue)
    await expect.poll(() => reportedBy(events), { timeout: 20_000 }).toEqual(['waiting QUEUE_HOLD'])
    const taken = await new Reader(queue).drain(20)
    await published
    expect(sorted(keysOf(taken))).toEqual(sorted(keysOf(messagesOf('a', 0, 20))))
    expect(reportedBy(events)).toEqual(['waiting QUEUE_HOLD', 'resumed QUEUE_HOLD'])
  })

  it('to a full queue ends when it is aborted', async () => {
    const url = freshQueueUrl()
    await using other = await externalClient(url)
    await other.channel.assertQueue(other.queue, full)
    const stop = new AbortController()
    await using queue = await openQueue(url, { create: false, onEvent: () => stop.abort() })
    await expect(oneByOne(queue, stop.signal)).rejects.toMatchObject({ code: 'QUEUE_HOLD' })
  })

  it('many messages at once, from several callers, brings each one once', async () => {
    await using queue = await openQueue(freshQueueUrl())
    await Promise.all(['a', 'b', 'c'].map((name) => queue.publish(messagesOf(name, 0, 2_500))))
    const taken = keysOf(await new Reader(queue, 1_000).drain(7_500))
    expect(taken).toHaveLength(7_500)
    expect(new Set(taken).size).toBe(7_500)
  })

  it('a message with a key or headers that the broker cannot take is refused, and others are not kept from it', async () => {
    await using queue = await openQueue(freshQueueUrl())
    const body = Buffer.from('x')
    for (const message of [
      { key: 'ł'.repeat(128), body, headers: {} },
      { key: 'headers', body, headers: { large: 'x'.repeat(200_000) } },
      { key: 'name', body, headers: { ['x'.repeat(300)]: '' } },
    ]) {
      await expect(queue.publish([message])).rejects.toMatchObject({
        code: 'MESSAGE_TOO_LARGE',
        message: expect.stringMatching(/^.+$/),
      })
    }
    const largest = { key: 'ł'.repeat(127), body, headers: { large: 'x'.repeat(60_000) } }
    await queue.publish([largest])
    expect(await new Reader(queue).takeOne()).toMatchObject(largest)
  })

  it('after the queue was closed fails, and opens nothing', async () => {
    const queue = await openQueue(freshQueueUrl())
    await queue[Symbol.asyncDispose]()
    await expect(queue.publish([messageOf('a', 0)])).rejects.toThrow('closed')
  })

  it('is closed while a message is under way, which then either is there or has failed', async () => {
    const url = freshQueueUrl()
    const queue = await openQueue(url)
    const sent = messagesOf('a', 0, 40).map((message) => ({ ...message, body: Buffer.alloc(mib / 4) }))
    const published = queue.publish(sent).then(
      () => true,
      () => false,
    )
    await sleep(0)
    await queue[Symbol.asyncDispose]()
    const isThere = await published
    await using again = await openQueue(url)
    if (isThere) expect((await again.depth()).ready).toBe(40)
  })
})
