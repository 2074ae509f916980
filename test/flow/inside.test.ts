/** Records inside of other objects, of files and of messages, into both databases. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { bigint, defineModel, integer, redact, text, timestamptz } from '../../src/index.ts'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { load, type LoadOptions } from '../../src/load/load.ts'
import { replayLetter } from '../../src/review/letters.ts'
import { editReject, replayRejects } from '../../src/review/rejects.ts'
import { preview } from '../../src/review/preview.ts'
import type { StoredDeadLetter, StoredReject } from '../../src/sink/ledger.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { Fixture, query } from '../support/fixture.ts'

const objects = defineModel({
  table: 'objects',
  columns: {
    at: timestamptz().notNull().from('eventTime'),
    key: text().notNull().from('s3.object.key'),
    size: bigint().notNull().from('s3.object.size'),
  },
})

const twoRecords =
  '{"Records":[{"eventTime":"2026-01-05T10:00:00.000Z","s3":{"object":{"key":"a.csv","size":12}}},{"eventTime":"2026-01-05T10:00:01.000Z","s3":{"object":{"key":"b.csv","size":9007199254740993}}}]}'

async function opened(kind: 'sqlite' | 'postgres') {
  const fixture = await Fixture.open(kind)
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  return {
    fixture,
    queue,
    sink,
    loading: async (
      name: string,
      content: string,
      more: Partial<LoadOptions> & Pick<LoadOptions, 'model'>,
    ) => {
      const path = join(fixture.folder, name)
      await writeFile(path, content)
      return load({ paths: [path], queue, sink, statePath: join(fixture.folder, 'state.db'), ...more })
    },
    rows: async (sql: string): Promise<unknown[]> => {
      const { url } = fixture.target
      if (!url.startsWith('sqlite:')) return query(url, sql)
      using file = new SqliteFile(url.slice('sqlite:'.length))
      return file.all<object>(sql).map((row) => ({ ...row }))
    },
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  }
}

function everywhere(kind: 'sqlite' | 'postgres') {
  const sizes = 'SELECT key, CAST(size AS text) AS size FROM objects ORDER BY key'
  const both = [
    { key: 'a.csv', size: '12' },
    { key: 'b.csv', size: '9007199254740993' },
  ]

  it('the records of a file that stand inside of an object are loaded, nested values by their path and to the last digit', async () => {
    await using at = await opened(kind)
    const { receipts } = await at.loading('x.json', twoRecords, { model: objects, records: 'Records[]' })
    expect(receipts).toMatchObject([{ records: 2, loaded: 2, rejected: 0 }])
    expect(await at.rows(sizes)).toEqual(both)
  })

  it('so are those of a message, whatever holds it, and an option may leave the path out of the way', async () => {
    await using at = await opened(kind)
    await at.queue.publish([
      { key: 'm', body: Buffer.from(twoRecords), headers: {} },
      { key: 'none', body: Buffer.from('{"Records":[]}'), headers: {} },
      { key: 'other', body: Buffer.from('{"records":[]}'), headers: {} },
    ])
    const reading = { model: objects, records: 'Records' }
    expect((await preview(await at.queue.peek(1), reading))[0]?.outlook).toMatchObject({
      kind: 'rows',
      records: 2,
    })
    const consumer = createConsumer({ queue: at.queue, sink: at.sink, ...reading })
    expect(await consumer.run({ untilEmpty: true })).toMatchObject({
      loaded: 2,
      rejected: 0,
      deadMessages: 1,
    })
    expect(await at.rows(sizes)).toEqual(both)
    const [letter] = await at.sink.ledger.deadLetters({ limit: 10 })
    expect(letter).toMatchObject({ code: 'NO_RECORDS', detail: 'the path Records leads to nothing in it' })
    const replayed = await replayLetter(letter as StoredDeadLetter, {
      sink: at.sink,
      model: objects,
      records: 'records[]',
    })
    expect(replayed).toMatchObject({ kind: 'applied', loaded: 0 })
  })

  const notes = defineModel({
    table: 'notes',
    columns: { id: integer().notNull(), note: text().from('n.text') },
  })

  it('a record that is refused is kept with its own bytes and its place in the file, and is replayed without the path', async () => {
    await using at = await opened(kind)
    const lines = Array.from(
      { length: 40 },
      (_, n) => `  { "id": ${n === 20 ? '"x"' : n}, "n": {"text": "☃ ${n}"} }`,
    )
    const content = `{"next": {"page": 2, "rows": [1]},\n "rows": [\n${lines.join(',\n')}\n ],\n "total": 40 }\n`
    const options = { model: notes, records: 'rows', chunkBytes: 100 }
    const { receipts } = await at.loading('x.json', content, options)
    expect(receipts).toMatchObject([{ records: 40, loaded: 39, rejected: 1 }])
    const [reject] = await at.sink.ledger.rejects({ limit: 10 })
    const raw = '{ "id": "x", "n": {"text": "☃ 20"} }'
    expect(reject).toMatchObject({
      code: 'BAD_INTEGER',
      record: 21,
      line: 23,
      column: 'id',
      span: { start: 8, end: 11 },
    })
    expect(Buffer.from((reject as StoredReject).raw).toString()).toBe(raw)
    expect(
      Buffer.from(content).toString(
        'utf8',
        (reject as StoredReject).byte,
        (reject as StoredReject).byte + Buffer.byteLength(raw),
      ),
    ).toBe(raw)
    await editReject(reject as StoredReject, Buffer.from(raw.replace('"x"', '20')), {
      sink: at.sink,
      model: notes,
    })
    const edited = await at.sink.ledger.rejects({ limit: 10 })
    expect(await replayRejects(edited, { sink: at.sink, model: notes })).toMatchObject([
      { kind: 'applied', loaded: 1 },
    ])
    expect(await at.rows('SELECT count(*) AS n, count(DISTINCT id) AS d FROM notes')).toMatchObject([
      kind === 'sqlite' ? { n: 40, d: 40 } : { n: '40', d: '40' },
    ])
    const again = await at.loading('x.json', content, options)
    expect(again.produced[0]?.published).toBe(0)
  })

  it('the path may go on within the elements of a file, and begin anew in each line', async () => {
    await using at = await opened(kind)
    const model = defineModel({ table: 'parts', columns: { id: integer().notNull() } })
    const pages = '{"pages":[{"items":[{"id":1},{"id":2}]},{"items":[]},{"none":0},{"items":[{"id":3},4]}]}'
    const json = await at.loading('x.json', pages, { model, records: 'pages[].items[]', chunkBytes: 10 })
    expect(json.receipts).toMatchObject([{ records: 5, loaded: 3, rejected: 2 }])
    const lines = '{"items":[{"id":11},{"id":12}]}\n\n{"items":{"id":13}}\n'
    const ndjson = await at.loading('y.ndjson', lines, { model, records: 'items', chunkBytes: 10 })
    expect(ndjson.receipts).toMatchObject([{ records: 3, loaded: 3 }])
    expect(await at.rows('SELECT id FROM parts ORDER BY id')).toEqual(
      [1, 2, 3, 11, 12, 13].map((id) => ({ id })),
    )
    const kept = await at.sink.ledger.rejects({ limit: 10 })
    expect(kept.map(({ code, raw }) => [code, Buffer.from(raw).toString()])).toEqual([
      ['NO_RECORDS', '{"none":0}'],
      ['BAD_JSON', '4'],
    ])
  })

  it('of a message that masks, records that stand inside are kept masked, nothing around them is, and they can be replayed', async () => {
    await using at = await opened(kind)
    const columns = { id: integer().notNull(), ip: text().notNull().from('net.ip').mask(redact()) }
    const model = defineModel({ table: 'people', columns })
    const body =
      '{"secret":"s","rows":[{"id":1,"net":{"ip":"203.0.113.7","z":"s"}},{"id":2,"net":{"ip":"203.0.113.8"},"z":1}]}'
    await at.queue.publish([{ key: 'm', body: Buffer.from(body), headers: {} }])
    const options = { sink: at.sink, records: 'rows[]' }
    await createConsumer({ queue: at.queue, ...options, model }).run({ untilEmpty: true })
    const [letter] = await at.sink.ledger.deadLetters({ limit: 10 })
    expect(Buffer.from((letter as StoredDeadLetter).body).toString()).toBe(
      '[{"id":1,"net":{"ip":"***","z":"[redacted]"}},{"id":2,"net":{"ip":"***"},"z":"[redacted]"}]',
    )
    expect(
      await replayLetter(letter as StoredDeadLetter, { ...options, model, ignoreExtra: true }),
    ).toMatchObject({ loaded: 2 })
    expect(await at.rows('SELECT id, ip FROM people ORDER BY id')).toEqual([
      { id: 1, ip: '***' },
      { id: 2, ip: '***' },
    ])
  })
}

describe('SQLite', () => everywhere('sqlite'))
describePostgres('PostgreSQL', () => everywhere('postgres'))
