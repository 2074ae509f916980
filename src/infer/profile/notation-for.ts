/** How the values of a field are written, where the type of its column is given: told by their shapes alone. */
import type { Notation } from '../../core/notation.ts'
import type { ColumnType } from '../../model/columns.ts'
import { type Holds, holds } from '../../model/notation/holds.ts'
import type { Question } from '../decision.ts'
import type { ColumnProfile } from './column.ts'
import { fits } from './dates.ts'
import type { Witness } from './facts.ts'
import { type Elsewhere, numberForm, type ValueForm } from './number-form.ts'
import { epochForm, timeForm } from './time-form.ts'
import { nullsOf } from './questions.ts'
import { decidingWitness, shownWitness } from './reasons.ts'
import {
  bare,
  date,
  dated,
  decimal,
  emptyText,
  marker,
  none,
  numeral,
  padded,
  plainNumbers,
  time,
  timestamp,
  timestamptz,
  wholes,
} from './shapes.ts'

/** The column that a field goes to, as far as its values may be written in several ways. */
export interface Target {
  readonly held: Exclude<Holds, 'text' | 'any'>
  /** Whether it takes no decimals. */
  readonly isWhole: boolean
  /** The shapes of its own form. */
  readonly own: number
}

export interface FoundNotation {
  /** What can only be so; undefined where the values have the type's own form. */
  readonly notation?: Notation | undefined
  readonly question?: Question | undefined
}

/** What stands around values, and instead of them. */
export interface Around {
  readonly field: string
  /** Of `padded`, `emptyText` and `marker`. */
  readonly shapes: number
  readonly markers: ColumnProfile['markers']
  /** What is shown of a question. */
  readonly witness: Witness | undefined
}

/** Undefined where some value is written otherwise than the others, or is none: then they have to be counted. */
export function notationFor(
  target: Target,
  column: ColumnProfile,
  others: Elsewhere,
): FoundNotation | undefined {
  const shapes = column.shapes & ~(none | bare | marker | padded | emptyText)
  const form =
    target.held === 'number' ? numbersFor(target, column, shapes, others) : timesFor(target, column, shapes)
  return form && withAround(form, { ...column, shapes: column.shapes, witness: witnessOf(column) })
}

/** The value that made the form of its column another one, or the first one that has a form. */
const witnessOf = (column: ColumnProfile): Witness | undefined =>
  decidingWitness(column) ??
  column.witnesses.find(({ shapes }) => (shapes & (decimal | numeral | dated)) !== 0)

export function withAround({ notation, readings = [], otherwise }: ValueForm, around: Around): FoundNotation {
  const { field, shapes, witness } = around
  const found: Notation = {
    ...((shapes & padded) !== 0 && { trim: true as const }),
    // An empty text can be no number and no time.
    ...((shapes & emptyText) !== 0 && { nulls: [''] }),
    ...notation,
  }
  const stated = Object.keys(found).length === 0 ? {} : { notation: found }
  if (readings.length > 0) {
    const about = aboutOf(field, witness)
    return { ...stated, question: { about, readings, ...(otherwise !== undefined && { otherwise }) } }
  }
  if ((shapes & marker) === 0) return stated
  const question = {
    about: aboutOf(field, around.markers.values().next().value),
    readings: [{ option: `--null ${nullsOf(around)}`, meaning: 'no value' }],
    otherwise: 'the records with it are rejected',
  }
  return { ...stated, question }
}

const aboutOf = (field: string, witness: Witness | undefined): string =>
  witness === undefined ? field : `${field}, because of ${shownWitness(witness)}`

function numbersFor(
  { isWhole }: Target,
  { field, numerals }: ColumnProfile,
  shapes: number,
  others: Elsewhere,
): ValueForm | undefined {
  if ((shapes & ~(plainNumbers | numeral)) !== 0 || numerals === 0) return undefined
  return numberForm(field, new Map([[numerals, 1]]), isWhole, others)
}

const ownShapes: Readonly<Record<Target['held'], number>> = {
  number: plainNumbers,
  // A date is its midnight, and the midnight its date.
  date: date | timestamp,
  time,
  timestamp: date | timestamp | timestamptz,
  timestamptz: date | timestamp | timestamptz,
}

function timesFor({ held, own }: Target, column: ColumnProfile, shapes: number): ValueForm | undefined {
  const { dated: found, point, field } = column
  if ((shapes & ~own) === 0) return {}
  const formed = (form: string, orders = 1, isPadded = true): ValueForm =>
    timeForm(field, [{ form, isPadded, orders: new Map([[orders, 1]]) }])
  if (shapes === dated && found !== undefined && found.orders !== 0 && fits(found.form, held))
    return formed(found.form, found.orders, found.isPadded)
  const form =
    (shapes & ~wholes) === 0 && held !== 'time' ? epochForm(point.leastDigits, point.digits) : 'number'
  return form === 'number' ? undefined : formed(form)
}

/** Undefined for columns of which nothing can be read in several ways. */
export function targetOf(type: ColumnType): Target | undefined {
  const held = holds(type)
  const name = type.kind === 'custom' ? (type.sql ?? '') : type.kind
  // The database alone knows how its amounts are written; what SQLite keeps as it is may be no date at all.
  if (held === 'any' || held === 'text' || name === 'money' || name.startsWith('kept')) return undefined
  return {
    held,
    isWhole: /^(?:integer|bigint|smallint|int\d?)$/i.test(name),
    own: ownShapes[held],
  }
}
