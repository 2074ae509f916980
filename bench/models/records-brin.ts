/**
 * The shipped model `records` without its HASH index, which costs the server more with each record of a
 * sensor.
 */
import { brin, defineModel, doublePrecision, text, timestamptz } from '../../src/index.ts'

export const recordsBrin = defineModel({
  table: 'records',
  columns: {
    record_time: timestamptz().notNull(),
    sensor_id: text().notNull(),
    value: doublePrecision().notNull(),
  },
  primaryKey: ['sensor_id', 'record_time'],
  indexes: [brin('record_time')],
  onConflict: 'update',
})
