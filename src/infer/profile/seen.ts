/** How values of a column are written that were looked at with care. Another one of their kind adds nothing. */
import { cr, lf } from '../../core/bytes.ts'
import { quoted, unquoted } from '../../core/cells.ts'
import { nextBelow } from '../../core/words.ts'
import type { CellMarks } from '../../format/format.ts'
import { isDay, LastClock } from './clock.ts'
import { Memo } from './memo.ts'
import { plainEnd } from './number.ts'
import { mayBeMarked, uuidBytes, uuidShape } from './shape.ts'
import {
  bare,
  beyondDouble,
  date,
  emptyText,
  none,
  numeral,
  plainNumbers,
  text,
  timestamp,
  timestamptz,
  uuid,
  value,
} from './shapes.ts'

const ZERO = 48
const NINE = 57
const MINUS = 45

/** Digits before the point, and behind it. */
const mostSizes = 32

/** Shapes that are told without a memory, and those of columns that need none. */
const notRemembered = plainNumbers | date | timestamp | timestamptz | text

export class Seen {
  readonly #clock = new LastClock()
  #memo: Memo | undefined
  /** By digits before the point, a bit for each scale of plain numbers. */
  readonly #sizes = new Int32Array(mostSizes)
  /** Of the value whose end was found last by looking for it, in the same bytes; 0 for none. */
  #lastStart = 0
  #lastLength = 0

  /**
   * The shapes of a value, if its column has these shapes already, which are `inner`, and the value adds nothing else; 0 for
   * others. `numerals` are those that the column has left.
   */
  shapesOf(
    bytes: Buffer,
    view: DataView,
    start: number,
    end: number,
    quoting: number,
    inner: number,
    numerals: number,
  ): number {
    let shapes: number
    if (start === end) shapes = quoting === unquoted ? none | bare : emptyText
    else if ((inner & text) !== 0) shapes = mayBeMarked(bytes, start, end) ? 0 : text
    else {
      const isOfClock = isDigitOrMinus(bytes[start] as number)
      shapes =
        isOfClock && this.#numberOrTimeEnd(bytes, view, start, end, inner, numerals) === end
          ? value.shapes
          : 0
      if (shapes !== 0 && quoting === unquoted) shapes |= bare
      if (shapes === 0) shapes = this.#remembered(bytes, view, start, end, quoting)
    }
    return (shapes & ~inner) === 0 ? shapes : 0
  }

  /** Begins with other bytes. */
  begin(): void {
    this.#lastLength = 0
  }

