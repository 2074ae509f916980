/** What Lading makes of the readings by itself. */
import { defineModel, doublePrecision, text, timestamptz } from '../../src/index.ts'

export const readings = defineModel({
  table: 'readings',
  columns: {
    record_time: timestamptz(),
    sensor_id: text(),
    value: doublePrecision(),
  },
})
