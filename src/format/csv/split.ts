/** Pass 1 over CSV: the header, where records end, and what no record can be blamed for. */
import { cr, hash, lf } from '../../core/bytes.ts'
import { type Code, LadingError, toLadingError } from '../../core/errors.ts'
import { listed } from '../../core/listed.ts'
import { maxRecordBytes } from '../../core/load.ts'
import type { ExpectedFields, MakeSplitter, Splitter } from '../split.ts'
import { markBytes } from '../text.ts'
import { csvScanner } from './choose.ts'
import {
  type CsvLayout,
  defaultDialect,
  type Dialect,
  plainDialect,
  recordDialect,
  type StatedDialect,
  validateDialect,
} from './dialect.ts'
import { guessDelimiter, type Header, readHeader } from './header.ts'
import { LoneCrSearch, type Scanner } from './scan.ts'

const limit = `${maxRecordBytes / 1024 / 1024} MiB`

/** Problems of a header that are listed. */
const mostListed = 6

/**
 * Throws `USAGE` for a dialect that cannot be read. A line `sep=;` may name the delimiter where the options
 * name none.
 */
export function csvSplitter(options: StatedDialect): MakeSplitter {
  const dialect = { ...defaultDialect, ...plainDialect(options) }
  validateDialect(dialect)
  return (path, expected) => new CsvSplitter(path, dialect, options.delimiter, expected)
}

class CsvSplitter implements Splitter {
  isPastHead = false
  readonly warnings: string[] = []
  readonly #path: string
  #dialect: Dialect
  /** The delimiter, where an option states one. */
  readonly #stated: string | undefined
  readonly #expected: ExpectedFields
  #scanner: Scanner
  readonly #loneCr: LoneCrSearch
  #fields: readonly string[]
  #piece: Buffer = Buffer.alloc(0)
  #isFirstPiece = true
  /** Lines that are still to be left out above the header. */
  #toSkip: number
  /** Lines that were left out there. */
  #preamble = 0
  /** Of the line that is left out, so far. */
  #skippedBytes = 0
  /** Since the last record ended, those of the one that has begun among them. */
  #bytesWithout = 0
  #headerLine = 1
  /** Pieces of the header until it is whole. */
  #header: Buffer[] = []
  /** Records of the scanner that are no records of the file. */
  #headerRecords = 0

