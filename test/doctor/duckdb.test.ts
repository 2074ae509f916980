import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { queryDuckdb } from '../support/duckdb.ts'
import { levels, named, Place } from './findings.ts'

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
