/**
 * The n-th call of each method of the contracts fails, for n = 1, 2, 3… until a run passes without meeting
 * the fault.
 */
import { describe, expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import type { Code } from '../../src/core/errors.ts'
import type { Delivery, Queue } from '../../src/queue/queue.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { numbers, Fixture } from '../support/fixture.ts'
import {
  failingCall,
  type QueueMethod,
  type SinkMethod,
  untouched,
  wrapQueue,
  wrapSink,
} from '../support/wrappers.ts'

const records = 60
const batch = { bytes: 1e9, messages: 3 }

/** Returns how often the fault was met, which is how many calls a run makes. */
async function sweep(round: (n: number) => Promise<boolean>): Promise<number> {
  for (let n = 1; ; n++) if (!(await round(n))) return n - 1
}

async function runOnce(wrap: (queue: Queue, sink: Sink) => [Queue, Sink], lease?: number): Promise<void> {
  await using fixture = await Fixture.open()
  const [queue, sink] = wrap(await fixture.queue(lease), await fixture.sink())
  await (await fixture.queue()).publish([{ key: 'a stranger', body: Buffer.from('?'), headers: {} }])
  await fixture.publish(queue, records, 10)
  await createConsumer({ queue, sink, model: numbers, batch }).run({ untilEmpty: true })
  await fixture.expectAllOnce()
  expect(await sink.ledger.deadLetters({ limit: 10 })).toMatchObject([{ code: 'NOT_OURS' }])
  expect(await (await fixture.queue()).depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
}

type Case<M> = readonly [method: M, when: 'before' | 'after', codes: readonly Code[]]

const sinkCases: readonly Case<SinkMethod>[] = [
  ['prepare', 'before', ['SINK_UNAVAILABLE', 'SINK_HOLD']],
  ['write', 'before', ['SINK_UNAVAILABLE', 'SINK_BUSY', 'SINK_HOLD', 'SINK_FAILED', 'INTERNAL']],
  ['write', 'after', ['SINK_UNAVAILABLE', 'SINK_BUSY', 'SINK_FAILED']],
  ['bury', 'before', ['SINK_UNAVAILABLE', 'SINK_BUSY', 'SINK_HOLD']],
  ['bury', 'after', ['SINK_UNAVAILABLE']],
  ['fold', 'before', ['SINK_UNAVAILABLE', 'SINK_FAILED']],
  ['fold', 'after', ['SINK_UNAVAILABLE']],
]

describe.concurrent('a failing call of the sink loses and doubles nothing', () => {
  for (const [method, when, codes] of sinkCases) {
    it.for(codes)(`${method}, ${when} it took effect: %s`, async (code) => {
      const met = await sweep(async (n) => {
        const fault = failingCall<SinkMethod>(method, n, code, when)
        await runOnce((queue, sink) => [queue, wrapSink(sink, fault.between)])
        return fault.reached()
      })
      expect(met).toBeGreaterThan(0)
    })
  }
})

const queueCases: readonly Case<QueueMethod>[] = [
  ['publish', 'before', ['QUEUE_UNAVAILABLE', 'QUEUE_BUSY', 'QUEUE_HOLD']],
  ['publish', 'after', ['QUEUE_UNAVAILABLE']],
  ['deliveries', 'before', ['QUEUE_UNAVAILABLE']],
  ['depth', 'before', ['QUEUE_UNAVAILABLE', 'QUEUE_BUSY']],
  ['settle', 'before', ['QUEUE_UNAVAILABLE', 'QUEUE_BUSY', 'QUEUE_HOLD']],
  ['settle', 'after', ['QUEUE_UNAVAILABLE']],
]

describe.concurrent('a failing call of the queue loses and doubles nothing', () => {
  for (const [method, when, codes] of queueCases) {
    it.for(codes)(`${method}, ${when} it took effect: %s`, async (code) => {
      const met = await sweep(async (n) => {
        const fault = failingCall<QueueMethod>(method, n, code, when)
        // What a failing delivery held comes again when its lease has run out.
        await runOnce(
          (queue, sink) => [wrapQueue(queue, fault.between), sink],
          method === 'deliveries' ? 0.3 : undefined,
        )
        return fault.reached()
      })
      expect(met).toBeGreaterThan(0)
    })
  }
})

it('a settlement that never works means one more delivery each time, and the ledger knows them all', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue(1)
  await fixture.publish(queue, 100, 10)
  const { ready } = await queue.depth()
  let refused = 0
  const deaf = wrapQueue(queue, async (method, real) => {
    // Every message is delivered twice at least.
    if (method === 'settle' && refused < ready) throw new Error(`settlement ${++refused} is lost`)
    return real()
  })
  const tally = await createConsumer({
    queue: deaf,
    sink: await fixture.sink(),
    model: numbers,
    prefetch: 3,
  }).run({ untilEmpty: true })
  expect(tally.duplicates).toBeGreaterThan(0)
  expect(tally.deadMessages).toBe(0)
  await fixture.expectAllOnce()
})

it('a write whose reply is lost after it took effect is tried again, found in the ledger, and loaded once', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  await fixture.publish(queue, records)
  const fault = failingCall<SinkMethod>('write', 1, 'SINK_UNAVAILABLE', 'after')
  const tally = await createConsumer({ queue, sink: wrapSink(sink, fault.between), model: numbers }).run({
    untilEmpty: true,
  })
  expect(fault.reached()).toBe(true)
  expect(tally.duplicates).toBe(tally.messages)
  await fixture.expectAllOnce()
})

