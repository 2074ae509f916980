/** Envelopes of services and the changes in them, from files and queues into both databases. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { bigint, defineModel, integer, text, timestamptz } from '../../src/index.ts'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { load, type LoadOptions } from '../../src/load/load.ts'
import type { Outgoing } from '../../src/queue/queue.ts'
import { replayLetter } from '../../src/review/letters.ts'
import { editReject, replayRejects } from '../../src/review/rejects.ts'
import type { StoredDeadLetter, StoredReject } from '../../src/sink/ledger.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { Fixture, query } from '../support/fixture.ts'

async function opened(kind: 'sqlite' | 'postgres') {
  const fixture = await Fixture.open(kind)
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  return {
    fixture,
    queue,
    sink,
    publish: (...bodies: readonly unknown[]) =>
      queue.publish(
        bodies.map((body, index): Outgoing => {
          const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
          return { key: `m${index}-${bytes.length}`, body: bytes, headers: {} }
        }),
      ),
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

const change = (op: string, before: object | null, after: object | null, lsn = 1) => ({
  payload: { before, after, source: { lsn }, op },
})

const customers = defineModel({
  table: 'customers',
  columns: { id: integer().notNull(), name: text(), lsn: bigint().from('$.source.lsn') },
  primaryKey: ['id'],
  onConflict: 'update',
})

function everywhere(kind: 'sqlite' | 'postgres') {
  const all = 'SELECT id, name, CAST(lsn AS text) AS lsn FROM customers ORDER BY id'

  it('changes of Debezium leave the table as its source is: created, read, updated, deleted, in their order', async () => {
    await using at = await opened(kind)
    await at.publish(
      change('r', null, { id: 1, name: 'a' }),
      change('c', null, { id: 2, name: 'b' }, Number.MAX_SAFE_INTEGER),
      change('u', { id: 1 }, { id: 1, name: 'a2' }, 3),
      change('c', null, { id: 3, name: 'c' }),
      change('d', { id: 3, name: null }, null),
      '',
      change('c', null, { id: 4, name: 'd' }),
      change('d', { id: 4 }, null),
      'null',
      change('c', null, { id: 4, name: 'd2' }, 7),
      change('d', { id: 5 }, null),
    )
    const consumer = createConsumer({
      queue: at.queue,
      sink: at.sink,
      model: customers,
      unwrap: ['debezium'],
    })
    expect(await consumer.run({ untilEmpty: true })).toMatchObject({
      messages: 11,
      records: 9,
      loaded: 9,
      deadMessages: 0,
    })
    expect(await at.rows(all)).toEqual([
      { id: 1, name: 'a2', lsn: '3' },
      { id: 2, name: 'b', lsn: '9007199254740991' },
      { id: 4, name: 'd2', lsn: '7' },
    ])
  })

  it('a deletion that nothing may take is refused with what is missing, and takes effect when it is replayed', async () => {
    await using at = await opened(kind)
    const skipping = defineModel({
      table: 'customers',
      columns: { id: integer().notNull(), name: text(), lsn: bigint().from('$.source.lsn') },
      primaryKey: ['id'],
      onConflict: 'skip',
    })
    await at.publish(change('c', null, { id: 1, name: 'a' }), change('d', { id: 1 }, null))
    const reading = { sink: at.sink, unwrap: ['debezium'] }
    const tally = await createConsumer({ queue: at.queue, ...reading, model: skipping }).run({
      untilEmpty: true,
    })
    expect(tally).toMatchObject({ loaded: 1, deadMessages: 1 })
    const [letter] = (await at.sink.ledger.deadLetters({ limit: 10 })) as readonly [StoredDeadLetter]
    expect(letter).toMatchObject({
      code: 'DELETE_REFUSED',
      detail:
        "the record deletes a row, and the model has no onConflict 'update' or 'merge', or it has a version",
    })
    await at.sink.prepare(customers)
    expect(await replayLetter(letter, { ...reading, model: customers })).toMatchObject({
      kind: 'applied',
      loaded: 1,
    })
    expect(await at.rows(all)).toEqual([])
  })

  it('of a file of changes a refused record is kept as the record it holds, with its line, and may still delete', async () => {
    await using at = await opened(kind)
    const lines = [
      change('c', null, { id: 1, name: 'a' }),
      change('c', null, { id: 2, name: 'b' }),
      change('d', { id: 'x' }, null, 5),
      { hello: 1 },
      change('d', { id: 2 }, null),
    ]
    const content = `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`
    const { receipts } = await at.loading('x.ndjson', content, {
      model: customers,
      unwrap: ['debezium'],
      chunkBytes: 100,
    })
    expect(receipts).toMatchObject([{ records: 5, loaded: 3, rejected: 2 }])
    expect(await at.rows(all)).toMatchObject([{ id: 1 }])
    const rejects = await at.sink.ledger.rejects({ limit: 10 })
    expect(rejects.map(({ code, line, raw }) => [code, line, Buffer.from(raw).toString()])).toEqual([
      ['BAD_INTEGER', 3, '{"id":"x","__deleted":"true","$":{"after":null,"source":{"lsn":5},"op":"d"}}'],
      ['NOT_WRAPPED', 4, '{"hello":1}'],
    ])
    const [bad] = rejects as readonly [StoredReject]
    await editReject(bad, Buffer.from('{"id":1,"__deleted":"true"}'), { sink: at.sink, model: customers })
    const [edited] = (await at.sink.ledger.rejects({ limit: 1 })) as readonly [StoredReject]
    expect(await replayRejects([edited], { sink: at.sink, model: customers })).toMatchObject([
      { kind: 'applied', loaded: 1 },
    ])
    expect(await at.rows(all)).toEqual([])
  })

  it('a model with a column for __deleted keeps the row and marks it', async () => {
    await using at = await opened(kind)
    const soft = defineModel({
      table: 'soft',
      columns: { id: integer().notNull(), gone: text().from('__deleted') },
      primaryKey: ['id'],
      onConflict: 'merge',
    })
    await at.publish(change('c', null, { id: 1 }), change('d', { id: 1 }, null), change('c', null, { id: 2 }))
    const reading = { sink: at.sink, unwrap: ['debezium'] }
    await createConsumer({ queue: at.queue, ...reading, model: soft }).run({ untilEmpty: true })
    expect(await at.rows('SELECT id, gone FROM soft ORDER BY id')).toEqual([
      { id: 1, gone: 'true' },
      { id: 2, gone: null },
    ])
  })

  it('objects of a bucket that S3 announces through SNS are a record each, and its test is none', async () => {
    await using at = await opened(kind)
    const model = defineModel({
      table: 'objects',
      columns: {
        key: text().notNull().from('s3.object.key'),
        size: bigint().from('s3.object.size'),
        sent: timestamptz().notNull().from('$.$.Timestamp'),
      },
    })
    const notification = (message: unknown) => ({
      Type: 'Notification',
      Message: typeof message === 'string' ? message : JSON.stringify(message),
      Timestamp: '2026-01-05T10:00:00.000Z',
    })
    const records =
      '{"Records":[{"s3":{"object":{"key":"a.csv","size":9007199254740993}}},{"s3":{"object":{"key":"b.csv"}}}]}'
    await at.publish(notification(records), notification({ Service: 'Amazon S3', Event: 's3:TestEvent' }))
    const consumer = createConsumer({ queue: at.queue, sink: at.sink, model, unwrap: ['sns', 's3'] })
    expect(await consumer.run({ untilEmpty: true })).toMatchObject({
      messages: 2,
      loaded: 2,
      deadMessages: 0,
    })
    expect(await at.rows('SELECT key, CAST(size AS text) AS size FROM objects ORDER BY key')).toEqual([
      { key: 'a.csv', size: '9007199254740993' },
      { key: 'b.csv', size: null },
    ])
  })

  it('records that name a part of the columns are merged', async () => {
    await using at = await opened(kind)
    const model = defineModel({
      table: 'sweets',
      columns: { id: integer().notNull(), flavor: text(), item: text() },
      primaryKey: ['id'],
      onConflict: 'merge',
    })
    await at.loading('a.ndjson', '{"id":1,"flavor":"chocolate"}\n{"id":1,"item":"cookie"}\n', { model })
    await at.loading('b.csv', 'id,item\n2,cake\n', { model })
    await at.publish({ id: 2, flavor: 'lemon' }, { id: 1, item: null })
    await createConsumer({ queue: at.queue, sink: at.sink, model }).run({ untilEmpty: true })
    expect(await at.rows('SELECT id, flavor, item FROM sweets ORDER BY id')).toEqual([
      { id: 1, flavor: 'chocolate', item: null },
      { id: 2, flavor: 'lemon', item: 'cake' },
    ])
  })
}

describe('SQLite', () => everywhere('sqlite'))
describePostgres('PostgreSQL', () => everywhere('postgres'))
