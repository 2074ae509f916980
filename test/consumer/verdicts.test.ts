import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type ConsumerOptions, createConsumer } from '../../src/consumer/consumer.ts'
import { replayLetter as replay } from '../../src/review/letters.ts'
import { LadingError } from '../../src/core/errors.ts'
import type { LadingEvent, Listener } from '../../src/core/events.ts'
import { bigint, text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { produce } from '../../src/producer/produce.ts'
import type { ChunkEnvelope } from '../../src/queue/envelope.ts'
import type { Outgoing, Queue } from '../../src/queue/queue.ts'
import { balance } from '../../src/sink/receipt.ts'
import { openSink } from '../../src/sink/registry.ts'
import type { StoredDeadLetter } from '../../src/sink/ledger.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { numbers, Fixture } from '../support/fixture.ts'
import { untouched, wrapQueue, wrapSink } from '../support/wrappers.ts'

const consume = (queue: Queue, sink: Sink, more: Partial<ConsumerOptions> = {}) =>
  createConsumer({ queue, sink, model: numbers, ...more }).run({ untilEmpty: true })

const letters = (sink: Sink): Promise<readonly StoredDeadLetter[]> =>
  sink.ledger.deadLetters({ limit: 100, all: true })

/** The messages that `publish` would send. */
async function messagesOf(
  fixture: Fixture,
  queue: Queue,
  count: number,
  perChunk = 1_000,
): Promise<Outgoing[]> {
  const messages: Outgoing[] = []
  const catching = wrapQueue(queue, untouched, { publish: async (some) => void messages.push(...some) })
  await fixture.publish(catching, count, perChunk)
  return messages
}

function altered(message: Outgoing, change: (envelope: ChunkEnvelope) => unknown): Outgoing {
  const envelope = JSON.parse(message.headers['lading'] as string) as ChunkEnvelope
  return { ...message, headers: { lading: JSON.stringify(change(envelope)) } }
}

function verdicts(kind: 'sqlite' | 'postgres') {
  it('a NULL that the table alone refuses is a reject with its line and column, for which the database is not asked', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    const strict = kind === 'sqlite' ? ' STRICT' : ''
    await fixture.target.execute(
      `CREATE TABLE numbers (id bigint NOT NULL PRIMARY KEY, note text NOT NULL)${strict}`.replace(
        'bigint',
        kind === 'sqlite' ? 'INTEGER' : 'bigint',
      ),
    )
    const sent: number[] = []
    const counting = wrapSink(sink, untouched, {
      write: (batch, options) => {
        sent.push(batch.rows.rows)
        return sink.write(batch, options)
      },
    })
    const model = defineModel({
      table: 'numbers',
      columns: { id: bigint().notNull(), note: text() },
      primaryKey: ['id'],
    })
    const path = join(fixture.folder, 'numbers.csv')
    await writeFile(path, 'id,note\n1,a\n2,\n3,""\n4,\n')
    await produce(fixture.producing(queue, [path], { model }))
    await writeFile(path, 'id\n5\n')
    await produce(fixture.producing(queue, [path], { model }))
    expect(await consume(queue, counting, { model })).toMatchObject({
      loaded: 2,
      rejected: 3,
      deadMessages: 0,
    })
    expect(sent.reduce((sum, each) => sum + each, 0)).toBe(2)
    expect(await fixture.target.ids()).toEqual([1, 3])
    const rejects = await sink.ledger.rejects({ limit: 10 })
    const missing = { code: 'CONSTRAINT_NOT_NULL', column: 'note' }
    expect(rejects).toMatchObject([
      { line: 3, ...missing },
      { line: 5, ...missing },
      { line: 2, ...missing },
    ])
  })

  it('a message that fails alone is tried again, then buried, and all others load', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    const loadId = await fixture.publish(queue, 200, 10)
    const poison = `${loadId}/7`
    const choking = wrapSink(sink, untouched, {
      write: (batch, options) => {
        if (batch.parts.some(({ key }) => key === poison))
          throw new LadingError('SINK_FAILED', 'the test chokes on it')
        return sink.write(batch, options)
      },
    })
    const waits: number[] = []
    const onEvent: Listener = (event) => void (event.type === 'waiting' && waits.push(event.attempt))
    const tally = await consume(queue, choking, { messageRetry: { attempts: 3, firstMs: 20 }, onEvent })
    expect(tally).toMatchObject({ deadMessages: 1, duplicates: 0, retried: 2, redelivered: 2 })
    expect(waits).toEqual([1, 2])
    const [letter, ...others] = await letters(sink)
    expect(others).toEqual([])
    expect(letter).toMatchObject({ key: poison, code: 'UNPROCESSABLE', state: 'dead' })
    const [receipt] = await sink.ledger.receipts({ loads: [loadId] })
    expect(receipt).toMatchObject({ dead: letter?.records, loaded: 200 - (letter?.records ?? 0) })
    if (receipt) expect(balance(receipt)).toEqual({ open: 0, problems: [] })
    await replaysOnce(fixture, sink, letter as StoredDeadLetter)
  })

  it('messages that all fail alone stop the consumer after a few, and the rest stays in the queue', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    await fixture.publish(queue, 200, 10)
    const { ready } = await queue.depth()
    const choking = wrapSink(sink, untouched, {
      write: async () => {
        throw new LadingError('SINK_FAILED', 'the test chokes on everything')
      },
    })
    await expect(consume(queue, choking)).rejects.toMatchObject({ code: 'SINK_FAILED' })
    expect(await letters(sink)).toEqual([])
    expect(await queue.depth()).toMatchObject({ ready, inFlight: 0 })
    expect(await consume(queue, sink)).toMatchObject({
      deadMessages: 0,
      duplicates: 0,
      records: 200,
      loaded: 200,
    })
  })

  it('a batch that the database asks to try again stops the consumer when its tries are over, and stays in the queue', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    await fixture.publish(queue, 20, 10)
    let tries = 0
    const busy = wrapSink(sink, untouched, {
      write: async () => {
        tries++
        throw new LadingError('SINK_BUSY', 'the test is busy')
      },
    })
    const batchRetry = { attempts: 3, firstMs: 10 }
    await expect(consume(queue, busy, { batchRetry })).rejects.toMatchObject({ code: 'SINK_BUSY' })
    expect(tries).toBe(3)
    expect(await consume(queue, sink)).toMatchObject({ deadMessages: 0, loaded: 20 })
  })

  it('a message without a verdict after all its attempts becomes a dead letter that counts its records', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    const loadId = await fixture.publish(queue, 30, 1_000)
    for (let attempt = 1; attempt <= 3; attempt++) await giveBack(queue)
    expect(await consume(queue, sink, { maxAttempts: 3 })).toMatchObject({ deadMessages: 1, loaded: 0 })
    const [letter] = await letters(sink)
    expect(letter).toMatchObject({ code: 'ATTEMPTS_EXHAUSTED', attempts: 4, records: 30, key: `${loadId}/0` })
    const [receipt] = await sink.ledger.receipts({ loads: [loadId] })
    expect(receipt).toMatchObject({ dead: 30, loaded: 0, deadLetters: 1 })
    if (receipt) expect(balance(receipt)).toEqual({ open: 0, problems: [] })
    await replaysOnce(fixture, sink, letter as StoredDeadLetter)
  })

  it('a damaged message that used up its attempts does not take the place of its chunk', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    const [message] = (await messagesOf(fixture, queue, 30)) as [Outgoing]
    await queue.publish([{ ...message, body: Buffer.from('damaged') }])
    for (let attempt = 1; attempt <= 3; attempt++) await giveBack(queue)
    await consume(queue, sink, { maxAttempts: 3 })
    expect(await letters(sink)).toMatchObject([{ code: 'ATTEMPTS_EXHAUSTED', records: 0 }])
    await queue.publish([message])
    expect(await consume(queue, sink)).toMatchObject({ loaded: 30, deadMessages: 0 })
    await fixture.expectAllOnce()
  })

  it('what cannot be a chunk of this pipeline is kept as a dead letter with its reason, and costs no other message', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    const good = await messagesOf(fixture, queue, 10)
    const [bad] = (await messagesOf(fixture, queue, 5)) as [Outgoing]
    const cases: Record<string, Outgoing> = {
      NOT_OURS: { key: 'a stranger', body: Buffer.from('hello'), headers: { from: 'elsewhere' } },
      BAD_ENVELOPE: { key: 'no json', body: bad.body, headers: { lading: '{' } },
      CHECKSUM: { ...bad, key: 'body', body: Buffer.concat([bad.body, Buffer.from('6,more\n')]) },
      MODEL_MISMATCH: altered({ ...bad, key: 'fields' }, (envelope) => ({
        ...envelope,
        fields: ['id', 'nonsense'],
      })),
    }
    await queue.publish([...Object.values(cases), ...good])
    expect(await consume(queue, sink)).toMatchObject({ deadMessages: 4, loaded: 10 })
    const kept = await letters(sink)
    expect(kept.map(({ code }) => code).toSorted()).toEqual(Object.keys(cases).toSorted())
    for (const { code, body, headers } of kept) {
      expect(Buffer.compare(body, cases[code]?.body ?? Buffer.of()), code).toBe(0)
      expect(headers).toEqual(cases[code]?.headers)
    }
    expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
    expect(await fixture.target.ids()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('chunks that were published for another database are left in the queue, and a load leaves all but its own', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    const published: Record<string, string> = {}
    for (const [name, target] of Object.entries({
      elsewhere: 'sqlite::memory:',
      here: sink.place,
      anywhere: undefined,
    })) {
      const path = await fixture.file(10, `${name}.csv`)
      const [load] = await produce(fixture.producing(queue, [path], target === undefined ? {} : { target }))
      published[name] = load?.loadId ?? ''
    }
    const left = async (more: Partial<ConsumerOptions>) => {
      const events: LadingEvent[] = []
      const tally = await consume(queue, sink, { ...more, onEvent: (event) => events.push(event) })
      const loads = events.flatMap((event) =>
        event.type === 'foreign' && event.load !== undefined ? [event.load] : [],
      )
      return {
        loaded: tally.loaded,
        left: loads.map(({ source, database }) => `${source} ${database}`).toSorted(),
      }
    }
    const all = new Set(Object.values(published))
    expect(await left({ loads: new Set() })).toEqual({
      loaded: 0,
      left: ['anywhere.csv any', 'elsewhere.csv another', 'here.csv this'],
    })
    expect(await left({ loads: all })).toEqual({
      loaded: 10,
      left: ['anywhere.csv any', 'elsewhere.csv another'],
    })
    expect(await left({})).toEqual({ loaded: 10, left: ['elsewhere.csv another'] })
    expect(await queue.depth()).toEqual({ ready: 1, inFlight: 0, dead: 0 })
    await using memory = await openSink('sqlite::memory:')
    expect(await consume(queue, memory)).toMatchObject({ loaded: 10 })
  })

  it('messages of another pipeline are left in the queue for their own consumer, and said once', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    const mine = await messagesOf(fixture, queue, 10)
    const [foreign] = (await messagesOf(fixture, queue, 5)) as [Outgoing]
    const another = (n: number) =>
      altered({ ...foreign, key: `another ${n}` }, (envelope) => ({ ...envelope, pipeline: 'another' }))
    await queue.publish([another(1), ...mine, another(2)])
    const events: LadingEvent[] = []
    expect(await consume(queue, sink, { onEvent: (event) => events.push(event) })).toMatchObject({
      deadMessages: 0,
      loaded: 10,
      messages: mine.length,
    })
    expect(events.filter(({ type }) => type === 'foreign')).toEqual([
      { type: 'foreign', pipeline: 'another' },
    ])
    expect(await queue.depth()).toEqual({ ready: 2, inFlight: 0, dead: 0 })
    expect(await consume(queue, sink, { pipeline: 'another' })).toMatchObject({
      deadMessages: 0,
      loaded: 5,
      duplicates: 1,
    })
    expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })

  it('a message of another pipeline is left however often it was delivered', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    const [mine] = (await messagesOf(fixture, queue, 5)) as [Outgoing]
    await queue.publish([altered(mine, (envelope) => ({ ...envelope, pipeline: 'another' }))])
    for (let attempt = 1; attempt <= 3; attempt++) await giveBack(queue)
    expect(await consume(queue, sink, { maxAttempts: 1 })).toMatchObject({ messages: 0, deadMessages: 0 })
    expect(await letters(sink)).toEqual([])
    expect((await queue.depth()).ready).toBe(1)
  })

  it('a key that no index takes is shortened in the dead letter', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    await queue.publish(
      [1, 2].map((n) => ({ key: `${'k'.repeat(12_000)}${n}`, body: Buffer.from('x'), headers: {} })),
    )
    expect(await consume(queue, sink)).toMatchObject({ deadMessages: 2 })
    expect(new Set((await letters(sink)).map(({ key }) => key)).size).toBe(2)
  })

  it.each([
    ['not an object', '7'],
    ['no load', '{"v":1}'],
    ['a negative count', undefined],
  ])('an envelope with %s is a bad one', async (_, header) => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    const [message] = (await messagesOf(fixture, queue, 5)) as [Outgoing]
    const wrong =
      header === undefined
        ? altered(message, (envelope) => ({ ...envelope, chunk: -1 }))
        : { ...message, headers: { lading: header } }
    await queue.publish([wrong])
    await consume(queue, sink)
    expect(await letters(sink)).toMatchObject([{ code: 'BAD_ENVELOPE', records: 0 }])
  })

  it('a message whose texts no database takes is kept all the same', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    const [message] = (await messagesOf(fixture, queue, 5)) as [Outgoing]
    const named = altered(message, (envelope) => ({
      ...envelope,
      load: { ...envelope.load, source: 'nul \0 and half a pair \ud800' },
    }))
    await queue.publish([
      { key: 'nul \0 in the key \udc00', body: Buffer.from([0, 255]), headers: { '\0': '\0\ud800' } },
      named,
    ])
    await fixture.publish(queue, 10)
    await consume(queue, sink)
    expect((await letters(sink)).length).toBeGreaterThanOrEqual(1)
    expect((await fixture.target.ids()).filter((id) => id > 5)).toHaveLength(10)
    expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })

  it('a message of a newer version is set aside alone and whole, and a lading that knows the version replays it', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    const [message, ...others] = (await messagesOf(fixture, queue, 20, 5)) as [
      Outgoing,
      Outgoing,
      Outgoing,
      Outgoing,
    ]
    const newer = altered(message, (envelope) => ({ ...envelope, v: 4, surprise: true }))
    await queue.publish([newer, ...others])
    const told: LadingEvent[] = []
    expect(await consume(queue, sink, { onEvent: (event) => void told.push(event) })).toMatchObject({
      deadMessages: 1,
      rejected: 0,
    })
    expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
    const [letter, another] = await letters(sink)
    expect(another).toBeUndefined()
    expect(letter).toMatchObject({
      code: 'ENVELOPE_NEWER',
      key: message.key,
      headers: newer.headers,
      records: 0,
    })
    expect(Buffer.from(letter?.body ?? [])).toEqual(Buffer.from(message.body))
    expect(told).toContainEqual(
      expect.objectContaining({ type: 'dead', code: 'ENVELOPE_NEWER', key: message.key }),
    )
    expect(await replay(letter as StoredDeadLetter, { sink, model: numbers })).toMatchObject({
      kind: 'refused',
      code: 'ENVELOPE_NEWER',
    })
    // As the newer one would read it.
    await replaysOnce(fixture, sink, { ...(letter as StoredDeadLetter), headers: message.headers })
    await fixture.expectAllOnce()
  })

  it('a message of a newer version that belongs to another pipeline is left to it', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    const [message] = (await messagesOf(fixture, queue, 5)) as [Outgoing]
    await queue.publish([altered(message, (envelope) => ({ ...envelope, v: 4, pipeline: 'theirs' }))])
    expect(await consume(queue, sink)).toMatchObject({ deadMessages: 0, loaded: 0 })
    expect(await letters(sink)).toEqual([])
    expect(await queue.depth()).toMatchObject({ ready: 1 })
  })

  it('a code that halts stops the consumer at once, and every message stays in the queue', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    await fixture.publish(queue, 100)
    const { ready } = await queue.depth()
    const refusing = wrapSink(sink, async (method, real) => {
      if (method === 'write') throw new LadingError('SINK_REFUSED', 'says the test')
      return real()
    })
    await expect(consume(queue, refusing)).rejects.toMatchObject({ code: 'SINK_REFUSED' })
    expect(await queue.depth()).toEqual({ ready, inFlight: 0, dead: 0 })
    await consume(queue, sink)
    await fixture.expectAllOnce()
  })

  it('a key that comes again with other content is a dead letter, and its load stays as it is', async () => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    const [message, second] = (await messagesOf(fixture, queue, 20, 10)) as [Outgoing, Outgoing]
    const body = Buffer.from('99,other\n')
    const sha256 = createHash('sha256').update(body).digest('hex')
    await queue.publish([
      message,
      { ...altered(message, (envelope) => ({ ...envelope, sha256, records: 1 })), body },
    ])
    expect(await consume(queue, sink)).toMatchObject({ deadMessages: 1 })
    expect(await letters(sink)).toMatchObject([{ code: 'KEY_REUSED', records: 0 }])
    await queue.publish([second])
    await consume(queue, sink)
    expect(await fixture.target.ids()).toHaveLength(20)
  })
}

