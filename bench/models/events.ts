/** Events of a web shop as an app may publish them: one JSON object of about 200 bytes each. */
import { bigint, defineModel, doublePrecision, text, timestamptz } from '../../src/index.ts'

export const events = defineModel({
  table: 'events',
  columns: {
    id: bigint().notNull(),
    occurred_at: timestamptz().notNull(),
    kind: text().notNull(),
    visitor: text().notNull(),
    session: text().notNull(),
    path: text().notNull(),
    seconds: doublePrecision().notNull(),
  },
  primaryKey: ['id'],
  onConflict: 'skip',
})
