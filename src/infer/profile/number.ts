/** Shapes of numbers, and whether a double gives a number back. */
import { exactDouble } from '../../model/decode/double.ts'
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
const NINE = 57
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
  let at = first
  while (at < end && isDigit(bytes[at] as number)) at++
  const digits = at - first
  let scale = 0
  if (at < end && bytes[at] === POINT) {
    const fraction = ++at
    while (at < end && isDigit(bytes[at] as number)) at++
    scale = at - fraction
    if (digits + scale === 0) return 0
    if (at === end && scale === 0) return oddNumber
  } else if (digits === 0) return 0
  if (digits > mostDigits || scale > mostDigits) return 0
  if (at < end) return ((bytes[at] as number) | 0x20) === LOWER_E ? exponentShape(bytes, start, end) : 0
  const isOdd = digits === 0 || (bytes[first] === ZERO && digits > 1) || sign === PLUS
  if (isOdd || (sign === MINUS && bytes[first] === ZERO && isZero(bytes, first, end))) return oddNumber
  value.digits = digits
  value.scale = scale
  if (scale === 0) return wholeShape(bytes, first, digits, sign === MINUS)
  value.numerals = numeralsOfDecimal(bytes, first, digits, scale)
  if (!comesBack || digits + scale <= safeDigits || isFromDouble(bytes, start, end, first, digits, scale))
    return decimal
  return decimal | beyondDouble
}

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE

function isZero(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== ZERO && bytes[at] !== POINT) return false
  return true
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

/** The digits of a number without the zeros around them, and the power of ten of the first one. */
function scientific(source: string): { readonly key: string; readonly power: number } {
  const [, sign, whole = '', fraction = '', shift = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(source) ?? []
  const all = whole + fraction
  const digits = all.replace(/^0+/, '')
  if (digits === '') return { key: '0', power: 0 }
  const power = whole.length - 1 - (all.length - digits.length) + Number(shift)
  return { key: `${sign}${digits.replace(/0+$/, '')}e${power}`, power }
}

const powers = Array.from({ length: 23 }, (_, power) => 10 ** power)
const splitter = 2 ** 27 + 1
const words = new Float64Array(1)
const wordBits = new Int32Array(words.buffer)

/**
 * Whether the shortest text of the nearest double has the value of this decimal number of more than 15
 * digits. Decided by arithmetic where that can tell, because the text itself takes five times as long.
 */
function isFromDouble(
  bytes: Buffer,
  start: number,
  end: number,
  first: number,
  digits: number,
  scale: number,
): boolean {
  let significant = digits + scale
  for (let at = first; bytes[at] === ZERO || bytes[at] === POINT; at++)
    if (bytes[at] === ZERO) significant--
  if (significant <= safeDigits) return true
  const double = Math.abs(exactDouble(bytes, start, end))
  // Its last digit, so that a zero there is left to the text.
  const last = (bytes[end - 1] as number) - ZERO
  words[0] = double
  // Below a power of two the doubles lie closer than above it.
  const isPowerOfTwo = wordBits[0] === 0 && ((wordBits[1] as number) & 0xfffff) === 0
  if (scale <= 22 && significant <= 17 && last !== 0 && double > 0 && !isPowerOfTwo) {
    const away = distance(bytes, first, end, double, powers[scale] as number)
    const half = 2 ** ((((wordBits[1] as number) >>> 20) & 0x7ff) - 1076) * (powers[scale] as number)
    const margin = Math.min(last - away, 10 - last + away) - half
    const nearest = 0.5 - Math.abs(away)
    // Nothing shorter lies so near that it would be read as the same double, and nothing as long is nearer.
    if (margin > 1e-6 && nearest > 1e-6) return true
    if (margin < -1e-6 || nearest < -1e-6) return false
  }
  const source = bytes.toString('latin1', start, end)
  return scientific(String(Number(source))).key === scientific(source).key
}

/**
 * How many units of its last digit a decimal number of at most 17 significant digits is greater than a double
 * near it. The product of double and power is exact as the sum of two doubles (Dekker 1971).
 */
function distance(bytes: Buffer, first: number, end: number, double: number, power: number): number {
  const middle = Math.max(first, end - 9)
  const high = whole(bytes, first, middle)
  const low = whole(bytes, middle, end)
  // A point among the last nine characters leaves eight digits there.
  const unit = holdsPoint(bytes, middle, end) ? 100_000_000 : 1_000_000_000
  const product = double * power
  const a = double * splitter - (double * splitter - double)
  const b = power * splitter - (power * splitter - power)
  const lost = a * b - product + a * (power - b) + (double - a) * b + (double - a) * (power - b)
  // The first difference is exact, because the two are near to each other (Sterbenz 1974).
  return high * unit - product + low - lost
}

function whole(bytes: Buffer, start: number, end: number): number {
  let sum = 0
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit >= 0) sum = sum * 10 + digit
  }
  return sum
}

function holdsPoint(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === POINT) return true
  return false
}