describe('SQLite', () => verdicts('sqlite'))
describePostgres('PostgreSQL', () => verdicts('postgres'))

it('a letter for a model that was mended loads once by its replay', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const narrow = defineModel({
    table: 'numbers',
    columns: { id: bigint().notNull(), note: text().from('remark') },
  })
  await fixture.publish(queue, 10, 1_000)
  await sink.prepare(numbers)
  await consume(queue, sink, { model: narrow })
  const [letter] = (await letters(sink)) as [StoredDeadLetter]
  expect(letter).toMatchObject({ code: 'MODEL_MISMATCH', records: 10 })
  expect(await replay(letter, { sink, model: narrow })).toMatchObject({
    kind: 'refused',
    code: 'MODEL_MISMATCH',
  })
  expect((await letters(sink))[0]).toMatchObject({ state: 'dead' })
  await replaysOnce(fixture, sink, letter)
})

it('a letter of another pipeline is not loaded by our replay', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  await queue.publish([
    { key: 'theirs', body: Buffer.from('{"id": 1, "note": "x", "more": 1}'), headers: {} },
  ])
  await consume(queue, sink, { pipeline: 'theirs' })
  const [letter] = (await letters(sink)) as [StoredDeadLetter]
  const mended = { sink, model: numbers, ignoreExtra: true }
  expect(await replay(letter, mended)).toMatchObject({ kind: 'refused', code: 'WRONG_PIPELINE' })
  expect(await fixture.target.ids()).toEqual([])
  expect(await replay(letter, { ...mended, pipeline: 'theirs' })).toMatchObject({
    kind: 'applied',
    loaded: 1,
  })
})

