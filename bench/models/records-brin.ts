/** The shipped model `records` without its HASH index, which costs more than everything else together (see `doctor`). */
import { brin, defineModel } from '../../src/model/model.ts'
import { doublePrecision, text, timestamptz } from '../../src/model/columns.ts'

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
