/**
 * Reads records that are written in other ways than RFC 4180 has them: without quotes, with backslashes, with
 * comments, with spaces around cells, with more or fewer cells. A class of its own, so that the fast reader
 * need not ask. Of plain CSV it reads what that one reads, to the byte.
 */
import { cr, lf, space, tab } from '../../core/bytes.ts'
import { escaped, quoted, unquoted } from '../../core/cells.ts'
import type { Fault } from '../../core/fault.ts'
import { isText } from '../text.ts'
import {
  backslash,
  blankLine,
  byteOf,
  type CsvCells,
  endsInData,
  endKind,
  escapeKind,
  isBlank,
  isOfCount,
  kindsOf,
  letters,
  none,
  recordFault,
  surplusFault,
  excelTextEnd,
  widened,
  withLineEnd,
} from './cells.ts'
import type { RecordDialect } from './dialect.ts'

const letterN = 0x4e

export class DialectReader implements CsvCells {
  bytes: Buffer = none
  readonly fields: readonly string[]
  count = 0
  present = 0
  starts = new Int32Array(64)
  ends = new Int32Array(64)
  quoting = new Uint8Array(64)
  recordStart = 0
  recordEnd = 0
  fault: Fault | undefined
  flaw: 'BAD_QUOTE' | 'UNCLOSED_QUOTE' | undefined
  /** As `starts` and `ends`, with the quotes. */
  #outerStarts = new Int32Array(64)
  #outerEnds = new Int32Array(64)
  #next = 0
  #isText = true
  /** Index after the last byte of the record that a backslash made data. */
  #escapedEnd = 0
  readonly #dialect: RecordDialect
  readonly #kinds: Uint8Array
  readonly #delimiter: number
  readonly #quote: number
  readonly #escape: number
  readonly #comment: number
  /** Whether an LF ends the record in quotes, too. */
  readonly #isOneLine: boolean
  /** Bytes that are no part of a cell around which they stand; -1 for none. */
  readonly #space: number
  readonly #tab: number

  /** Without `fields`, records may have any number of cells. */
  constructor(dialect: RecordDialect, fields: readonly string[] = []) {
    this.fields = fields
    this.#dialect = dialect
    this.#kinds = kindsOf(dialect)
    this.#delimiter = byteOf(dialect.delimiter)
    this.#quote = byteOf(dialect.quote)
    this.#escape = byteOf(dialect.escape)
    this.#comment = byteOf(dialect.comment)
    this.#isOneLine = dialect.multiline === false
    const trims = dialect.trim === true
    this.#space = trims && this.#kinds[space] === 0 ? space : -1
    this.#tab = trims && this.#kinds[tab] === 0 ? tab : -1
  }

  open(body: Buffer): undefined {
    this.#begin(body)
    this.#next = this.#recordFrom(0)
  }

  openOne(record: Buffer): void {
    this.#begin(record.length === 0 ? blankLine : record)
    // What stands there is the record, also where it begins like a comment.
    this.#next = 0
    this.next()
    if (endsInData(this, record)) {
      this.#begin(withLineEnd(record))
      this.#next = 0
      this.next()
    }
    if (this.isLast || (this.fault !== undefined && !isOfCount(this.fault))) return
    this.fault = surplusFault(this.recordEnd, record.length)
  }

  next(): boolean {
    const { bytes } = this
    const { length } = bytes
    let at = this.#next
    if (at >= length) return false
    this.recordStart = at
    this.flaw = undefined
    this.#escapedEnd = 0
    this.count = 0
    for (;;) {
      if (this.count === this.starts.length) this.#widen()
      at = this.#cell(at, this.count++)
      if (at === length || bytes[at] === lf) break
      at++
    }
    this.present = this.count
    this.recordEnd = this.#withoutCr(at)
    this.#next = this.#recordFrom(at + 1)
    const width = this.fields.length
    if (this.count !== width && this.#dialect.ragged !== undefined) this.#fit(width)
    const isSound = this.flaw === undefined && this.#isText && this.count === width
    this.fault = isSound ? undefined : recordFault(this, this.#isText, this.#dialect)
    return true
  }

  get isLast(): boolean {
    return this.#next >= this.bytes.length
  }

  cellStart(cell: number): number {
    return this.#outerStarts[cell] as number
  }
  cellEnd(cell: number): number {
    return this.#outerEnds[cell] as number
  }

  unescaped(cell: number): Buffer {
    const { bytes } = this
    const start = this.starts[cell] ?? 0
    const end = this.ends[cell] ?? 0
    // Outside of quotes, a doubled quote is no single one.
    const quote = this.cellStart(cell) < start ? this.#quote : -1
    const text = Buffer.allocUnsafe(end - start)
    let size = 0
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number
      if (byte === this.#escape && at + 1 < end) {
        const next = bytes[++at] as number
        text[size++] = letters.get(next) ?? next
      } else {
        text[size++] = byte
        if (byte === quote) at++
      }
    }
    return text.subarray(0, size)
  }

  #begin(body: Buffer): void {
    this.bytes = body
    this.#isText = isText(body)
  }

