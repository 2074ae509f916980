/**
 * A first record that gives units, a last one that is a total or a remark, and one that repeats the header, turn
 * columns of numbers and dates to text. Whether they are records is not for the profile to say.
 */
import { listed } from '../../core/listed.ts'
import { quoted } from '../../core/shell.ts'
import type { Question } from '../decision.ts'
import type { ColumnProfile } from './column.ts'
import type { Profile } from './profile.ts'
import {
  bare,
  date,
  dated,
  exponents,
  none,
  numeral,
  plainNumbers,
  text,
  time,
  timestamp,
  timestamptz,
} from './shapes.ts'
import { isText, shownType } from './found-type.ts'
import { typeOf } from './types.ts'

const totals =
  /^(grand )?(total|sum|totals|average|mean|count|summe|gesamt|gesamtsumme|insgesamt|somme|suma|totale|totaal)\b/i

export function oddRecords({ columns, records, lastLines }: Profile): readonly Question[] {
  const asides = [...oddRemarks(columns), ...oddTitles(columns)]
  return records < 3 ? asides : [...asides, ...oddFirst(columns), ...oddLast(columns, lastLines)]
}

const values = plainNumbers | exponents | numeral | date | timestamp | timestamptz | time | dated

/** Columns that are text because of some of their records, and typed without them. */
const turned = (
  columns: readonly ColumnProfile[],
  of: (column: ColumnProfile) => number,
  without: (column: ColumnProfile) => number,
): readonly ColumnProfile[] =>
  columns.filter((column) => (of(column) & text) !== 0 && !isText(typeOf(column, without(column))))

function* oddRemarks(columns: readonly ColumnProfile[]): Generator<Question> {
  const odd = turned(
    columns,
    ({ remarks }) => remarks,
    ({ inner, firsts, lasts }) => inner | firsts | lasts,
  )
  if (odd.length === 0) return
  yield {
    about: `records that begin with # may be comments: without them, ${shownColumns(odd)}`,
    ...lineOf(odd),
    readings: [
      { option: "--comment '#'", meaning: 'they are comments' },
      { option: '--types text', meaning: 'they are records' },
    ],
  }
}

/** Files with headers that were joined to one. */
function* oddTitles(columns: readonly ColumnProfile[]): Generator<Question> {
  const odd = turned(
    columns,
    ({ titles }) => titles,
    ({ inner, firsts, lasts }) => inner | firsts | lasts,
  )
  // The option takes what stands before the first `=` for the field.
  const column = odd.find(({ field }) => !field.includes('='))
  if (column === undefined) return
  yield {
    about: `records that repeat the header are mostly headers of joined files: without them, ${shownColumns(odd)}`,
    ...lineOf(odd),
    readings: [
      { option: `--skip-when ${quoted(`${column.field}=${column.field}`)}`, meaning: 'they are headers' },
      { option: '--types text', meaning: 'they are records' },
    ],
  }
}

function* oddFirst(columns: readonly ColumnProfile[]): Generator<Question> {
  const odd = turned(
    columns,
    ({ firsts }) => firsts,
    ({ inner, lasts }) => inner | lasts,
  )
  // No unit and no name is a number or a date.
  if (columns.some(({ firsts }) => (firsts & values) !== 0 && (firsts & ~(values | bare)) === 0)) return
  // Units stand in every column of numbers, and a single odd value is one that can be there.
  if (odd.length === 0 || (odd.length === 1 && columns.length > 2)) return
  yield {
    about: `the first record may be a row of units or names: without it, ${shownColumns(odd)}`,
    ...lineOf(odd),
    readings: [
      { option: '--header-rows 2', meaning: 'it belongs to the header' },
      { option: '--types text', meaning: 'it is a record' },
    ],
  }
}

function* oddLast(columns: readonly ColumnProfile[], lines: number): Generator<Question> {
  const odd = turned(
    columns,
    ({ lasts }) => lasts,
    ({ inner, firsts }) => inner | firsts,
  )
  const isEmptied = columns.some(
    ({ inner, firsts, lasts }) => (lasts & ~bare) === none && ((inner | firsts) & none) === 0,
  )
  const isTotal = odd.some((column) => totals.test(witnessOf(column)?.text.trim() ?? ''))
  if (odd.length === 0 || (odd.length === 1 && !isEmptied && !isTotal)) return
  yield {
    about: `the last record may be a total or a remark: without it, ${shownColumns(odd)}`,
    ...lineOf(odd),
    readings: [
      { option: `--footer-lines ${lines}`, meaning: 'it is not a record' },
      { option: '--types text', meaning: 'it is a record' },
    ],
  }
}

const witnessOf = ({ witnesses }: ColumnProfile) => witnesses.find(({ shapes }) => (shapes & text) !== 0)

function lineOf([column]: readonly ColumnProfile[]): Pick<Question, 'line'> {
  const line = column === undefined ? undefined : witnessOf(column)?.line
  return line === undefined ? {} : { line }
}

/** Without what may be no record. */
function bestType(column: ColumnProfile) {
  const { inner, firsts, lasts } = column
  const type = typeOf(column, inner | firsts | lasts)
  return isText(type) ? typeOf(column, inner) : type
}

const mostShown = 3

const shownColumns = (columns: readonly ColumnProfile[]): string =>
  listed(
    columns.map((column) => `${column.field} is ${shownType(bestType(column))}`),
    mostShown,
  )
