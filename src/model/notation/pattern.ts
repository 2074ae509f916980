/** Dates and times written by a pattern → parts of ISO 8601. Strict: every character is accounted for. */
import { asPattern } from '../../core/text.ts'
import { daysIn } from '../../core/calendar.ts'
import type { Instant } from './instant.ts'

/** What the letters of a pattern stand for. The key of a group names its part. */
const tokens: Readonly<Record<string, readonly [part: Part, form: string]>> = {
  YYYY: ['year', '\\d{4}'],
  YY: ['shortYear', '\\d{2}'],
  MMMM: ['monthName', '[\\p{L}\\p{M}]+\\.?'],
  MMM: ['monthName', '[\\p{L}\\p{M}]+\\.?'],
  MM: ['month', '\\d{2}'],
  M: ['month', '\\d{1,2}'],
  DD: ['day', '\\d{2}'],
  D: ['day', '\\d{1,2}'],
  HH: ['hour', '\\d{2}'],
  H: ['hour', '\\d{1,2}'],
  hh: ['hour12', '\\d{2}'],
  h: ['hour12', '\\d{1,2}'],
  mm: ['minute', '\\d{2}'],
  ss: ['second', '\\d{2}'],
  A: ['half', '[AaPp]\\.?[Mm]\\.?'],
  Z: ['offset', 'Z|[-+]\\d{2}(?::?\\d{2})?'],
}

type Part =
  | 'year'
  | 'shortYear'
  | 'monthName'
  | 'month'
  | 'day'
  | 'hour'
  | 'hour12'
  | 'minute'
  | 'second'
  | 'fraction'
  | 'half'
  | 'offset'

/** English, German and French names; none of them means different months in two of the languages. */
const months = new Map(
  [
    'jan january januar jän jänner janv janvier',
    'feb february februar févr fév février',
    'mar march mär märz mrz mars',
    'apr april avr avril',
    'may mai',
    'jun june juni juin',
    'jul july juli juil juillet',
    'aug august août',
    'sep sept september septembre',
    'oct october okt oktober octobre',
    'nov november novembre',
    'dec december dez dezember déc décembre',
  ].flatMap((names, index) => names.split(' ').map((name) => [name, index + 1] as const)),
)

interface Piece {
  readonly form: string
  readonly part?: Part
  /** May have another number of digits. */
  readonly loose?: boolean
}

const lexer = /\[([^\]]*)\]|YYYY|YY|M{1,4}|DD|D|HH|H|hh|h|mm|ss|S+|A|Z|[\s\S]/gu

function pieceOf(token: string, literal: string | undefined): Piece | string {
  if (literal !== undefined) return { form: asPattern(literal) }
  const known = Object.hasOwn(tokens, token) ? tokens[token] : undefined
  if (known !== undefined) {
    const [part, form] = known
    return { part, form: `(?<${part}>${form})`, loose: form.includes(',') }
  }
  if (token.startsWith('S')) {
    const digits = token === 'S' ? '+' : `{${token.length}}`
    return { part: 'fraction', form: `(?<fraction>\\d${digits})`, loose: token === 'S' }
  }
  // Newer releases of ICU put a narrow no-break space before AM and PM.
  if (token === ' ') return { form: '[ \\u00a0\\u202f]' }
  if (token === 'T' || !/[A-Za-z]/.test(token)) return { form: asPattern(token) }
  return `the letter ${token} means nothing in a pattern (write [${token}] for the letter itself)`
}

const piecesOf = (pattern: string): readonly (Piece | string)[] =>
  Array.from(pattern.matchAll(lexer), ([token, literal]) => pieceOf(token, literal))

const partsOf = (pattern: string): readonly Part[] =>
  piecesOf(pattern).flatMap((piece) => (typeof piece === 'string' ? [] : (piece.part ?? [])))

const dateParts: readonly Part[] = ['year', 'shortYear', 'monthName', 'month', 'day']

export const hasDate = (pattern: string): boolean => partsOf(pattern).some((part) => dateParts.includes(part))
export const hasTime = (pattern: string): boolean =>
  partsOf(pattern).some((part) => part === 'hour' || part === 'hour12')

