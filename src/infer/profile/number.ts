/** Shapes of numbers, and whether a double gives a number back. */
import { isDigit } from '../../core/bytes.ts'
import { comesFromDouble, isShortest, scientific } from './doubles.ts'
import { numeralsOfDecimal, pointNumerals } from './numerals.ts'
import {
  beyondDouble,
  decimal,
  exponent,
  int32,
  int53,
  int64,
  intLarge,
  oddNumber,
  plainExponent,
  value,
} from './shapes.ts'

const ZERO = 48
const PLUS = 43
const MINUS = 45
const POINT = 46
const LOWER_E = 101

/** A longer number is text: no table needs it, and every database has its own limit. */
const mostDigits = 1000

/** Decimal numbers of so many digits always come back from a double (DBL_DIG of C). */
const safeDigits = 15

/**
 * The shape of a number, or 0 where the bytes are none. Without `comesBack`, no double is looked at, and a
 * decimal number is not said to be beyond it.
 */
export function numberShape(bytes: Buffer, start: number, end: number, comesBack: boolean): number {
  const sign = bytes[start] as number
  const first = sign === MINUS || sign === PLUS ? start + 1 : start
  // The significant digits are `high * 10^n + low`, nine of them in `high`; more than 18 are counted alone.
  let high = 0
  let low = 0
  let significant = 0
  let point = -1
  let at = first
  for (; at < end; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit >= 0 && digit <= 9) {
      if (significant < 9) {
        high = (Math.imul(high, 10) + digit) | 0
        if (high !== 0) significant++
      } else {
        low = (Math.imul(low, 10) + digit) | 0
        significant++
      }
    } else if (digit === POINT - ZERO && point < 0) point = at
    else break
  }
  const digits = (point < 0 ? at : point) - first
  const scale = point < 0 ? 0 : at - point - 1
  if (digits + scale === 0 || digits > mostDigits || scale > mostDigits) return 0
  if (at < end) return ((bytes[at] as number) | 0x20) === LOWER_E ? exponentShape(bytes, start, end) : 0
  const isOdd = digits === 0 || (bytes[first] === ZERO && digits > 1) || sign === PLUS
  if (isOdd || (point >= 0 && scale === 0) || (significant === 0 && sign === MINUS)) return oddNumber
  value.digits = digits
  value.scale = scale
  value.commaScale = 0
  if (scale === 0) return wholeShape(bytes, first, digits, sign === MINUS)
  value.numerals = numeralsOfDecimal(bytes, first, digits, scale)
  if (!comesBack || significant <= safeDigits) return decimal
  return comesFromDouble(bytes, first, end, scale, high, low, significant) ? decimal : decimal | beyondDouble
}

/**
 * The shape of a number in its only form, as `numberShape` has it; 0 for other values, and for numbers that
 * are seldom.
 */
export function plainShape(
  bytes: Buffer,
  view: DataView,
  start: number,
  end: number,
  comesBack: boolean,
): number {
  const isNegative = bytes[start] === MINUS
  const first = isNegative ? start + 1 : start
  let whole = 0
  let at = first
  for (; at < end; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit < 0 || digit > 9) break
    whole = (Math.imul(whole, 10) + digit) | 0
  }
  const digits = at - first
  // Zeros before other digits, and a negative zero.
  if (digits === 0 || (bytes[first] === ZERO && (digits > 1 || isNegative))) return 0
  value.digits = digits
  value.scale = 0
  value.commaScale = 0
  if (at === end) return digits < most32.length ? int32 : wholeShape(bytes, first, digits, isNegative)
  const scale = end - at - 1
  if (bytes[at] !== POINT || scale === 0 || digits >= most32.length || scale > mostPlainScale) return 0
  value.scale = scale
  value.numerals = scale === 3 ? numeralsOfDecimal(bytes, first, digits, scale) : pointNumerals
  if (comesBack && digits + scale > safeDigits) return longShape(bytes, view, at + 1, end, whole)
  for (at++; at + 4 <= end; at += 4) if (flawOf(view.getInt32(at, true)) !== 0) return 0
  for (; at < end; at++) if ((bytes[at] as number) < ZERO || (bytes[at] as number) > ZERO + 9) return 0
  return decimal
}

const mostPlainScale = 18

/** Bits of the last bytes of two words; the others are those of zeros. */
const lastBytes = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((count) => ({
  first: count <= 4 ? 0 : -1 << (8 * (8 - count)),
  second: count >= 4 ? -1 : count === 0 ? 0 : -1 << (8 * (4 - count)),
}))
const firstMasks = Int32Array.from(lastBytes, ({ first }) => first)
const secondMasks = Int32Array.from(lastBytes, ({ second }) => second)
const zeros = 0x30_30_30_30
const tens = Float64Array.from({ length: 9 }, (_, power) => 10 ** power)

