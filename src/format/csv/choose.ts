/** The reader and the scanner of a dialect: the fast ones for plain CSV, which almost all files are. */
import type { CsvCells } from './cells.ts'
import { isPlain, type RecordDialect, withoutRagged } from './dialect.ts'
import { DialectReader } from './read-dialect.ts'
import { CsvReader } from './read.ts'
import { DialectScanner } from './scan-dialect.ts'
import { RecordScanner, type Scanner } from './scan.ts'

/** Without `fields`, records may have any number of cells. */
export const csvReader = (dialect: RecordDialect, fields?: readonly string[]): CsvCells =>
  isPlain(dialect) ? new CsvReader(dialect, fields) : new DialectReader(dialect, fields)

/** How many cells a record has does not matter to where it ends. */
export const csvScanner = (dialect: RecordDialect): Scanner =>
  isPlain(withoutRagged(dialect)) ? new RecordScanner(dialect) : new DialectScanner(dialect)
