/** The code of a model that sees rows: columns that it computes, records that it refuses, and its own mistakes. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  bigint,
  boolean,
  bytea,
  createConsumer,
  custom,
  date,
  decodeRecord,
  defineModel,
  doublePrecision,
  dryRun,
  editReject,
  hmacSha256,
  integer,
  json,
  load,
  maskKey,
  type Model,
  numeric,
  openQueue,
  openSink,
  preview,
  replayRejects,
  type StoredReject,
  text,
  time,
  timestamptz,
  uuid,
} from '../../src/index.ts'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { Fixture } from '../support/fixture.ts'
import { startLading } from '../support/lading.ts'
import { describePostgres } from '../../tooling/servers/database.ts'

const stays = defineModel({
  table: 'stays',
  columns: {
    id: integer().notNull(),
    nights: integer().notNull(),
    price: numeric(8, 2).notNull(),
    arrival: date().notNull(),
    departure: date().notNull(),
  },
  derive: {
    nights: ({ arrival, departure }) => (Date.parse(departure) - Date.parse(arrival)) / 86_400_000,
  },
  validate: ({ nights, price, id }) => {
    if (nights > 0) return price !== '0' || { reason: `stay ${id} costs nothing`, column: 'price' }
    return 'it ends before it begins'
  },
  primaryKey: ['id'],
  onConflict: 'update',
})

const head = 'id,price,arrival,departure\n'

async function opened(kind: 'sqlite' | 'postgres' = 'sqlite') {
  const fixture = await Fixture.open(kind)
  const queue = await openQueue('memory:')
  const sink = await openSink(fixture.target.url)
  const path = join(fixture.folder, 'stays.csv')
  return {
    fixture,
    queue,
    sink,
    path,
    load: async (model: Model, content: string) => {
      await writeFile(path, content)
      const statePath = join(fixture.folder, 'state.db')
      return (await load({ paths: [path], model, queue, sink, statePath })).receipts[0]
    },
    rejects: async () =>
      (await sink.ledger.rejects({ limit: 9 })).map(({ line, code, column, detail, span }) => ({
        line,
        code,
        column,
        detail,
        span,
      })),
    [Symbol.asyncDispose]: async () => {
      await queue[Symbol.asyncDispose]()
      await sink[Symbol.asyncDispose]()
      await fixture[Symbol.asyncDispose]()
    },
  }
}

function everywhere(kind: 'sqlite' | 'postgres'): void {
  it('rows are computed and checked on their way, and what is refused is a reject with its line, cell and reason', async () => {
    await using target = await opened(kind)
    const csv = `${head}1,80,2026-03-01,2026-03-03\n2,80,2026-03-05,2026-03-05\n3,0,2026-03-01,2026-03-02\nx,1,2026-03-01,2026-03-02\n`
    const receipt = await target.load(stays, csv)
    expect(receipt).toMatchObject({ records: 4, loaded: 1, rejected: 3 })
    expect(await target.rejects()).toEqual([
      {
        line: 3,
        code: 'RECORD_INVALID',
        column: undefined,
        detail: 'it ends before it begins',
        span: undefined,
      },
      {
        line: 4,
        code: 'RECORD_INVALID',
        column: 'price',
        detail: 'stay 3 costs nothing',
        span: { start: 2, end: 3 },
      },
      expect.objectContaining({ line: 5, code: 'BAD_INTEGER', column: 'id' }),
    ])
    const [late, free] = await target.sink.ledger.rejects({ limit: 9 })
    await editReject(late as StoredReject, Buffer.from('2,80,2026-03-05,2026-03-06'), {
      sink: target.sink,
      model: stays,
    })
    const again = await target.sink.ledger.rejects({ limit: 9 })
    const verdicts = await replayRejects(again.slice(0, 2), { sink: target.sink, model: stays })
    expect(verdicts).toMatchObject([{ kind: 'applied' }, { kind: 'refused', code: 'RECORD_INVALID' }])
    expect(free?.detail).toBe('stay 3 costs nothing')
  })
}

describe('SQLite', () => everywhere('sqlite'))
describePostgres('PostgreSQL', () => everywhere('postgres'))

describe('the code of a model', () => {
  const bad = (validate: () => never) =>
    defineModel({ table: 'stays', columns: { id: integer().notNull() }, validate })

  it('is asked by a preview, by a dry run and by decodeRecord as by a load', async () => {
    await using target = await opened()
    const record = { id: '1', price: '80', arrival: '2026-03-01', departure: '2026-03-03' }
    expect(decodeRecord(stays, record)).toEqual({ row: { ...record, id: 1, price: '80', nights: 2 } })
    const late = { ...record, departure: '2026-02-01' }
    expect(decodeRecord(stays, late)).toMatchObject({ fault: { code: 'RECORD_INVALID' } })
    const message = { key: 'm', body: Buffer.from(JSON.stringify([record, late])), headers: {}, attempt: 1 }
    const [seen] = await preview([message], { model: stays })
    expect(seen?.outlook).toMatchObject({ records: 2, rejected: 1, rows: [{ nights: 2 }] })
    await writeFile(target.path, `${head}1,80,2026-03-01,2026-02-01\n`)
    expect(await dryRun({ paths: [target.path], model: stays, sink: target.sink })).toMatchObject([
      { rejected: 1, rejects: [{ line: 2, code: 'RECORD_INVALID' }] },
    ])
  })

  it('sees the values of every type, as they are stored', async () => {
    const columns = {
      a: boolean(),
      b: doublePrecision(),
      c: time(),
      d: uuid(),
      e: bytea(),
      f: json(),
      g: custom('inet'),
      h: timestamptz(),
      i: text(),
    }
    const record = {
      a: 'yes',
      b: '1e3',
      c: '12:30',
      d: '0123456789abcdef0123456789abcdef',
      e: '\\x00FF',
      f: '{"x": 1}',
      g: '::1',
      h: '2026-03-01 12:00+02',
      i: null,
    }
    const seen: unknown[] = []
    const model = defineModel({ table: 't', columns, validate: (row) => void seen.push(row) })
    const decoded = decodeRecord(model, record)
    expect(decoded).toEqual(decodeRecord(defineModel({ table: 't', columns }), record))
    expect([decoded]).toEqual(seen.map((row) => ({ row })))
    expect(seen).toEqual([
      {
        a: true,
        b: 1000,
        c: '12:30:00.000000',
        d: '01234567-89ab-cdef-0123-456789abcdef',
        e: '\\x00ff',
        f: '{"x": 1}',
        g: '::1',
        h: '2026-03-01T10:00:00.000000Z',
        i: null,
      },
    ])
  })

  it('is not asked about a deletion, which reaches the row', async () => {
    await using target = await opened()
    const seen: number[] = []
    const model = defineModel({
      table: 'stays',
      columns: { id: integer().notNull(), nights: integer().notNull(), twice: integer() },
      derive: { twice: ({ nights }) => 2 * nights },
      validate: ({ id }) => void seen.push(id),
      primaryKey: ['id'],
      onConflict: 'update',
    })
    const change = (op: string, before: object | null, after: object | null) =>
      Buffer.from(JSON.stringify({ payload: { op, before, after, source: {} } }))
    const changes = [
      change('c', null, { id: 1, nights: 1 }),
      change('c', null, { id: 2, nights: 2 }),
      change('d', { id: 1 }, null),
    ]
    await target.queue.publish(changes.map((body, index) => ({ key: `m${index}`, body, headers: {} })))
    const { queue, sink, fixture } = target
    await createConsumer({ model, queue, sink, unwrap: ['debezium'] }).run({ untilEmpty: true })
    expect(seen).toEqual([1, 2])
    using file = new SqliteFile(fixture.target.url.slice('sqlite:'.length))
    expect(file.all<object>('SELECT * FROM stays').map((row) => ({ ...row }))).toEqual([
      { id: 2, nights: 2, twice: 4 },
    ])
  })

  it('sees masks where columns are masked, and never what they hide', async () => {
    const seen: unknown[] = []
    const model = defineModel({
      table: 'people',
      columns: {
        id: integer().notNull(),
        mail: text().mask(hmacSha256({ keys: [maskKey('k1', Buffer.alloc(32, 1))] })),
        kind: text(),
      },
      derive: { kind: (row) => (seen.push(row), row.mail) },
      validate: (row) => (seen.push(row), 'refused'),
    })
    const result = decodeRecord(model, { id: '1', mail: 'ada@example.org' })
    expect(result).toMatchObject({ fault: { code: 'RECORD_INVALID' } })
    expect(seen).toHaveLength(2)
    expect(JSON.stringify([seen, result])).not.toContain('ada')
  })

  it('stops the load where it throws, with the record and the place in the code, and none of its values', async () => {
    await using target = await opened()
    const model = bad(() => {
      throw new RangeError('value of a record')
    })
    const failed = await target.load(model, 'id\n1\n').catch((error: unknown) => error)
    expect(failed).toMatchObject({
      code: 'HOOK_FAILED',
      message: expect.stringMatching(
        /stays\.csv:2: the validate of model stays threw RangeError at \/.*hooks\.test\.ts:\d+:\d+/,
      ),
      stoppedAt: expect.stringMatching(/\/0$/),
      cause: expect.any(RangeError),
    })
    expect(String(failed)).not.toContain('value of a record')
    expect(await target.queue.depth()).toMatchObject({ ready: 1 })
    // Corrected, the same load goes on.
    const right = defineModel({
      table: 'stays',
      columns: { id: integer().notNull() },
      validate: () => undefined,
    })
    expect(await target.load(right, 'id\n1\n')).toMatchObject({ loaded: 1 })
  })

  it('stops a replay and a preview where it throws', async () => {
    await using target = await opened()
    const fits = defineModel({ table: 'stays', columns: { id: integer().notNull() } })
    await target.load(fits, 'id\n1\nx\n')
    const [reject] = (await target.sink.ledger.rejects({ limit: 1 })) as [StoredReject]
    const { sink } = target
    await editReject(reject, Buffer.from('2'), { sink, model: fits })
    const model = bad(() => {
      throw new Error('value of a record')
    })
    const again = await target.sink.ledger.rejects({ limit: 1 })
    await expect(replayRejects(again, { sink, model })).rejects.toMatchObject({
      code: 'HOOK_FAILED',
      message: expect.stringMatching(/^reject 1: the validate of model stays threw Error at /),
    })
    expect(await target.rejects()).toMatchObject([{ line: 3, code: 'BAD_INTEGER' }])
    const message = { key: 'm', body: Buffer.from('{"id":1}'), headers: {}, attempt: 1 }
    await expect(preview([message], { model })).rejects.toMatchObject({ code: 'HOOK_FAILED' })
  })

  it.each([
    ['a promise', async () => undefined],
    ['a value of type boolean', () => false],
    ['a value of type string', () => ' '],
    ['column', () => ({ reason: 'no', column: 'none' })],
  ])('must not return what is no answer: %s', (what, validate) => {
    expect(() => decodeRecord(bad(validate as never), { id: '1' })).toThrow(what)
  })

  it('computes what its column takes, or the record is refused', () => {
    const of = (value: unknown) =>
      defineModel({
        table: 't',
        columns: { id: integer(), n: integer().notNull() },
        derive: { n: () => value as number },
      })
    const decoded = (value: unknown) => decodeRecord(of(value), { id: '1' })
    expect(decoded(7n)).toEqual({ row: { id: 1, n: 7 } })
    expect(decoded(1.5)).toMatchObject({ fault: { code: 'BAD_INTEGER', column: 'n' } })
    expect(decoded(null)).toMatchObject({ fault: { code: 'NULL_NOT_ALLOWED', column: 'n' } })
    for (const wrong of [undefined, {}, Promise.resolve(1)])
      expect(() => decoded(wrong)).toThrow(expect.objectContaining({ code: 'HOOK_FAILED' }))
  })

  it('sees each message once it is whole, and stops at the one that it fails on', async () => {
    await using target = await opened()
    const model = bad(() => {
      throw new Error('no')
    })
    await target.queue.publish([{ key: 'm', body: Buffer.from('{"id":1}'), headers: {} }])
    const run = createConsumer({ model, queue: target.queue, sink: target.sink }).run({ untilEmpty: true })
    await expect(run).rejects.toMatchObject({ code: 'HOOK_FAILED', stoppedAt: 'message:m' })
    const aside = createConsumer({ model, queue: target.queue, sink: target.sink, setAside: ['m'] })
    expect(await aside.run({ untilEmpty: true })).toMatchObject({ deadMessages: 1 })
  })

  it('is part of the model that other processes import', async () => {
    await using target = await opened()
    const module = join(target.fixture.folder, 'model.ts')
    await writeFile(
      module,
      `import { defineModel, integer } from '${import.meta.dirname}/../../src/index.ts'
       export default defineModel({ table: 't', columns: { id: integer().notNull(), twice: integer() },
         derive: { twice: ({ id }) => 2 * id }, validate: ({ id }) => id < 9 || 'too large' })`,
    )
    await writeFile(target.path, 'id\n1\n9\n')
    const { folder } = target.fixture
    const args = ['--model', module, '--to', `sqlite:${folder}/t.db`, '--queue', `embedded:${folder}/q.db`]
    const lading = startLading(
      'load',
      target.path,
      ...args,
      '--state',
      `${folder}/s.db`,
      '--consumers',
      '2',
      '--json',
    )
    expect(await lading.ended, lading.output()).toBe(3)
    expect(lading.output()).toContain('"rejected": 1')
  })

  it('is declared with columns that can be computed', () => {
    const columns = { id: integer().notNull(), n: integer() }
    const define = (more: object) => () => defineModel({ table: 't', columns, ...more } as never)
    expect(define({ derive: { x: () => 1 } })).toThrow('derive: there is no column x')
    expect(define({ derive: { n: 1 } })).toThrow('n: what derives it is not a function')
    expect(define({ validate: 'x' })).toThrow("validate 'x' is not a function")
    expect(define({ validate: () => true, onConflict: 'merge', primaryKey: ['id'] })).toThrow('whole records')
    expect(define({ columns: { ...columns, n: integer().from('m') }, derive: { n: () => 1 } })).toThrow(
      'a generated value has no field',
    )
    const prints = [{}, { validate: () => true }, { derive: { n: () => 1 } }].map(
      (more) => defineModel({ table: 't', columns, ...more } as never).fingerprint,
    )
    expect(new Set(prints).size).toBe(3)
  })

  it('has types: a derived column is not among what derives it', () => {
    defineModel({
      table: 't',
      columns: { id: bigint().notNull(), n: integer(), m: integer() },
      derive: {
        // @ts-expect-error n is derived itself
        n: (row) => Number(row.id) + (row.m ?? 0) + (row.n ?? 0),
        // @ts-expect-error a row is no value
        m: (row) => row,
      },
      // @ts-expect-error there is no column x
      validate: (row) => (row.n === null ? { reason: 'none', column: 'x' } : undefined),
    })
  })
})
