/** How the values of a field are written, where the type of its column is given. */
import type { Notation } from '../../core/notation.ts'
import type { Holds } from '../../model/notation/notation.ts'
import type { Question } from '../decision.ts'
import type { ColumnProfile } from './column.ts'
import { isShort, patternOf } from './dates.ts'
import { notationOf, rivalsOf } from './numerals.ts'
import { dateChoices, nullsOf, numberChoices, shellWord } from './questions.ts'
import {
  bare,
  date,
  dated,
  emptyText,
  marker,
  none,
  numeral,
  oddNumber,
  padded,
  plainExponent,
  plainNumbers,
  exponent,
  wholes,
} from './shapes.ts'
import { decidingWitness, shownWitness } from './reasons.ts'

export interface FoundNotation {
  /** What can only be so; undefined where the values have the type's own form. */
  readonly notation?: Notation | undefined
  readonly question?: Question | undefined
}

/** `held`: what the column holds. */
export function notationFor(held: Holds, column: ColumnProfile): FoundNotation {
  if (held === 'text' || held === 'any') return {}
  const shapes = column.shapes & ~(none | bare)
  const inner = shapes & ~(marker | padded | emptyText)
  const { notation, readings = [] } =
    held === 'number' ? numbersFor(column, inner) : timesFor(held, column, inner)
  const around: Notation = {
    ...((shapes & padded) !== 0 && { trim: true as const }),
    // An empty text can be no number and no time.
    ...((shapes & emptyText) !== 0 && { nulls: [''] }),
  }
  const found = { ...around, ...notation }
  const stated = Object.keys(found).length === 0 ? {} : { notation: found }
  const about = `${column.field}${because(column)}`
  if (readings.length > 0) return { ...stated, question: { about, readings } }
  if ((shapes & marker) === 0) return stated
  const option = `--null ${nullsOf(column)}`
  const question = {
    about,
    readings: [{ option, meaning: 'no value' }],
    otherwise: 'the records with it are rejected',
  }
  return { ...stated, question }
}

function because(column: ColumnProfile): string {
  const witness = decidingWitness(column)
  return witness === undefined ? '' : `, because of ${shownWitness(witness)}`
}

interface Inner {
  readonly notation?: Notation
  readonly readings?: Question['readings']
}

const otherNumbers = exponent | plainExponent | oddNumber

function numbersFor(column: ColumnProfile, shapes: number): Inner {
  if ((shapes & numeral) === 0 || (shapes & ~(plainNumbers | numeral | otherNumbers)) !== 0) return {}
  const { numerals } = column
  if (numerals === 0) return {}
  if (rivalsOf(numerals) !== undefined) return { readings: numberChoices(column) }
  const { decimal, thousands } = notationOf(numerals)
  return { notation: { ...(decimal === ',' && { decimal }), ...(thousands !== '' && { thousands }) } }
}

/** Digits of a count since 1970 from 1973 to 2286. */
const epochs = [
  { epoch: 's', least: 9, most: 10, meaning: 'seconds since 1970' },
  { epoch: 'ms', least: 12, most: 13, meaning: 'milliseconds since 1970' },
  { epoch: 'us', least: 15, most: 16, meaning: 'microseconds since 1970' },
] as const

function timesFor(held: Holds, column: ColumnProfile, shapes: number): Inner {
  const { dated: found, point } = column
  if (shapes === dated && found !== undefined) {
    const isCertain = (found.orders & (found.orders - 1)) === 0 && !isShort(found.form)
    if (!isCertain) return { readings: dateChoices(column) }
    return { notation: { pattern: patternOf(found.form, found.orders, found.isPadded) } }
  }
  // A date in a column of timestamps is its midnight.
  if (shapes === date && (held === 'timestamp' || held === 'timestamptz'))
    return { notation: { pattern: 'YYYY-MM-DD' } }
  if (shapes === 0 || (shapes & ~wholes) !== 0 || held === 'time') return {}
  const same = epochs.find(({ least, most }) => point.leastDigits >= least && point.digits <= most)
  if (same !== undefined) return { notation: { epoch: same.epoch } }
  const readings = epochs.map(({ epoch, meaning }) => ({
    option: `--date-format ${shellWord(column.field)}=epoch-${epoch}`,
    meaning,
  }))
  return {
    readings: [
      ...readings,
      { option: `--date-format ${shellWord(column.field)}=excel-days`, meaning: 'days of Excel' },
    ],
  }
}
