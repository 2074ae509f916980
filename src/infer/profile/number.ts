/** Shapes of numbers, and whether a double gives a number back. */
import { isDigit } from '../../core/bytes.ts'
import { digitsEnd, fourDigits, masked } from './digits.ts'
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
 * The end of a number that begins at `start`, and ends at `limit` at the latest: behind its last digit. Its shape is
 * `value.shapes`, as `numberShape` has it: 0 for a number that is not in its only form, and for one that is seldom.
 */
export function plainEnd(
  bytes: Buffer,
  view: DataView,
  start: number,
  limit: number,
  comesBack: boolean,
): number {
  value.shapes = 0
  const isNegative = bytes[start] === MINUS
  const first = isNegative ? start + 1 : start
  let whole = 0
  let at = first
  for (; at < limit; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit < 0 || digit > 9) break
    whole = (Math.imul(whole, 10) + digit) | 0
  }
  const digits = at - first
  // Zeros before other digits, and a negative zero.
  if (digits === 0 || (bytes[first] === ZERO && (digits > 1 || isNegative))) return at
  value.digits = digits
  value.scale = 0
  value.commaScale = 0
  if (at === limit || bytes[at] !== POINT) {
    value.shapes = digits < most32.length ? int32 : wholeShape(bytes, first, digits, isNegative)
    return at
  }
  const from = ++at
  at = digitsEnd(bytes, view, at, limit)
  const scale = at - from
  if (scale === 0 || digits >= most32.length || scale > mostPlainScale) return at
  value.scale = scale
  value.numerals = scale === 3 ? numeralsOfDecimal(bytes, first, digits, scale) : pointNumerals
  value.shapes = comesBack && digits + scale > safeDigits ? longShape(view, from, at, whole) : decimal
  return at
}

const mostPlainScale = 18

/** Of the bytes before the last eight of a number with a scale, in three words: those behind the point; the others count as zeros. */
const masks = [20, 16, 12].map((before) =>
  Int32Array.from({ length: mostPlainScale + 1 }, (_, scale) => {
    const kept = Math.max(0, Math.min(4, scale - before + 4))
    return kept === 0 ? 0 : -1 << (8 * (4 - kept))
  }),
)
const [firstMasks, secondMasks, thirdMasks] = masks as [Int32Array, Int32Array, Int32Array]
const tens = Float64Array.from({ length: mostPlainScale }, (_, power) => 10 ** power)

/** Of a decimal number of more than `safeDigits` digits, those behind the point from `from` to `end`. */
function longShape(view: DataView, from: number, end: number, whole: number): number {
  const at = end - 20
  const scale = end - from
  if (scale < 8 || at < 0) return 0
  const first = masked(view.getInt32(at, true), firstMasks[scale] as number)
  const second = masked(view.getInt32(at + 4, true), secondMasks[scale] as number)
  const third = masked(view.getInt32(at + 8, true), thirdMasks[scale] as number)
  const last = view.getInt32(at + 16, true)
  const low = fourDigits(view.getInt32(at + 12, true)) * 10_000 + fourDigits(last)
  const high =
    whole * (tens[scale - 8] as number) +
    fourDigits(first) * 100_000_000 +
    (fourDigits(second) * 10_000 + fourDigits(third))
  if (high < 10_000_000) return decimal
  const digit = (last >>> 24) & 15
  // Of more than 17 digits, or with a zero behind the last one.
  if (high >= 1_000_000_000 || digit === 0) return 0
  return isShortest(high * 100_000_000, low, scale, digit) ? decimal : 0
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