it('a dead letter that cannot be kept stops the consumer, and its message stays', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  await queue.publish([{ key: 'a stranger', body: Buffer.from('?'), headers: {} }])
  const fault = failingCall<SinkMethod>('bury', 1, 'SINK_FAILED', 'before')
  const running = createConsumer({ queue, sink: wrapSink(sink, fault.between), model: numbers }).run({
    untilEmpty: true,
  })
  await expect(running).rejects.toMatchObject({ code: 'SINK_FAILED' })
  expect(await queue.depth()).toEqual({ ready: 1, inFlight: 0, dead: 0 })
})

it('a ledger that forgets shows as doubled records: this very test would see them', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  await fixture.publish(queue, records)
  let writes = 0
  const forgetful = wrapSink(sink, untouched, {
    write: async (...args) => {
      const verdicts = await sink.write(...args)
      if (writes++ > 0) return verdicts
      await fixture.target.execute('DELETE FROM lading_ledger')
      return await sink.write(...args)
    },
  })
  await createConsumer({ queue, sink: forgetful, model: numbers }).run({ untilEmpty: true })
  await expect(fixture.expectAllOnce()).rejects.toThrow(/doubled/)
})

it('a queue that fails again and again after each delivery gives up no message', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  await fixture.publish(queue, 40, 10)
  let openings = 0
  const flapping: Queue = {
    ...wrapQueue(queue, untouched),
    async *deliveries(options) {
      const opening = ++openings
      let seen: readonly Delivery[] = []
      for await (const deliveries of queue.deliveries(options)) {
        yield (seen = deliveries)
        if (seen.length > 0 && opening <= 3) throw new Error('the connection to the queue broke')
      }
    },
  }
  const running = createConsumer({
    queue: flapping,
    sink: await fixture.sink(),
    model: numbers,
    prefetch: 2,
  }).run({ untilEmpty: true })
  // A driver's own error is not one of the table; what has no code of the queue ends the run, and its
  // messages are given back.
  await expect(running).rejects.toMatchObject({ code: 'INTERNAL' })
  await createConsumer({ queue, sink: await fixture.sink(), model: numbers }).run({ untilEmpty: true })
  await fixture.expectAllOnce()
})
