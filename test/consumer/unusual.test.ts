/** What a consumer rarely meets: messages that are written otherwise, hooks that throw, and a queue that fails at its end. */
import { createHash, randomUUID } from 'node:crypto'
import { expect, it, vi } from 'vitest'
import { ForeignMessages } from '../../src/consumer/foreign.ts'
import { batches, Leases } from '../../src/consumer/intake.ts'
import { Upkeep } from '../../src/consumer/upkeep.ts'
import { type ConsumerOptions, createConsumer } from '../../src/consumer/consumer.ts'
import { LadingError } from '../../src/core/errors.ts'
import { ignoreEvents, type LadingEvent } from '../../src/core/events.ts'
import { stopping } from '../../src/core/wait.ts'
import { bigint, integer, text, timestamptz } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { messageLayout } from '../../src/format/registry.ts'
import { envelopeHeaders } from '../../src/queue/envelope.ts'
import type { Delivery, Headers, Outgoing, Queue } from '../../src/queue/queue.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { numbers, Fixture } from '../support/fixture.ts'
import { EventLog, untouched, wrapDelivery, wrapQueue, wrapSink } from '../support/wrappers.ts'

const consume = (queue: Queue, sink: Sink, more: Partial<ConsumerOptions> = {}) =>
  createConsumer({ queue, sink, model: numbers, ...more }).run({ untilEmpty: true })

const message = (key: string, body: unknown, headers: Headers = {}): Outgoing => ({
  key,
  body: Buffer.from(JSON.stringify(body)),
  headers,
})

async function opened() {
  const fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  return {
    fixture,
    queue,
    sink,
    ids: () => fixture.target.ids(),
    letters: () => sink.ledger.deadLetters({ limit: 100 }),
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  }
}

const id = '0d9e3d4c-6f0a-4b5e-9d3b-5c2a1b0f9e8d'
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

function chunk(body: string, source: string, layout: object): Outgoing {
  const load = { id, source, sha256: sha256(''), bytes: 9, plan: sha256(''), chunks: 1, records: 1 }
  const place = { chunk: 0, records: 1, byteStart: 0, firstRecord: 1, firstLine: 1 }
  const own = { pipeline: 'numbers', load, ...place, sha256: sha256(body), layout }
  const headers = envelopeHeaders(own as Parameters<typeof envelopeHeaders>[0])
  return { key: `${id}/0`, body: Buffer.from(body), headers }
}

it('a CloudEvent whose attributes are headers has the record as its body, and one that is an object holds it', async () => {
  await using at = await opened()
  const event = { specversion: '1.0', type: 't', source: 's', id: '1' }
  await at.queue.publish([
    message('whole', { ...event, data: { id: 1 } }),
    message('binary', { id: 2 }, { 'ce-specversion': '1.0', 'ce-id': '2' }),
    message('amqp', [{ id: 3 }], { 'cloudEvents:specversion': '1.0' }),
    message('neither', { id: 4 }),
  ])
  const tally = await consume(at.queue, at.sink, { unwrap: ['cloudevents'] })
  expect(tally).toMatchObject({ loaded: 3, deadMessages: 1 })
  expect(await at.ids()).toEqual([1, 2, 3])
  expect(await at.letters()).toMatchObject([{ key: 'message:neither' }])
})

it.each([
  ['whose body is no JSON', chunk('nothing', 'a.json', messageLayout)],
  [
    'with a notation that cannot be',
    chunk('{"id":1}', 'a.ndjson', { format: 'ndjson', fields: [], notation: { pattern: '?' } }),
  ],
])('a chunk %s is a dead letter', async (_, sent) => {
  await using at = await opened()
  await at.queue.publish([sent])
  expect(await consume(at.queue, at.sink)).toMatchObject({ deadMessages: 1, loaded: 0 })
})

it('a dead chunk of a load whose name no database takes is kept without its load', async () => {
  await using at = await opened()
  await at.queue.publish([chunk('1', 'a\u0000.csv', { fields: ['other'], delimiter: ',', quote: '"' })])
  expect(await consume(at.queue, at.sink)).toMatchObject({ deadMessages: 1 })
  const [letter] = await at.letters()
  expect(letter).toMatchObject({ code: 'MODEL_MISMATCH', records: 0 })
  expect(letter?.load).toBeUndefined()
})

