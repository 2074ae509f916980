/** Shapes of numbers, and whether a double gives a number back. */
import { comesFromDouble, scientific } from './doubles.ts'
import { numeralsOfDecimal } from './numerals.ts'
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
  const source = bytes.toString('latin1', start, end)
  if (!/^-?\d+(\.\d+)?e[+-]?\d{1,4}$/i.test(source)) return 0
  const double = Number(source)
  const given = scientific(source)
  if (!Number.isFinite(double) || scientific(String(double)).key !== given.key) return 0
  // The bounds of float8out.
  return given.power < -4 || given.power >= safeDigits ? exponent : plainExponent
}
