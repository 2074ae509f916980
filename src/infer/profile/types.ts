/**
 * The type of a column: the narrowest one that every value has and that gives every value back. A function of
 * the set of shapes, so the order of the rows does not matter.
 */
import type { Notation } from '../../core/notation.ts'
import type { ColumnProfile } from './column.ts'
import type { Sizes } from './facts.ts'
import type { FoundType, TypeName } from './found-type.ts'
import { hasDate, hasTime, isShort, meantOrders, patternOf } from './dates.ts'
import { notationOf, rivalsOf } from './numerals.ts'
import {
  bare,
  beyondDouble,
  booleans,
  date,
  dated,
  emptyText,
  exponents,
  int32,
  int53,
  int64,
  intLarge,
  json,
  none,
  numeral,
  plainExponent,
  plainNumbers,
  time,
  timestamp,
  timestamptz,
  uuid,
} from './shapes.ts'

/** Types of one shape each. */
const plainTypes: readonly (readonly [shapes: number, name: TypeName])[] = [
  [int32, 'integer'],
  [int32 | int53 | int64, 'bigint'],
  [date, 'date'],
  [timestamp, 'timestamp'],
  [timestamptz, 'timestamptz'],
  [time, 'time'],
  [uuid, 'uuid'],
  [json, 'json'],
]

const asText: FoundType = { name: 'text' }

/** Of the column, or of a part of its shapes. */
export function typeOf(column: ColumnProfile, shapes = column.shapes): FoundType {
  // Where every cell is quoted, the quotes of an empty one mean nothing.
  const isQuoted = (shapes & bare) === 0
  const given = shapes & ~(none | bare) & (isQuoted ? ~emptyText : -1)
  if (given === 0) return asText
  const found = asStated(column, typeOfShapes(column, given))
  const nulls = isQuoted && (shapes & emptyText) !== 0
  return nulls && found.name !== 'text' ? { ...found, notation: { ...found.notation, nulls: [''] } } : found
}

const numberTypes: readonly TypeName[] = ['integer', 'bigint', 'numeric', 'doublePrecision']
const timeTypes: readonly TypeName[] = ['date', 'timestamp', 'timestamptz', 'time']

/** With the stated notation that its values are written in; text where some are not, or are in other currencies. */
function asStated({ stated, statedUses, currencies }: ColumnProfile, found: FoundType): FoundType {
  const { numbers, times, plainNumbers: hasPlainNumbers, plainTimes } = statedUses
  if (numbers && stated?.numbers !== undefined && numberTypes.includes(found.name))
    return hasPlainNumbers || currencies.size > 1 ? asText : { ...found, notation: stated.numbers }
  if (times && stated?.times !== undefined && timeTypes.includes(found.name))
    return plainTimes ? asText : { ...found, notation: stated.times }
  return contradicts(stated?.numbers, found.notation) ? asText : found
}

/** Whether a sign of numbers means something else than is stated. */
const contradicts = (stated: Notation = {}, found: Notation = {}): boolean =>
  (stated.decimal === '.' && found.decimal === ',') ||
  (stated.decimal !== undefined && stated.decimal === found.thousands) ||
  (stated.thousands !== undefined && stated.thousands === found.decimal)

function typeOfShapes(column: ColumnProfile, shapes: number): FoundType {
  const isOnly = (allowed: number): boolean => (shapes & ~allowed) === 0
  const plain = plainTypes.find(([allowed]) => isOnly(allowed))
  if (plain !== undefined) return { name: plain[1] }
  if (isOnly(plainNumbers)) return numericOf(column.point)
  if (isOnly(plainNumbers | exponents)) return doubleOf(shapes)
  if (isOnly(plainNumbers | numeral)) return localNumberOf(column)
  // One spelling, so that its text can be told from the value.
  if (isOnly(booleans) && (shapes & (shapes - 1)) === 0) return { name: 'boolean' }
  if (isOnly(dated)) return datedOf(column)
  return asText
}

/** A larger scale is that of a measurement, which the next file may exceed. */
const mostFixedScale = 4
const precisions = [12, 18, 38]
/** Digits before the point that a precision leaves for larger numbers. */
const spareDigits = 2

/** With one scale in all values, as prices have it; else without, so that each value keeps its own. */
function numericOf({ leastScale, mostScale, digits }: Sizes): FoundType {
  const precision = precisions.find((each) => each - mostScale >= digits + spareDigits)
  if (leastScale !== mostScale || mostScale === 0 || mostScale > mostFixedScale || precision === undefined)
    return { name: 'numeric' }
  return { name: 'numeric', precision, scale: mostScale }
}

/**
 * A number with an exponent that needs none is a spreadsheet's short form of a longer one, unless the whole
 * column has exponents.
 */
function doubleOf(shapes: number): FoundType {
  const isMixed = (shapes & plainExponent) !== 0 && (shapes & ~exponents) !== 0
  const isLost = (shapes & (beyondDouble | int64 | intLarge)) !== 0
  return isMixed || isLost ? asText : { name: 'doublePrecision' }
}

/**
 * Whether all numbers have at least three groups and no decimals, as `552 100 554` has them: that is how companies and
 * accounts are numbered, too.
 */
const mayIdentify = (thousands: string, { mostScale, leastDigits }: Sizes): boolean =>
  (thousands === ' ' || thousands === '.') && mostScale === 0 && leastDigits > 6

const most32Digits = 9
const most64Digits = 18

function localNumberOf(column: ColumnProfile): FoundType {
  const { numerals } = column
  if (numerals === 0 || rivalsOf(numerals) !== undefined) return asText
  const { decimal, thousands } = notationOf(numerals)
  const notation: Notation = {
    ...(decimal === ',' && { decimal }),
    ...(thousands !== '' && { thousands }),
  }
  const sizes = decimal === ',' ? column.comma : column.point
  if (mayIdentify(thousands, sizes)) return asText
  if (sizes.mostScale > 0) return { ...numericOf(sizes), notation }
  const name = sizes.digits <= most32Digits ? 'integer' : sizes.digits <= most64Digits ? 'bigint' : 'numeric'
  return { name, notation }
}

function datedOf({ dated: found }: ColumnProfile): FoundType {
  if (found === undefined || isShort(found.form)) return asText
  const orders = meantOrders(found.form, found.orders)
  if (orders === 0 || (orders & (orders - 1)) !== 0) return asText
  const pattern = patternOf(found.form, orders, found.isPadded)
  const name = !hasDate(found.form) ? 'time' : hasTime(found.form) ? 'timestamp' : 'date'
  return { name, notation: { pattern } }
}
