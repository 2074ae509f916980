/**
 * PostgreSQL itself says what a text means: whatever a decoder accepts must arrive, by way of either encoder,
 * as the very value that the server reads from the same text; whatever a decoder refuses though the server
 * would take it must be of a kind that is stated with it (test/model/kinds.ts).
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Code } from '../../src/core/errors.ts'
import * as columns from '../../src/model/columns.ts'
import { defineModel, type Model } from '../../src/model/model.ts'
import { RecordDecoder } from '../../src/model/record.ts'
import { BinaryRows } from '../../src/sink/postgres/copy/binary.ts'
import { TextRows } from '../../src/sink/postgres/copy/text.ts'
import { anyText, cellsOf } from '../model/helpers.ts'
import { instants, kinds, numerics } from '../model/kinds.ts'
import { describePostgres, type FreshDatabase, freshDatabase } from '../../tooling/servers/database.ts'

type Rows = BinaryRows | TextRows

let database: FreshDatabase
let client: Client

async function connect(): Promise<void> {
  database = await freshDatabase()
  client = new Client({ connectionString: database.url })
  await client.connect()
  await client.query("set timezone to 'UTC'; set datestyle to 'ISO, MDY'")
}

async function disconnect(): Promise<void> {
  await client.end()
  await database.drop()
}

async function copy(table: string, rows: Rows, start = 0, end = rows.rows): Promise<void> {
  const stream = client.query(copyFrom(`copy ${table} from stdin (format ${rows.format})`))
  await pipeline(
    Readable.from([rows.header, rows.slice(start, end), rows.trailer].filter((part) => part.length > 0)),
    stream,
  )
}

const rowsOf = (format: Rows['format'], model: Model): Rows =>
  format === 'binary'
    ? new BinaryRows(model.columns.length)
    : new TextRows(model.columns.map(({ type }) => type.kind === 'timestamptz'))

/** Writes what is accepted of the texts, under their indexes, and tells why the others were refused. */
function encode(rows: Rows, model: Model, texts: readonly string[]): Map<number, Code> {
  const refused = new Map<number, Code>()
  const decoder = new RecordDecoder(model, ['id', 'value'], rows)
  for (const [id, text] of texts.entries()) {
    const fault = decoder.decode(cellsOf([String(id), text]))
    if (fault !== undefined) refused.set(id, fault.code)
  }
  return refused
}

describePostgres('what PostgreSQL reads from a text', () => {
  beforeAll(connect)
  afterAll(disconnect)

  describe.each(kinds)('as $name', ({ column, sql, texts, image, stricter, reading = `text::${sql}` }) => {
    const model = defineModel({ table: 'ours', columns: { id: columns.integer().notNull(), value: column } })
    let all: readonly string[]

    beforeAll(async () => {
      all = [...new Set(texts())]
      await client.query(`create temp table raw (id integer primary key, text text not null, legal boolean)`)
      await client.query(`create function pg_temp.reads(text text) returns boolean language plpgsql as
        $$ begin perform ${reading}; return true; exception when others then return false; end $$`)
      await client.query(
        'insert into raw select n - 1, value, pg_temp.reads(value) from unnest($1::text[]) with ordinality as t (value, n)',
        [all],
      )
    })
    afterAll(() => client.query('drop table raw; drop function pg_temp.reads'))

    it('is accepted, but for the kinds that are stated; and nothing else is', async () => {
      const refused = encode(rowsOf('text', model), model, all)
      const { rows } = await client.query<{ id: number }>('select id from raw where legal')
      const legal = new Set(rows.map(({ id }) => id))
      const indexes = all.map((_, id) => id)
      expect(indexes.filter((id) => !refused.has(id) && !legal.has(id)).map((id) => all[id])).toEqual([])
      const unstated = ([id, code]: [number, Code]) =>
        !Object.values(stricter).some((covers) => covers(all[id] as string, code))
      expect(
        [...refused]
          .filter(([id]) => legal.has(id))
          .filter(unstated)
          .map(([id, code]) => [all[id], code]),
      ).toEqual([])
    })

    it.each(['binary', 'text'] as const)('arrives by COPY %s bit by bit', async (format) => {
      const rows = rowsOf(format, model)
      encode(rows, model, all)
      await client.query(`create temp table ours (id integer, value ${sql})`)
      try {
        await copy('ours', rows)
        const different = await client.query(
          `select text, value::text from raw join ours using (id) where (${image('value')} = ${image(`(${reading})`)}) is not true limit 20`,
        )
        expect(different.rows).toEqual([])
        const counted = await client.query<{ count: number }>('select count(*)::integer from ours')
        expect(counted.rows).toEqual([{ count: rows.rows }])
        expect(rows.rows).toBeGreaterThan(10)
      } finally {
        await client.query('drop table ours')
      }
    })
  })
})

const wide = defineModel({
  table: 'wide',
  columns: {
    id: columns.integer().notNull(),
    text: columns.text(),
    at: columns.timestamptz(),
    amount: columns.numeric(),
    last: columns.boolean(),
  },
})
const fields = ['id', 'text', 'at', 'amount', 'last']

