import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bigint, defineModel, text } from '../../src/index.ts'
import { DuckdbSink } from '../../src/sink/duckdb/duckdb.ts'
import { queryDuckdb } from '../support/duckdb.ts'
import { levels, named, Place } from './findings.ts'

const model = defineModel({
  table: 'orders',
  columns: { id: bigint().notNull(), note: text() },
  primaryKey: ['id'],
})

let place: Place

beforeEach(() => (place = new Place()))
afterEach(() => place[Symbol.dispose]())

const path = () => join(place.folder, 'target.duckdb')
const examined = (options: Parameters<Place['findings']>[0] = {}) =>
  place.findings({ to: `duckdb:${path()}`, ...options })

const orders = (n: number) =>
  place.file('orders.csv', [
    'id,note',
    ...Array.from({ length: n }, (_, index) => `${index + 1},note ${(index * 7919) % 10_007}`),
  ])

it('the rows and their key are measured, and not a byte of the file changes', async () => {
  await queryDuckdb(path(), 'CREATE TABLE orders (id BIGINT PRIMARY KEY, note VARCHAR)')
  const before = readFileSync(path())
  const found = await examined({ paths: [orders(2_000)] })
  expect(readFileSync(path()).equals(before)).toBe(true)
  expect(levels(found, 'fail')).toEqual([])
  expect(named(found, 'table')).toMatchObject([
    { level: 'ok', detail: 'orders: 0 rows; it fits the records' },
  ])
  expect(named(found, 'speed')[0]?.costs?.map(({ what }) => what)).toContain('the rows themselves')
})

it('a table that does not fit, a view and a file that is no database stop a load', async () => {
  await queryDuckdb(
    path(),
    'CREATE TABLE orders (id BIGINT, note INTEGER, more VARCHAR NOT NULL); CREATE VIEW seen AS FROM orders',
  )
  expect(levels(await examined({ paths: [orders(2)] }), 'fail')).toContainEqual(
    expect.stringMatching(/SCHEMA_MISMATCH: .*more/),
  )
  expect(levels(await examined({ table: { table: 'seen' } }), 'fail')).toContainEqual(
    expect.stringMatching(/seen is a view/),
  )
  writeFileSync(path(), 'not a database, '.repeat(1000))
  expect(levels(await examined(), 'fail')).toContainEqual(expect.stringMatching(/^database: /))
})

it('another process that has the file open is said, and a file that is not there is not made', async () => {
  expect(named(await examined(), 'database')).toMatchObject([{ level: 'note' }])
  const holder = join(import.meta.dirname, '..', 'support', 'processes', 'duckdb-holder.ts')
  const child = fork(holder, [path()])
  try {
    await once(child, 'message')
    expect(named(await examined(), 'lock')).toMatchObject([
      { level: 'warn', detail: expect.stringMatching(new RegExp(`process ${child.pid}`)) },
    ])
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})

it('a database in memory, one that is not made yet and a table that is not there are no fault', async () => {
  expect(named(await place.findings({ to: 'duckdb::memory:' }), 'database')).toMatchObject([
    { level: 'note', detail: expect.stringMatching(/^it is in memory/) },
  ])
  const asked = { table: { table: 'orders' } }
  expect(named(await examined(asked), 'table')).toMatchObject([
    { level: 'note', detail: 'there is no table orders yet' },
  ])
  await queryDuckdb(path(), 'CREATE TABLE other (id BIGINT)')
  const found = await examined({ paths: [orders(2)], model, to: `duckdb:${path()}` })
  expect(named(found, 'table')).toMatchObject([
    { level: 'note', detail: 'there is no table orders yet: a load makes it' },
  ])
  expect(named(found, 'speed')).toMatchObject([
    { detail: expect.stringMatching(/too little to measure with/) },
  ])
})

it('a ledger is told with the loads that are open, and one of a newer version with what reads it; its tables are its own', async () => {
  {
    await using sink = new DuckdbSink(path())
    await sink.prepare()
  }
  const ledger = async () => named(await examined(), 'ledger')
  expect(await ledger()).toMatchObject([
    { level: 'ok', detail: expect.stringMatching(/^version \d+, every load is complete$/) },
  ])
  await queryDuckdb(
    path(),
    "INSERT INTO lading_load (id, pipeline, source, sha256, bytes, plan, chunks, records) VALUES ('l', 'p', 's', '', 1, '', 1, 1)",
  )
  expect(await ledger()).toMatchObject([
    { level: 'warn', detail: '1 load is not complete: interrupted', cure: 'lading verify' },
  ])
  expect(levels(await examined({ table: { table: 'lading_load' } }), 'fail')).toContainEqual(
    expect.stringMatching(/lading_load belongs to the ledger: name another one/),
  )
  await queryDuckdb(path(), 'INSERT INTO lading_migration VALUES (99)')
  expect(await ledger()).toMatchObject([
    { level: 'fail', detail: expect.stringMatching(/^LEDGER_NEWER: it has version 99/) },
  ])
})

it('columns that do not fit are told one by one, and a key without an index and keys that come twice are warned of', async () => {
  await queryDuckdb(path(), 'CREATE TABLE orders (id BIGINT, note VARCHAR)')
  const twice = place.file('orders.csv', [
    'id,note',
    ...Array.from({ length: 200 }, (_, index) => `${index % 150},x`),
  ])
  const found = await examined({ paths: [twice], model })
  expect(named(found, 'key')).toMatchObject([
    { level: 'warn', detail: expect.stringMatching(/no unique index is on \(id\)/) },
  ])
  expect(named(found, 'keys')).toMatchObject([
    { level: 'note', detail: expect.stringMatching(/^50 of the first 200 records/) },
  ])
  const keyless = defineModel({ table: 'orders', columns: { id: bigint().notNull(), note: text() } })
  const [speed] = named(await examined({ paths: [twice], model: keyless }), 'speed')
  expect(speed?.costs?.map(({ what }) => what)).toEqual(['the rows themselves'])
  const other = defineModel({ table: 'orders', columns: { id: text(), note: text(), more: text() } })
  expect(named(await examined({ paths: [twice], model: other }), 'columns')).toMatchObject([
    { level: 'fail', detail: expect.stringMatching(/column id is BIGINT/), cure: expect.any(String) },
    { level: 'fail', detail: expect.stringMatching(/no column more/) },
  ])
})
