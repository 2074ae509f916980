/**
 * Dates and times in other forms than ISO 8601. A form is a pattern (see `Notation`) that leaves open which of
 * its numbers is the day and which the month. The orders that a value allows are bits; of a column, those are
 * kept that every value allows.
 */

export const dayFirst = 1
export const monthFirst = 2
export const yearFirst = 4

export interface Dated {
  /** A pattern with `{1}`, `{2}` and `{3}` for numbers whose meaning depends on the order. */
  readonly form: string
  readonly orders: number
  /** Whether day, month and hour have two digits each; `D`, `M`, `H` and `h` stand for them in the form. */
  readonly isPadded: boolean
}

const names = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec'
const fullNames = 'January|February|March|April|June|July|August|September|October|November|December'
const months = names.toLowerCase().split('|')

const ofNumbers = /^(\d{4}|\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{1,2})/
const dayThenName = new RegExp(`^(\\d{1,2})([ -])(${fullNames}|${names})\\2(\\d{4}|\\d{2})`, 'i')
const nameThenDay = new RegExp(`^(${fullNames}|${names}) (\\d{1,2}), (\\d{4})`, 'i')
const ofTime = /^(,? |T)(\d{1,2}):(\d\d)(:(\d\d)(\.\d{1,6})?)?( ?)([AaPp][Mm])?$/

/** How a date or time is written; undefined where the text is none, or the day does not exist. */
export function datedOf(text: string): Dated | undefined {
  const date = numericDate(text) ?? namedDate(text)
  // Twenty-four hours are a form of ISO 8601.
  if (date === undefined) return isHalfDay.test(text) ? clockOf(text) : undefined
  const rest = text.slice(date.length)
  if (rest === '') return date
  const time = timeOf(rest)
  return time && { ...date, form: date.form + time.form, isPadded: date.isPadded && time.isPadded }
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

/** Whether the century is left open. */
export const isShort = (form: string): boolean => hasDate(form) && !form.includes('YYYY')

type DatePart = Dated & { readonly length: number }

function numericDate(text: string): DatePart | undefined {
  const [all, a = '', mark = '', b = '', c = ''] = ofNumbers.exec(text) ?? []
  if (all === undefined) return undefined
  const { length } = all
  const [x, y, z] = [Number(a), Number(b), Number(c)]
  if (a.length === 4) {
    if (c.length > 2 || !exists(x, y, z)) return undefined
    const isPadded = b.length + c.length === 4
    return { form: `YYYY${mark}M${mark}D`, orders: yearFirst, isPadded, length }
  }
  const isLong = c.length === 4
  // One digit of a year is none: 1-2-3 is a version, or a chapter. So is 1.2.24, but not 1/2/24.
  if (!isLong && ((a.length !== 2 && mark !== '/') || c.length !== 2)) return undefined
  const year = isLong ? z : fullYear(z)
  const orders =
    (exists(year, y, x) ? dayFirst : 0) |
    (exists(year, x, y) ? monthFirst : 0) |
    (!isLong && a.length === 2 && exists(fullYear(x), y, z) ? yearFirst : 0)
  if (orders === 0) return undefined
  const form = `{1}${mark}{2}${mark}${isLong ? 'YYYY' : '{3}'}`
  return { form, orders, isPadded: a.length + b.length === 4, length }
}

function namedDate(text: string): DatePart | undefined {
  const [all, day = '', mark = '', name = '', year = ''] = dayThenName.exec(text) ?? []
  if (all !== undefined) {
    if (!exists(fullYear(Number(year)), monthOf(name), Number(day))) return undefined
    const form = `D${mark}MMM${mark}${year.length === 4 ? 'YYYY' : 'YY'}`
    return { form, orders: dayFirst, isPadded: day.length === 2, length: all.length }
  }
  const [whole, month = '', of = '', in4 = ''] = nameThenDay.exec(text) ?? []
  if (whole === undefined || !exists(Number(in4), monthOf(month), Number(of))) return undefined
  return { form: 'MMM D, YYYY', orders: monthFirst, isPadded: of.length === 2, length: whole.length }
}

const monthOf = (name: string): number => months.indexOf(name.slice(0, 3).toLowerCase()) + 1

/** The pivot of POSIX: 69 is 1969, 68 is 2068. */
const fullYear = (year: number): number => (year >= 100 ? year : year + (year >= 69 ? 1900 : 2000))

const isHalfDay = /^\d.*[AaPp][Mm]$/

/** Of a time without a date. */
function clockOf(text: string): Dated | undefined {
  const time = timeOf(`T${text}`)
  return time && { form: time.form.slice(1), orders: dayFirst, isPadded: time.isPadded }
}

function timeOf(text: string): Pick<Dated, 'form' | 'isPadded'> | undefined {
  const [, between, hour = '', minute, seconds = '', second = '0', fraction = '', gap, half = ''] =
    ofTime.exec(text) ?? []
  if (between === undefined || Number(minute) > 59 || Number(second) > 59) return undefined
  if (half === '' ? gap !== '' || Number(hour) > 23 : Number(hour) < 1 || Number(hour) > 12) return undefined
  const form = `${between}${half === '' ? 'H' : 'h'}:mm${seconds && ':ss'}${fraction && '.S'}${half && `${gap}A`}`
  return { form, isPadded: hour.length === 2 }
}

/** Whether the day exists, in the years 1 to 9999. */
function exists(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false
  const at = new Date(0)
  at.setUTCFullYear(year, month - 1, day)
  return at.getUTCMonth() === month - 1 && at.getUTCFullYear() === year
}