type Cell = string | null

const wideRecords = fc.tuple(
  fc.option(anyText.map((text) => text.replaceAll('\0', ''))),
  fc.option(instants),
  fc.option(numerics),
  fc.option(fc.constantFrom('t', 'f', 'bad')),
)
const numbered = (count: number): Cell[][] =>
  fc.sample(wideRecords, count).map((cells, id) => [String(id), ...cells])

/** Whether each record was accepted. */
function fill(rows: Rows, records: readonly (readonly Cell[])[]): boolean[] {
  const decoder = new RecordDecoder(wide, fields, rows)
  return records.map((record) => decoder.decode(cellsOf(record)) === undefined)
}

const bytesOf = (rows: Rows, start = 0, end = rows.rows): Buffer => Buffer.from(rows.slice(start, end))

describe.each(['binary', 'text'] as const)('rows encoded as %s', (format) => {
  const records = numbered(12_000)

  it('keep no trace of a record that was refused, whichever cell was bad', () => {
    const rows = rowsOf(format, wide)
    const accepted = fill(rows, records)
    const good = records.filter((_, i) => accepted[i])
    const alone = rowsOf(format, wide)
    expect(fill(alone, good)).not.toContain(false)
    expect(good.length).toBeGreaterThan(1000)
    expect(good.length).toBeLessThan(records.length)
    expect([rows.rows, rows.bytes]).toEqual([alone.rows, alone.bytes])
    expect(bytesOf(rows).equals(bytesOf(alone))).toBe(true)
  })

  it('are the same one by one and all together, beyond the memory they began with', () => {
    const rows = rowsOf(format, wide)
    const single = rowsOf(format, wide)
    const long = Array.from({ length: 80 }, (_, i) => [
      String(i),
      'ü\t\\'.repeat(20_000),
      null,
      '9'.repeat(1000),
      't',
    ])
    const pieces: Buffer[] = []
    for (const record of [...records, ...long]) {
      single.clear()
      fill(single, [record])
      fill(rows, [record])
      pieces.push(bytesOf(single))
    }
    const whole = pieces.filter((piece) => piece.length > 0)
    expect(rows.rows).toBe(whole.length)
    expect(rows.bytes).toBeGreaterThan(4 << 20)
    for (const [i, piece] of whole.entries())
      if (!piece.equals(rows.slice(i, i + 1))) expect.unreachable(`row ${i}`)
    expect(Buffer.concat(whole).equals(rows.slice(0, rows.rows))).toBe(true)
  })

  it('are whole wherever the memory ends', () => {
    const escaped = ['1', '\t'.repeat(150), '2024-01-01 00:00Z', '1.5', 't']
    const alone = rowsOf(format, wide)
    fill(alone, [escaped])
    for (let left = 0; left < 400; left += 9) {
      const rows = rowsOf(format, wide)
      fill(rows, [['0', 'x'.repeat((1 << 20) - left), null, null, null], escaped])
      expect(bytesOf(rows, 1, 2).equals(bytesOf(alone))).toBe(true)
    }
  })

  it('leave nothing behind when they are cleared', () => {
    const rows = rowsOf(format, wide)
    fill(rows, records)
    rows.clear()
    expect([rows.rows, rows.bytes, rows.slice(0, 0).length]).toEqual([0, 0, 0])
    const fresh = rowsOf(format, wide)
    const refusedFirst = [['0', null, null, null, 'bad'], ...records.slice(0, 50)]
    fill(rows, refusedFirst)
    fill(fresh, refusedFirst)
    expect(rows.bytes).toBe(fresh.bytes)
    expect(bytesOf(rows).equals(bytesOf(fresh))).toBe(true)
  })
})

describePostgres('any run of rows', () => {
  beforeAll(connect)
  afterAll(disconnect)

  it.each(['binary', 'text'] as const)('is a COPY %s of its own', async (format) => {
    const records = numbered(6000)
    const rows = rowsOf(format, wide)
    const accepted = fill(rows, records)
    const ids = records.map(([id]) => Number(id)).filter((_, i) => accepted[i])
    await client.query(
      'create temp table wide (id integer, text text, at timestamptz, amount numeric, last boolean)',
    )
    const cuts = fc.sample(fc.tuple(fc.nat(rows.rows), fc.nat(rows.rows)), 20)
    for (const [a, b] of [
      ...cuts,
      [0, 0],
      [0, rows.rows],
      [rows.rows - 1, rows.rows],
      [rows.rows, rows.rows],
    ] as const) {
      const [start, end] = a < b ? [a, b] : [b, a]
      await copy('wide', rows, start, end)
      const loaded = await client.query<{ ids: number[] }>(
        "with gone as (select array_agg(id order by id) ids from wide) select coalesce(ids, '{}') ids from gone",
      )
      expect(loaded.rows[0]?.ids).toEqual(ids.slice(start, end))
      await client.query('truncate wide')
    }
    await client.query('drop table wide')
  })
})
