/** Forms of dates and notations of numbers are found in bytes as regular expressions find them in texts. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { datedOf, dayFirst, type Dated, monthFirst, yearFirst } from '../../../src/infer/profile/dates.ts'
import { digitsBehind, numeralsOf } from '../../../src/infer/profile/numerals.ts'
import { kinds } from './cells.ts'

/** Texts of all kinds, some with another character in them or cut at one end. */
const texts = fc
  .tuple(
    fc.oneof(...Object.values(kinds)),
    fc.constantFrom('', '', 'insert', 'replace', 'cut'),
    fc.nat({ max: 30 }),
    fc.constantFrom(..."0159:-./, T'aApPmMyY\u00a0\u202f’"),
  )
  .map(([text, change, place, other]) => {
    const at = Math.min(place, text.length)
    if (change === 'insert') return text.slice(0, at) + other + text.slice(at)
    if (change === 'replace') return text.slice(0, at) + other + text.slice(at + 1)
    return change === 'cut' ? text.slice(at) : text
  })
  .filter((text) => text !== '')

it('forms of dates', () => {
  let found = 0
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = Buffer.from(`${text},`)
      const dated = datedByText(text)
      if (dated !== undefined) found++
      const expected = dated && { form: dated.form, orders: dated.orders, isPadded: dated.isPadded }
      expect(datedOf(bytes, 0, bytes.length - 1)).toEqual(expected)
    }),
    { numRuns: 10_000 },
  )
  expect(found).toBeGreaterThan(100)
})

it('notations of numbers', () => {
  let found = 0
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = Buffer.from(`${text},`)
      const bits = numeralsOf(bytes, 0, bytes.length - 1)
      if (text.length <= 20) expect(bits).toBe(numeralsByText(text))
      if (bits === 0) return
      found++
      const { digits, point, comma } = sizeByText(text)
      expect([digitsBehind(), digitsBehind('.'), digitsBehind(',')]).toEqual([digits, point, comma])
    }),
    { numRuns: 10_000 },
  )
  expect(found).toBeGreaterThan(100)
})

const notations = (['.', ','] as const).flatMap((decimal) =>
  ['', ',', '.', ' ', "'"]
    .filter((thousands) => thousands !== decimal)
    .map((thousands) => ({ decimal, thousands })),
)

function numeralsByText(text: string): number {
  if (!/^\d[\d.,' \u00a0\u202f’]*$/.test(text)) return 0
  const plain = text.replaceAll(/[\u00a0\u202f]/g, ' ').replaceAll('’', "'")
  return notations.reduce((bits, { decimal, thousands }, index) => {
    const [whole = '', fraction, ...more] = plain.split(decimal)
    const isNumber = more.length === 0 && isWhole(whole, thousands) && /^\d+$/.test(fraction ?? '0')
    return isNumber ? bits | (1 << index) : bits
  }, 0)
}

function isWhole(whole: string, thousands: string): boolean {
  if (/^(0|[1-9]\d*)$/.test(whole)) return true
  const groups = thousands === '' ? [] : whole.split(thousands)
  return /^[1-9]\d{0,2}$/.test(groups[0] ?? '') && groups.slice(1).every((group) => /^\d{3}$/.test(group))
}

/** All digits of a number, and those behind its last point and its last comma. */
function sizeByText(text: string): {
  readonly digits: number
  readonly point: number
  readonly comma: number
} {
  const digitsFrom = (at: number): number => text.slice(at).replaceAll(/\D/g, '').length
  const behind = (sign: string): number => (text.includes(sign) ? digitsFrom(text.lastIndexOf(sign)) : 0)
  return { digits: digitsFrom(0), point: behind('.'), comma: behind(',') }
}

const names = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec'
const fullNames = 'January|February|March|April|June|July|August|September|October|November|December'
const months = names.toLowerCase().split('|')

const ofNumbers = /^(\d{4}|\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{1,2})/
const dayThenName = new RegExp(`^(\\d{1,2})([ -])(${fullNames}|${names})\\2(\\d{4}|\\d{2})`, 'i')
const nameThenDay = new RegExp(`^(${fullNames}|${names})(?: (\\d{1,2})(,? )|-(\\d{1,2})(-))(\\d{4})`, 'i')
const ofTime = /^(,? |T)(\d{1,2}):(\d\d)(:(\d\d)(\.\d{1,6})?)?( ?)([AaPp][Mm])?$/

/** How a date or time is written; undefined where the text is none, or the day does not exist. */
function datedByText(text: string): Dated | undefined {
  const date = numericDate(text) ?? namedDate(text)
  // Twenty-four hours are a form of ISO 8601.
  if (date === undefined) return isHalfDay.test(text) ? clockOf(text) : undefined
  const rest = text.slice(date.length)
  if (rest === '') return date
  const time = timeOf(rest)
  return time && { ...date, form: date.form + time.form, isPadded: date.isPadded && time.isPadded }
}

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
    if (!exists(year.length === 4 ? Number(year) : fullYear(Number(year)), monthOf(name), Number(day)))
      return undefined
    const form = `D${mark}MMM${mark}${year.length === 4 ? 'YYYY' : 'YY'}`
    return { form, orders: dayFirst, isPadded: day.length === 2, length: all.length }
  }
  const [whole, month = '', spaced, space, hyphened = '', hyphen, in4 = ''] = nameThenDay.exec(text) ?? []
  const of = spaced ?? hyphened
  if (whole === undefined || !exists(Number(in4), monthOf(month), Number(of))) return undefined
  const form = `MMM${hyphen ?? ' '}D${space ?? hyphen}YYYY`
  return { form, orders: monthFirst, isPadded: of.length === 2, length: whole.length }
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
