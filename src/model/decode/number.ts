/** Decode numbers from bytes. Strict: no white space, no digit groups, no NaN, no lost digits. */
import type { Fault } from '../../core/fault.ts'
import type { RowWriter } from '../writer.ts'
import { exactDouble } from './double.ts'
import { found } from '../../core/found.ts'

const ZERO = 48
const NINE = 57
const PLUS = 43
const MINUS = 45
const POINT = 46
const LOWER_E = 101
const UPPER_E = 69

const isSign = (byte: number): boolean => byte === PLUS || byte === MINUS
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= NINE

/** Index just after the digits that begin at `at`. */
function skipDigits(bytes: Buffer, at: number, end: number): number {
  while (at < end && isDigit(bytes[at])) at++
  return at
}

export function decodeInteger(
  bytes: Buffer,
  start: number,
  end: number,
  writer: RowWriter,
): Fault | undefined {
  const value = smallInteger(bytes, start, end)
  if (Number.isNaN(value)) return badInteger(bytes, start, end)
  if (value > 2_147_483_647 || value < -2_147_483_648)
    return outOfRange(bytes, start, end, 'a 32-bit integer')
  writer.integer(value)
  return undefined
}

const twoTo16 = 65_536
const twoTo31 = 2_147_483_648
const twoTo32 = 4_294_967_296

export function decodeBigint(
  bytes: Buffer,
  start: number,
  end: number,
  writer: RowWriter,
): Fault | undefined {
  const value = smallInteger(bytes, start, end)
  if (Number.isNaN(value)) return badInteger(bytes, start, end)
  if (!Number.isSafeInteger(value)) return decodeLarge(bytes, start, end, writer)
  const high = Math.floor(value / twoTo32)
  writer.bigint(high, value - high * twoTo32)
  return undefined
}

/**
 * A whole number beyond 2^53: its last nine digits are read apart from the others, so that each step is
 * exact.
 */
function decodeLarge(bytes: Buffer, start: number, end: number, writer: RowWriter): Fault | undefined {
  const negative = bytes[start] === MINUS
  const head = wholeNumber(bytes, isSign(bytes[start] as number) ? start + 1 : start, end - 9)
  const tail = wholeNumber(bytes, end - 9, end)
  if (head > 2 ** 34) return outOfRange(bytes, start, end, 'a 64-bit integer')
  // `head * 10^9 + tail` in base 2^16, the upper part of `head` first.
  const headHigh = Math.floor(head / twoTo16)
  const middle = (head - headHigh * twoTo16) * 1_000_000_000 + tail
  const middleHigh = Math.floor(middle / twoTo16)
  const upper = headHigh * 1_000_000_000 + middleHigh
  const high = Math.floor(upper / twoTo16)
  const low = (upper - high * twoTo16) * twoTo16 + (middle - middleHigh * twoTo16)
  const fits = high < twoTo31 || (negative && high === twoTo31 && low === 0)
  if (!fits) return outOfRange(bytes, start, end, 'a 64-bit integer')
  if (!negative) writer.bigint(high, low)
  else if (low === 0) writer.bigint(-high, 0)
  else writer.bigint(-high - 1, twoTo32 - low)
  return undefined
}

/** The whole number, inexact beyond 2^53; NaN if it is not one. */
function smallInteger(bytes: Buffer, start: number, end: number): number {
  const first = isSign(bytes[start] ?? 0) ? start + 1 : start
  if (first >= end || skipDigits(bytes, first, end) !== end) return Number.NaN
  const value = wholeNumber(bytes, first, end)
  // A difference, not a negation: databases have no integer -0.
  return bytes[start] === MINUS ? 0 - value : value
}

/** The value of the digits from `first` to before `end`, inexact beyond 2^53. */
function wholeNumber(bytes: Buffer, first: number, end: number): number {
  let value = 0
  // Subtract first: an intermediate sum above 2^53 would be rounded.
  for (let at = first; at < end; at++) value = value * 10 + ((bytes[at] as number) - ZERO)
  return value
}

/** Positions of the decimal number located last. Reused, so that decoding allocates nothing. */
const decimal = { integerStart: 0, integerEnd: 0, fractionStart: 0, fractionEnd: 0, exponent: 0 }

/** Whether a decimal number fills the bytes. */
function locateDecimal(bytes: Buffer, start: number, end: number): boolean {
  const integerStart = isSign(bytes[start] ?? 0) ? start + 1 : start
  const integerEnd = skipDigits(bytes, integerStart, end)
  const fractionStart = bytes[integerEnd] === POINT && integerEnd < end ? integerEnd + 1 : integerEnd
  const fractionEnd = skipDigits(bytes, fractionStart, end)
  if (integerEnd - integerStart + fractionEnd - fractionStart === 0) return false
  decimal.integerStart = integerStart
  decimal.integerEnd = integerEnd
  decimal.fractionStart = fractionStart
  decimal.fractionEnd = fractionEnd
  decimal.exponent = 0
  if (fractionEnd === end) return true
  const mark = bytes[fractionEnd]
  if (mark !== LOWER_E && mark !== UPPER_E) return false
  decimal.exponent = smallInteger(bytes, fractionEnd + 1, end)
  return !Number.isNaN(decimal.exponent)
}