/** Of a decimal number of more than `safeDigits` digits, those behind the point from `from` on. */
function longShape(bytes: Buffer, view: DataView, from: number, end: number, whole: number): number {
  let at = end - 16
  if (end - from < 8 || at < 0) return 0
  let before = whole
  for (let next = from; next < at; next++) {
    const digit = (bytes[next] as number) - ZERO
    if (digit < 0 || digit > 9) return 0
    before = before * 10 + digit
  }
  // Of the last sixteen bytes, those before the point count as zeros.
  const count = at > from ? 8 : end - from - 8
  const firstMask = firstMasks[count] as number
  const secondMask = secondMasks[count] as number
  const first = (view.getInt32(at, true) & firstMask) | (zeros & ~firstMask)
  const second = (view.getInt32((at += 4), true) & secondMask) | (zeros & ~secondMask)
  const third = view.getInt32((at += 4), true)
  const fourth = view.getInt32(at + 4, true)
  if ((flawOf(first) | flawOf(second) | flawOf(third) | flawOf(fourth)) !== 0) return 0
  const low = fourDigits(third) * 10_000 + fourDigits(fourth)
  const high = before * (tens[count] as number) + (fourDigits(first) * 10_000 + fourDigits(second))
  if (high < 10_000_000) return decimal
  const last = (fourth >>> 24) & 15
  // Of more than 17 digits, or with a zero behind the last one.
  if (high >= 1_000_000_000 || last === 0) return 0
  const isShort = isShortest(high * 100_000_000, low, end - from, last)
  return isShort === undefined ? 0 : isShort ? decimal : decimal | beyondDouble
}

/** 0 for a word of four digits: a digit plus six has the same high half, and no other byte has that of a digit both times. */
const flawOf = (word: number): number => ((word & (word + 0x06_06_06_06)) ^ zeros) & 0xf0_f0_f0_f0

function fourDigits(word: number): number {
  const digits = word & 0x0f_0f_0f_0f
  const pairs = Math.imul(digits, 10) + (digits >>> 8)
  return (pairs & 0xff) * 100 + ((pairs >>> 16) & 0xff)
}

const most32 = Buffer.from('2147483647')
const most64 = Buffer.from('9223372036854775807')

function wholeShape(bytes: Buffer, first: number, digits: number, isNegative: boolean): number {
  if (digits < most32.length) return int32
  if (digits === most32.length && isAtMost(bytes, first, most32, isNegative)) return int32
  if (digits <= safeDigits) return int53
  if (digits < most64.length) return int64
  return digits === most64.length && isAtMost(bytes, first, most64, isNegative) ? int64 : intLarge
}

/** Whether as many digits are at most `most`, or one more if they are negative. */
function isAtMost(bytes: Buffer, first: number, most: Buffer, isNegative: boolean): boolean {
  const last = most.length - 1
  for (let i = 0; i <= last; i++) {
    const difference = (bytes[first + i] as number) - (most[i] as number)
    if (difference !== 0) return difference < 0 || (isNegative && i === last && difference === 1)
  }
  return true
}

/** A value with an exponent; 0 where a double does not give the same number back. */
function exponentShape(bytes: Buffer, start: number, end: number): number {
  const short = shortExponent(bytes, start, end)
  if (short !== 0) return short
  const source = bytes.toString('latin1', start, end)
  if (!/^-?\d+(\.\d+)?e[+-]?\d{1,4}$/i.test(source)) return 0
  const double = Number(source)
  const given = scientific(source)
  if (!Number.isFinite(double) || scientific(String(double)).key !== given.key) return 0
  return shapeOfPower(given.power)
}

/** The bounds of float8out. */
const shapeOfPower = (power: number): number => (power < -4 || power >= safeDigits ? exponent : plainExponent)

/** Of `1.25e-7`, with one digit before the point and so few that a double gives them back; 0 for others. */
function shortExponent(bytes: Buffer, start: number, end: number): number {
  let at = bytes[start] === MINUS ? start + 1 : start
  const first = (bytes[at] as number) - ZERO
  if (first < 1 || first > 9) return 0
  at++
  if (bytes[at] === POINT) {
    const from = ++at
    while (at < end && isDigit(bytes[at] as number)) at++
    if (at === from || at - from >= safeDigits) return 0
  }
  if (((bytes[at] as number) | 0x20) !== LOWER_E) return 0
  at++
  const sign = bytes[at] as number
  if (sign === MINUS || sign === PLUS) at++
  const from = at
  let power = 0
  for (; at < end && isDigit(bytes[at] as number); at++) power = power * 10 + (bytes[at] as number) - ZERO
  if (at < end || at === from || at - from > 3 || power > mostSafePower) return 0
  return shapeOfPower(sign === MINUS ? -power : power)
}

/** Doubles of this size have all their digits. */
const mostSafePower = 300
