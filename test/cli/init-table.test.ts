/** A model of a table that exists loads into it; where none can, `init` says so, and a load without a model does it. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeMariadb } from '../../tooling/servers/mariadb-database.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { queryDuckdb } from '../support/duckdb.ts'
import { query } from '../support/fixture.ts'
import { openMysql } from '../sink/mysql-target.ts'
import { expectError, Folder, library, records } from './run.ts'

interface Case {
  readonly sql: string
  readonly csv: string
  /** What `init` says of a table that no model fits. */
  readonly refused?: RegExp
  /** What the model says of a column that it leaves out. */
  readonly without?: RegExp
}

type Target = { readonly url: string; readonly run: (sql: string) => Promise<unknown> }

async function holds({ url, run }: Target, folder: Folder, { sql, csv, refused, without }: Case) {
  await run(sql)
  await folder.write('items.csv', csv)
  const model = await folder.lading('init', '--from-table', url, '--table', 'items')
  let options = ['--table', 'items']
  if (refused === undefined) {
    expect(model.code, model.err).toBe(0)
    expect(model.out).toMatch(without ?? /^/)
    await folder.write('items.ts', model.out.replace("from 'lading'", `from '${library}'`))
    options = ['--model', './items.ts']
  } else expect([model.code, model.err]).toEqual([78, expect.stringMatching(refused)])
  const loaded = await folder.lading('load', 'items.csv', '--to', url, ...options)
  expect([loaded.code, loaded.out], loaded.err).toEqual([
    0,
    expect.stringContaining('this run loaded 1 record'),
  ])
}

const unmodelled = /no model fits table items as it is: .*A load without a model/

describeMariadb('a table of MariaDB', () => {
  it.for<Case>([
    {
      sql: `CREATE TABLE items (id bigint PRIMARY KEY, n int, t text, v varchar(9), e enum('a','it''s'), d decimal(9,2), f double, b bit(1), y tinyint(1),
        j json, bl blob, da date, at datetime(6), ts timestamp(6) NULL, u uuid, i inet6, few bit(3))`,
      csv: `id,n,t,v,e,d,f,b,y,j,bl,da,at,ts,u,i\n1,2,x,y,it's,1.50,0.5,1,0,{},\\x00,2024-01-01,2024-01-01 00:00:00,2024-01-01 00:00:00Z,00000000-0000-0000-0000-0000000000ff,::1\n`,
      without: /^\/\/ Without column few: it is bit\(3\)/m,
    },
    ...[
      ['int unsigned', '1'],
      ['smallint', '1'],
      ['year', '2024'],
      ['float', '0.5'],
      ['char(3)', 'abc'],
      ['binary(1)', '\\x00'],
      ["set('a','b')", '"a,b"'],
      ['datetime(3)', '2024-01-01 00:00:00'],
      ['timestamp NULL', '2024-01-01 00:00:00Z'],
    ].map(([type, value]) => ({
      sql: `CREATE TABLE items (a ${type})`,
      csv: `a\n${value}\n`,
      refused: /column a is .*\(leave it out of the model, or load without a model.*A load without a model/,
    })),
    { sql: 'CREATE TABLE items (i inet6 PRIMARY KEY)', csv: 'i\n::1\n', refused: unmodelled },
  ])('$sql', async (given) => {
    await using target = await openMysql()
    await using folder = await Folder.make({})
    await holds({ url: target.url, run: (sql) => target.query(sql) }, folder, given)
  })
})

it.for<Case>([
  {
    sql: `CREATE TABLE items (id bigint PRIMARY KEY, n integer, t varchar, d decimal(9,2), f double, b boolean, j json, bl blob, da date, made timestamp,
      tz timestamptz, ti time, u uuid, iv interval, e enum('a', 'it''s'), tags integer[])`,
    csv: `id,n,t,d,f,b,j,bl,da,made,tz,ti,u,iv,e\n1,2,x,1.50,0.5,true,{},\\x00,2024-01-01,2024-01-01 00:00:00,2024-01-01 00:00:00Z,12:00,00000000-0000-0000-0000-0000000000ff,1 day,it's\n`,
    without: /^\/\/ Without column tags: it is INTEGER\[\]/m,
  },
  ...['utinyint', 'hugeint', 'float', 'timestamp_s'].map((type) => ({
    sql: `CREATE TABLE items (a ${type})`,
    csv: `a\n${type === 'timestamp_s' ? '2024-01-01 00:00:00' : '1'}\n`,
    refused: unmodelled,
  })),
])('a table of DuckDB: $sql', async (given) => {
  await using folder = await Folder.make({})
  const path = join(folder.path, 'target.duckdb')
  await holds({ url: `duckdb:${path}`, run: (sql) => queryDuckdb(path, sql) }, folder, given)
})

it.for<Case>([
  {
    sql: 'CREATE TABLE items (id INTEGER PRIMARY KEY, r REAL, b BLOB, t TEXT, a ANY) STRICT',
    csv: 'id,r,b,t,a\n1,0.5,\\x00,x,y\n',
  },
  { sql: 'CREATE TABLE items (id INTEGER PRIMARY KEY, t TEXT)', csv: 'id,t\n1,x\n', refused: /not STRICT/ },
])('a table of SQLite: $sql', async (given) => {
  await using folder = await Folder.make({})
  await holds({ url: 'sqlite:lading.db', run: async (sql) => folder.sql(sql) }, folder, given)
})

describePostgres('a table of PostgreSQL', () => {
  it.for<Case>([
    {
      sql: `CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE items (id smallint PRIMARY KEY, r real, c char(3), m money, j jsonb, n numeric(3, -2),
        a int[], at timestamp(3), mood mood, iv interval, b bit(4), made int GENERATED ALWAYS AS (id * 2) STORED, num int GENERATED ALWAYS AS IDENTITY)`,
      csv: 'id,r,c,m,j,n,a,at,mood,iv,b\n1,0.5,ab,1.5,{},12300,"{1,2}",2024-01-01 00:00:00.125,ok,1 day,1010\n',
    },
  ])('$sql', async (given) => {
    const database = await freshDatabase()
    await using folder = await Folder.make({})
    try {
      await holds({ url: database.url, run: (sql) => query(database.url, sql) }, folder, given)
    } finally {
      await database.drop()
    }
  })
})

it('a table that is not there has no model', async () => {
  await using folder = await Folder.make({ 'a.csv': records(1) })
  await folder.lading('load', 'a.csv')
  expectError(
    await folder.lading('init', '--from-table', 'sqlite:lading.db', '--table', 'none'),
    'SCHEMA_MISMATCH',
    78,
    'there is no table none in',
  )
})