export function decodeDouble(
  bytes: Buffer,
  start: number,
  end: number,
  writer: RowWriter,
): Fault | undefined {
  const exact = exactDouble(bytes, start, end)
  if (!Number.isNaN(exact)) {
    writer.double(exact)
    return undefined
  }
  if (!locateDecimal(bytes, start, end))
    return { code: 'BAD_NUMBER', detail: `${found(bytes, start, end)} is not a number` }
  const value = Number(bytes.toString('latin1', start, end))
  if (!Number.isFinite(value)) return outOfRange(bytes, start, end, 'a double')
  if (value === 0 && !allZero(bytes)) return outOfRange(bytes, start, end, 'a double (it would become zero)')
  writer.double(value)
  return undefined
}

function allZero(bytes: Buffer): boolean {
  const { integerStart, integerEnd, fractionStart, fractionEnd } = decimal
  for (let at = integerStart; at < integerEnd; at++) if (bytes[at] !== ZERO) return false
  for (let at = fractionStart; at < fractionEnd; at++) if (bytes[at] !== ZERO) return false
  return true
}

/** PostgreSQL's limits for numeric: 131,072 digits before the point, 16,383 after it. */
const mostIntegerDigits = 131_072
const mostFractionDigits = 16_383

export function numericDecoder(precision: number | undefined, scale = 0) {
  const most = precision === undefined ? mostIntegerDigits : precision - scale
  const type = precision === undefined ? 'a numeric' : `numeric(${precision}, ${scale})`
  return (bytes: Buffer, start: number, end: number, writer: RowWriter): Fault | undefined => {
    if (!locateDecimal(bytes, start, end))
      return { code: 'BAD_NUMBER', detail: `${found(bytes, start, end)} is not a number` }
    if (Math.abs(decimal.exponent) > mostIntegerDigits) return outOfRange(bytes, start, end, 'a numeric')
    const negative = bytes[start] === MINUS
    let digits = bytes
    if (!isPlain(bytes)) {
      digits = plainForm(bytes, negative)
      locateDecimal(digits, 0, digits.length)
    }
    const { integerStart, integerEnd, fractionStart, fractionEnd } = decimal
    const last =
      precision === undefined ? fractionEnd : withoutZeros(digits, fractionStart + scale, fractionEnd)
    if (precision !== undefined && last - fractionStart > scale) {
      return {
        code: 'PRECISION_LOST',
        detail: `${found(bytes, start, end)} has more than ${scale} digits behind the point`,
      }
    }
    const integerDigits = digits[integerStart] === ZERO ? 0 : integerEnd - integerStart
    if (integerDigits > most || last - fractionStart > mostFractionDigits)
      return outOfRange(bytes, start, end, type)
    writer.numeric(
      digits,
      negative ? integerStart - 1 : integerStart,
      last > fractionStart ? last : integerEnd,
    )
    return undefined
  }
}

/**
 * Whether the number located last has the writer's form already, from its first digit, except for a final
 * point.
 */
function isPlain(bytes: Buffer): boolean {
  const { integerStart, integerEnd, exponent } = decimal
  const digits = integerEnd - integerStart
  return exponent === 0 && (digits === 1 || (digits > 1 && bytes[integerStart] !== ZERO))
}

/** The number located last in the writer's form: exponent applied, no leading zeros. */
function plainForm(bytes: Buffer, negative: boolean): Buffer {
  const { exponent } = decimal
  let integer = bytes.toString('latin1', decimal.integerStart, decimal.integerEnd)
  let fraction = bytes.toString('latin1', decimal.fractionStart, decimal.fractionEnd)
  if (exponent > 0) {
    integer += fraction.slice(0, exponent).padEnd(exponent, '0')
    fraction = fraction.slice(exponent)
  } else if (exponent < 0) {
    const padded = integer.padStart(-exponent, '0')
    fraction = padded.slice(padded.length + exponent) + fraction
    integer = padded.slice(0, padded.length + exponent)
  }
  const whole = integer.replace(/^0+/, '')
  return Buffer.from(`${negative ? '-' : ''}${whole === '' ? '0' : whole}.${fraction}`, 'latin1')
}

/** The end of the digits from `start` to before `end` without trailing zeros. */
function withoutZeros(bytes: Buffer, start: number, end: number): number {
  let last = end
  while (last > start && bytes[last - 1] === ZERO) last--
  return last
}

function badInteger(bytes: Buffer, start: number, end: number): Fault {
  // A spreadsheet has shortened it: what it was cannot be told.
  const isShortened = locateDecimal(bytes, start, end) && decimal.exponent > 0
  const reason = isShortened ? 'a number in scientific notation, which may lack digits' : 'not a whole number'
  return { code: 'BAD_INTEGER', detail: `${found(bytes, start, end)} is ${reason}` }
}

const outOfRange = (bytes: Buffer, start: number, end: number, type: string): Fault => ({
  code: 'OUT_OF_RANGE',
  detail: `${found(bytes, start, end)} does not fit ${type}`,
})
