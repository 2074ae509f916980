/** Files as people's programs write them, loaded with a model that says how. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  bigint,
  decodeRecord,
  defineModel,
  editReject,
  hmacSha256,
  integer,
  load,
  type LoadOptions,
  maskKey,
  type Model,
  numeric,
  openQueue,
  openSink,
  replayRejects,
  text,
  timestamp,
} from '../../src/index.ts'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { query, Fixture } from '../support/fixture.ts'
import { describePostgres } from '../../tooling/servers/database.ts'

async function opened(kind: 'sqlite' | 'postgres') {
  const fixture = await Fixture.open(kind)
  const { url } = fixture.target
  const queue = await openQueue(`embedded:${join(fixture.folder, 'queue.db')}`)
  const sink = await openSink(url)
  return {
    sink,
    load: async (model: Model, content: string, more: Partial<LoadOptions> = {}) => {
      const path = join(fixture.folder, 'a.csv')
      await writeFile(path, content)
      const statePath = join(fixture.folder, 'state.db')
      await load({ paths: [path], model, queue, sink, statePath, ...more })
      const rejects = await sink.ledger.rejects({ limit: 100 })
      return rejects.map(({ line, column, code, detail }) => ({ line, column, code, detail }))
    },
    /** The values of each row as text. */
    rows: async (table: string, columns: readonly string[]): Promise<(string | null)[][]> => {
      const casts = columns.map((name) => `CAST(${name} AS text) AS ${name}`).join(', ')
      const sql = `SELECT ${casts} FROM ${table} ORDER BY 1`
      const rows: Record<string, string | null>[] =
        kind === 'postgres' ? await query(url, sql) : readFrom(url.slice('sqlite:'.length), sql)
      return rows.map((row) => columns.map((name) => row[name] ?? null))
    },
    [Symbol.asyncDispose]: async () => {
      await queue[Symbol.asyncDispose]()
      await sink[Symbol.asyncDispose]()
      await fixture[Symbol.asyncDispose]()
    },
  }
}

function readFrom(path: string, sql: string): Record<string, string | null>[] {
  using file = new SqliteFile(path)
  return file.all(sql)
}

