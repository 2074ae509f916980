/** Messages of others: JSON objects, each taking effect once, whatever tells them apart. */
import { describe, expect, it } from 'vitest'
import { type ConsumerOptions, createConsumer } from '../../src/consumer/consumer.ts'
import { type DedupKey } from '../../src/consumer/decode/identity.ts'
import { sha256Of } from '../../src/core/sha256.ts'
import { replayLetter as replay } from '../../src/review/letters.ts'
import { LadingError } from '../../src/core/errors.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import { maxRecordBytes } from '../../src/core/load.ts'
import { bigint, custom, integer, json, text, timestamptz } from '../../src/model/columns.ts'
import { defineModel, type Model } from '../../src/model/model.ts'
import type { Outgoing, Queue } from '../../src/queue/queue.ts'
import type { StoredDeadLetter } from '../../src/sink/ledger.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { numbers, query, Fixture } from '../support/fixture.ts'
import { failingCall, type QueueMethod, untouched, wrapQueue, wrapSink } from '../support/wrappers.ts'

const message = (key: string, body: unknown): Outgoing => ({
  key,
  body:
    typeof body === 'string' || Buffer.isBuffer(body) ? Buffer.from(body) : Buffer.from(JSON.stringify(body)),
  headers: { from: 'elsewhere' },
})

const consume = (queue: Queue, sink: Sink, more: Partial<ConsumerOptions> = {}) =>
  createConsumer({ queue, sink, model: numbers, ...more }).run({ untilEmpty: true })

const letters = (sink: Sink, all = true): Promise<readonly StoredDeadLetter[]> =>
  sink.ledger.deadLetters({ limit: 100, all })
const rejects = (sink: Sink) => sink.ledger.rejects({ limit: 100 })

/** A letter that must be there, its body as text. */
async function onlyLetter(sink: Sink): Promise<StoredDeadLetter> {
  const kept = await letters(sink)
  expect(kept).toHaveLength(1)
  return kept[0] as StoredDeadLetter
}

async function opened(kind: 'sqlite' | 'postgres' = 'sqlite') {
  const fixture = await Fixture.open(kind)
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  return {
    fixture,
    queue,
    sink,
    ids: () => fixture.target.ids(),
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  }
}

