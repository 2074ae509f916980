/** The shape of one value: the checks of the fast path, and those of everything else. */
import type { RowWriter } from '../../model/writer.ts'
import { decodeDate, decodeTimestamp, timestamptzDecoder } from '../../model/decode/time.ts'
import { decodeJson } from '../../model/decode/text.ts'
import { currencyIn } from '../../model/notation/number.ts'
import { datedOf } from './dates.ts'
import { digitsBehind, numeralsOf } from './numerals.ts'
import { numberShape } from './number.ts'
import {
  amount,
  code,
  date,
  dated,
  excelText,
  json,
  lowerBoolean,
  marker,
  numeral,
  oddUuid,
  padded,
  text,
  time,
  timestamp,
  timestamptz,
  titleBoolean,
  upperBoolean,
  uuid,
  value,
} from './shapes.ts'

const ZERO = 48
const NINE = 57
const MINUS = 45
const COLON = 58
const POINT = 46
const COMMA = 44
const EQUALS = 61
const SPACE = 32

/** Accepts what a decoder gives and keeps nothing. */
const nothing = Object.fromEntries(
  ['date', 'timestamp', 'json'].map((name) => [name, () => undefined]),
) as unknown as RowWriter

const decodeTimestamptz = timestamptzDecoder(undefined)

/** The shape of a value that is not empty. `comesBack` as in `numberShape`. */
export function shapeOf(bytes: Buffer, start: number, end: number, comesBack: boolean): number {
  const first = bytes[start] as number
  if ((first >= ZERO && first <= NINE) || first === MINUS) {
    const shape =
      bytes[start + 4] === MINUS && end - start >= 10
        ? timeShape(bytes, start, end)
        : numberShape(bytes, start, end, comesBack)
    if (shape !== 0) return shape
  }
  return oddShape(bytes, start, end, comesBack)
}

/** The shape of `YYYY-MM-DD` with a time or without, 0 for others. The decoders decide, but take one digit of a month, too. */
function timeShape(bytes: Buffer, start: number, end: number): number {
  if (end - start === 10) return decodeDate(bytes, start, end, nothing) === undefined ? date : 0
  if (bytes[start + 13] !== COLON || bytes[start + 7] !== MINUS) return 0
  value.offset = offsetOf(bytes, start, end)
  if (Number.isNaN(value.offset))
    return decodeTimestamp(bytes, start, end, nothing) === undefined ? timestamp : 0
  return decodeTimestamptz(bytes, start, end, nothing) === undefined ? timestamptz : 0
}

/**
 * A number that is equal for equal offsets of an instant, 0 for UTC; NaN without an offset. Whether it is one
 * is left to the decoder.
 */
function offsetOf(bytes: Buffer, start: number, end: number): number {
  const last = bytes[end - 1] as number
  if (last < ZERO || last > NINE) return 0
  // Behind the minutes of the day, a sign begins the offset.
  for (let at = end - 3; at >= start + 16 && at >= end - 9; at--) {
    const sign = bytes[at] as number
    if (sign !== 43 && sign !== MINUS) continue
    let offset = 0
    for (let next = at + 1; next < end; next++)
      if (bytes[next] !== COLON) offset = offset * 10 + (bytes[next] as number) - ZERO
    const seconds = end - at === 3 ? offset * 10_000 : end - at <= 6 ? offset * 100 : offset
    return sign === MINUS ? -seconds : seconds
  }
  return Number.NaN
}

/** Longer values are never anything but text or JSON. */
const mostOddBytes = 64

/** Values that are seldom, or whose column is text anyway. */
function oddShape(bytes: Buffer, start: number, end: number, comesBack: boolean): number {
  const first = bytes[start] as number
  if (first === 0x7b || first === 0x5b)
    return decodeJson(bytes, start, end, nothing) === undefined ? json : markerOrText(bytes, start, end)
  if (isSpace(first) || isSpace(bytes[end - 1] as number)) return paddedShape(bytes, start, end, comesBack)
  // A plus sign, or a point without a digit before it.
  const odd = first === 43 || first === 46 ? numberShape(bytes, start, end, comesBack) : 0
  if (odd !== 0) return odd
  if (end - start > mostOddBytes) return text
  const word = wordShape(bytes, start, end)
  if (word !== 0) return word
  if (!hasDigit(bytes, start, end))
    return first === EQUALS && isExcelText(bytes, start, end) ? excelText : markerOrText(bytes, start, end)
  if (isTime(bytes, start, end)) return time
  const hex = uuidShape(bytes, start, end)
  if (hex !== 0) return hex
  if (first === EQUALS && isExcelText(bytes, start, end)) return excelText
  const found = datedOf(bytes, start, end)
  if (found !== undefined) {
    value.dated = found
    return dated
  }
  return localNumber(bytes, start, end)
}

