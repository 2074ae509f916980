/** Decoders of numbers, straight from bytes. Strict: no white space, no digit groups, no NaN, nothing that would lose a digit. */
import type { Fault } from '../../core/fault.ts'
import type { RowWriter } from '../writer.ts'
import { exactDouble } from './double.ts'
import { found } from './found.ts'

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

export function decodeInteger(bytes: Buffer, start: number, end: number, writer: RowWriter): Fault | undefined {
  const value = smallInteger(bytes, start, end)
  if (Number.isNaN(value)) return { code: 'BAD_INTEGER', detail: `${found(bytes, start, end)} is not a whole number` }
  if (value > 2_147_483_647 || value < -2_147_483_648) return outOfRange(bytes, start, end, 'a 32-bit integer')
  writer.integer(value)
  return undefined
}

export function decodeBigint(bytes: Buffer, start: number, end: number, writer: RowWriter): Fault | undefined {
  const value = smallInteger(bytes, start, end)
  if (Number.isNaN(value)) return { code: 'BAD_INTEGER', detail: `${found(bytes, start, end)} is not a whole number` }
  if (Number.isSafeInteger(value)) {
    writer.bigint(value)
    return undefined
  }
  if (Math.abs(value) > 2 ** 64) return outOfRange(bytes, start, end, 'a 64-bit integer')
  const exact = BigInt(bytes.toString('latin1', bytes[start] === PLUS ? start + 1 : start, end))
  if (BigInt.asIntN(64, exact) !== exact) return outOfRange(bytes, start, end, 'a 64-bit integer')
  writer.bigint(exact)
  return undefined
}

/** The whole number, inexact beyond 2^53; NaN where it is none. */
function smallInteger(bytes: Buffer, start: number, end: number): number {
  const first = isSign(bytes[start] ?? 0) ? start + 1 : start
  if (first >= end || skipDigits(bytes, first, end) !== end) return Number.NaN
  let value = 0
  // The digit's value is taken first: on the way to a sum just below 2^53, a greater one would be rounded.
  for (let at = first; at < end; at++) value = value * 10 + ((bytes[at] as number) - ZERO)
  // The difference and not the negation: -0 is no integer that a database knows.
  return bytes[start] === MINUS ? 0 - value : value
}

/** Where the parts of a decimal number lie; undefined where it is none. */
interface Decimal {
  readonly integerStart: number
  readonly integerEnd: number
  readonly fractionStart: number
  readonly fractionEnd: number
  readonly exponent: number
}

function locateDecimal(bytes: Buffer, start: number, end: number): Decimal | undefined {
  const integerStart = isSign(bytes[start] ?? 0) ? start + 1 : start
  const integerEnd = skipDigits(bytes, integerStart, end)
  const fractionStart = bytes[integerEnd] === POINT && integerEnd < end ? integerEnd + 1 : integerEnd
  const fractionEnd = skipDigits(bytes, fractionStart, end)
  if (integerEnd - integerStart + fractionEnd - fractionStart === 0) return undefined
  if (fractionEnd === end) return { integerStart, integerEnd, fractionStart, fractionEnd, exponent: 0 }
  const mark = bytes[fractionEnd]
  if (mark !== LOWER_E && mark !== UPPER_E) return undefined
  const exponent = smallInteger(bytes, fractionEnd + 1, end)
  return Number.isNaN(exponent) ? undefined : { integerStart, integerEnd, fractionStart, fractionEnd, exponent }
}

export function decodeDouble(bytes: Buffer, start: number, end: number, writer: RowWriter): Fault | undefined {
  const exact = exactDouble(bytes, start, end)
  if (!Number.isNaN(exact)) {
    writer.double(exact)
    return undefined
  }
  const decimal = locateDecimal(bytes, start, end)
  if (decimal === undefined) return { code: 'BAD_NUMBER', detail: `${found(bytes, start, end)} is not a number` }
  const value = Number(bytes.toString('latin1', start, end))
  if (!Number.isFinite(value)) return outOfRange(bytes, start, end, 'a double')
  if (value === 0 && !allZero(bytes, decimal)) return outOfRange(bytes, start, end, 'a double (it would become zero)')
  writer.double(value)
  return undefined
}

function allZero(bytes: Buffer, { integerStart, integerEnd, fractionStart, fractionEnd }: Decimal): boolean {
  for (let at = integerStart; at < integerEnd; at++) if (bytes[at] !== ZERO) return false
  for (let at = fractionStart; at < fractionEnd; at++) if (bytes[at] !== ZERO) return false
  return true
}

/** PostgreSQL's limits for numeric: 131,072 digits before the point, 16,383 behind it. */
const mostIntegerDigits = 131_072
const mostFractionDigits = 16_383

export function numericDecoder(precision: number | undefined, scale = 0) {
  return (bytes: Buffer, start: number, end: number, writer: RowWriter): Fault | undefined => {
    const decimal = locateDecimal(bytes, start, end)
    if (decimal === undefined) return { code: 'BAD_NUMBER', detail: `${found(bytes, start, end)} is not a number` }
    if (Math.abs(decimal.exponent) > mostIntegerDigits) return outOfRange(bytes, start, end, 'a numeric')
    let { integer, fraction } = plainDigits(bytes, decimal)
    if (precision !== undefined) {
      if (/^0*$/.test(fraction.slice(scale))) fraction = fraction.slice(0, scale)
      if (fraction.length > scale) {
        return { code: 'PRECISION_LOST', detail: `${found(bytes, start, end)} has more than ${scale} digits behind the point` }
      }
      if (integer.length > precision - scale) return outOfRange(bytes, start, end, `numeric(${precision}, ${scale})`)
    }
    if (integer.length > mostIntegerDigits || fraction.length > mostFractionDigits) return outOfRange(bytes, start, end, 'a numeric')
    const sign = bytes[start] === MINUS ? '-' : ''
    writer.numeric(`${sign}${integer === '' ? '0' : integer}${fraction === '' ? '' : `.${fraction}`}`)
    return undefined
  }
}

/** Digits before and behind the point with the exponent worked in, without leading zeros. */
function plainDigits(bytes: Buffer, decimal: Decimal): { integer: string; fraction: string } {
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
  return { integer: integer.replace(/^0+/, ''), fraction }
}

const outOfRange = (bytes: Buffer, start: number, end: number, type: string): Fault => ({
  code: 'OUT_OF_RANGE',
  detail: `${found(bytes, start, end)} does not fit ${type}`,
})
