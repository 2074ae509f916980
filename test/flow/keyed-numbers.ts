/** The numbers of the fault tests with a key and indexes, as a module that `--model` takes too. */
import { integer, text } from '../../src/model/columns.ts'
import { btree, defineModel, hash } from '../../src/model/model.ts'

export const keyedNumbers = defineModel({
  table: 'numbers',
  columns: { id: integer().notNull(), note: text().notNull() },
  primaryKey: ['id'],
  indexes: [btree('note'), hash('note')],
})
