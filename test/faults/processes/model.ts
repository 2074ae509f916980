/** Sensor readings in a table without any key: here nothing but the ledger stands between a redelivery and a doubled row. */
import { defineModel, doublePrecision, text, timestamptz } from '../../../src/index.ts'

export const readings = defineModel({
  table: 'readings',
  columns: { record_time: timestamptz().notNull(), sensor_id: text().notNull(), value: doublePrecision().notNull() },
})
