/** Times and dates of a column that are written like the one before, told by their bytes alone. */
import { isDigit } from '../../core/bytes.ts'
import { daysIn } from '../../core/calendar.ts'

const SPACE = 32
const POINT = 46
const COLON = 58
const ZERO = 48

/** Of `YYYY-MM-DD` and of `YYYY-MM-DD HH:MM:SS`. */
const dateBytes = 10
const secondsEnd = 19
/** A longer tail than `+00:00:00` is none. */
const mostTail = 9
const mostMicros = 6

export class LastClock {
  shapes = 0
  #length = 0
  #separator = SPACE
  /** Where the digits behind the point end, and what follows them. */
  #tailStart = 0
  readonly #tail = new Uint8Array(mostTail)
  /** The date, as three words of which the last two overlap. */
  #first = 0
  #second = 0
  #third = 0

  /** Keeps how `YYYY-MM-DD HH:MM:SS…` is written, of years in which no offset leads out of those that there are. */
  set(bytes: Buffer, start: number, end: number, shapes: number): void {
    this.#length = 0
    let at = start + secondsEnd
    if (end < at || bytes[start + 16] !== COLON || !isUsualYear(bytes, start)) return
    if (bytes[at] === POINT) {
      at++
      while (at < end && at < start + secondsEnd + 1 + mostMicros && isDigit(bytes[at] as number)) at++
    }
    if (end - at > mostTail || (at < end && isDigit(bytes[at] as number))) return
    for (let next = at; next < end; next++) this.#tail[next - at] = bytes[next] as number
    this.#tailStart = at - start
    this.#separator = bytes[start + dateBytes] as number
    // Of no date that there is.
    this.#first = 0
    this.#length = end - start
    this.shapes = shapes
  }

  /** Whether the value has another date and another time of day at most, ones that exist. */
  isLike(bytes: Buffer, view: DataView, start: number, end: number): boolean {
    if (end - start !== this.#length || bytes[start + dateBytes] !== this.#separator) return false
    // `HH:M`, and `M:SS`
    const hours = view.getInt32(start + 11, true)
    const seconds = view.getInt32(start + 15, true)
    if (!isPattern(hours, 0x06_00_06_06, 0x3a_00_00, 0xff_00_00)) return false
    if (!isPattern(seconds, 0x06_06_00_06, 0x3a_00, 0xff_00)) return false
    if (
      (hours & 15) * 10 + ((hours >>> 8) & 15) > 23 ||
      hours >>> 24 > 0x35 ||
      (seconds & 0x0f_00_00) > 0x05_00_00
    )
      return false
    const tailStart = start + this.#tailStart
    for (let at = start + secondsEnd + 1; at < tailStart; at++)
      if (!isDigit(bytes[at] as number)) return false
    if (tailStart > start + secondsEnd && bytes[start + secondsEnd] !== POINT) return false
    for (let at = tailStart; at < end; at++) if (bytes[at] !== this.#tail[at - tailStart]) return false
    return this.#hasDay(bytes, view, start)
  }

  /** Consecutive records mostly share their date. */
  #hasDay(bytes: Buffer, view: DataView, start: number): boolean {
    const first = view.getInt32(start, true)
    const second = view.getInt32(start + 4, true)
    const third = view.getInt32(start + 6, true)
    if (first === this.#first && second === this.#second && third === this.#third) return true
    if (!isDay(bytes, start)) return false
    this.#first = first
    this.#second = second
    this.#third = third
    return true
  }
}

/** Whether a word has digits where `sixes` has a six, and the byte `mark` where `mask` is. */
const isPattern = (word: number, sixes: number, mark: number, mask: number): boolean =>
  (word & (word + sixes) & 0xf0_f0_f0_f0) === 0x30_30_30_30 && (word & mask) === mark

/** Of the years 1000 to 2999. */
const isUsualYear = (bytes: Buffer, start: number): boolean => bytes[start] === 0x31 || bytes[start] === 0x32

/** Whether `YYYY-MM-DD` is a day of the years 1000 to 2999. */
export function isDay(bytes: Buffer, start: number): boolean {
  const year = pair(bytes, start) * 100 + pair(bytes, start + 2)
  const month = pair(bytes, start + 5)
  const day = pair(bytes, start + 8)
  if (bytes[start + 4] !== 45 || bytes[start + 7] !== 45 || !(year >= 1000 && year < 3000)) return false
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
}

/** The number of two digits; more than any year where they are none. */
function pair(bytes: Buffer, at: number): number {
  const tens = (bytes[at] as number) - ZERO
  const ones = (bytes[at + 1] as number) - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : 10_000
}
