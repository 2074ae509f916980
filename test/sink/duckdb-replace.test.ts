import { expect, it } from 'vitest'
import { integer, text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { openDuckdb } from './duckdb-target.ts'

const columns = { id: integer().notNull(), note: text() }
const model = defineModel({ table: 'items', columns, primaryKey: ['id'] })

it('a table of DuckDB that others refer to, or its own rows, is refused before anything is made', async () => {
  await using target = await openDuckdb()
  await using sink = target.open()
  await target.query(
    'CREATE TABLE items (id INTEGER PRIMARY KEY, note VARCHAR); CREATE TABLE orders (item INTEGER REFERENCES items)',
  )
  await sink.prepare(model)
  await expect(sink.replacing?.(model, 'test')).rejects.toMatchObject({
    code: 'REPLACE_REFUSED',
    message: expect.stringMatching(/rows of table orders refer to it, and DuckDB deletes no such row/),
  })
  const names = await target.query(
    "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '%replacing%'",
  )
  expect(names).toEqual([])
  // It is not locked for the next one.
  await target.query('DROP TABLE orders')
  await using replacement = await sink.replacing?.(model, 'test')
  expect(replacement?.model.table).toBe('lading_replacing_items')
})
