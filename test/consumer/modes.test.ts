import { expect, it } from 'vitest'
import { type ConsumerOptions, createConsumer } from '../../src/consumer/consumer.ts'
import type { Delivery, Queue } from '../../src/queue/queue.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { numbers, Fixture } from '../support/fixture.ts'
import { EventLog, wrapDelivery, wrapQueue, wrapSink, untouched } from '../support/wrappers.ts'

const consumer = (queue: Queue, sink: Sink, more: Partial<ConsumerOptions> = {}) =>
  createConsumer({ queue, sink, model: numbers, ...more })

it('a run until empty writes what is there, and ends', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  await fixture.publish(queue, 1_000)
  const tally = await consumer(queue, await fixture.sink()).run({ untilEmpty: true })
  expect(tally).toMatchObject({
    records: 1_000,
    loaded: 1_000,
    rejected: 0,
    deadMessages: 0,
    duplicates: 0,
    redelivered: 0,
  })
  await fixture.expectAllOnce()
})

it('a run until empty waits for what another consumer has in hand', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  await fixture.publish(queue, 10, 1_000)
  const other = (await fixture.queue()).deliveries({ prefetch: 1 })[Symbol.asyncIterator]()
  const [held] = (await other.next()).value as readonly Delivery[]
  let ended = false
  const idle = wrapQueue(queue, async (method, real) => {
    const result = await real()
    // Given back only when the consumer has seen that nothing waits.
    if (method === 'depth') await held?.settle({ kind: 'retry', afterMs: 0, code: 'ABORTED' })
    if (method === 'depth') expect(ended).toBe(false)
    return result
  })
  await consumer(idle, await fixture.sink()).run({ untilEmpty: true })
  ended = true
  await fixture.expectAllOnce()
  await other.return?.()
})

it('a run of N batches writes N batches and leaves the rest in the queue', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  await fixture.publish(queue, 1_000)
  const { ready } = await queue.depth()
  const sink = await fixture.sink()
  const tally = await consumer(queue, sink, { batch: { bytes: 1e9, messages: 7 } }).run({ batches: 3 })
  expect(tally.messages).toBe(21)
  expect(await queue.depth()).toEqual({ ready: ready - 21, inFlight: 0, dead: 0 })
  await consumer(queue, sink).run({ untilEmpty: true })
  await fixture.expectAllOnce()
})

it('a run without a limit goes on until the signal, through an empty queue', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  const stop = new AbortController()
  const eventLog = new EventLog()
  const running = consumer(queue, await fixture.sink(), { onEvent: eventLog.listen }).run({
    signal: stop.signal,
  })
  for (let round = 0; round < 3; round++) {
    const written = eventLog.next('batch')
    await fixture.publish(queue, 10)
    await written
  }
  await expect.poll(() => queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  stop.abort()
  expect(await running).toMatchObject({ loaded: 30 })
  await fixture.expectAllOnce()
})

it('never more deliveries are in hand than prefetch, and no batch passes its limits by more than one message', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  await fixture.publish(queue, 2_000, 10)
  let inHand = 0
  let most = 0
  const counted: Queue = {
    ...wrapQueue(queue, untouched),
    async *deliveries(options) {
      for await (const deliveries of queue.deliveries(options)) {
        most = Math.max(most, (inHand += deliveries.length))
        yield deliveries.map((delivery) =>
          wrapDelivery(delivery, (method, real) => (method === 'settle' && inHand--, real())),
        )
      }
    },
  }
  const batches: { messages: number; bytes: number }[] = []
  const sink = await fixture.sink()
  const watched = wrapSink(sink, untouched, {
    write: (batch, options) => {
      batches.push({
        messages: batch.parts.length,
        bytes: batch.parts.reduce((sum, { records }) => sum + records * 15, 0),
      })
      return sink.write(batch, options)
    },
  })
  await consumer(counted, watched, { prefetch: 30, batch: { bytes: 40_000, messages: 12 } }).run({
    untilEmpty: true,
  })
  expect(most).toBe(30)
  expect(Math.max(...batches.map(({ messages }) => messages))).toBe(12)
  expect(Math.max(...batches.map(({ bytes }) => bytes))).toBeLessThan(40_000)
  await fixture.expectAllOnce()
})

it('the next batch is decoded while one is written', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  await fixture.publish(queue, 100)
  const sink = await fixture.sink()
  const decoded = Promise.withResolvers<void>()
  let writes = 0
  // Without the overlap nothing is decoded until the first write returns, and it never does.
  const slow = wrapSink(sink, async (method, real) => {
    if (method === 'write' && ++writes === 1) await decoded.promise
    return real()
  })
  slow.rows = (model) => {
    const buffer = sink.rows(model)
    const clear = buffer.clear.bind(buffer)
    buffer.clear = () => {
      if (writes === 1) decoded.resolve()
      clear()
    }
    return buffer
  }
  await consumer(queue, slow, { batch: { bytes: 1e9, messages: 4 } }).run({ untilEmpty: true })
  expect(writes).toBeGreaterThan(1)
  await fixture.expectAllOnce()
})

it('a message is settled only after the transaction with its verdict has committed', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  await fixture.publish(queue, 300)
  const sink = await fixture.sink()
  const committed = new Set<string>()
  const early: string[] = []
  let settled = 0
  const recording = wrapSink(sink, untouched, {
    write: async (batch, options) => {
      const verdicts = await sink.write(batch, options)
      // Leaves the time in which a settlement that does not wait would run.
      await new Promise(setImmediate)
      for (const { key } of batch.parts) committed.add(key)
      return verdicts
    },
  })
  const watched: Queue = {
    ...wrapQueue(queue, untouched),
    async *deliveries(options) {
      for await (const deliveries of queue.deliveries(options)) {
        yield deliveries.map((delivery) => ({
          ...wrapDelivery(delivery, untouched),
          settle: async (outcome) => {
            settled++
            if (outcome.kind === 'done' && !committed.has(delivery.key)) early.push(delivery.key)
            await delivery.settle(outcome)
          },
        }))
      }
    },
  }
  await consumer(watched, recording, { batch: { bytes: 1e9, messages: 5 } }).run({ untilEmpty: true })
  expect(settled).toBe(committed.size)
  expect(early).toEqual([])
  await fixture.expectAllOnce()
})
