/** What the doctor says of a SQLite file that is odd, of its ledger, and of tables that it measures without a load. */
import { writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { integer, text } from '../../src/model/columns.ts'
import { btree } from '../../src/model/declared.ts'
import { defineModel } from '../../src/model/model.ts'
import { openSink } from '../../src/sink/registry.ts'
import { levels, named, useSqlite } from './findings.ts'

const at = useSqlite()
const { made, path } = at

const items = (n: number) =>
  at.place.file('items.csv', [
    'id,note',
    ...Array.from({ length: n }, (_, row) => `${row % 150},note ${row}`),
  ])

const model = defineModel({
  table: 'items',
  columns: { id: integer().notNull(), note: text() },
  primaryKey: ['id'],
  indexes: [btree('note')],
})

it('a database in memory is gone afterwards, and a file that is none stops a load', async () => {
  expect(levels(await at.place.findings({ to: 'sqlite::memory:' }), 'note')).toContain(
    'database: it is in memory, and gone with the process that opens it',
  )
  writeFileSync(path(), 'not a database, '.repeat(100))
  const found = await at.place.findings({ paths: [items(2)] })
  expect(levels(found, 'fail')).toEqual([expect.stringMatching(/^database: SINK_CORRUPT: /)])
  expect(named(found, 'table')).toMatchObject([{ detail: expect.stringMatching(/^not looked at/) }])
})

it('what the ledger says of other versions and of loads that are open', async () => {
  {
    await using sink = await openSink(`sqlite:${path()}`)
    await sink.prepare()
  }
  const ledger = async () =>
    named(await at.place.findings({}), 'ledger').map(({ level, detail }) => `${level} ${detail}`)
  expect(await ledger()).toEqual([expect.stringMatching(/^ok version \d+, every load is complete/)])
  made(
    "INSERT INTO lading_load (id, pipeline, source, sha256, bytes, plan, records, chunks) VALUES ('a', 'p', 's', x'', 0, x'', 1, 1)",
  )
  expect(await ledger()).toEqual([expect.stringMatching(/^warn 1 load is not complete/)])
  made('UPDATE lading_migration SET version = 99 WHERE version = (SELECT max(version) FROM lading_migration)')
  expect(await ledger()).toEqual([expect.stringMatching(/^fail LEDGER_NEWER: it has version 99/)])
})

it('a table that a model would make is measured with its indexes, and repeated keys are counted', async () => {
  expect(named(await at.place.findings({ model }), 'speed')).toMatchObject([
    { detail: expect.stringMatching(/^there is nothing to measure with/) },
  ])
  const found = await at.place.findings({ model, paths: [items(200)] })
  expect(named(found, 'speed')[0]?.costs?.map(({ what }) => what)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^index "?items/)]),
  )
  expect(named(found, 'keys')).toMatchObject([
    { detail: expect.stringMatching(/^50 of the first 200 records/) },
  ])
})

it('without a file, rows of the table are what is measured; triggers are where that is wanted', async () => {
  made(`CREATE TABLE log (id integer) STRICT; CREATE TABLE items (id integer PRIMARY KEY, note text) STRICT;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO items SELECT i, 'x' FROM n;
    CREATE TRIGGER noting AFTER INSERT ON items BEGIN INSERT INTO log VALUES (new.id); END`)
  const asked = { table: { table: 'items' } }
  const found = await at.place.findings(asked)
  expect(named(found, 'speed')[0]?.detail).toContain('measured with 300 rows of the table')
  expect(named(found, 'triggers')).toMatchObject([{ cure: 'lading doctor … --with-triggers' }])
  const measured = await at.place.findings({ ...asked, withTriggers: true })
  expect(named(measured, 'speed')[0]?.costs?.map(({ what }) => what)).toContain('trigger noting')
  expect(named(await at.place.findings({ table: { table: 'absent' } }), 'speed')).toEqual([])
})

it.each([
  ['no value', '', ['foreign key (kind) to kinds']],
  // Which rows of the other table it means nobody can say beforehand.
  ['a default', 'DEFAULT 1', []],
])(
  'a foreign key of a column for which the records have %s hinders no measurement',
  async (_, value, keys) => {
    made(`CREATE TABLE kinds (id integer PRIMARY KEY) STRICT; INSERT INTO kinds VALUES (1);
    CREATE TABLE items (id integer, note text, kind integer ${value} REFERENCES kinds) STRICT`)
    const found = await at.place.findings({ paths: [items(200)] })
    const costs = named(found, 'speed')[0]?.costs?.map(({ what }) => what)
    expect(costs?.filter((what) => what.startsWith('foreign key'))).toEqual(keys)
  },
)

it('each column of a model that does not fit is said with its cure', async () => {
  made('CREATE TABLE items (id integer PRIMARY KEY, more text NOT NULL) STRICT')
  const columns = async () =>
    named(await at.place.findings({ model }), 'columns').map(({ detail, cure }) => [detail, cure])
  expect(await columns()).toEqual([
    [
      'SCHEMA_MISMATCH: table items: it has no column note',
      'ALTER TABLE "items" ADD COLUMN "note" TEXT, or leave it out of the model',
    ],
    [
      'SCHEMA_MISMATCH: table items: column more needs a value and is not in the model',
      'write more: text().notNull(), or give it a DEFAULT',
    ],
  ])
})

it('a foreign key to a table that is not there, a key that nothing guards, and what is no table of a load', async () => {
  made(`CREATE TABLE items (id integer REFERENCES absent, note text) STRICT; CREATE VIEW shown AS SELECT * FROM items;
    CREATE VIRTUAL TABLE found USING fts5 (note)`)
  const keyed = await at.place.findings({ model: { ...model, indexes: [] } })
  expect(levels(keyed, 'fail')).toEqual([
    expect.stringMatching(/^foreign key: \(id\) refers to table absent, which is not there/),
  ])
  const [key] = named(keyed, 'key')
  expect(key).toMatchObject({ level: 'warn' })
  made(key?.cure ?? '')
  expect(named(await at.place.findings({ model: { ...model, indexes: [] } }), 'key')).toEqual([])
  for (const [table, level, detail] of [
    ['shown', 'fail', /^shown is no ordinary table \(view\)/],
    ['found', 'fail', /^found is no ordinary table \(virtual\)/],
    ['lading_load', 'fail', /^lading_load belongs to the ledger/],
  ] as const) {
    const found = await at.place.findings({ table: { table } })
    expect(named(found, 'table')).toMatchObject([{ level, detail: expect.stringMatching(detail) }])
  }
})
