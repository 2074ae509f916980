/**
 * Dates and times in other forms than ISO 8601. A form is a pattern (see `Notation`) that leaves open which of
 * its numbers is the day and which the month. The orders that a value allows are bits; of a column, those are
 * kept that every value allows.
 */
import { daysIn } from '../../core/calendar.ts'

export const dayFirst = 1
export const monthFirst = 2
export const yearFirst = 4

export const orderMeanings = [
  { order: dayFirst, meaning: 'day first' },
  { order: monthFirst, meaning: 'month first' },
  { order: yearFirst, meaning: 'year first' },
] as const

export interface Dated {
  /** A pattern with `{1}`, `{2}` and `{3}` for numbers whose meaning depends on the order. */
  readonly form: string
  readonly orders: number
  /** Whether day, month and hour have two digits each; `D`, `M`, `H` and `h` stand for them in the form. */
  readonly isPadded: boolean
}

const SLASH = 47
const ZERO = 48
const COLON = 58
const SPACE = 32
const COMMA = 44
const HYPHEN = 45

/** What was read last. Reused, so that reading allocates nothing. */
const read = { number: 0, form: '', orders: 0, isPadded: false, end: 0 }

/** How a date or time is written; undefined where the text is none, or the day does not exist. */
export function datedOf(bytes: Buffer, start: number, end: number): Dated | undefined {
  if (end - start > mostBytes) return undefined
  if (readNumericDate(bytes, start, end) || readNamedDate(bytes, start, end)) {
    const { form, orders, isPadded, end: at } = read
    if (at === end) return datedBy(form, '', orders, isPadded)
    return readTime(bytes, at, end) ? datedBy(form, read.form, orders, isPadded && read.isPadded) : undefined
  }
  // Twenty-four hours are a form of ISO 8601.
  const isHalfDay = ((bytes[end - 1] as number) | 0x20) === 0x6d
  return isHalfDay && readClock(bytes, start, end, '')
    ? datedBy('', read.form, dayFirst, read.isPadded)
    : undefined
}

/** `September 30, 2024, 12:00:00.123456 PM` is the longest one. */
const mostBytes = 40

/** By date, time, orders and padding: there are few, and values that are alike share one. */
const forms = new Map<string, Map<string, Dated[]>>()

function datedBy(date: string, time: string, orders: number, isPadded: boolean): Dated {
  let times = forms.get(date)
  if (times === undefined) forms.set(date, (times = new Map()))
  let found = times.get(time)
  if (found === undefined) times.set(time, (found = []))
  return (found[orders * 2 + Number(isPadded)] ??= { form: date + time, orders, isPadded })
}

/** The pattern of a form whose order is known. */
export function patternOf(form: string, order: number, isPadded: boolean): string {
  const [first, second, third] =
    order === yearFirst ? ['YY', 'M', 'D'] : order === dayFirst ? ['D', 'M', 'YY'] : ['M', 'D', 'YY']
  const pattern = form
    .replace('{1}', first as string)
    .replace('{2}', second as string)
    .replace('{3}', third as string)
  return isPadded ? pattern.replaceAll(/(?<![DMHh])([DMHh])(?![DMHh])/g, '$1$1') : pattern
}

/** Whether the form has a time of day. */
export const hasTime = (form: string): boolean => form.includes(':mm')

export const hasDate = (form: string): boolean => form.includes('D') || form.includes('{1}')

/** Whether a column of dates, times of day or timestamps takes values of the form. */
export const fits = (form: string, held: string): boolean =>
  held === 'time' ? !hasDate(form) : hasDate(form)

/** `2024-1-5 9:30`, which the types read, too. */
export const isIso = (form: string): boolean => /^YYYY-M-D(?:$|[T ]H)/.test(form)

/** Whether the century is left open. */
export const isShort = (form: string): boolean => hasDate(form) && !form.includes('YYYY')

/** Reads up to `most` digits; returns how many there are. */
function readNumber(bytes: Buffer, start: number, end: number, most: number): number {
  let number = 0
  let at = start
  for (; at < end && at < start + most; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit < 0 || digit > 9) break
    number = number * 10 + digit
  }
  read.number = number
  return at - start
}