function everywhere(kind: 'sqlite' | 'postgres') {
  it('an object, an array of objects and lines of objects are loaded, and nothing else is', async () => {
    await using at = await opened(kind)
    await at.queue.publish([
      message('object', { id: 1, note: 'one' }),
      message('array', [{ id: 2 }, { note: 'three', id: '3' }]),
      message('lines', '\ufeff{"id":4}\r\n\n{"id":5}\n'),
      message('pretty', JSON.stringify([{ id: 6 }, { id: 7 }], null, 2)),
      message('empty', []),
      ...['5', '"x"', 'null', '', ' \n ', '[1]', '{"id":8', '[{"id":8},]'].map((body, index) =>
        message(`bad ${index}`, body),
      ),
    ])
    expect(await consume(at.queue, at.sink)).toMatchObject({
      messages: 13,
      records: 7,
      loaded: 7,
      rejected: 0,
      deadMessages: 8,
      duplicates: 0,
    })
    expect(await at.ids()).toEqual([1, 2, 3, 4, 5, 6, 7])
    const kept = await letters(at.sink)
    expect(kept.map(({ code }) => code)).toEqual(Array(8).fill('NOT_OURS'))
    expect(kept.find(({ key }) => key === 'message:bad 6')?.detail).toContain(
      'at byte 7, it ends where a comma',
    )
    expect(await at.queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })

  it('a message of which some records fit loads those and keeps the others with their place', async () => {
    await using at = await opened(kind)
    const body = '{"id":1}\n{"id":"x"}\noops\n\n{"id":2,"more":0}\n{"id":3}\n'
    await at.queue.publish([message('m', body)])
    expect(await consume(at.queue, at.sink)).toMatchObject({
      records: 5,
      loaded: 2,
      rejected: 3,
      deadMessages: 0,
    })
    expect(await at.ids()).toEqual([1, 3])
    const kept = (await rejects(at.sink)).map(({ raw, ...rest }) => ({
      ...rest,
      raw: Buffer.from(raw).toString(),
    }))
    expect(kept).toMatchObject([
      { code: 'BAD_INTEGER', column: 'id', record: 2, line: 2, byte: 9, source: 'm', raw: '{"id":"x"}' },
      {
        code: 'BAD_JSON',
        record: 3,
        line: 3,
        byte: 20,
        raw: 'oops',
        detail: 'at byte 0 of the record, a value is expected',
      },
      {
        code: 'EXTRA_FIELD',
        record: 4,
        line: 5,
        byte: 26,
        raw: '{"id":2,"more":0}',
        detail: 'field "more" is not in the model',
      },
    ])
  })

  it('a record that the database refuses is a reject with its place', async () => {
    await using at = await opened(kind)
    await at.sink.prepare(numbers)
    await at.fixture.target.execute('CREATE UNIQUE INDEX one_of_each ON numbers (id)')
    await at.queue.publish([message('m', '[{"id":"bad"},\n{"id":1},\n{"id":1,"note":"again"},{"id":2}]')])
    expect(await consume(at.queue, at.sink)).toMatchObject({ records: 4, loaded: 2, rejected: 2 })
    const kept = (await rejects(at.sink)).find(({ code }) => code === 'CONSTRAINT_UNIQUE')
    expect(kept).toMatchObject({ record: 3, line: 3, byte: 25 })
    expect(Buffer.from(kept?.raw ?? []).toString()).toBe('{"id":1,"note":"again"}')
  })

  it.each<[DedupKey, number]>([
    ['message-id', 4],
    ['content', 3],
    ['field:id', 2],
  ])('%s tells messages apart, also when they come again in another run', async (dedupKey, times) => {
    await using at = await opened(kind)
    const messages = [
      message('a', '{"id":1,"note":"x"}'),
      message('b', '{"id":1,"note":"x"}'),
      message('c', '[{"id":1,"note":"x"}]'),
      message('d', '{"id":2}'),
    ]
    await at.queue.publish([...messages, ...messages])
    expect(await consume(at.queue, at.sink, { dedupKey })).toMatchObject({
      loaded: times,
      deadMessages: 0,
      messages: 8,
      duplicates: 8 - times,
    })
    await at.queue.publish(messages)
    expect(await consume(at.queue, at.sink, { dedupKey })).toMatchObject({ loaded: 0, duplicates: 4 })
    expect(await at.ids()).toHaveLength(times)
  })

  it('a record takes effect once, in whatever messages it comes, and its neighbours too', async () => {
    await using at = await opened(kind)
    const dedupKey = 'field:event'
    const event = (n: number) => ({ event: `e${n}`, id: n })
    await at.queue.publish([
      message('', [event(1), event(2), event(1)]),
      message('x', event(2)),
      message('', [event(2), event(3)]),
    ])
    expect(await consume(at.queue, at.sink, { dedupKey })).toMatchObject({
      messages: 3,
      records: 3,
      loaded: 3,
      duplicates: 1,
      deadMessages: 0,
    })
    expect(await at.ids()).toEqual([1, 2, 3])
  })

  it('a record whose key comes again with other content is kept as a dead letter, and the rest of its message loads', async () => {
    await using at = await opened(kind)
    const [dedupKey, events] = ['field:id' as const, [] as LadingEvent[]]
    await at.queue.publish([
      message('a', { id: 1, note: 'first' }),
      message('b', [{ id: 1, note: 'other' }, { id: 2 }, { id: 1 }]),
    ])
    const run = await consume(at.queue, at.sink, { dedupKey, onEvent: (event) => events.push(event) })
    expect(run).toMatchObject({ messages: 2, loaded: 2, deadMessages: 1 })
    const letter = await onlyLetter(at.sink)
    expect(letter).toMatchObject({ code: 'KEY_REUSED', key: 'field:id:1' })
    expect(Buffer.from(letter.body).toString()).toContain('other')
    // What is logged holds no value of a record.
    expect(events.filter(({ type }) => type === 'dead')).toMatchObject(
      [1, 2].map(() => ({ key: 'message:b', detail: expect.stringContaining('of a record') })),
    )
    expect(await replay(letter, { sink: at.sink, model: numbers, dedupKey })).toMatchObject({
      kind: 'refused',
      code: 'KEY_REUSED',
    })
    expect(await letters(at.sink, false)).toHaveLength(1)
    expect(await at.ids()).toEqual([1, 2])
  })

  it('a message of which no record fits is dead as a whole, and loads once by its replay when the model is mended', async () => {
    await using at = await opened(kind)
    const strict = defineModel({ table: 'numbers', columns: { id: bigint().notNull(), note: integer() } })
    const events: LadingEvent[] = []
    await at.sink.prepare(numbers)
    const relaxed = wrapSink(at.sink, async (method, real) =>
      method === 'prepare' ? (undefined as never) : real(),
    )
    await at.queue.publish([
      message('m', [
        { id: 1, note: 'secret' },
        { id: 2, note: 'y' },
      ]),
    ])
    const run = await consume(at.queue, relaxed, { model: strict, onEvent: (event) => events.push(event) })
    expect(run).toMatchObject({ messages: 1, deadMessages: 1, loaded: 0, rejected: 0 })
    const letter = await onlyLetter(at.sink)
    expect(letter).toMatchObject({ key: 'message:m', code: 'BAD_INTEGER', records: 2 })
    expect(letter.detail).toBe(
      'all 2 records are refused, the first one: column note: "secret" is not a whole number',
    )
    expect(JSON.stringify(events)).not.toContain('secret')
    expect(await rejects(at.sink)).toEqual([])
    // It comes again before it is replayed, and after.
    await at.queue.publish([
      message('m', [
        { id: 1, note: 'secret' },
        { id: 2, note: 'y' },
      ]),
    ])
    await consume(at.queue, relaxed, { model: strict })
    expect(await letters(at.sink)).toHaveLength(1)
    await replaysOnce(at, letter, {}, 2)
    await at.queue.publish([
      message('m', [
        { id: 1, note: 'secret' },
        { id: 2, note: 'y' },
      ]),
    ])
    expect(await consume(at.queue, at.sink)).toMatchObject({ duplicates: 1, loaded: 0 })
    expect(await consume(at.queue, relaxed, { model: strict })).toMatchObject({ messages: 0 })
    expect(await letters(at.sink, false)).toEqual([])
  })

  it.each<DedupKey>(['message-id', 'content', 'field:id'])(
    'a letter of several records is replayed once as a whole, however often it is pressed: %s',
    async (dedupKey) => {
      await using at = await opened(kind)
      const key = 'nul \0 half \ud800'
      await at.queue.publish([
        message(key, [
          { id: 1, extra: 0 },
          { id: 2, extra: 0 },
          { id: 3, extra: 0 },
        ]),
      ])
      expect(await consume(at.queue, at.sink, { dedupKey })).toMatchObject({ deadMessages: 1 })
      const letter = await onlyLetter(at.sink)
      expect(letter).toMatchObject({ code: 'EXTRA_FIELD' })
      await replaysOnce(at, letter, { dedupKey, ignoreExtra: true }, 3)
      // Its publisher sends it once more.
      await at.queue.publish([
        message(key, [
          { id: 1, extra: 0 },
          { id: 2, extra: 0 },
          { id: 3, extra: 0 },
        ]),
      ])
      expect(await consume(at.queue, at.sink, { dedupKey, ignoreExtra: true })).toMatchObject({
        duplicates: 1,
        loaded: 0,
      })
    },
  )

  it('a message without an id is dead with its reason, and loads by a replay that says what tells it apart', async () => {
    await using at = await opened(kind)
    await at.queue.publish([message('', { id: 1 }), message('', { id: 2 }), message('', [])])
    expect(await consume(at.queue, at.sink)).toMatchObject({ messages: 3, deadMessages: 2, loaded: 0 })
    const kept = await letters(at.sink)
    expect(kept.map(({ code, key }) => [code, key])).toEqual(
      Array.from(kept, () => ['KEY_MISSING', 'message:']),
    )
    for (const letter of kept) {
      expect(await replay(letter, { sink: at.sink, model: numbers })).toMatchObject({
        kind: 'refused',
        code: 'KEY_MISSING',
      })
      expect(await replay(letter, { sink: at.sink, model: numbers, dedupKey: 'content' })).toMatchObject({
        kind: 'applied',
        loaded: 1,
      })
      expect(await replay(letter, { sink: at.sink, model: numbers, dedupKey: 'content' })).toEqual({
        kind: 'duplicate',
      })
    }
    expect(await at.ids()).toEqual([1, 2])
  })

  it('a record without its key is a reject, and its key is free for it when it comes once more', async () => {
    await using at = await opened(kind)
    const dedupKey = 'field:event'
    const bodies = [
      { id: 1 },
      { event: '', id: 2 },
      { event: null, id: 3 },
      { event: {}, id: 4 },
      { event: 'e5', id: 'x' },
      { event: 'e6', id: 6 },
    ]
    await at.queue.publish([message('m', bodies), message('m', bodies)])
    expect(await consume(at.queue, at.sink, { dedupKey })).toMatchObject({
      messages: 2,
      duplicates: 1,
      loaded: 1,
      rejected: 5,
      deadMessages: 0,
    })
    expect((await rejects(at.sink)).map(({ code, record }) => [record, code])).toEqual([
      [1, 'KEY_MISSING'],
      [2, 'KEY_MISSING'],
      [3, 'KEY_MISSING'],
      [4, 'NESTED_VALUE'],
      [5, 'BAD_INTEGER'],
    ])
    await at.queue.publish([message('mended', [{ event: 'e5', id: 5 }, { id: 7 }])])
    expect(await consume(at.queue, at.sink, { dedupKey })).toMatchObject({
      loaded: 1,
      rejected: 1,
      deadMessages: 0,
    })
    await at.queue.publish([1, 2].map((n) => message('', [{ event: `f${n}`, id: 10 * n }, { id: n }])))
    expect(await consume(at.queue, at.sink, { dedupKey })).toMatchObject({
      loaded: 2,
      rejected: 2,
      deadMessages: 0,
    })
    expect(await at.ids()).toEqual([5, 6, 10, 20])
  })

  it('an external message cannot take the place of a chunk, whatever its id or its key', async () => {
    await using at = await opened(kind)
    const chunks: Outgoing[] = []
    await at.fixture.publish(
      wrapQueue(at.queue, untouched, { publish: async (some) => void chunks.push(...some) }),
      10,
      1000,
    )
    const key = chunks[0]?.key as string
    expect(key).toMatch(/^[0-9a-f-]{36}\/0$/)
    await at.queue.publish([message(key, { id: 100 })])
    expect(await consume(at.queue, at.sink)).toMatchObject({ loaded: 1 })
    await at.queue.publish([message('x', { id: 101, note: key })])
    expect(await consume(at.queue, at.sink, { dedupKey: 'field:note' })).toMatchObject({ loaded: 1 })
    await at.queue.publish([message(key, 'broken')])
    await consume(at.queue, at.sink)
    expect(await replay(await onlyLetter(at.sink), { sink: at.sink, model: numbers })).toMatchObject({
      kind: 'refused',
      code: 'NOT_OURS',
    })
    // A letter that was kept under the message's own id.
    const kept = {
      pipeline: 'numbers',
      key,
      headers: {},
      attempts: 1,
      code: 'NOT_OURS',
      detail: '',
      records: 0,
    } as const
    const body = Buffer.from('{"id":100}')
    await at.sink.ledger.bury({ ...kept, body, sha256: sha256Of(body) })
    const letter = (await letters(at.sink)).find((each) => each.key === key) as StoredDeadLetter
    expect(await replay(letter, { sink: at.sink, model: numbers })).toEqual({ kind: 'duplicate' })
    await at.queue.publish(chunks)
    expect(await consume(at.queue, at.sink)).toMatchObject({ loaded: 10, deadMessages: 0, duplicates: 0 })
  })

  it('keys of any text and length are kept apart, and known again', async () => {
    await using at = await opened(kind)
    const long = 'k'.repeat(12_000)
    const keys = [
      `${long}1`,
      `${long}2`,
      'nul \0',
      'half \ud800',
      `${long}\0`,
      'ä😀',
      'message:x',
      'x',
      ' ',
      '😀'.repeat(5000),
    ]
    const messages = keys.map((key, index) => message(key, { id: index }))
    await at.queue.publish(messages)
    expect(await consume(at.queue, at.sink)).toMatchObject({ loaded: keys.length, deadMessages: 0 })
    await at.queue.publish(messages)
    expect(await consume(at.queue, at.sink)).toMatchObject({ loaded: 0, duplicates: keys.length })
  })

  it('a message that fails alone is buried under its key, and replays once', async () => {
    await using at = await opened(kind)
    const choking = wrapSink(at.sink, untouched, {
      write: (batch, options) => {
        if (batch.parts.some((part) => part.key === 'field:id:2'))
          throw new LadingError('SINK_FAILED', 'the test chokes on it')
        return at.sink.write(batch, options)
      },
    })
    const dedupKey = 'field:id'
    await at.queue.publish([
      message('a', { id: 1 }),
      message('b', [{ id: 2 }, { id: 3 }]),
      message('c', { id: 4 }),
    ])
    const messageRetry = { attempts: 1 }
    expect(await consume(at.queue, choking, { dedupKey, messageRetry })).toMatchObject({
      messages: 3,
      loaded: 2,
      deadMessages: 1,
    })
    const letter = await onlyLetter(at.sink)
    expect(letter).toMatchObject({ code: 'UNPROCESSABLE', key: 'message:b', records: 2 })
    await replaysOnce(at, letter, { dedupKey }, 2)
    expect(await at.ids()).toEqual([1, 2, 3, 4])
  })

  it('messages without an id that all fail alone stop the consumer as well, and none is buried', async () => {
    await using at = await opened(kind)
    const choking = wrapSink(at.sink, untouched, {
      write: async () => {
        throw new LadingError('SINK_FAILED', 'the test chokes on everything')
      },
    })
    await at.queue.publish(Array.from({ length: 8 }, (_, id) => ({ ...message('', { id }), key: '' })))
    const options = { dedupKey: 'content', messageRetry: { attempts: 1 } } as const
    await expect(consume(at.queue, choking, options)).rejects.toMatchObject({ code: 'SINK_FAILED' })
    expect((await at.sink.ledger.deadLetters({ limit: 10 })).length).toBeLessThanOrEqual(3)
    expect(await consume(at.queue, at.sink, { dedupKey: 'content' })).toMatchObject({ deadMessages: 0 })
  })

  it('values of all sorts come into their columns as they stand in the message', async () => {
    await using at = await opened(kind)
    const model = defineModel({
      table: 'things',
      columns: {
        big: bigint(),
        exact: text().from('number'),
        at: timestamptz(),
        flag: text(),
        empty: text().notNull(),
        gone: text().default('fallback'),
        doc: json(),
        name: json().from('label'),
        label: text(),
        tags: text().transform((source) => (JSON.parse(source) as string[]).join('+')),
      },
    })
    const body = `{"big":9223372036854775807,"number":1e400,"at":"2026-01-02T03:04:05Z","flag":true,"empty":"","gone":null,
      "doc":{"a" : [1.0,"\\u00e4"]},"label":"x\\ny","tags":["a","b"]}`
    await at.queue.publish([message('m', body)])
    expect(await consume(at.queue, at.sink, { model })).toMatchObject({ loaded: 1 })
    const row = await firstRow(
      at.fixture,
      kind,
      'SELECT exact, flag, empty, gone, doc, name, label, tags FROM things',
    )
    expect(row).toMatchObject({
      exact: '1e400',
      flag: 'true',
      empty: '',
      gone: 'fallback',
      label: 'x\ny',
      tags: 'a+b',
    })
    expect(String(typeof row['doc'] === 'object' ? JSON.stringify(row['doc']) : row['doc'])).toMatch(
      /^\{"a" ?: ?\[1(\.0)?,"(ä|\\u00e4)"\]\}$/,
    )
  })
}

async function firstRow(fixture: Fixture, kind: string, sql: string): Promise<Record<string, unknown>> {
  if (kind === 'postgres') return (await query<Record<string, unknown>>(fixture.target.url, sql))[0] ?? {}
  using file = new SqliteFile(fixture.target.url.slice('sqlite:'.length))
  return file.get<Record<string, string>>(sql) ?? {}
}

type At = Awaited<ReturnType<typeof opened>>

/** Replaying takes effect once, however often and from however many places at once it is asked for. */
async function replaysOnce(
  at: At,
  letter: StoredDeadLetter,
  more: { dedupKey?: DedupKey; ignoreExtra?: boolean },
  loaded: number,
) {
  const again = await at.fixture.sink()
  const before = (await at.ids()).length
  const results = await Promise.all(
    [at.sink, again].map((sink) => replay(letter, { sink, model: numbers, ...more })),
  )
  results.push(await replay(letter, { sink: at.sink, model: numbers, ...more }))
  expect(results.filter(({ kind }) => kind === 'applied')).toEqual([
    { kind: 'applied', loaded, rejected: 0, skipped: 0 },
  ])
  expect(results.filter(({ kind }) => kind === 'duplicate')).toHaveLength(2)
  expect(await letters(at.sink, false)).toEqual([])
  expect((await at.ids()).length).toBe(before + loaded)
}

describe('SQLite', () => everywhere('sqlite'))
describePostgres('PostgreSQL', () => everywhere('postgres'))

it.each<[string, string, string]>([
  ['{"id":1,"note":{}}', 'NESTED_VALUE', 'column note: field "note" holds an object or an array'],
  ['{"id":1,"note":"\\u0000"}', 'NUL_BYTE', 'column note: field "note" holds a NUL'],
  ['{"id":1,"note":"\\ud800"}', 'LONE_SURROGATE', 'column note: field "note" holds half a surrogate pair'],
  ['{"id":1,"id":1}', 'DUPLICATE_FIELD', 'field "id" stands twice in an object'],
  ['{"id":1,"__proto__":1}', 'EXTRA_FIELD', 'field "__proto__" is not in the model'],
  ['{"note":"x"}', 'NULL_NOT_ALLOWED', 'column id: the column must have a value'],
  ['{"id":null}', 'NULL_NOT_ALLOWED', 'column id: the column must have a value'],
  ['{"id":""}', 'BAD_INTEGER', 'column id: "" is not a whole number'],
  ['{"id":1.0}', 'BAD_INTEGER', 'column id: "1.0" is not a whole number'],
  ['{"id":12345678901234567890}', 'OUT_OF_RANGE', 'column id: "12345678901234567890"'],
])('%s is refused: %s', async (body, code, detail) => {
  await using at = await opened()
  await at.queue.publish([message('m', body)])
  await consume(at.queue, at.sink)
  const letter = await onlyLetter(at.sink)
  expect(letter.code).toBe(code)
  expect(letter.detail).toContain(detail)
})

describe('an object in which no column finds its field', () => {
  const nullable = defineModel({ table: 'numbers', columns: { id: bigint(), note: text() } })
  const envelope = { Type: 'Notification', MessageId: 'x', Message: '{"id":1}' }

  it.each<DedupKey>(['message-id', 'content', 'field:MessageId'])(
    'is a dead letter, whatever else is allowed: %s',
    async (dedupKey) => {
      await using at = await opened()
      await at.queue.publish([message('m', envelope)])
      const tally = await consume(at.queue, at.sink, { model: nullable, ignoreExtra: true, dedupKey })
      expect(tally).toMatchObject({ loaded: 0, deadMessages: 1 })
      expect(await onlyLetter(at.sink)).toMatchObject({
        code: 'NO_FIELD',
        detail: 'none of its fields is in the model',
      })
      expect(await firstRow(at.fixture, 'sqlite', 'SELECT count(*) AS n FROM numbers')).toEqual({ n: 0 })
    },
  )

  it('is a reject beside one that has it', async () => {
    await using at = await opened()
    await at.queue.publish([message('m', [envelope, { id: 1, more: 2 }, {}])])
    expect(await consume(at.queue, at.sink, { model: nullable, ignoreExtra: true })).toMatchObject({
      loaded: 1,
      rejected: 2,
    })
    expect(await rejects(at.sink)).toMatchObject([
      { code: 'NO_FIELD', record: 1 },
      { code: 'NO_FIELD', record: 3 },
    ])
  })
})

it('an object of 16 MiB is taken, and one of a byte more is refused', async () => {
  await using at = await opened()
  const object = (id: number, bytes: number) => `{"id":${id},"note":"${'x'.repeat(bytes - 18)}"}`
  await at.queue.publish([
    message('m', `[${object(1, maxRecordBytes)},${object(2, maxRecordBytes + 1)},{"id":3}]`),
  ])
  expect(await consume(at.queue, at.sink)).toMatchObject({ loaded: 2, rejected: 1 })
  expect(await at.ids()).toEqual([1, 3])
  expect(await rejects(at.sink)).toMatchObject([{ code: 'OBJECT_TOO_LARGE', record: 2 }])
})

it('bytes that are not UTF-8 refuse their record, and no other', async () => {
  await using at = await opened()
  const body = Buffer.from('[{"id":1,"note":"ä"},{"id":2,"note":"?"},{"id":3}]')
  body[body.indexOf('?')] = 0xff
  await at.queue.publish([message('m', body)])
  expect(await consume(at.queue, at.sink)).toMatchObject({ loaded: 2, rejected: 1 })
  expect(await rejects(at.sink)).toMatchObject([{ code: 'BAD_ENCODING', record: 2 }])
})

it('a custom column takes a value with parts as it stands', async () => {
  await using at = await opened()
  const model: Model = defineModel({
    table: 'numbers',
    columns: { id: bigint().notNull(), note: custom('TEXT') },
  })
  await at.queue.publish([message('m', '{"id":1,"note":[1,  2]}')])
  expect(await consume(at.queue, at.sink, { model })).toMatchObject({ loaded: 1 })
  expect(await firstRow(at.fixture, 'sqlite', 'SELECT note FROM numbers')).toEqual({ note: '[1,  2]' })
})

it.each<DedupKey>(['message-id', 'content', 'field:id'])(
  'a settlement that is lost means one more delivery and no second effect: %s',
  async (dedupKey) => {
    await using fixture = await Fixture.open()
    const [queue, sink] = [await fixture.queue(0.3), await fixture.sink()]
    await queue.publish([message('m', [{ id: 1 }, { id: 2, more: 0 }]), message('bad', [{ id: 'x' }])])
    const fault = failingCall<QueueMethod>('settle', 1, 'QUEUE_UNAVAILABLE', 'before')
    const tally = await consume(wrapQueue(queue, fault.between), sink, { dedupKey })
    expect(fault.reached()).toBe(true)
    expect(tally.loaded).toBe(1)
    expect(await fixture.target.ids()).toEqual([1])
    expect(await rejects(sink)).toHaveLength(1)
    expect(await letters(sink)).toHaveLength(1)
  },
)

it('a message without a verdict after all its attempts is buried under its key, unless it took effect', async () => {
  await using at = await opened()
  await at.queue.publish([message('a', { id: 1 })])
  expect(await consume(at.queue, at.sink)).toMatchObject({ loaded: 1 })
  await at.queue.publish([message('a', { id: 1 }), message('b', { id: 2 })])
  expect(await consume(at.queue, at.sink, { maxAttempts: 0 })).toMatchObject({ deadMessages: 2 })
  const letter = await onlyLetter(at.sink)
  expect(letter).toMatchObject({ key: 'message:b', code: 'ATTEMPTS_EXHAUSTED' })
  await replaysOnce(at, letter, {}, 1)
})

it('a kind of key that is none stops the consumer before it takes anything', async () => {
  await using at = await opened()
  for (const dedupKey of ['id', 'field:', ''] as DedupKey[]) {
    await expect((async () => consume(at.queue, at.sink, { dedupKey }))()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  }
})