function hasDigit(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (byte >= ZERO && byte <= NINE) return true
  }
  return false
}

const isExcelText = (bytes: Buffer, start: number, end: number): boolean =>
  /^="(?:[^"]|"")*"$/.test(bytes.toString('utf8', start, end))

/** `HH:MM`, with seconds and digits down to microseconds. */
function isTime(bytes: Buffer, start: number, end: number): boolean {
  const size = end - start
  if (size < 5 || size > 15 || bytes[start + 2] !== COLON) return false
  if (!isBelow(bytes, start, 24) || !isBelow(bytes, start + 3, 60)) return false
  if (size === 5) return true
  if (size < 8 || bytes[start + 5] !== COLON || !isBelow(bytes, start + 6, 60)) return false
  if (size === 8) return true
  if (size === 9 || bytes[start + 8] !== POINT) return false
  for (let at = start + 9; at < end; at++)
    if ((bytes[at] as number) < ZERO || (bytes[at] as number) > NINE) return false
  return true
}

/** Whether two digits are a number below the limit. */
function isBelow(bytes: Buffer, at: number, limit: number): boolean {
  const tens = (bytes[at] as number) - ZERO
  const ones = (bytes[at + 1] as number) - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 && tens * 10 + ones < limit
}

export const uuidBytes = 36
/** By byte, so that no branch depends on the digits. */
const capitalHex = 1
const noHex = 2
const hexKinds = new Uint8Array(256).fill(noHex)
for (const digit of '-0123456789abcdef') hexKinds[digit.charCodeAt(0)] = 0
for (const digit of 'ABCDEF') hexKinds[digit.charCodeAt(0)] = capitalHex

/** Of a UUID; 0 for others. */
export function uuidShape(bytes: Buffer, start: number, end: number): number {
  if (end - start !== uuidBytes || bytes[start + 8] !== MINUS || bytes[start + 13] !== MINUS) return 0
  if (bytes[start + 18] !== MINUS || bytes[start + 23] !== MINUS) return 0
  let kinds = 0
  let hyphens = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    kinds |= hexKinds[byte] as number
    if (byte === MINUS) hyphens++
  }
  if ((kinds & noHex) !== 0 || hyphens !== 4) return 0
  return (kinds & capitalHex) === 0 ? uuid : oddUuid
}

/** Space and tab; a text of nothing else is text. */
const isSpace = (byte: number): boolean => byte === SPACE || byte === 9

function paddedShape(bytes: Buffer, start: number, end: number, comesBack: boolean): number {
  let from = start
  let to = end
  while (from < to && isSpace(bytes[from] as number)) from++
  while (to > from && isSpace(bytes[to - 1] as number)) to--
  return from === to ? padded : padded | shapeOf(bytes, from, to, comesBack)
}

const words = new Map<string, number>([
  ['true', lowerBoolean],
  ['false', lowerBoolean],
  ['TRUE', upperBoolean],
  ['FALSE', upperBoolean],
  ['True', titleBoolean],
  ['False', titleBoolean],
])

export const codes: readonly string[] = 't f T F y n Y N yes no Yes No YES NO on off On Off ON OFF'.split(' ')
const codeIndexes = new Map(codes.map((word, index) => [word, index]))
const mostWordBytes = 5

/** Of a boolean or a code; 0 for others. */
function wordShape(bytes: Buffer, start: number, end: number): number {
  if (end - start > mostWordBytes || (bytes[start] as number) < 0x41) return 0
  const source = bytes.toString('latin1', start, end)
  const index = codeIndexes.get(source)
  if (index === undefined) return words.get(source) ?? 0
  value.code = index
  return code
}