/** The orders that are meant: between points the day comes first, wherever it can. */
export const meantOrders = (form: string, orders: number): number =>
  form.startsWith('{1}.') && (orders & dayFirst) !== 0 ? orders & ~monthFirst : orders

/** By mark. */
const marks = new Map([...'/.-'].map((mark) => [mark.charCodeAt(0), mark]))
const yearForms = new Map([...marks].map(([byte, mark]) => [byte, `YYYY${mark}M${mark}D`]))
const longForms = new Map([...marks].map(([byte, mark]) => [byte, `{1}${mark}{2}${mark}YYYY`]))
const shortForms = new Map([...marks].map(([byte, mark]) => [byte, `{1}${mark}{2}${mark}{3}`]))

/** `2021/1/31`, `31.12.2024`, `31-12-24`. */
function readNumericDate(bytes: Buffer, start: number, end: number): boolean {
  const a = readNumber(bytes, start, end, 5)
  const x = read.number
  const mark = bytes[start + a] as number
  if ((a !== 1 && a !== 2 && a !== 4) || start + a >= end || !marks.has(mark)) return false
  const second = start + a + 1
  const b = readNumber(bytes, second, end, 3)
  const y = read.number
  if ((b !== 1 && b !== 2) || second + b >= end || bytes[second + b] !== mark) return false
  const third = second + b + 1
  const c = readNumber(bytes, third, end, 5)
  const z = read.number
  if (c !== 1 && c !== 2 && c !== 4) return false
  read.end = third + c
  if (a === 4) {
    read.form = yearForms.get(mark) as string
    read.orders = yearFirst
    read.isPadded = b + c === 4
    return c <= 2 && exists(x, y, z)
  }
  const isLong = c === 4
  // One digit of a year is none: 1-2-3 is a version, or a chapter. So is 1.2.24, but not 1/2/24.
  if (!isLong && ((a !== 2 && mark !== SLASH) || c !== 2)) return false
  const year = isLong ? z : fullYear(z)
  read.form = (isLong ? longForms : shortForms).get(mark) as string
  read.orders =
    (exists(year, y, x) ? dayFirst : 0) |
    (exists(year, x, y) ? monthFirst : 0) |
    (!isLong && a === 2 && exists(fullYear(x), y, z) ? yearFirst : 0)
  read.isPadded = a + b === 4
  return read.orders !== 0
}

const months = 'January February March April May June July August September October November December'
  .toLowerCase()
  .split(' ')
  .map((name) => Buffer.from(name))
/** By the letters of their abbreviation. */
const monthsByStart = new Map(months.map((name, index) => [startOf(name, 0), index + 1]))

function startOf(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number) | 0x20_20_20
  )
}

/** Bytes of the name of a month, whole or of three letters, which is `read.number` then; 0 where there is none. */
function readMonth(bytes: Buffer, start: number, end: number): number {
  const month = end - start < 3 ? undefined : monthsByStart.get(startOf(bytes, start))
  if (month === undefined) return 0
  const name = months[month - 1] as Buffer
  let length = 0
  while (start + length < end && isLetter(bytes[start + length] as number)) length++
  if (length !== 3 && length !== name.length) return 0
  for (let at = 0; at < length; at++)
    if (!isLetter(bytes[start + at] as number) || ((bytes[start + at] as number) | 0x20) !== name[at])
      return 0
  read.number = month
  return length
}

const isLetter = (byte: number): boolean => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a

/** `02-Jan-2021`, `2 January 21`, `January 2, 2021`, `Jan 2 2021`, `Jan-2-2021`. */
function readNamedDate(bytes: Buffer, start: number, end: number): boolean {
  if (isLetter(bytes[start] as number)) return readMonthFirst(bytes, start, end)
  const digits = readNumber(bytes, start, end, 3)
  const day = read.number
  const mark = bytes[start + digits] as number
  if ((digits !== 1 && digits !== 2) || (mark !== SPACE && mark !== HYPHEN)) return false
  const name = start + digits + 1
  const length = readMonth(bytes, name, end)
  const month = read.number
  if (length === 0 || name + length >= end || bytes[name + length] !== mark) return false
  const yearDigits = readNumber(bytes, name + length + 1, end, 5)
  if ((yearDigits !== 2 && yearDigits !== 4) || !exists(fullYear(read.number, yearDigits), month, day))
    return false
  read.form = `D${String.fromCharCode(mark)}MMM${String.fromCharCode(mark)}${yearDigits === 4 ? 'YYYY' : 'YY'}`
  read.orders = dayFirst
  read.isPadded = digits === 2
  read.end = name + length + 1 + yearDigits
  return true
}

