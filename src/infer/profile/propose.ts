/** A profile → the columns of a new table, each with its reason, and what a person may want otherwise. */
import { LadingError } from '../../core/errors.ts'
import { listed } from '../../core/listed.ts'
import { columnNames } from '../../model/match.ts'
import type { Decision, Question } from '../decision.ts'
import type { ColumnProfile } from './column.ts'
import { notationFor, targetOf } from './notation-for.ts'
import { oddRecords } from './odd-records.ts'
import type { Profile } from './profile.ts'
import { columnWord, questionOf, shellWord } from './questions.ts'
import { reasonOf, shownWitness } from './reasons.ts'
import { decimal, emptyText, json } from './shapes.ts'
import { rivalsOf } from './numerals.ts'
import { type FoundType, shownType } from './found-type.ts'
import { typeOf } from './types.ts'
import { columnOfType, parseType } from './written-type.ts'

/** What was stated of the columns of a new table. */
export interface StatedTypes {
  /** All columns that are not named are text. */
  readonly types?: 'text' | undefined
  /** Types by field, as SQL writes them. */
  readonly columns?: Readonly<Record<string, string>> | undefined
}

export interface ProposedColumn {
  readonly field: string
  readonly name: string
  readonly type: FoundType
  readonly notNull: boolean
  readonly reason: Decision
  /** Undefined where nothing else can be meant. */
  readonly question: Question | undefined
  readonly profile: ColumnProfile
}

export interface Proposal {
  readonly columns: readonly ProposedColumn[]
  /** What keeps the load from being right: they must be answered before it. */
  readonly questions: readonly Question[]
}

/** Throws `USAGE` for types of fields that there are not. */
export function propose(profile: Profile, { types, columns: typesByName }: StatedTypes = {}): Proposal {
  const fields = profile.columns.map(({ field }) => field)
  const names = columnNames(fields)
  const stated = { types, columns: typesByField(typesByName, fields, names) }
  const hasCommas = profile.columns.some((column) => typeOf(column).notation?.decimal === ',')
  const columns = profile.columns.map((column, index) => {
    const isUnclear = hasCommas && stated.types === undefined && mayGroup(column, stated)
    const found = isUnclear ? groupedOrNot(column) : typed(column, profile, stated)
    return {
      field: column.field,
      name: names[index] as string,
      notNull: profile.records > 0 && column.missing === 0 && !hasEmptyNulls(column, found.type),
      profile: column,
      ...found,
    }
  })
  const isOpen = stated.types === undefined
  return { columns, questions: isOpen ? oddRecords(profile) : [] }
}

const mostNamed = 20

/** They may be stated by the names of the columns, too. */
function typesByField(
  stated: Readonly<Record<string, string>> = {},
  fields: readonly string[],
  names: readonly string[],
): Readonly<Record<string, string>> {
  const entries = Object.entries(stated).map(([name, type]) => {
    const field = fields.includes(name) ? name : fields[names.indexOf(name)]
    if (field !== undefined) return [field, type] as const
    throw new LadingError(
      'USAGE',
      `--columns ${name}:${type}: there is no field ${name}: ${listed(fields, mostNamed)}`,
    )
  })
  return Object.fromEntries(entries)
}

/** Whether a quoted empty cell of the column is no value. */
const hasEmptyNulls = ({ shapes }: ColumnProfile, { notation }: FoundType): boolean =>
  (shapes & emptyText) !== 0 && notation?.nulls?.includes('') === true

/** Whether points of the column could stand between thousands, as in `1.200`. */
const mayGroup = (column: ColumnProfile, { columns = {} }: StatedTypes): boolean =>
  !Object.hasOwn(columns, column.field) &&
  typeOf(column).name === 'numeric' &&
  typeOf(column).notation === undefined &&
  column.point.mostScale > 0 &&
  rivalsOf(column.numerals) !== undefined

/** In a file with decimal commas, a point is none before decimals, or it is: 1.200 is either number. */
function groupedOrNot(column: ColumnProfile): Typed {
  const { field } = column
  const witness = column.witnesses.find(({ shapes }) => (shapes & decimal) !== 0)
  const because = `of ${witness === undefined ? 'its points' : shownWitness(witness)}, and other columns have decimal commas`
  const readings = [
    { option: "--decimal , --thousands '.'", meaning: 'the point stands between thousands' },
    { option: `--columns ${columnWord(field)}:numeric`, meaning: 'the point stands before decimals' },
  ]
  return {
    type: { name: 'text' },
    reason: { about: field, chosen: 'text', because, ...(witness && { line: witness.line }) },
    question: { about: `${field} is text because ${because}`, readings, otherwise: 'it stays text' },
  }
}

type Typed = Pick<ProposedColumn, 'type' | 'reason' | 'question'>

function typed(column: ColumnProfile, profile: Profile, { types, columns = {} }: StatedTypes): Typed {
  const { field } = column
  const text = Object.hasOwn(columns, field) ? columns[field] : undefined
  if (text !== undefined) {
    const type = parseType(field, text)
    const target = targetOf(columnOfType(type).spec.type)
    const { notation, question } = (target && notationFor(target, column, 'nothing')) ?? {}
    const reason = { about: field, chosen: shownType(type), because: '--columns says so' }
    return { type: { ...type, ...(notation && { notation }) }, reason, question }
  }
  if (types === 'text') {
    const reason = { about: field, chosen: 'text', because: '--types text says so' }
    return { type: { name: 'text' }, reason, question: undefined }
  }
  const question = recordsWithin(column, profile) ?? questionOf(column)
  return { type: typeOf(column), reason: reasonOf(column, profile.records), question }
}

/** The only record of JSON may hold the records themselves. */
function recordsWithin(column: ColumnProfile, { records }: Profile): Question | undefined {
  const { field, witnesses } = column
  const witness = witnesses.find(({ shapes }) => (shapes & json) !== 0)
  if (records !== 1 || witness === undefined || !/^\[\s*\{/.test(witness.text)) return undefined
  return {
    about: `${field} is an array of objects in the only record`,
    line: witness.line,
    readings: [{ option: `--records ${shellWord(field)}`, meaning: 'each of them is a record' }],
    otherwise: 'it is one document',
  }
}