function everywhere(kind: 'sqlite' | 'postgres'): void {
  it('decimal commas and thousands points below a sep= line', async () => {
    await using target = await opened(kind)
    const german = { decimal: ',', thousands: '.' } as const
    const parts = defineModel({
      table: 'parts',
      columns: {
        name: text().notNull().from('Artikel'),
        amount: integer().notNull().from('Menge').written(german),
        price: numeric().notNull().from('Preis').written(german),
      },
    })
    const csv = 'sep=;\nArtikel;Menge;Preis\nSchraube;10;0,25\nMutter;1.200;1.234,50\n'
    expect(await target.load(parts, csv, { dialect: { delimiter: ';', skipLines: 1 } })).toEqual([])
    expect(await target.rows('parts', ['name', 'amount', 'price'])).toEqual([
      ['Mutter', '1200', '1234.50'],
      ['Schraube', '10', '0.25'],
    ])
  })

  it('a timestamp in two columns, of which the time has 12 hours', async () => {
    await using target = await opened(kind)
    const dives = defineModel({
      table: 'dives',
      columns: {
        dive: integer().notNull().from('Dive'),
        began: timestamp().notNull().from('Date', 'Time').written({ pattern: 'M/D/YYYY hh:mm:ss A' }),
      },
    })
    const csv =
      'Dive,Date,Time\n1,8/14/1998,09:00:00 AM\n2,8/15/1998,12:05:00 PM\n3,8/15/1998,13:05:00 PM\n4,,\n'
    const rejects = await target.load(dives, csv)
    expect(rejects).toEqual([
      {
        line: 4,
        column: 'began',
        code: 'BAD_TIMESTAMP',
        detail: '"8/15/1998 13:05:00 PM" is not a timestamp written M/D/YYYY hh:mm:ss A',
      },
      { line: 5, column: 'began', code: 'NULL_NOT_ALLOWED', detail: 'the column must have a value' },
    ])
    const json = '{"Time":"01:00:00 PM","Dive":5,"Date":"8/16/1998"}\n'
    expect(await target.load(dives, json, { format: 'ndjson' })).toHaveLength(2)
    const rows = await target.rows('dives', ['dive', 'began'])
    expect(rows.map(([dive, began]) => [dive, began?.replace('T', ' ').slice(0, 19)])).toEqual([
      ['1', '1998-08-14 09:00:00'],
      ['2', '1998-08-15 12:05:00'],
      ['5', '1998-08-16 13:00:00'],
    ])
  })

  it('numbers and texts of Excel; a number whose digits are lost is refused', async () => {
    await using target = await opened(kind)
    const money = { thousands: ',', money: true } as const
    const products = (ean: typeof text | typeof bigint, table: string) =>
      defineModel({
        table,
        columns: {
          sku: text().notNull().written({ excelText: true }),
          stock: integer().notNull().written(money),
          price: numeric().notNull().written(money),
          ean: ean(),
          note: text().written({ nulls: ['#N/A'] }),
        },
      })
    const csv =
      'sku,stock,price,ean,note\n="00099","1,200",$5.00,4.01234E+12,#N/A\n="00100",7,(12.50),4001234567890,ok\n'
    expect(await target.load(products(text, 'products'), csv)).toEqual([])
    expect(await target.rows('products', ['sku', 'stock', 'price', 'ean', 'note'])).toEqual([
      ['00099', '1200', '5.00', '4.01234E+12', null],
      ['00100', '7', '-12.50', '4001234567890', 'ok'],
    ])
    const [refused] = await target.load(products(bigint, 'numbered'), csv, { again: true })
    expect(refused).toMatchObject({ line: 2, column: 'ean', code: 'BAD_INTEGER' })
    expect(refused?.detail).toMatch(/^"4\.01234E\+12" .*digits/)
    expect(await target.rows('numbered', ['ean'])).toEqual([['4001234567890']])
  })

  it('a notation of the file holds for rejects that are corrected and replayed, and masks see trimmed text', async () => {
    await using target = await opened(kind)
    const mask = hmacSha256({ keys: [maskKey('k1', 'k'.repeat(32))] })
    const visits = defineModel({
      table: 'visits',
      columns: { id: integer().notNull(), who: text().mask(mask), paid: numeric() },
    })
    const csv = 'id,who,paid\n1, ann ,"1.200,50"\n2, ann,"1.2,50"\n3, - ,"-"\n4,\tann,"x"\n'
    const rejects = await target.load(visits, csv, {
      notation: { trim: true, nulls: ['-'] },
      notations: { paid: { decimal: ',', thousands: '.' } },
    })
    expect(rejects.map(({ line, code }) => [line, code])).toEqual([
      [3, 'BAD_NUMBER'],
      [5, 'BAD_NUMBER'],
    ])
    const ann = (decodeRecord(visits, { id: '1', who: 'ann' }) as { row: { who: string } }).row.who
    const [first, second] = await target.sink.ledger.rejects({ limit: 2 })
    if (first === undefined || second === undefined) expect.unreachable()
    expect(Buffer.from(first.raw).toString()).toBe(`2,${ann},"1.2,50"`)
    await editReject(first, Buffer.from(`2,${ann},"1.200,75"`), { sink: target.sink, model: visits })
    await editReject(second, Buffer.from('4,  ann ,-'), { sink: target.sink, model: visits })
    const kept = await target.sink.ledger.rejects({ limit: 2 })
    const replayed = await replayRejects(kept, { sink: target.sink, model: visits })
    expect(replayed.map((verdict) => verdict.kind)).toEqual(['applied', 'applied'])
    expect(await target.rows('visits', ['id', 'who', 'paid'])).toEqual([
      ['1', ann, '1200.50'],
      ['2', ann, '1200.75'],
      ['3', null, null],
      ['4', ann, null],
    ])
  })
}

describe('SQLite', () => everywhere('sqlite'))
describePostgres('PostgreSQL', () => everywhere('postgres'))