function readMonthFirst(bytes: Buffer, start: number, end: number): boolean {
  const length = readMonth(bytes, start, end)
  const month = read.number
  const first = start + length + 1
  const mark = bytes[first - 1]
  if (length === 0 || first >= end || (mark !== SPACE && mark !== HYPHEN)) return false
  const digits = readNumber(bytes, first, end, 3)
  const day = read.number
  const hasComma = mark === SPACE && bytes[first + digits] === COMMA
  const last = first + digits + (hasComma ? 2 : 1)
  if ((digits !== 1 && digits !== 2) || last > end || bytes[last - 1] !== mark) return false
  if (readNumber(bytes, last, end, 5) !== 4 || !exists(read.number, month, day)) return false
  read.form = mark === HYPHEN ? 'MMM-D-YYYY' : hasComma ? 'MMM D, YYYY' : 'MMM D YYYY'
  read.orders = monthFirst
  read.isPadded = digits === 2
  read.end = last + 4
  return true
}

/** The pivot of POSIX: 69 is 1969, 68 is 2068. */
const fullYear = (year: number, digits = 2): number =>
  digits === 4 ? year : year + (year >= 69 ? 1900 : 2000)

/** A time of day behind a date. */
function readTime(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] === 0x54) return readClock(bytes, start + 1, end, 'T')
  if (bytes[start] === SPACE) return readClock(bytes, start + 1, end, ' ')
  return bytes[start] === COMMA && bytes[start + 1] === SPACE && readClock(bytes, start + 2, end, ', ')
}

/** `12:30`, `8:05:00.5 AM`. */
function readClock(bytes: Buffer, start: number, end: number, between: string): boolean {
  const digits = readNumber(bytes, start, end, 3)
  const hour = read.number
  let at = start + digits
  if ((digits !== 1 && digits !== 2) || !isSixty(bytes, at, end)) return false
  at += 3
  const hasSeconds = isSixty(bytes, at, end)
  if (hasSeconds) at += 3
  let micros = 0
  if (hasSeconds && bytes[at] === 46 && at < end) {
    micros = readNumber(bytes, at + 1, end, 7)
    if (micros === 0 || micros > 6) return false
    at += micros + 1
  }
  const rest = halfAt(bytes, at, end)
  if (rest === undefined || (rest === '' ? hour > 23 : hour < 1 || hour > 12)) return false
  read.form = `${between}${rest === '' ? 'H' : 'h'}:mm${hasSeconds ? ':ss' : ''}${micros > 0 ? '.S' : ''}${rest}`
  read.isPadded = digits === 2
  return true
}

/** Whether a colon and two digits below 60 stand there. */
function isSixty(bytes: Buffer, at: number, end: number): boolean {
  return at + 3 <= end && bytes[at] === COLON && readNumber(bytes, at + 1, end, 2) === 2 && read.number < 60
}

/** How `AM` or `PM` is written; empty for nothing, undefined for anything else. */
function halfAt(bytes: Buffer, at: number, end: number): string | undefined {
  if (at === end) return ''
  const hasGap = bytes[at] === SPACE
  const half = hasGap ? at + 1 : at
  const first = (bytes[half] as number) | 0x20
  if (half + 2 !== end || ((bytes[half + 1] as number) | 0x20) !== 0x6d) return undefined
  return first !== 0x61 && first !== 0x70 ? undefined : hasGap ? ' A' : 'A'
}

/** Whether the day exists, in the years 1 to 9999. */
const exists = (year: number, month: number, day: number): boolean =>
  year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
