/** CSV after RFC 4180 and in the dialects of other programs; TSV is one of them. */
import type { Layout } from '../../core/load.ts'
import type { Format } from '../format.ts'
import { csvReader } from './choose.ts'
import { type CsvLayout, isCsvLayout } from './dialect.ts'
import { csvRecord } from './record.ts'

export const csv: Format = {
  name: 'csv',
  accepts: isCsvLayout,
  reader: (layout: Layout) => csvReader(layout as CsvLayout, layout.fields),
  record: csvRecord,
}