  /** Index of the first record from `at` on: comments and, where there may be any, empty lines are none. */
  #recordFrom(at: number): number {
    const { bytes } = this
    if (this.#comment < 0) return at
    let from = at
    while (from < bytes.length) {
      const isEmptyLine = bytes[from] === cr && (from + 1 === bytes.length || bytes[from + 1] === lf)
      if (bytes[from] !== this.#comment && bytes[from] !== lf && !isEmptyLine) break
      const end = bytes.indexOf(lf, from)
      from = end < 0 ? bytes.length : end + 1
    }
    return from
  }

  /** Enters the cell that begins at `from` into the arrays; returns the index of what ends it. */
  #cell(from: number, cell: number): number {
    const { bytes } = this
    const kinds = this.#kinds
    const { length } = bytes
    const start = this.#afterSpaces(from)
    this.quoting[cell] = unquoted
    let at = start
    if (at < length && bytes[at] === this.#quote) {
      at = this.#quotedCell(at, cell)
      if (this.quoting[cell] !== unquoted) return at
    }
    for (; at < length; at++) {
      const kind = kinds[bytes[at] as number] as number
      if (kind === 0) continue
      if (kind === endKind) break
      if (kind === escapeKind) {
        if (at + 1 === length) continue
        this.#escapedEnd = ++at + 1
        this.quoting[cell] = escaped
      } else {
        const marks = { delimiter: this.#delimiter, quote: this.#quote }
        const close = excelTextEnd(bytes, start, at, marks)
        if (close < 0) this.flaw = 'BAD_QUOTE'
        else at = close
      }
    }
    this.#endUnquoted(cell, start, at)
    return at
  }

  #endUnquoted(cell: number, start: number, at: number): void {
    const { bytes } = this
    let end = at === bytes.length || bytes[at] === lf ? Math.max(start, this.#withoutCr(at)) : at
    while (end > start && end > this.#escapedEnd && this.#isSpace(bytes[end - 1])) end--
    this.starts[cell] = this.#outerStarts[cell] = start
    this.ends[cell] = this.#outerEnds[cell] = end
    const isNull =
      this.#escape >= 0 && end - start === 2 && bytes[start] === backslash && bytes[start + 1] === letterN
    if (!isNull) return
    this.ends[cell] = start
    this.quoting[cell] = unquoted
  }

  /**
   * Reads a cell that opens with a quote. A sound one is entered into the arrays and the index of what ends
   * it is returned; of another, the cell stays an unquoted one that goes on from the index.
   */
  #quotedCell(open: number, cell: number): number {
    const { bytes } = this
    const { length } = bytes
    let kind: number = quoted
    let at = open + 1
    for (; at < length; at++) {
      const byte = bytes[at]
      if (byte === lf && this.#isOneLine) {
        this.flaw = 'BAD_QUOTE'
        return at
      }
      if (byte === this.#escape) at++
      else if (byte !== this.#quote) continue
      else if (at + 1 < length && bytes[at + 1] === this.#quote) at++
      else break
      kind = escaped
    }
    const close = Math.min(at, length)
    if (close === length) this.flaw = 'UNCLOSED_QUOTE'
    const after = this.#afterQuoted(close)
    if (after === -1) {
      this.flaw = 'BAD_QUOTE'
      return close + 1
    }
    this.starts[cell] = open + 1
    this.ends[cell] = close
    this.#outerStarts[cell] = open
    this.#outerEnds[cell] = Math.min(close + 1, length)
    this.quoting[cell] = kind
    return after
  }

  /** Index of the delimiter, LF or end that follows the closing quote, or -1 where other text follows. */
  #afterQuoted(close: number): number {
    const { bytes } = this
    let at = this.#afterSpaces(Math.min(close + 1, bytes.length))
    if (bytes[at] === this.#delimiter) return at
    if (at < bytes.length && bytes[at] === cr) at++
    return at === bytes.length || bytes[at] === lf ? at : -1
  }

  /** The end of the record that a line end at `at` ends: a CR before it belongs to it, unless it is data. */
  #withoutCr(at: number): number {
    const isLineEnd =
      at > this.recordStart &&
      this.bytes[at - 1] === cr &&
      this.#escapedEnd !== at &&
      this.flaw !== 'UNCLOSED_QUOTE'
    return isLineEnd ? at - 1 : at
  }

  #isSpace(byte: number | undefined): boolean {
    return byte === this.#space || byte === this.#tab
  }

  #afterSpaces(from: number): number {
    let at = from
    while (at < this.bytes.length && this.#isSpace(this.bytes[at])) at++
    return at
  }

  /** Drops empty cells beyond the last column, and fills a record that is short. */
  #fit(width: number): void {
    if (width === 0 || isBlank(this)) return
    let used = this.count
    while (used > width && this.#outerStarts[used - 1] === this.#outerEnds[used - 1]) used--
    if (used === width) this.count = this.present = width
    if (used >= width || this.#dialect.ragged !== 'pad') return
    while (this.starts.length < width) this.#widen()
    for (let cell = used; cell < width; cell++) {
      this.starts[cell] = this.ends[cell] = this.recordEnd
      this.#outerStarts[cell] = this.#outerEnds[cell] = this.recordEnd
      this.quoting[cell] = unquoted
    }
    this.count = width
  }

  #widen(): void {
    this.starts = widened(this.starts)
    this.ends = widened(this.ends)
    this.#outerStarts = widened(this.#outerStarts)
    this.#outerEnds = widened(this.#outerEnds)
    this.quoting = widened(this.quoting)
  }
}
