/** How values of a column are written that were looked at with care. Another one of their kind adds nothing. */
import { unquoted } from '../../core/cells.ts'
import { isDay, LastClock } from './clock.ts'
import { Memo } from './memo.ts'
import { plainShape } from './number.ts'
import { uuidBytes, uuidShape } from './shape.ts'
import { bare, date, numeral, plainNumbers, text, timestamp, timestamptz, uuid, value } from './shapes.ts'

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

  /**
   * The shapes of a value, if its column has these shapes already and the value adds nothing else; 0 for
   * others. `numerals` are those that the column has left, `comesBack` is as in `numberShape`.
   */
  shapesOf(
    bytes: Buffer,
    view: DataView,
    start: number,
    end: number,
    quoting: number,
    numerals: number,
    comesBack: boolean,
  ): number {
    const first = bytes[start] as number
    const around = quoting === unquoted ? bare : 0
    if (first <= NINE && (first >= ZERO || first === MINUS)) {
      if (end - start >= 10 && bytes[start + 4] === MINUS) {
        if (this.#clock.isLike(bytes, view, start, end)) return this.#clock.shapes | around
        if (end - start === 10 && isDay(bytes, start)) return date | around
      } else {
        const shapes = plainShape(bytes, view, start, end, comesBack)
        if (shapes !== 0) {
          const { digits, scale } = value
          if (scale > 0 && (numerals & ~value.numerals) !== 0) return 0
          const isSeen = digits < mostSizes && ((this.#sizes[digits] as number) & (1 << scale)) !== 0
          return isSeen ? shapes | around : 0
        }
      }
    }
    if (end - start === uuidBytes && uuidShape(bytes, start, end) === uuid) return uuid | around
    return this.#memo === undefined ? 0 : this.#memo.find(bytes, view, start, end, quoting)
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
}