it('a message of a newer version is set aside however often it was delivered', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const [chunk] = (await messagesOf(fixture, queue, 5)) as [Outgoing]
  await queue.publish([altered(chunk, (envelope) => ({ ...envelope, v: 99 }))])
  for (let attempt = 1; attempt <= 3; attempt++) await giveBack(queue)
  expect(await consume(queue, sink, { maxAttempts: 2 })).toMatchObject({ deadMessages: 1 })
  expect(await letters(sink)).toMatchObject([{ code: 'ATTEMPTS_EXHAUSTED', records: 0 }])
})

it('a consumer until empty ends although a message of another pipeline is there three times', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const [chunk] = (await messagesOf(fixture, queue, 5)) as [Outgoing]
  const foreign = altered(chunk, (envelope) => ({ ...envelope, pipeline: 'another' }))
  await queue.publish([foreign, foreign, foreign])
  expect(await consume(queue, sink)).toMatchObject({ records: 0, deadMessages: 0 })
  expect((await queue.depth()).ready).toBe(3)
})

/** Replaying takes effect once, however often and from however many places at once it is asked for. */
async function replaysOnce(fixture: Fixture, sink: Sink, letter: StoredDeadLetter): Promise<void> {
  const again = await fixture.sink()
  const results = await Promise.all(
    [sink, again].map((each) => replay(letter, { sink: each, model: numbers })),
  )
  results.push(await replay(letter, { sink, model: numbers }))
  expect(results.map(({ kind }) => kind).toSorted()).toEqual(['applied', 'duplicate', 'duplicate'])
  expect((await letters(sink)).find(({ id }) => id === letter.id)).toMatchObject({ state: 'replayed' })
  await fixture.expectAllOnce()
}

/** Delivers what waits once more without a verdict. */
async function giveBack(queue: Queue): Promise<void> {
  for await (const deliveries of queue.deliveries({ prefetch: 100 })) {
    await Promise.all(
      deliveries.map((delivery) => delivery.settle({ kind: 'retry', afterMs: 0, code: 'ABORTED' })),
    )
    if (deliveries.length > 0) return
  }
}
