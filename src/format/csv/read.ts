/**
 * Reads the records of a chunk: finds the cells and decodes nothing. This is the hot path of the product, so
 * nothing is allocated per record: one reader is pulled through the chunk, and its fields describe the record
 * it stands on.
 *
 * The chunk is made of whole records (see `RecordScanner`, whose rules these are); only its last one may lack
 * the line end.
 */
import { cr, lf } from '../../core/bytes.ts'
import { nextBelow } from '../../core/words.ts'
import { cellBytes, escaped, quoted, unquoted } from '../../core/cells.ts'
import type { Fault } from '../../core/fault.ts'
import type { CellMarks } from '../format.ts'
import { isText } from '../text.ts'
import {
  blankLine,
  type CsvCells,
  endsInData,
  excelTextEnd,
  isOfCount,
  none,
  recordFault,
  surplusFault,
  widened,
  withLineEnd,
} from './cells.ts'
import type { RecordDialect } from './dialect.ts'

export class CsvReader implements CsvCells {
  bytes: Buffer = none
  readonly fields: readonly string[]
  /** 1 for a blank line, whose only cell is empty and unquoted. */
  count = 0
  /** Without the outer quotes. Replaced when a wider record comes: fetch them after `next`. */
  starts = new Int32Array(64)
  ends = new Int32Array(64)
  /** Escaped are doubled quotes. */
  quoting = new Uint8Array(64)
  recordStart = 0
  recordEnd = 0
  at = 0
  fault: Fault | undefined
  flaw: 'BAD_QUOTE' | 'UNCLOSED_QUOTE' | undefined
  /** Whether no record can have a fault of its text. */
  #isText = true
  #view: DataView = new DataView(none.buffer)
  readonly #dialect: RecordDialect
  readonly #delimiter: number
  readonly #quote: number
  readonly #marks: CellMarks

  /** Without `fields`, records may have any number of cells. */
  constructor(dialect: RecordDialect, fields: readonly string[] = []) {
    const { delimiter, quote } = dialect
    this.fields = fields
    this.#dialect = dialect
    this.#delimiter = delimiter.charCodeAt(0)
    this.#quote = quote.charCodeAt(0)
    const above = Math.imul(Math.max(this.#delimiter, this.#quote, lf) + 1, 0x01010101)
    this.#marks = { delimiter: this.#delimiter, quote: this.#quote, above }
  }

  open(body: Buffer): undefined {
    this.bytes = body
    this.#isText = isText(body)
    this.#view = new DataView(body.buffer, body.byteOffset, body.length)
    this.at = 0
  }

  openOne(record: Buffer): void {
    this.open(record.length === 0 ? blankLine : record)
    this.next()
    if (endsInData(this, record)) {
      this.open(withLineEnd(record))
      this.next()
    }
    if (this.isLast || (this.fault !== undefined && !isOfCount(this.fault))) return
    this.fault = surplusFault(this.recordEnd, record.length)
  }

  /** Goes on to the next record; false at the end of the chunk. */
  next(): boolean {
    const bytes = this.bytes
    const length = bytes.length
    const delimiter = this.#delimiter
    const quote = this.#quote
    const view = this.#view
    const { above } = this.#marks
    let at = this.at
    if (at >= length) return false
    this.recordStart = at
    this.flaw = undefined
    let count = 0
    let { starts, ends, quoting } = this
    for (;;) {
      if (count === starts.length) {
        this.#widen()
        ;({ starts, ends, quoting } = this)
      }
      starts[count] = at
      quoting[count] = unquoted
      if (at < length && bytes[at] === quote) at = this.#quotedCell(at, count)
      for (; at < length; at++) {
        at = nextBelow(view, at, length, above)
        if (at === length) break
        const byte = bytes[at]
        if (byte === delimiter || byte === lf) break
        if (byte === quote) at = this.#strayQuote(at, starts[count] as number)
      }
      if (quoting[count] === unquoted) ends[count] = at
      count++
      if (at === length || bytes[at] === lf) break
      at++
    }
    this.count = count
    this.#endRecord(at)
    const isSound = this.flaw === undefined && this.#isText && count === this.fields.length
    this.fault = isSound ? undefined : recordFault(this, this.#isText, this.#dialect)
    return true
  }

  get marks(): CellMarks | undefined {
    return this.#isText ? this.#marks : undefined
  }

  get present(): number {
    return this.count
  }

  get isLast(): boolean {
    return this.at >= this.bytes.length
  }

  unescaped(cell: number): Buffer {
    return unescape(this.bytes, this.starts[cell] ?? 0, this.ends[cell] ?? 0, this.#quote)
  }

  #endRecord(at: number): void {
    const { bytes, ends } = this
    let end = at
    // A CR in a quote that never closes is data.
    if (end > this.recordStart && bytes[end - 1] === cr && this.flaw !== 'UNCLOSED_QUOTE') end--
    const last = this.count - 1
    if ((ends[last] as number) > end) ends[last] = end
    this.recordEnd = end
    this.at = at + 1
  }

  cellStart(cell: number): number {
    return (this.starts[cell] as number) - (this.quoting[cell] === unquoted ? 0 : 1)
  }
  cellEnd(cell: number): number {
    return (this.ends[cell] as number) + (this.quoting[cell] === unquoted ? 0 : 1)
  }

  /**
   * Reads a cell that opens with a quote. A sound one is entered into the arrays and the index of what ends
   * it is returned; of another, the part to the closing quote is passed over and the cell stays an unquoted
   * one that goes on from there.
   */
  #quotedCell(open: number, cell: number): number {
    const bytes = this.bytes
    const length = bytes.length
    const quote = this.#quote
    let kind: number = quoted
    let at = open + 1
    for (; at < length; at++) {
      if (bytes[at] !== quote) continue
      if (at + 1 === length || bytes[at + 1] !== quote) break
      kind = escaped
      at++
    }
    if (at === length) this.flaw = 'UNCLOSED_QUOTE'
    const after = this.#afterQuoted(at)
    if (after === -1) {
      this.flaw = 'BAD_QUOTE'
      return at + 1
    }
    this.starts[cell] = open + 1
    this.ends[cell] = at
    this.quoting[cell] = kind
    return after
  }

  /** A quote at `at` in a cell that begins at `start` without one; returns the last index that is done with. */
  #strayQuote(at: number, start: number): number {
    const close = excelTextEnd(this.bytes, start, at, this.#marks)
    if (close < 0) this.flaw = 'BAD_QUOTE'
    return Math.max(at, close)
  }

  /**
   * Index of the delimiter, LF or end of the chunk that follows the closing quote, or -1 where other text
   * follows.
   */
  #afterQuoted(close: number): number {
    const { bytes } = this
    let at = Math.min(close + 1, bytes.length)
    if (bytes[at] === this.#delimiter) return at
    if (at < bytes.length && bytes[at] === cr) at++
    return at === bytes.length || bytes[at] === lf ? at : -1
  }

  #widen(): void {
    this.starts = widened(this.starts)
    this.ends = widened(this.ends)
    this.quoting = widened(this.quoting)
  }
}

/** The bytes of a cell, its doubled quotes undone; `quote` is the byte. */
export function unescape(bytes: Uint8Array, start: number, end: number, quote: number): Buffer {
  const cell = Buffer.allocUnsafe(end - start)
  let size = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    cell[size++] = byte
    if (byte === quote) at++
  }
  return cell.subarray(0, size)
}

/** The text of cell `i`, with U+FFFD where it is not UTF-8. */
export const cellText = (reader: CsvCells, i: number): string => cellBytes(reader, i).toString('utf8')
