/** Numbered events of groups in a table without any key; `position` is the order in which the database took them. */
import { defineModel, integer, text } from '../../../src/index.ts'

export const sequence = defineModel({
  table: 'sequence',
  columns: { family: text().notNull(), n: integer().notNull() },
})
