/** Tables without any key: here nothing but the ledger stands between a redelivery and a doubled row. */
import { defineModel, doublePrecision, integer, text, timestamptz } from 'lading'

/** Of sensors. */
export const readings = defineModel({
  table: 'readings',
  columns: {
    record_time: timestamptz().notNull(),
    sensor_id: text().notNull(),
    value: doublePrecision().notNull(),
  },
})

/** Numbered events of families. */
export const sequence = defineModel({
  table: 'sequence',
  columns: { family: text().notNull(), n: integer().notNull() },
})
