/** What both readers of CSV give, and what is wrong with a record of either. */
import { cr, hash, lf, tab } from '../../core/bytes.ts'
import { unquoted } from '../../core/cells.ts'
import type { Fault } from '../../core/fault.ts'
import type { RecordReader } from '../format.ts'
import { textFault } from '../text.ts'
import type { RecordDialect } from './dialect.ts'

export interface CsvCells extends RecordReader {
  /** With a flaw, quotes that make no sense are a part of their cells. */
  readonly flaw: 'BAD_QUOTE' | 'UNCLOSED_QUOTE' | undefined
  /** Cells that stand in the record; a padded one has more. */
  readonly present: number
  /** Whether no record follows. */
  readonly isLast: boolean
  /** Where the cell begins and ends, its quotes counted. */
  cellStart(cell: number): number
  cellEnd(cell: number): number
}

/** What a byte may mean outside of quotes; 0 for one that is data wherever it stands. */
export const endKind = 1
export const quoteKind = 2
export const escapeKind = 3

export const backslash = 0x5c

/** What letters stand for behind a backslash. */
export const letters = new Map([
  [0x6e, lf],
  [0x72, cr],
  [0x74, tab],
])

export const none = Buffer.alloc(0)
export const blankLine = Buffer.from('\n')

/** Whether a CR was taken for the end of a file: a record by itself has no line end, so that it is data. */
export const endsInData = ({ isLast, recordEnd }: CsvCells, record: Buffer): boolean =>
  isLast && recordEnd === record.length - 1 && record.at(-1) === cr

export const withLineEnd = (record: Buffer): Buffer => Buffer.concat([record, Buffer.of(cr, lf)])

/** Cells of a wider record: a larger array with the same beginning. */
export function widened<Cells extends Int32Array | Uint8Array>(cells: Cells): Cells {
  const size = cells.length * 4
  const wider = cells instanceof Int32Array ? new Int32Array(size) : new Uint8Array(size)
  wider.set(cells)
  return wider as Cells
}

/** By byte. The delimiter and LF end a cell. */
export function kindsOf({ delimiter, quote, escape }: RecordDialect): Uint8Array {
  const kinds = new Uint8Array(256)
  kinds[lf] = endKind
  kinds[delimiter.charCodeAt(0)] = endKind
  if (quote !== '') kinds[quote.charCodeAt(0)] = quoteKind
  if (escape !== undefined) kinds[backslash] = escapeKind
  return kinds
}

/** The byte of a character, and -1 where there is none. */
export const byteOf = (character: string | undefined): number => (character ? character.charCodeAt(0) : -1)

/** What ends a cell, and what quotes one. */
interface Marks {
  readonly delimiter: number
  readonly quote: number
}

/**
 * Excel keeps the zeros of `="007"` although it does not quote the cell. Such a cell is one as it stands: it
 * begins at `start`, and `at` is its first quote. Returns the index of its last one, -1 for any other cell.
 */
export function excelTextEnd(bytes: Buffer, start: number, at: number, { delimiter, quote }: Marks): number {
  if (at !== start + 1 || bytes[start] !== equals) return -1
  let close = at + 1
  for (; close < bytes.length && bytes[close] !== quote; close++)
    if (bytes[close] === delimiter || bytes[close] === lf) return -1
  const after = bytes[close + 1]
  const isEnd = after === delimiter || after === lf || after === cr || close + 1 === bytes.length
  return isEnd && close < bytes.length ? close : -1
}

const equals = 0x3d

/** What is wrong with the record that a reader stands on. */
export function recordFault(cells: CsvCells, isText: boolean, dialect: RecordDialect): Fault | undefined {
  const { bytes, count, recordStart, recordEnd } = cells
  const text = isText ? undefined : textFault(bytes.subarray(recordStart, recordEnd))
  if (text !== undefined) return text
  if (cells.flaw !== undefined) return quoteFault(cells, dialect)
  const width = cells.fields.length
  if (count === width || width === 0) return undefined
  const end = recordEnd - recordStart
  if (isBlank(cells)) return { code: 'BLANK_LINE', detail: 'the line is empty', span: { start: 0, end } }
  return {
    code: 'COLUMN_COUNT',
    detail: `${count} ${count === 1 ? 'cell' : 'cells'} where the header has ${width}${countHint(cells, dialect)}`,
    // What is too much, or the place where something is missing.
    span: { start: count > width ? cells.cellStart(width) - recordStart : end, end },
  }
}

/** The option that would take the record, if there is one. */
function countHint(cells: CsvCells, { comment, ragged }: RecordDialect): string {
  const { count, fields, bytes, recordStart } = cells
  if (comment === undefined && bytes[recordStart] === hash) return "; --comment '#' leaves such lines out"
  if (count < fields.length) return '; --ragged pad fills short records'
  if (ragged !== undefined) return ''
  for (let cell = fields.length; cell < count; cell++)
    if (cells.cellStart(cell) < cells.cellEnd(cell)) return '; a text that holds the delimiter needs quotes'
  return '; --ragged trim drops empty cells at the end'
}

/** Whether the line is empty, except for spaces around a cell that are no part of it. */
export const isBlank = (cells: CsvCells): boolean =>
  cells.present === 1 && cells.cellStart(0) === cells.cellEnd(0)

/** At the first cell that holds a quote without being quoted, where there is one. */
function quoteFault(cells: CsvCells, dialect: RecordDialect): Fault {
  const { bytes, count, starts, ends, quoting, recordStart, recordEnd } = cells
  const mark = byteOf(dialect.quote)
  let cell = 0
  const isStray = () => quoting[cell] === unquoted && bytes.subarray(starts[cell], ends[cell]).includes(mark)
  while (cell < count && !isStray()) cell++
  return {
    code: 'BAD_QUOTE',
    detail: `a quote stands inside a cell that is not quoted, or ${dialect.multiline === false ? 'its line does not close it, or ' : ''}text follows a closing quote${quoteHint(bytes.subarray(recordStart, recordEnd), dialect)}`,
    span:
      cell === count
        ? undefined
        : { start: cells.cellStart(cell) - recordStart, end: cells.cellEnd(cell) - recordStart },
  }
}

/** The option that would take the record, as it looks. */
function quoteHint(record: Buffer, dialect: RecordDialect): string {
  const { delimiter, quote, escape, trim, multiline } = dialect
  if (escape === undefined && record.includes(`\\${quote}`))
    return "; where a backslash escapes quotes: --escape '\\'"
  if (multiline !== false && record.includes('\n'))
    return '; where no cell goes on in the next line, --no-multiline makes records of its other lines'
  const isSpaced = record.includes(`${delimiter} ${quote}`) || record.includes(`${quote} ${delimiter}`)
  return trim === undefined && isSpaced ? '; --trim takes spaces around quotes' : ''
}

export const isOfCount = ({ code }: Fault): boolean => code === 'COLUMN_COUNT' || code === 'BLANK_LINE'

/** Where one record was asked for, and more bytes follow it. */
export const surplusFault = (start: number, end: number): Fault => ({
  code: 'COLUMN_COUNT',
  detail: 'the text holds more than one record',
  span: { start, end },
})
