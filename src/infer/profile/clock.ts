/** Times and dates of a column that are written like the one before, told by their bytes alone. */
import { isDigit } from '../../core/bytes.ts'
import { daysIn } from '../../core/calendar.ts'
import { pairAt } from '../../core/words.ts'
import { flawOf } from './digits.ts'

const SPACE = 32
const POINT = 46
const COLON = 58

/** Of `YYYY-MM-DD` and of `YYYY-MM-DD HH:MM:SS`. */
const dateBytes = 10
const secondsEnd = 19
/** A longer tail than `+00:00:00` is none. */
const mostTail = 9
const mostMicros = 6

/** Words behind the seconds. */
const mostWords = (1 + mostMicros + mostTail) / 4

export class LastClock {
  shapes = 0
  #length = 0
  #separator = SPACE
  /** What follows the seconds, in words: the bytes that have to be the same, and the bytes that are digits. */
  #words = 0
  readonly #tail = new Int32Array(mostWords)
  readonly #same = new Int32Array(mostWords)
  readonly #digits = new Int32Array(mostWords)
  /** The date, as three words of which the last two overlap, and `HH:M`: those that were found to exist last. */
  #first = 0
  #second = 0
  #third = 0
  #hours = 0

  /** Keeps how `YYYY-MM-DD HH:MM:SS…` is written, of years in which no offset leads out of those that there are. */
  set(bytes: Buffer, start: number, end: number, shapes: number): void {
    this.#length = 0
    const secondsAt = start + secondsEnd
    let at = secondsAt
    if (end < at || bytes[start + 16] !== COLON || !isUsualYear(bytes, start)) return
    if (bytes[at] === POINT) {
      at++
      while (at < end && at < secondsAt + 1 + mostMicros && isDigit(bytes[at] as number)) at++
    }
    if (end - at > mostTail || (at < end && isDigit(bytes[at] as number))) return
    for (const words of [this.#tail, this.#same, this.#digits]) words.fill(0)
    for (let next = secondsAt; next < end; next++) {
      const [word, shift] = [(next - secondsAt) >>> 2, ((next - secondsAt) & 3) * 8]
      const kind = next > secondsAt && next < at ? this.#digits : this.#same
      kind[word] = (kind[word] as number) | (0xff << shift)
      this.#tail[word] = (this.#tail[word] as number) | ((bytes[next] as number) << shift)
    }
    this.#words = (end - secondsAt + 3) >>> 2
    this.#separator = bytes[start + dateBytes] as number
    // Of no date that there is.
    this.#first = 0
    this.#hours = 0
    this.#length = end - start
    this.shapes = shapes
  }

  /** The end of a value that has another date and another time of day at most, ones that exist; -1 for others. */
  endOf(bytes: Buffer, view: DataView, start: number, limit: number): number {
    const end = start + this.#length
    const tailAt = start + secondsEnd
    if (end > limit || this.#length === 0 || bytes[start + dateBytes] !== this.#separator) return -1
    // The last word may reach beyond the value.
    if (tailAt + this.#words * 4 > bytes.length || !this.#isTime(view, start)) return -1
    for (let word = 0; word < this.#words; word++) {
      const found = view.getInt32(tailAt + word * 4, true)
      const other = (found ^ (this.#tail[word] as number)) & (this.#same[word] as number)
      if ((other | (flawOf(found) & (this.#digits[word] as number))) !== 0) return -1
    }
    return this.#isDay(view, start) ? end : -1
  }

  #isTime(view: DataView, start: number): boolean {
    const hours = view.getInt32(start + 11, true)
    // `M:SS`
    const seconds = view.getInt32(start + 15, true)
    if (!isPattern(seconds, 0x06_06_00_06, 0x3a_00, 0xff_00) || (seconds & 0x0f_00_00) > 0x05_00_00)
      return false
    if (hours === this.#hours) return true
    if (!isPattern(hours, 0x06_00_06_06, 0x3a_00_00, 0xff_00_00) || hours >>> 24 > 0x35) return false
    if ((hours & 15) * 10 + ((hours >>> 8) & 15) > 23) return false
    this.#hours = hours
    return true
  }

  /** Consecutive records mostly share their date. */
  #isDay(view: DataView, start: number): boolean {
    const first = view.getInt32(start, true)
    const second = view.getInt32(start + 4, true)
    const third = view.getInt32(start + 6, true)
    if (first === this.#first && second === this.#second && third === this.#third) return true
    if (!isDay(view, start)) return false
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
export function isDay(view: DataView, start: number): boolean {
  const century = pairAt(view, start)
  const years = pairAt(view, start + 2)
  const month = pairAt(view, start + 5)
  const day = pairAt(view, start + 8)
  if (view.getUint8(start + 4) !== 45 || view.getUint8(start + 7) !== 45) return false
  if (century < 10 || century > 29 || years < 0) return false
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(century * 100 + years, month)
}
