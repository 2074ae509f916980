/** CSV after RFC 4180, with any delimiter and quote; TSV is a dialect of it. */
import type { Layout } from '../../core/load.ts'
import type { Format } from '../format.ts'
import { type CsvLayout, isCsvLayout } from './dialect.ts'
import { CsvReader } from './read.ts'
import { csvRecord } from './record.ts'

export const csv: Format = {
  name: 'csv',
  accepts: isCsvLayout,
  reader: (layout: Layout) => new CsvReader(layout as CsvLayout, layout.fields),
  record: csvRecord,
}
