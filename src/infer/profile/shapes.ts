/**
 * The shapes of values. The shapes that a column has seen are a set of bits, and its type is a function of
 * that set: a union does not depend on the order of the rows.
 */
import type { Dated } from './dates.ts'
import { anyNumeral } from './numerals.ts'

/** No value: an unquoted empty cell. */
export const none = 1 << 0
/** A quoted empty text. */
export const emptyText = 1 << 1
/** A cell without quotes. Stands beside the value's shape. */
export const bare = 1 << 2
/** Whole numbers in their only form, of 32 bits; of at most 15 digits; of 64 bits; and larger ones. */
export const int32 = 1 << 3
export const int53 = 1 << 4
export const int64 = 1 << 5
export const intLarge = 1 << 6
/** A decimal number in its only form: digits on both sides of the point, no needless zero in front. */
export const decimal = 1 << 7
/** Stands beside `decimal`: a double does not give this number back. */
export const beyondDouble = 1 << 8
/**
 * A number with an exponent that a double gives back; `plainExponent` if PostgreSQL would write it without
 * one.
 */
export const exponent = 1 << 9
export const plainExponent = 1 << 10
/** A number that no type gives back as it is written: `007`, `+5`, `.5`, `-0`. */
export const oddNumber = 1 << 11
/** A number in the notation of a locale; which ones is kept apart (see `numerals.ts`). */
export const numeral = 1 << 12
/** A number with a currency sign, a percent sign or the parentheses of accounting. */
export const amount = 1 << 13
/** `true` and `false` in one spelling each. */
export const lowerBoolean = 1 << 14
export const upperBoolean = 1 << 15
export const titleBoolean = 1 << 16
/** `T`, `N`, `yes`: a boolean or a code. */
export const code = 1 << 17
export const date = 1 << 18
export const timestamp = 1 << 19
export const timestamptz = 1 << 20
/** Stands beside `timestamptz`: another offset than the first one. */
export const otherOffset = 1 << 21
export const time = 1 << 22
/** A date or time in another form than ISO 8601; which one is kept apart (see `dates.ts`). */
export const dated = 1 << 23
export const uuid = 1 << 24
export const json = 1 << 25
/** A text that often means that there is no value: `NULL`, `NA`, `-`. */
export const marker = 1 << 26
/** Stands beside the shape of the text between the spaces. */
export const padded = 1 << 27
/** `="007"`. */
export const excelText = 1 << 28
/** A UUID that no type gives back as it is written, because of its upper case. */
export const oddUuid = 1 << 29
/** Any other text: whatever else is in the column, it is text. */
export const text = 1 << 30
/** Of a witness alone: the first amount in its currency. */
export const inCurrency = 1 << 31

export const wholes = int32 | int53 | int64 | intLarge
export const exponents = exponent | plainExponent
/** Numbers in the only form that PostgreSQL writes. */
export const plainNumbers = wholes | decimal | beyondDouble
export const booleans = lowerBoolean | upperBoolean | titleBoolean

/** Quantities of the value whose shape was found last. Reused, so that profiling allocates nothing. */
export const value = {
  /** Of a number in its only form, see `plainEnd`; 0 for others. */
  shapes: 0,
  /** Digits before the point and behind it. */
  digits: 0,
  scale: 0,
  /** Digits behind the comma, if that is the decimal sign. */
  commaScale: 0,
  /** The notations in which it is a number, see `numerals.ts`. */
  numerals: anyNumeral,
  /** Of an amount; undefined where it has none. */
  currency: undefined as string | undefined,
  /** How a date is written, see `dates.ts`. */
  dated: undefined as Dated | undefined,
  /** Of a timestamptz: equal for equal offsets. */
  offset: 0,
  /** The index of a text that often means no value, and of one that is a boolean or a code. */
  marker: 0,
  code: 0,
}