/** Texts by which programs mean no value. */
export const markers: readonly string[] =
  'NULL null Null (null) <null> \\N NA N/A n/a na #N/A #N/D NaN nan None none nil - -- — – ? . missing'.split(
    ' ',
  )

/** Those that are no words, so that they mean no value beside any texts. */
const strongMarkers = new Set(['NULL', 'null', '(null)', '<null>', '\\N', '#N/A', '#N/D'])
export const isStrongMarker = (index: number): boolean => isStrongNull(markers[index] ?? '')

export const isStrongNull = (source: string): boolean => strongMarkers.has(source)

/** Markers by their length and their first byte. */
const markerBytes = markers.map((each) => Buffer.from(each))
const mostMarkerBytes = Math.max(...markerBytes.map(({ length }) => length))
const keyOf = (length: number, first: number): number => length * 256 + first
const markersByKey = new Map<number, readonly Buffer[]>()
const hasMarker = new Uint8Array(keyOf(mostMarkerBytes, 256))
for (const each of markerBytes) {
  const key = keyOf(each.length, each[0] as number)
  hasMarker[key] = 1
  markersByKey.set(key, [...(markersByKey.get(key) ?? []), each])
}

function isMarker(bytes: Buffer, start: number, end: number): boolean {
  const length = end - start
  const key = keyOf(length, bytes[start] as number)
  if (length > mostMarkerBytes || hasMarker[key] !== 1) return false
  return (markersByKey.get(key) ?? []).some((each) => {
    let at = length - 1
    while (at > 0 && bytes[start + at] === each[at]) at--
    return at === 0
  })
}

/** False for most values that have neither spaces around them nor are a marker or a text of Excel. */
export function mayBeMarked(bytes: Buffer, start: number, end: number): boolean {
  const first = bytes[start] as number
  return (
    first === EQUALS || isSpace(first) || isSpace(bytes[end - 1] as number) || isMarker(bytes, start, end)
  )
}

function markerOrText(bytes: Buffer, start: number, end: number): number {
  if (!isMarker(bytes, start, end)) return text
  value.marker = markers.indexOf(bytes.toString('utf8', start, end))
  return marker
}

/** A number of a locale, an amount of money or a percentage; else text. */
function localNumber(bytes: Buffer, start: number, end: number): number {
  const first = bytes[start] === MINUS ? start + 1 : start
  value.numerals = numeralsOf(bytes, first, end)
  if (value.numerals !== 0 && !(first > start && isZero(bytes, first, end))) {
    value.scale = digitsBehind('.')
    value.digits = digitsBehind() - value.scale
    value.commaScale = digitsBehind(',')
    return numeral
  }
  const source = bytes.toString('utf8', start, end)
  const plain = Buffer.from(withoutCurrency(source))
  value.currency = currencyIn(source)
  value.numerals = numeralsOf(plain, 0, plain.length)
  return value.numerals === 0 ? text : amount
}

/** Of zeros, points and commas, in a number of a locale. */
function isZero(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++)
    if (bytes[at] !== ZERO && bytes[at] !== POINT && bytes[at] !== COMMA) return false
  return true
}

const currencyBefore = /^(?:[A-Z]{0,2}\p{Sc}|([A-Z]{3})|kr\.?|Fr\.?)[ \u00a0\u202f]?(?=[-\d(])/u
const currencyBehind = /(?<=[-\d)])[ \u00a0\u202f]?(?:\p{Sc}|([A-Z]{3})|kr\.?|zł|Kč|Fr\.?)$/u
/** Of ISO 4217: other three letters before a number are a code of something else. */
const currencies = new Set(Intl.supportedValuesOf('currency'))

/** The digits of an amount: without its currency, its sign, and the brackets of a negative one. */
function withoutCurrency(source: string): string {
  const bare = [currencyBefore, currencyBehind].reduce(
    (rest, form) => rest.replace(form, (all, iso?: string) => (isOther(iso) ? all : '')),
    source.replace(/^\((.+)\)$/, '$1').replace(/^-|-$/, ''),
  )
  return bare.replace(/^-|-$/, '')
}

const isOther = (iso: string | undefined): boolean => iso !== undefined && !currencies.has(iso)