  /**
   * The end of the cell that begins at `start`, if its value adds nothing to the column, as in `shapesOf`; -1 if that cannot be told.
   * The cell ends with one of the marks or a line.
   */
  endOf(
    bytes: Buffer,
    view: DataView,
    start: number,
    marks: CellMarks,
    inner: number,
    numerals: number,
  ): number {
    const first = bytes[start] as number
    if (isDigitOrMinus(first) && (inner & text) === 0) {
      const end = this.#numberOrTimeEnd(bytes, view, start, bytes.length, inner, numerals)
      if (value.shapes !== 0 && isEnd(bytes[end] as number, marks))
        return ((value.shapes | bare) & ~inner) === 0 ? end : -1
    }
    if (first === marks.quote) return this.#quotedEnd(bytes, view, start, marks, inner, numerals)
    if (this.#isLast(bytes, view, start, marks)) return start + this.#lastLength
    const end = bareEnd(bytes, view, start, marks)
    if (end === -1 || this.shapesOf(bytes, view, start, end, unquoted, inner, numerals) === 0) return -1
    this.#lastStart = start
    this.#lastLength = end - start
    return end
  }

  /** Values that were remembered are looked at again. */
  forget(): void {
    this.#memo = undefined
  }

  /** The number that was read last. */
  addNumber(shapes: number): void {
    const { digits, scale } = value
    if (digits < mostSizes && scale < mostSizes && (shapes & numeral) === 0)
      this.#sizes[digits] = (this.#sizes[digits] as number) | (1 << scale)
  }

  addTime(bytes: Buffer, start: number, end: number, shapes: number): void {
    this.#clock.set(bytes, start, end, shapes)
  }

  /** A value of other shapes. */
  add(bytes: Buffer, view: DataView, start: number, end: number, quoting: number, shapes: number): void {
    if ((shapes & notRemembered) !== 0) return
    this.#memo ??= new Memo()
    this.#memo.add(bytes, view, start, end, quoting, shapes)
  }

  /** The end of a number, a time or a date that begins at `start`; its shapes are in `value`, 0 where it is none or adds something. */
  #numberOrTimeEnd(
    bytes: Buffer,
    view: DataView,
    start: number,
    limit: number,
    inner: number,
    numerals: number,
  ): number {
    if (limit - start >= 10 && bytes[start + 4] === MINUS) {
      const end = this.#clock.endOf(bytes, view, start, limit)
      if (end !== -1) {
        value.shapes = this.#clock.shapes
        return end
      }
      if (isDay(view, start)) {
        value.shapes = date
        return start + 10
      }
    }
    const end = plainEnd(bytes, view, start, limit, (inner & beyondDouble) === 0)
    if (value.shapes === 0) return end
    const { digits, scale } = value
    const isSeen = digits < mostSizes && ((this.#sizes[digits] as number) & (1 << scale)) !== 0
    if (!isSeen || (scale > 0 && (numerals & ~value.numerals) !== 0)) value.shapes = 0
    return end
  }

  #remembered(bytes: Buffer, view: DataView, start: number, end: number, quoting: number): number {
    if (end - start === uuidBytes && uuidShape(bytes, start, end) === uuid)
      return quoting === unquoted ? uuid | bare : uuid
    return this.#memo === undefined ? 0 : this.#memo.find(bytes, view, start, end, quoting)
  }

  /** Whether the value is the one before. */
  #isLast(bytes: Buffer, view: DataView, start: number, marks: CellMarks): boolean {
    const length = this.#lastLength
    const end = start + length
    if (length === 0 || end >= bytes.length || !isEnd(bytes[end] as number, marks)) return false
    let other = this.#lastStart
    let at = start
    for (; at + 4 <= end; at += 4, other += 4)
      if (view.getInt32(at, true) !== view.getInt32(other, true)) return false
    for (; at < end; at++, other++) if (bytes[at] !== bytes[other]) return false
    return true
  }

  /** Of a cell in quotes. */
  #quotedEnd(
    bytes: Buffer,
    view: DataView,
    start: number,
    marks: CellMarks,
    inner: number,
    numerals: number,
  ): number {
    let end = start + 1
    while (end < bytes.length && bytes[end] !== marks.quote) end++
    if (end + 1 >= bytes.length || !isEnd(bytes[end + 1] as number, marks)) return -1
    return this.shapesOf(bytes, view, start + 1, end, quoted, inner, numerals) === 0 ? -1 : end + 1
  }
}

const isDigitOrMinus = (byte: number): boolean => byte <= NINE && (byte >= ZERO || byte === MINUS)

const isEnd = (byte: number, { delimiter }: CellMarks): boolean =>
  byte === delimiter || byte === lf || byte === cr

/** Of a cell without quotes; -1 where one stands in it. A CR before an LF is no part of it. */
function bareEnd(
  bytes: Buffer,
  view: DataView,
  start: number,
  { delimiter, quote, above }: CellMarks,
): number {
  const limit = bytes.length
  for (
    let at = nextBelow(view, start, limit, above);
    at < limit;
    at = nextBelow(view, at + 1, limit, above)
  ) {
    const byte = bytes[at]
    if (byte === delimiter) return at
    if (byte === lf) return at > start && bytes[at - 1] === cr ? at - 1 : at
    if (byte === quote) return -1
  }
  return -1
}
