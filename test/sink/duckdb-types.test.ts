/** What a load without a model knows of the columns of a table that Lading has made in DuckDB. */
import { describe, expect, it } from 'vitest'
import {
  array,
  bigint,
  boolean,
  bytea,
  type Column,
  date,
  doublePrecision,
  integer,
  interval,
  json,
  numeric,
  text,
  time,
  timestamp,
  timestamptz,
  uuid,
  varchar,
} from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import type { DuckdbSink } from '../../src/sink/duckdb/duckdb.ts'
import { Folder } from '../cli/run.ts'
import { queryDuckdb } from '../support/duckdb.ts'
import { openDuckdb } from './duckdb-target.ts'

/** A type without its functions. */
const said = (type: unknown): unknown => JSON.parse(JSON.stringify(type))

const typesOf = async (sink: DuckdbSink) => {
  const facts = await sink.table({ table: 'items' })
  return Object.fromEntries(facts?.columns.map(({ name, type }) => [name, said(type)]) ?? [])
}

const typeOf = ({ spec }: Column) => said(spec.type)

describe('DuckDB', () => {
  it('every column of a table that was made for a model has the type of the model in a load without one', async () => {
    await using target = await openDuckdb()
    await using sink = target.open() as DuckdbSink
    const columns = {
      n: numeric(),
      large: numeric(40, 2),
      'a "b"': numeric(39),
      price: numeric(38, 2),
      short: varchar(3),
      tags: array(varchar(2)),
      times: array(timestamptz()),
      note: text(),
      i: integer(),
      big: bigint(),
      double: doublePrecision(),
      yes: boolean(),
      day: date(),
      daytime: time(),
      at: timestamp(),
      instant: timestamptz(),
      span: interval(),
      own: uuid(),
      raw: bytea(),
      doc: json(),
    }
    await sink.prepare(defineModel({ table: 'items', columns }))
    const own = Object.entries(columns).map(([name, column]) => [name, typeOf(column)])
    expect(await typesOf(sink)).toEqual({
      ...Object.fromEntries(own),
      span: { kind: 'custom', sql: 'INTERVAL' },
    })
    const rows = await target.query(
      "SELECT data_type AS t FROM duckdb_columns() WHERE table_name = 'items' LIMIT 4",
    )
    expect(rows.map(({ t }) => t)).toEqual(['VARCHAR', 'VARCHAR', 'VARCHAR', 'DECIMAL(38,2)'])
    await target.query('ALTER TABLE items RENAME large TO larger; ALTER TABLE items ALTER n TYPE DOUBLE')
    expect(await typesOf(sink)).toMatchObject({
      larger: typeOf(columns.large),
      n: typeOf(doublePrecision()),
    })
  })

  it('a comment of a person says the type if it notes one, and is kept', async () => {
    await using target = await openDuckdb()
    await using sink = target.open() as DuckdbSink
    const comments = {
      price: 'without taxes; lading: numeric(12, 2)',
      amount: 'lading: numeric',
      total: 'numeric, as lading has it',
      day: 'lading: date()',
      code: 'lading: varchar()',
    }
    const notes = Object.entries(comments).map(([name, of]) => `COMMENT ON COLUMN items.${name} IS '${of}'`)
    const columns = Object.keys(comments).map((name) => `${name} VARCHAR`)
    await target.query(`CREATE TABLE items (${columns.join(', ')}); ${notes.join('; ')}`)
    expect(await typesOf(sink)).toEqual({
      price: typeOf(numeric(12, 2)),
      amount: typeOf(numeric()),
      ...Object.fromEntries(['total', 'day', 'code'].map((name) => [name, typeOf(text())])),
    })
    await sink.prepare(defineModel({ table: 'items', columns: { price: numeric() } }))
    const kept = await target.query("SELECT comment FROM duckdb_columns() WHERE table_name = 'items'")
    expect(kept.map(({ comment }) => comment)).toEqual(Object.values(comments))
  })

  it('an empty table is made again for another type, unless a person has added a comment', async () => {
    await using target = await openDuckdb()
    await using sink = target.open() as DuckdbSink
    const made = (n: Column) => sink.prepare(defineModel({ table: 'items', columns: { n } }))
    await made(numeric())
    expect(await made(numeric())).toMatchObject({ remade: false })
    expect(await made(text())).toMatchObject({ remade: true })
    expect(await typesOf(sink)).toEqual({ n: typeOf(text()) })
    expect(await made(numeric())).toMatchObject({ remade: true })
    expect(await typesOf(sink)).toEqual({ n: typeOf(numeric()) })
    await target.query("COMMENT ON TABLE items IS 'prices'")
    expect(await made(text())).toMatchObject({ remade: false })
    await target.query("COMMENT ON TABLE items IS NULL; COMMENT ON COLUMN items.n IS 'prices'")
    expect(await made(text())).toMatchObject({ remade: false })
  })

  it('a column of numbers takes those of later files in their notation, and rejects what is none', async () => {
    await using folder = await Folder.make({
      'a.csv': 'id,price\n1,1.5\n2,x\n',
      'b.csv': 'id;price\n3;1.234,50\n4;n/a\n5;7,25\n',
      'c.csv': 'id;price\n6;x\n7;1.000,5\n',
    })
    const loading = ['--table', 'p', '--to', 'duckdb:p.duckdb']
    const prices = async () => {
      const rows = await queryDuckdb(folder.at('p.duckdb'), 'SELECT price FROM p ORDER BY id')
      return rows.map(({ price }) => price)
    }
    await folder.lading('load', 'a.csv', '--columns', 'price:numeric', ...loading)
    await folder.lading('load', 'b.csv', ...loading)
    expect(await prices()).toEqual(['1.5', '1234.50', '7.25'])
    expect(await folder.json('rejects', 'list', ...loading.slice(2))).toMatchObject([
      { source: 'a.csv', line: 3, code: 'BAD_NUMBER' },
      { source: 'b.csv', line: 3, code: 'BAD_NUMBER' },
    ])
    await folder.lading('load', 'c.csv', '--replace', '--allow-rejects', ...loading)
    expect(await prices()).toEqual(['1000.5'])
    const notes = 'SELECT comment AS note FROM duckdb_columns() WHERE comment IS NOT NULL'
    expect(await queryDuckdb(folder.at('p.duckdb'), notes)).toEqual([{ note: 'lading: numeric()' }])
  })
})