  constructor(path: string, dialect: Dialect, stated: string | undefined, expected: ExpectedFields) {
    this.#path = path
    this.#dialect = dialect
    this.#stated = stated
    this.#expected = expected
    this.#scanner = csvScanner(dialect)
    this.#loneCr = new LoneCrSearch(dialect)
    this.#toSkip = dialect.skipLines ?? 0
    this.#fields = dialect.names ?? expected.names
    if (dialect.names !== undefined) this.#requireFit(dialect.names, Buffer.alloc(0))
    this.isPastHead = !dialect.header && this.#toSkip === 0
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

  get openBytes(): number {
    return this.#scanner.recordBytes
  }

  get leftOut() {
    return { preamble: this.#preamble, comments: this.#scanner.comments }
  }

  begin(piece: Buffer): number {
    this.#piece = piece
    const start = this.#skipLines(this.#isFirstPiece ? this.#afterMarks(piece) : 0)
    this.#isFirstPiece = false
    if (this.#toSkip > 0) return piece.length
    if (!this.#dialect.header) this.isPastHead = true
    this.#loneCr.push(piece.subarray(start))
    let at = start
    while (!this.isPastHead) {
      const end = this.cut(at, at)
      this.#header.push(Buffer.from(piece.subarray(at, end === -1 ? piece.length : end)))
      if (end === -1) return piece.length
      at = end
      if (this.#scanner.records === (this.#dialect.headerRows ?? 1)) this.#endHeader()
    }
    return at
  }

  cut(from: number, min: number): number {
    const { records } = this.#scanner
    const end = this.#scanner.cut(this.#piece, from, min)
    this.#bytesWithout = this.#scanner.records > records ? 0 : this.#bytesWithout + this.#piece.length - from
    // They are in the chunk of the record behind them, which would grow without a bound.
    if (this.#bytesWithout - this.#scanner.recordBytes > maxRecordBytes) this.#refuseNoRecords()
    // One byte more may be the CR of a line end.
    if (this.#scanner.oversizeLine !== undefined || this.#scanner.recordBytes > maxRecordBytes + 1)
      this.#refuseLargeRecord()
    return end
  }

  finish(): void {
    const { unclosedQuoteLine } = this.#scanner.finish()
    if (unclosedQuoteLine !== undefined) this.#refuseOpenQuote(unclosedQuoteLine, 'is never closed')
    if (this.#scanner.oversizeLine !== undefined) this.#refuseLargeRecord()
    if (this.#toSkip > 0 && !this.#isFirstPiece) this.#refuseShortFile()
    if (!this.isPastHead) this.#endHeader()
    // Without a header a CR may be data, unless the whole file would be one record.
    if (this.#loneCr.found && this.#scanner.records === 1) this.#refuseLoneCr()
  }

  /** Index after a byte order mark and after a line `sep=;`, which spreadsheets write above everything else. */
  #afterMarks(piece: Buffer): number {
    const start = markBytes(piece, this.#path)
    const match = /^"?sep=([^\r\n])"?\r?\n/i.exec(piece.toString('latin1', start, start + 16))
    const delimiter = match?.[1]
    if (match === null || delimiter === undefined || this.#stated === '=') return start
    if (this.#stated === undefined) {
      const dialect = { ...this.#dialect, delimiter }
      validateDialect(dialect)
      this.#dialect = dialect
      this.#scanner = csvScanner(dialect)
    }
    this.#scanner.lines++
    this.#preamble++
    this.#toSkip = Math.max(0, this.#toSkip - 1)
    return start + match[0].length
  }

  /** Index after the lines above the header, as far as the piece holds them. */
  #skipLines(from: number): number {
    let at = from
    while (this.#toSkip > 0) {
      const end = this.#piece.indexOf(lf, at)
      if (end < 0) {
        this.#skippedBytes += this.#piece.length - at
        if (this.#skippedBytes > maxRecordBytes) this.#refuseSkipped()
        return this.#piece.length
      }
      at = end + 1
      this.#skippedBytes = 0
      this.#toSkip--
      this.#preamble++
      this.#scanner.lines++
    }
    return at
  }

  #endHeader(): void {
    if (this.#loneCr.found) this.#refuseLoneCr()
    const bytes = Buffer.concat(this.#header)
    this.#header = []
    this.isPastHead = true
    this.#headerRecords = this.#scanner.records
    if (this.#headerRecords === 0) return
    this.#headerLine = this.#preamble + this.#scanner.comments + 1
    if (this.#dialect.names !== undefined) return
    const { fields, isTrimmed, made } = this.#readHeader(bytes)
    this.#requireFit(fields, bytes)
    this.#fields = fields
    // Columns without a name have no values: a record with one in them is refused.
    if (isTrimmed) this.#dialect = { ragged: 'trim', ...this.#dialect }
    if (made.length > 0)
      this.warnings.push(
        `${this.#path}: the header has no name of its own for ${made.length === 1 ? 'a column' : `${made.length} columns`}, called here: ${listed(made, mostListed)}`,
      )
  }

  #requireFit(fields: readonly string[], header: Buffer): void {
    const { table, names } = this.#expected
    const problems = this.#expected.problems(fields)
    if (problems.length === 0) return
    const guess =
      jsonHint(header) ?? delimiterHint(header, this.#dialect) ?? commentHint(header, this.#dialect)
    const isKnown = names.some((name) => fields.includes(name))
    const line = this.#headerLine
    const hint = isKnown || guess !== undefined ? '' : `; if line ${line} is a record already: --no-header`
    const why = guess ?? listed(problems, mostListed)
    throw this.#error('HEADER_MISMATCH', line, `the header does not fit ${table}: ${why}${hint}`)
  }

  #readHeader(bytes: Buffer): Header {
    const { headerRows: rows } = this.#dialect
    const { isMasked, names, namesColumns } = this.#expected
    try {
      return readHeader(bytes, this.#dialect, {
        ...(rows && { rows }),
        ...(namesColumns && { namesColumns }),
        wanted: names,
      })
    } catch (error) {
      const { code, message } = toLadingError(error)
      const line = this.#headerLine
      // What is named twice in line 1 may be a value that the model masks, where that line is no header.
      if (code === 'HEADER_DUPLICATE' && isMasked)
        throw this.#error(code, line, 'the header names a column twice')
      const why = jsonHint(bytes) ?? message
      throw new LadingError(code, `${this.#path}:${line}: ${why}`, { cause: error })
    }
  }

  #refuseLoneCr(): never {
    throw new LadingError(
      'SOURCE_LINE_ENDS',
      `${this.#path}: CR alone ends its lines, as it looks: --line-end cr reads them`,
    )
  }

  /** A line that is left out has no end. */
  #refuseSkipped(): never {
    if (this.#scanner.lines === 0 && this.#piece.includes(cr)) this.#refuseLoneCr()
    throw this.#error(
      'RECORD_TOO_LARGE',
      this.#scanner.lines + 1,
      `the line, which --skip-lines leaves out, is larger than ${limit}`,
    )
  }

  #refuseNoRecords(): never {
    throw this.#error(
      'RECORD_TOO_LARGE',
      this.#scanner.lines + 1,
      `comments and empty lines take more than ${limit} before the next record`,
    )
  }

  #refuseShortFile(): never {
    if (this.#scanner.lines === 0 && this.#piece.includes(cr)) this.#refuseLoneCr()
    const { skipLines } = this.#dialect
    throw this.#error(
      'HEADER_MISMATCH',
      this.#scanner.lines + 1,
      `the file ends here, and --skip-lines ${skipLines} leaves out more`,
    )
  }

  #refuseLargeRecord(): never {
    if (this.#loneCr.found && this.#scanner.records === 0) this.#refuseLoneCr()
    const { openQuoteLine, oversizeLine } = this.#scanner
    if (oversizeLine === undefined && openQuoteLine !== undefined)
      this.#refuseOpenQuote(openQuoteLine, `is not closed within ${limit}`)
    const line = oversizeLine ?? this.#scanner.lines + 1
    throw new LadingError(
      'RECORD_TOO_LARGE',
      `${this.#path}: a record near line ${line} is larger than ${limit}; is a quote never closed?`,
    )
  }

  #refuseOpenQuote(line: number, what: string): never {
    const how = '--no-multiline ends quotes with their line, --quote none takes them as data'
    const orEscape =
      this.#dialect.escape === undefined ? "; where a backslash escapes quotes: --escape '\\'" : ''
    throw this.#error('UNCLOSED_QUOTE', line, `the quote opened here ${what}; ${how}${orEscape}`)
  }

  #error(code: Code, line: number, what: string) {
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

function commentHint(header: Buffer, { comment }: Dialect): string | undefined {
  const isComment = comment === undefined && header[0] === hash
  return isComment ? "it looks like a comment: --comment '#' leaves such lines out" : undefined
}
