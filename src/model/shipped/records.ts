/** Sensor readings: the model that `lading generate sensors` writes files for. */
import { doublePrecision, text, timestamptz } from '../columns.ts'
import { brin, defineModel, hash } from '../model.ts'

/** The model of sensor readings: `sensor_id`, `record_time` and `value`. */
export const records = defineModel({
  table: 'records',
  columns: {
    record_time: timestamptz().notNull(),
    sensor_id: text().notNull(),
    value: doublePrecision().notNull(),
  },
  primaryKey: ['sensor_id', 'record_time'],
  indexes: [brin('record_time'), hash('sensor_id')],
  onConflict: 'update',
})