export function* patternProblems(pattern: string): Generator<string> {
  const pieces = piecesOf(pattern)
  for (const piece of pieces) if (typeof piece === 'string') yield piece
  const parts = partsOf(pattern)
  const has = (part: Part): boolean => parts.includes(part)
  if (new Set(parts).size < parts.length) yield `it names a part twice`
  const years = (has('year') ? 1 : 0) + (has('shortYear') ? 1 : 0)
  const monthParts = (has('month') ? 1 : 0) + (has('monthName') ? 1 : 0)
  const isDate = years + monthParts > 0 || has('day')
  if (isDate && !(years === 1 && monthParts === 1 && has('day')))
    yield 'a date needs one of YYYY and YY, one of M, MM, MMM and MMMM, and one of D and DD'
  const isTime = has('hour') || has('hour12')
  if (has('hour') && has('hour12')) yield 'it has two hours'
  if (has('hour12') !== has('half')) yield 'h and hh need A, and A needs one of them'
  if (has('minute') && !isTime) yield 'mm needs an hour'
  if (has('second') && !has('minute')) yield 'ss needs mm'
  if (has('fraction') && !has('second')) yield 'S needs ss'
  if (has('offset') && !(isDate && isTime)) yield 'Z needs a date and a time'
  if (!isDate && !isTime) yield 'it has neither a date nor a time'
  for (const [index, piece] of pieces.entries()) {
    const next = pieces[index + 1]
    if (typeof piece === 'string' || piece.loose !== true || typeof next !== 'object') continue
    if (/^(\d|\(\?<\w+>\\d)/.test(next.form)) yield 'where a number of one or two digits ends cannot be told'
  }
}

/** Two digits of a year: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068, as in POSIX. */
const fullYear = (year: number): number => (year >= 69 ? 1900 + year : 2000 + year)

/** Undefined for a text that is not written by the pattern, or no date or time that exists. */
export function patternReader(pattern: string): (text: string) => Instant | undefined {
  const form = piecesOf(pattern).map((piece) => (typeof piece === 'string' ? '' : piece.form))
  const matcher = new RegExp(`^${form.join('')}$`, 'u')
  const withDate = hasDate(pattern)
  const withTime = hasTime(pattern)
  return (text) => {
    const found = matcher.exec(text)?.groups as Partial<Record<Part, string>> | undefined
    if (found === undefined) return undefined
    const date = withDate ? dateOf(found) : undefined
    const time = withTime ? timeOf(found) : undefined
    if ((withDate && date === undefined) || (withTime && time === undefined)) return undefined
    return { date, time, offset: found.offset }
  }
}

function dateOf({
  year,
  shortYear,
  month,
  monthName,
  day,
}: Partial<Record<Part, string>>): string | undefined {
  const y = year === undefined ? fullYear(Number(shortYear)) : Number(year)
  const m = monthName === undefined ? Number(month) : months.get(plainName(monthName))
  const d = Number(day)
  if (y < 1 || m === undefined || m < 1 || m > 12 || d < 1 || d > daysIn(y, m)) return undefined
  return `${padded(y, 4)}-${padded(m, 2)}-${padded(d, 2)}`
}

const plainName = (name: string): string => name.normalize('NFC').toLowerCase().replace('.', '')

function timeOf(found: Partial<Record<Part, string>>): string | undefined {
  const { hour, hour12, half = '', minute = '00', second = '00', fraction } = found
  const h = hour === undefined ? hourOf(Number(hour12), /^p/i.test(half)) : Number(hour)
  if (h === undefined || h > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  return `${padded(h, 2)}:${minute}:${second}${fraction === undefined ? '' : `.${fraction}`}`
}

/** 12 AM is midnight, 12 PM is noon. */
const hourOf = (hour: number, afternoon: boolean): number | undefined =>
  hour < 1 || hour > 12 ? undefined : (hour % 12) + (afternoon ? 12 : 0)

const padded = (value: number, digits: number): string => String(value).padStart(digits, '0')
