import { chmodSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { levels, named, useSqlite } from './findings.ts'

const at = useSqlite()
const { made, path } = at

const orders = (n: number) =>
  at.place.file('orders.csv', [
    'id,customer_id,note',
    ...Array.from({ length: n }, (_, i) => `${i + 1},${1 + (i % 3)},note ${(i * 7919) % 10_007}`),
  ])

const schema = `CREATE TABLE customers (id INTEGER PRIMARY KEY) STRICT; INSERT INTO customers VALUES (1), (2), (3);
  CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers, note TEXT) STRICT; CREATE INDEX by_note ON orders (note)`

it('indexes and foreign keys are measured, and not a byte of the file changes', async () => {
  made(schema)
  const before = readFileSync(path())
  const found = await at.place.findings({ paths: [orders(2_000)] })
  expect(readFileSync(path()).equals(before)).toBe(true)
  expect(levels(found, 'fail')).toEqual([])
  expect(named(found, 'journal mode')).toMatchObject([
    { level: 'note', detail: expect.stringMatching(/^delete: /) },
  ])
  expect(
    named(found, 'speed')[0]
      ?.costs?.map(({ what }) => what)
      .toSorted(),
  ).toEqual([
    'foreign key (customer_id) to customers',
    'index by_note',
    'the rows themselves, with their keys',
  ])
  expect(named(found, 'foreign key')).toMatchObject([
    { level: 'note', cure: 'CREATE INDEX "orders_customer_id" ON "orders" ("customer_id");' },
  ])
})

it('a foreign key that refers to no unique index, a table that does not fit and a file that cannot be written stop a load', async () => {
  made(`CREATE TABLE customers (id INTEGER, code TEXT) STRICT;
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id TEXT REFERENCES customers (code), note BLOB NOT NULL, more TEXT NOT NULL) STRICT`)
  const found = await at.place.findings({ paths: [], table: { table: 'orders' } })
  expect(named(found, 'foreign key')).toMatchObject([
    { level: 'fail', cure: 'CREATE UNIQUE INDEX "customers_code" ON "customers" ("code");' },
  ])
  chmodSync(path(), 0o444)
  const refused = await at.place.findings({})
  // Root may write what nobody may.
  if (process.getuid?.() !== 0) expect(levels(refused, 'fail')).toEqual([expect.stringMatching(/^file: /)])
  expect(levels(await at.place.findings({ paths: [orders(2)] }), 'fail')).toContainEqual(
    expect.stringMatching(/SCHEMA_MISMATCH: .*more/),
  )
})

it('another process that holds the lock is said', async () => {
  made(schema)
  const writer = new DatabaseSync(path())
  writer.exec('BEGIN IMMEDIATE')
  const found = await at.place.findings({})
  writer.close()
  expect(named(found, 'lock')).toMatchObject([{ about: 'database', level: 'warn' }])
  expect(named(await at.place.findings({}), 'lock')).toMatchObject([{ about: 'database', level: 'ok' }])
})