it('a mask that throws on the key of a record makes a reject of it, and a hook that throws names the record', async () => {
  const columns = { id: bigint().notNull(), note: text() }
  await using at = await opened()
  const mask = {
    name: 'test',
    apply: (plain: string) => {
      if (plain === 'bad') throw new Error('not this one')
      return `masked ${plain}`
    },
    all: () => [],
  }
  const masking = defineModel({ table: 'numbers', columns: { ...columns, note: text().mask(mask) } })
  await at.queue.publish([
    message('two', [
      { id: 1, note: 'a' },
      { id: 2, note: 'bad' },
    ]),
  ])
  const tally = await consume(at.queue, at.sink, { model: masking, dedupKey: 'field:note' })
  expect(tally).toMatchObject({ loaded: 1, rejected: 1 })
  expect(await at.sink.ledger.rejects({ limit: 9 })).toMatchObject([{ code: 'TRANSFORM_FAILED' }])
  const validate = () => {
    throw new TypeError('always')
  }
  const throwing = defineModel({ table: 'numbers', columns, validate })
  await at.queue.publish([message('three', [{ id: 3, note: 'c' }])])
  await expect(consume(at.queue, at.sink, { model: throwing, dedupKey: 'field:note' })).rejects.toMatchObject(
    {
      code: 'HOOK_FAILED',
      message: expect.stringContaining('record 1 of a message'),
    },
  )
})

it('a table that is made again for another model is told', async () => {
  await using at = await opened()
  await consume(at.queue, at.sink)
  const events: LadingEvent[] = []
  const other = defineModel({ table: 'numbers', columns: { id: integer().notNull(), more: text() } })
  await consume(at.queue, at.sink, { model: other, onEvent: (event) => events.push(event) })
  expect(events).toContainEqual({ type: 'warning', message: expect.stringContaining('made again') })
})

it('a queue that fails when the last batch is written ends the run all the same', async () => {
  await using at = await opened()
  await at.fixture.publish(at.queue, 5)
  const failing = wrapQueue(at.queue, untouched, {
    deliveries: async function* (options) {
      try {
        yield* at.queue.deliveries(options)
      } finally {
        // oxlint-disable-next-line no-unsafe-finally
        throw new LadingError('QUEUE_UNAVAILABLE', 'away, says the test')
      }
    },
  })
  const tally = await createConsumer({ queue: failing, sink: at.sink, model: numbers }).run({ batches: 1 })
  expect(tally).toMatchObject({ loaded: 5 })
})

it('what was given back because a message in front of it was is not written, and comes again', async () => {
  await using at = await opened()
  await at.queue.publish([message('a', { id: 1 }), message('b', { id: 2 })])
  let isFirst = true
  const ordered = wrapQueue(at.queue, untouched, {
    deliveries: async function* (options) {
      for await (const deliveries of at.queue.deliveries(options)) {
        const stale: Delivery[] = []
        for (const delivery of deliveries) {
          const isStale = isFirst && delivery.key === 'b'
          if (isStale) await delivery.settle({ kind: 'release' })
          const own = wrapDelivery(delivery, untouched)
          stale.push({
            ...own,
            settle: async (outcome) => (isStale ? undefined : own.settle(outcome)),
            isCurrent: () => !isStale,
          })
        }
        if (deliveries.length > 0) isFirst = false
        yield stale
      }
    },
  })
  const written: number[] = []
  const counting = wrapSink(at.sink, untouched, {
    write: async (batch, options) => {
      written.push(batch.rows.rows)
      return at.sink.write(batch, options)
    },
  })
  expect(await consume(ordered, counting)).toMatchObject({ loaded: 2, duplicates: 0 })
  expect(written).toEqual([1, 1])
  expect(await at.ids()).toEqual([1, 2])
})

