/** Pass 1 over CSV: the header, where records end, and what no record can be blamed for. */
import { LadingError } from '../../core/errors.ts'
import { listed } from '../../core/listed.ts'
import { maxRecordBytes } from '../../core/load.ts'
import type { ExpectedFields, MakeSplitter, Splitter } from '../split.ts'
import { markBytes } from '../text.ts'
import { type CsvLayout, defaultDialect, type Dialect, recordDialect, validateDialect } from './dialect.ts'
import { guessDelimiter, readHeader } from './header.ts'
import { LoneCrSearch, RecordScanner } from './scan.ts'

/** Problems of a header that are listed. */
const mostListed = 6

/** Throws `USAGE` for a dialect that cannot be read. */
export function csvSplitter(options: Partial<Dialect>): MakeSplitter {
  const dialect = { ...defaultDialect, ...options }
  validateDialect(dialect)
  return (path, expected) => new CsvSplitter(path, dialect, expected)
}

class CsvSplitter implements Splitter {
  isPastHead = false
  readonly #path: string
  readonly #dialect: Dialect
  readonly #expected: ExpectedFields
  readonly #scanner: RecordScanner
  readonly #loneCr: LoneCrSearch
  #fields: readonly string[]
  #piece: Buffer = Buffer.alloc(0)
  #isFirstPiece = true
  /** Pieces of the header record until it is whole. */
  #header: Buffer[] = []
  /** Records of the scanner that are no records of the file. */
  #headerRecords = 0

  constructor(path: string, dialect: Dialect, expected: ExpectedFields) {
    this.#path = path
    this.#dialect = dialect
    this.#expected = expected
    this.#scanner = new RecordScanner(dialect)
    this.#loneCr = new LoneCrSearch(dialect)
    this.#fields = expected.names
    this.isPastHead = !dialect.header
  }

  get layout(): CsvLayout {
    return { fields: this.#fields, ...recordDialect(this.#dialect) }
  }

  get records(): number {
    return this.#scanner.records - this.#headerRecords
  }

  get lines(): number {
    return this.#scanner.lines
  }

  begin(piece: Buffer): number {
    this.#piece = piece
    const start = this.#isFirstPiece ? markBytes(piece, this.#path) : 0
    this.#isFirstPiece = false
    this.#loneCr.push(piece)
    if (this.isPastHead) return start
    const end = this.cut(start, start)
    this.#header.push(Buffer.from(piece.subarray(start, end === -1 ? piece.length : end)))
    if (end === -1) return piece.length
    this.#endHeader()
    return end
  }

  cut(from: number, min: number): number {
    const end = this.#scanner.cut(this.#piece, from, min)
    // One byte more may be the CR of a line end.
    if (this.#scanner.oversizeLine !== undefined || this.#scanner.recordBytes > maxRecordBytes + 1)
      this.#refuseLargeRecord()
    return end
  }

  finish(): void {
    const { unclosedQuoteLine } = this.#scanner.finish()
    if (unclosedQuoteLine !== undefined)
      throw this.#error('UNCLOSED_QUOTE', unclosedQuoteLine, 'the quote opened here is never closed')
    if (this.#scanner.oversizeLine !== undefined) this.#refuseLargeRecord()
    if (!this.isPastHead) this.#endHeader()
    // Without a header a CR may be data, unless the whole file would be one record.
    if (this.#loneCr.found && this.#scanner.records === 1) this.#refuseLoneCr()
  }

  #endHeader(): void {
    if (this.#loneCr.found) this.#refuseLoneCr()
    const bytes = Buffer.concat(this.#header)
    this.#header = []
    this.isPastHead = true
    if (bytes.length === 0) return
    this.#headerRecords = 1
    this.#fields = this.#fieldsOf(bytes)
  }

  #fieldsOf(bytes: Buffer): readonly string[] {
    const { table, names } = this.#expected
    const fields = this.#readHeader(bytes)
    const problems = this.#expected.problems(fields)
    if (problems.length === 0) return fields
    const guess = jsonHint(bytes) ?? delimiterHint(bytes, this.#dialect)
    const isKnown = names.some((name) => fields.includes(name))
    const hint = isKnown || guess !== undefined ? '' : '; if line 1 is a record already: --no-header'
    const why = guess ?? listed(problems, mostListed)
    throw this.#error('HEADER_MISMATCH', 1, `the header does not fit ${table}: ${why}${hint}`)
  }

  #readHeader(bytes: Buffer): string[] {
    try {
      return readHeader(bytes, this.#dialect)
    } catch (error) {
      if (!(error instanceof LadingError)) throw error
      // What is named twice in line 1 may be a value that the model masks, where that line is no header.
      if (error.code === 'HEADER_DUPLICATE' && this.#expected.isMasked)
        throw this.#error(error.code, 1, 'the header names a column twice')
      const why = jsonHint(bytes) ?? error.message
      throw new LadingError(error.code, `${this.#path}:1: ${why}`, { cause: error })
    }
  }

  #refuseLoneCr(): never {
    throw new LadingError(
      'SOURCE_LINE_ENDS',
      `${this.#path}: CR alone ends its lines, as it looks; lines end with LF or CR LF`,
    )
  }

  #refuseLargeRecord(): never {
    if (this.#loneCr.found && this.#scanner.records === 0) this.#refuseLoneCr()
    const limit = `${maxRecordBytes / 1024 / 1024} MiB`
    const { openQuoteLine, oversizeLine } = this.#scanner
    if (oversizeLine === undefined && openQuoteLine !== undefined)
      throw this.#error(
        'UNCLOSED_QUOTE',
        openQuoteLine,
        `the quote opened here is not closed within ${limit}`,
      )
    const line = oversizeLine ?? this.#scanner.lines + 1
    throw new LadingError(
      'RECORD_TOO_LARGE',
      `${this.#path}: a record near line ${line} is larger than ${limit}; is a quote never closed?`,
    )
  }

  #error(code: 'UNCLOSED_QUOTE' | 'HEADER_MISMATCH' | 'HEADER_DUPLICATE', line: number, what: string) {
    return new LadingError(code, `${this.#path}:${line}: ${what}`)
  }
}

/** Stands instead of what is wrong with a header that is none. */
function jsonHint(header: Buffer): string | undefined {
  const isJson = /^\s*([[{]\s*$|\{\s*"|\[\s*\{)/.test(header.toString('latin1', 0, 1000))
  return isJson ? 'it looks like JSON and not like a header: --format ndjson, or json' : undefined
}

/** Stands instead of the names, which make no sense with another delimiter. */
function delimiterHint(header: Buffer, { delimiter }: Dialect): string | undefined {
  const guess = guessDelimiter(header)
  if (guess === undefined || guess === delimiter) return undefined
  const written = (character: string) => (character === '\t' ? "'\\t'" : `'${character}'`)
  return `its cells are separated by ${written(guess)} and not by ${written(delimiter)}, as it looks: --delimiter ${written(guess)}`
}
