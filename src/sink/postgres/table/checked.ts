/**
 * Types whose values travel as text, and that PostgreSQL reads in more forms than one: 03/04 is a day of March to it,
 * 5,00 may be 500, and `now` another time with each replay. Such forms are refused, as in the types that Lading reads.
 */
import type { Fault } from '../../../core/fault.ts'
import { found } from '../../../core/found.ts'
import { array, Column, type CellDecoder, type ColumnType, custom } from '../../../model/columns.ts'
import { decodeDate, decodeTime, decodeTimestamp, timestamptzDecoder } from '../../../model/decode/time.ts'
import type { RowWriter } from '../../../model/writer.ts'

/** Accepts what a decoder gives and keeps nothing. */
const nothing = Object.fromEntries(
  ['date', 'time', 'timestamp'].map((name) => [name, () => undefined]),
) as unknown as RowWriter

type Check = (bytes: Buffer, start: number, end: number) => Fault | undefined

const checkedBy =
  (decode: CellDecoder): Check =>
  (bytes, start, end) =>
    decode(bytes, start, end, nothing)

const date = checkedBy(decodeDate)
const dateBytes = 10

/** Each value of a timestamp may be a date, which is its midnight. */
const timestamp: Check = (bytes, start, end) =>
  (end - start === dateBytes ? date : checkedBy(decodeTimestamp))(bytes, start, end)

/** By pg_type.typname. */
const checks: Readonly<Record<string, Check>> = {
  date,
  time: checkedBy(decodeTime),
  timestamp,
  timestamptz: checkedBy(timestamptzDecoder(undefined)),
  daterange: rangeCheck('BAD_DATE'),
  datemultirange: rangeCheck('BAD_DATE'),
  tsrange: rangeCheck('BAD_TIMESTAMP'),
  tsmultirange: rangeCheck('BAD_TIMESTAMP'),
  tstzrange: rangeCheck('BAD_TIMESTAMP'),
  tstzmultirange: rangeCheck('BAD_TIMESTAMP'),
}

/** Of a date whose order is open, and of a word for one. */
const unclearBound = /(?<!\d)\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?!\d)|now|today|tomorrow|yesterday/i

function rangeCheck(code: 'BAD_DATE' | 'BAD_TIMESTAMP'): Check {
  return (bytes, start, end) =>
    unclearBound.test(bytes.toString('utf8', start, end))
      ? { code, detail: `${found(bytes, start, end)} has a bound that is not written YYYY-MM-DD` }
      : undefined
}

/** `declared`: the type as SQL writes it; `name`: pg_type.typname, or that of its elements. */
export const asText = (declared: string, name: string): ColumnType => checkedType(declared, checks[name])

/** Its elements are PostgreSQL's to read, but for those that could be read in several ways. */
export const arrayOf = (declared: string, name: string): ColumnType =>
  array(new Column({ type: asText(declared, name), notNull: false, nullIf: [] })).spec.type

function checkedType(declared: string, check: Check | undefined): ColumnType {
  const { type } = custom(declared).spec
  if (check === undefined) return type
  const decoder = (): CellDecoder => {
    const decode = type.decoder()
    return (bytes, start, end, writer) => check(bytes, start, end) ?? decode(bytes, start, end, writer)
  }
  return { ...type, decoder }
}

/** Digits and signs; a currency, its sign and brackets say nothing of them. */
const besides = /[-+()\s\u00a0\u202f\p{Sc}A-Za-z]/gu

/** `example`: one and a half of the database's currency, as it writes it; `lc_monetary` decides its signs. */
export function moneyType(declared: string, example: string): ColumnType {
  const [, point = '', digits = ''] = /\d([.,])(\d+)/.exec(example) ?? []
  const decimals = point === '' ? '' : `(?:\\${point}\\d{0,${digits.length}})?`
  const group = point === ',' ? "[.'’]" : "[,'’]"
  // Groups before the last one have two digits in India.
  const form = new RegExp(`^(?:\\d*|\\d{1,3}(?:${group}\\d{2,3})*${group}\\d{3})${decimals}$`)
  return checkedType(declared, (bytes, start, end) => {
    const text = bytes.toString('utf8', start, end)
    if (!/\d/.test(text) || form.test(text.replaceAll(besides, ''))) return undefined
    return { code: 'BAD_NUMBER', detail: `${found(bytes, start, end)} is not an amount like ${example}` }
  })
}