it('an error that is no message’s ends a batch that is written one by one', async () => {
  await using at = await opened()
  await at.queue.publish([message('a', { id: 1 }), message('b', { id: 2 })])
  const codes = ['INTERNAL', 'LEDGER_NEWER'] as const
  let calls = 0
  const failing = wrapSink(at.sink, async (method, real) => {
    if (method !== 'write') return real()
    throw new LadingError(codes[calls++] ?? 'INTERNAL', 'says the test')
  })
  await expect(consume(at.queue, failing)).rejects.toMatchObject({ code: 'LEDGER_NEWER' })
  expect(await at.queue.depth()).toMatchObject({ ready: 2, inFlight: 0 })
})

it('a message of others that is not seen again after its pause is not waited for', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    using leases = new Leases(undefined)
    const own = { pipeline: 'numbers', target: 'x' }
    const { signal: abandon } = new AbortController()
    const foreign = new ForeignMessages({ own, leases, onEvent: ignoreEvents, abandon })
    const { headers } = chunk('1', 'a.csv', { fields: ['id'], delimiter: ',', quote: '"' })
    const other = { lading: (headers['lading'] as string).replace('"numbers"', '"others"') }
    const settle = async () => undefined
    async function* arrivals() {
      yield [{ key: 'a', body: Buffer.alloc(0), headers: other, attempt: 1, settle }]
    }
    for await (const left of foreign.leave(arrivals())) expect(left).toEqual([])
    expect(foreign.count()).toBe(1)
    vi.advanceTimersByTime(4_001)
    expect(foreign.count()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

it('a lease that cannot be extended breaks nothing: the message is still in hand', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    using leases = new Leases(30_000)
    let asked = 0
    const delivery: Delivery = {
      key: 'a',
      body: Buffer.alloc(0),
      headers: {},
      attempt: 1,
      settle: async () => undefined,
      extend: async () => {
        asked++
        throw new LadingError('QUEUE_UNAVAILABLE', 'away, says the test')
      },
    }
    async function* arrivals() {
      yield [delivery]
    }
    for await (const batch of batches(leases.hold(arrivals()), { bytes: 1, messages: 1 }))
      expect(batch).toEqual([delivery])
    await vi.advanceTimersByTimeAsync(20_000)
    expect(asked).toBe(2)
    expect(leases.count).toBe(1)
  } finally {
    vi.useRealTimers()
  }
})

it('upkeep folds many loads at once, and what the database does not answer stops a consumer or is left', async () => {
  await using at = await opened()
  const model = defineModel({
    table: 'numbers',
    columns: { id: integer(), at: timestamptz({ zone: 'Europe/Rome' }) },
  })
  await at.sink.prepare(model)
  const log = new EventLog()
  const folded: number[] = []
  const compared: number[] = []
  let isAway = false
  const counting = wrapSink(at.sink, untouched, {
    warnings: async () => {
      throw new LadingError('SINK_UNAVAILABLE', 'away, says the test')
    },
    ledger: {
      ...wrapSink(at.sink, untouched).ledger,
      fold: async (ids) => {
        if (isAway) throw new LadingError('SINK_UNAVAILABLE', 'away, says the test')
        folded.push(ids.length)
      },
      zoneReleases: async (ids) => (compared.push(ids.length), []),
    },
  })
  using stop = stopping(undefined, 0)
  const upkeep = new Upkeep({ sink: counting, model, stopping: stop, onEvent: log.listen, unreachableMs: 0 })
  const loads = (count: number) =>
    Array.from({ length: count }, (_, n) => `${String(n).padStart(8, '0')}${id.slice(8)}`)
  await upkeep.after(loads(499), 1)
  expect(folded).toEqual([])
  await upkeep.after([randomUUID()], 2)
  expect(folded).toEqual([500])
  await upkeep.idle()
  await upkeep.after(loads(100_001), 3)
  await upkeep.after([randomUUID()], 4)
  compared.length = 0
  // What was compared long ago is forgotten, and what was just now is not.
  await upkeep.after(loads(2), 4)
  await upkeep.after(loads(2), 4)
  expect(compared).toEqual([2])
  isAway = true
  await upkeep.after([randomUUID()], 5)
  await expect(upkeep.fold()).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE' })
  expect(log.of('warning')).toEqual([])
})
