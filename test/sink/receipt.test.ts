/** What does not add up in a receipt, and what is refused before a database is asked. */
import { expect, it } from 'vitest'
import { integer, text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { balance, openReceipt } from '../../src/sink/receipt.ts'
import { examineSink, openSink } from '../../src/sink/registry.ts'
import { modelOfChanges } from '../../src/model/change.ts'
import { requireChanges } from '../../src/sink/table.ts'
import { loadOf } from '../contract/sink/target.ts'

const load = loadOf(2, 10)
const none = openReceipt({ ...load, loadId: load.id, pipeline: 'p', startedAt: new Date().toISOString() })
const whole = { ...none, chunksDone: 2, loaded: 7, skipped: 3, filtered: 2 }

it.each([
  [none, 10, []],
  [whole, 0, []],
  [{ ...whole, loaded: 8 }, -1, ['1 more records have a verdict than the plan has']],
  [{ ...whole, chunksDone: 3 }, 0, ['3 chunks have a verdict, the plan has 2']],
  [{ ...whole, loaded: 6 }, 1, ['every chunk has a verdict, and 1 records have none']],
  [{ ...whole, filtered: 4 }, 0, ['4 records are left out on purpose, and only 3 are skipped']],
  [{ ...whole, loaded: 6, rejected: 1 }, 0, ['1 records are rejected, and 0 rejects are kept']],
  [{ ...whole, loaded: 6, dead: 1 }, 0, ['1 records are dead, and the dead letters that are kept hold 0']],
])('a receipt is checked against itself (%#)', (receipt, open, problems) => {
  expect(balance(receipt)).toEqual({ open, problems })
})

it('a URL of SQLite without a file is refused, by a load and by the doctor', async () => {
  const refused = expect.objectContaining({ code: 'USAGE' })
  await expect(openSink('sqlite:')).rejects.toEqual(refused)
  await expect(examineSink('sqlite:', { consumers: 1 })).rejects.toEqual(refused)
})

it('rows that change others are refused for a database that takes whole rows alone', () => {
  const columns = { id: integer().notNull(), note: text() }
  const merging = defineModel({ table: 'items', columns, primaryKey: ['id'], onConflict: 'merge' })
  expect(() => requireChanges({}, merging)).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }))
  expect(() => requireChanges({ changesRows: true }, merging)).not.toThrow()
  const deleting = modelOfChanges({ ...merging, onConflict: 'update' }, ['debezium'])
  expect(() => requireChanges({}, deleting)).toThrow(/give the model a version/)
  const versioned = modelOfChanges({ ...deleting, deletes: false, version: 'id' }, ['debezium'])
  expect(() => requireChanges({}, versioned)).not.toThrow()
})
