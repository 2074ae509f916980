/** What the SQLite sink makes of tables that others have made, and of those whose rows are replaced. */
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { integer, text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { SqliteSink } from '../../src/sink/sqlite/sqlite.ts'
import { applied, batchOf, loadOf, numbers, pipeline, write } from '../contract/sink/target.ts'
import { openSqlite } from './sqlite-target.ts'

const model = defineModel({
  table: 'items',
  columns: { id: integer().notNull(), note: text() },
  primaryKey: ['id'],
})

it('a virtual table and a column that the table computes are refused by name', async () => {
  await using target = await openSqlite()
  await target.query('CREATE VIRTUAL TABLE items USING fts5 (id, note)')
  await using sink = target.open()
  const message = expect.stringContaining('it is not an ordinary table')
  await expect(sink.prepare(model)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH', message })
  await target.query('DROP TABLE items')
  await target.query('CREATE TABLE items (id integer PRIMARY KEY, note text AS (id) STORED) STRICT')
  await expect(sink.prepare(model)).rejects.toMatchObject({
    code: 'SCHEMA_MISMATCH',
    message: expect.stringContaining('column note is computed by the table itself'),
  })
})

it('a key of several columns is known in its own order', async () => {
  await using target = await openSqlite()
  await target.query(
    'CREATE TABLE items (id integer, note text, size integer, PRIMARY KEY (size, id)) STRICT',
  )
  await using sink = target.open()
  expect((await sink.table?.({ table: 'items' }))?.keys).toMatchObject([
    { primary: true, columns: ['size', 'id'] },
  ])
})

/** Puts a row with this id into what replaces the table's rows. */
async function gathered(sink: Sink, id: number) {
  const replacement = await sink.replacing?.(model, pipeline)
  if (replacement === undefined) return expect.unreachable()
  await sink.prepare(replacement.model)
  const load = loadOf(1, 1)
  const batch = batchOf(sink, replacement.model, [{ key: `${load.id}/0`, load, records: [[`${id}`, 'x']] }])
  expect(await sink.write({ ...batch, pipeline: replacement.pipeline })).toEqual([applied(1)])
  await sink.ledger.fold([load.id])
  return { replacement, take: () => replacement.take([{ gathered: load.id, id: loadOf(1, 1).id }]) }
}

it('the rows of a view are not replaced', async () => {
  await using target = await openSqlite()
  await using sink = target.open()
  await sink.prepare()
  await target.query("CREATE VIEW items AS SELECT 1 AS id, 'x' AS note")
  await expect(sink.replacing?.(model, pipeline)).rejects.toMatchObject({
    code: 'REPLACE_REFUSED',
    message: expect.stringContaining('it is no table'),
  })
})

it('rows that a trigger of the table refuses in the end replace none', async () => {
  await using target = await openSqlite()
  await using sink = target.open()
  await sink.prepare(model)
  await write(sink, model, [{ key: 'a', records: [['1', 'x']] }])
  await target.query(
    "CREATE TRIGGER refuse BEFORE INSERT ON items WHEN new.id = 2 BEGIN SELECT RAISE(ABORT, 'says the test'); END",
  )
  const { replacement, take } = await gathered(sink, 2)
  await expect(take()).rejects.toMatchObject({
    code: 'REPLACE_REFUSED',
    message: expect.stringMatching(/^table items: a trigger refuse/),
  })
  await replacement[Symbol.asyncDispose]()
  expect(await numbers(target, 'items')).toEqual([1])
})

it('rows in memory are replaced, too', async () => {
  await using sink = new SqliteSink(':memory:')
  await sink.prepare(model)
  await write(sink, model, [{ key: 'a', records: [['1', 'x']] }])
  const { replacement, take } = await gathered(sink, 2)
  expect(await take()).toEqual({ before: 1, rows: 1 })
  await replacement[Symbol.asyncDispose]()
})

it("what cannot be cleared away, because another process writes, is in nobody's way", async () => {
  await using target = await openSqlite({ busyMs: 1 })
  await using sink = target.open()
  await sink.prepare(model)
  const { replacement } = await gathered(sink, 1)
  const writer = new DatabaseSync(target.path)
  writer.exec('BEGIN IMMEDIATE')
  await replacement[Symbol.asyncDispose]()
  writer.close()
  const next = await gathered(sink, 2)
  await next.take()
  await next.replacement[Symbol.asyncDispose]()
  expect(await numbers(target, 'items')).toEqual([2])
})
