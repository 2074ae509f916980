/** A profile → the columns of a new table, each with its reason, and what a person may want otherwise. */
import { LadingError } from '../../core/errors.ts'
import { quoted } from '../../core/shell.ts'
import { noField } from '../../model/fields.ts'
import { columnNames } from '../../model/match.ts'
import type { Decision, Question } from '../decision.ts'
import type { ColumnProfile } from './column.ts'
import type { Forms } from './forms.ts'
import { type FoundNotation, notationFor, type Target, targetOf } from './notation-for.ts'
import { oddRecords } from './odd-records.ts'
import type { Profile } from './profile.ts'
import { currencyQuestion, questionOf, rivalChoices } from './questions.ts'
import { reasonOf, shownWitness } from './reasons.ts'
import { decimal, emptyText, json, numeral } from './shapes.ts'
import { type Elsewhere, elsewhere } from './number-form.ts'
import { pointNumerals, rivalsOf } from './numerals.ts'
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

/** Fields whose type is stated and whose values are not all written alike: they have to be counted. */
export function mixedFields(profile: Profile, { columns = {} }: StatedTypes): ReadonlyMap<string, Target> {
  const fields = profile.columns.map(({ field }) => field)
  const types = typesByField(columns, fields, columnNames(fields))
  const mixed = profile.columns.flatMap((column) => {
    const { field, stated } = column
    const target = Object.hasOwn(types, field) ? statedTarget(field, types[field] as string) : undefined
    const isStated = (target?.held === 'number' ? stated?.numbers : stated?.times) !== undefined
    const isMixed = target !== undefined && !isStated && notationFor(target, column, 'nothing') === undefined
    return isMixed ? [[field, target] as const] : []
  })
  return new Map(mixed)
}

const statedTarget = (field: string, type: string): Target | undefined =>
  targetOf(columnOfType(parseType(field, type)).spec.type)

/** `forms`: of mixed fields. Throws `USAGE` for types of fields that there are not. */
export function propose(
  profile: Profile,
  { types, columns: typesByName }: StatedTypes = {},
  forms?: Forms,
): Proposal {
  const fields = profile.columns.map(({ field }) => field)
  const names = columnNames(fields)
  const stated = { types, columns: typesByField(typesByName, fields, names) }
  const numbers = profile.columns.filter((column) => isNumber(typeOf(column)))
  const others = elsewhere(
    numbers.map(({ numerals }) => new Map([[numerals, 1]])),
    true,
  )
  const columns = profile.columns.map((column, index) => {
    const why = stated.types === undefined && isPlain(column, stated) ? whyUnclear(column, others) : undefined
    const found = why === undefined ? typed(column, profile, stated, forms) : asText(column, why)
    return {
      field: column.field,
      name: names[index] as string,
      notNull: profile.records > 0 && column.missing === 0 && !hasEmptyNulls(column, found.type),
      profile: column,
      ...found,
    }
  })
  const isOpen = stated.types === undefined
  // Of a type that is stated: nothing else can be done.
  const unanswered = columns.flatMap(({ question }) =>
    question === undefined || question.otherwise !== undefined ? [] : [question],
  )
  return { columns, questions: [...(isOpen ? oddRecords(profile) : []), ...unanswered] }
}

/** They may be stated by the names of the columns, too. */
function typesByField(
  stated: Readonly<Record<string, string>> = {},
  fields: readonly string[],
  names: readonly string[],
): Readonly<Record<string, string>> {
  const entries = Object.entries(stated).map(([name, type]) => {
    const field = fields.includes(name) ? name : fields[names.indexOf(name)]
    if (field !== undefined) return [field, type] as const
    throw new LadingError('USAGE', `--columns ${name}:${type}: ${noField(name, fields)}`)
  })
  return Object.fromEntries(entries)
}

/** Whether a quoted empty cell of the column is no value. */
const hasEmptyNulls = ({ shapes }: ColumnProfile, { notation }: FoundType): boolean =>
  (shapes & emptyText) !== 0 && notation?.nulls?.includes('') === true

const isNumber = ({ name }: FoundType): boolean =>
  name === 'numeric' || name === 'integer' || name === 'bigint'

/** Whether nothing is stated of its type or its signs. */
const isPlain = ({ field, stated }: ColumnProfile, { columns = {} }: StatedTypes): boolean =>
  !Object.hasOwn(columns, field) && stated?.numbers === undefined

/** Why a sign of the column could stand between thousands, as in `1.200`, or before decimals. */
function whyUnclear(column: ColumnProfile, others: Elsewhere): Unclear | undefined {
  const { numerals, semicolonNumerals, otherNumerals } = column
  if (!isNumber(typeOf(column))) return undefined
  const isComma = (numerals & pointNumerals) === 0
  const open = rivalsOf(numerals)
  if (open === undefined && rivalsOf(isComma ? otherNumerals : semicolonNumerals) !== undefined)
    return { because: 'files with semicolons and files without have other decimal signs', readings: [] }
  if (open?.[0].thousands !== '') return undefined
  const because =
    others === 'commas' || others === 'both'
      ? 'other columns have decimal commas'
      : 'where semicolons stand between cells, a comma may stand before decimals'
  const isLikely = others !== 'points' && others !== 'nothing'
  if (!isLikely || (others === 'semicolons' && rivalsOf(semicolonNumerals) === undefined)) return undefined
  // Later files, for whose table `--columns` says nothing, are told so, too.
  return { because, readings: rivalChoices(column.field, open).toReversed() }
}

interface Unclear {
  readonly because: string
  readonly readings: Question['readings']
}

function asText(column: ColumnProfile, { because: why, readings }: Unclear): Typed {
  const { field } = column
  const witness = column.witnesses.find(({ shapes }) => (shapes & (decimal | numeral)) !== 0)
  const because = `of ${witness === undefined ? 'its signs' : shownWitness(witness)}, and ${why}`
  const otherwise = readings.length > 0 ? 'it stays text' : 'it stays text, unless each kind is loaded alone'
  return {
    type: { name: 'text' },
    reason: { about: field, chosen: 'text', because, ...(witness && { line: witness.line }) },
    question: { about: `${field} is text because ${because}`, readings, otherwise },
  }
}

type Typed = Pick<ProposedColumn, 'type' | 'reason' | 'question'>

function typed(
  column: ColumnProfile,
  profile: Profile,
  { types, columns = {} }: StatedTypes,
  forms: Forms | undefined,
): Typed {
  const { field } = column
  const text = Object.hasOwn(columns, field) ? columns[field] : undefined
  if (text !== undefined) {
    const type = parseType(field, text)
    const target = statedTarget(field, text)
    const { notation, question } = target === undefined ? {} : writtenFor(target, column, forms)
    const reason = { about: field, chosen: shownType(type), because: '--columns says so' }
    const ofCurrency = target?.held === 'number' ? currencyQuestion(column) : undefined
    return { type: { ...type, ...(notation && { notation }) }, reason, question: ofCurrency ?? question }
  }
  if (types === 'text') {
    const reason = { about: field, chosen: 'text', because: '--types text says so' }
    return { type: { name: 'text' }, reason, question: undefined }
  }
  const question = recordsWithin(column, profile) ?? questionOf(column)
  return { type: typeOf(column), reason: reasonOf(column, profile.records), question }
}

/** As options state it, or as most values are written. */
function writtenFor(target: Target, column: ColumnProfile, forms: Forms | undefined): FoundNotation {
  const { stated, statedUses, field } = column
  const [notation, isUsed] =
    target.held === 'number' ? [stated?.numbers, statedUses.numbers] : [stated?.times, statedUses.times]
  if (notation !== undefined && isUsed) return { notation }
  return notationFor(target, column, 'nothing') ?? forms?.fields.get(field)?.found('nothing') ?? {}
}

/** The only record of JSON may hold the records themselves. */
function recordsWithin(column: ColumnProfile, { records }: Profile): Question | undefined {
  const { field, witnesses } = column
  const witness = witnesses.find(({ shapes }) => (shapes & json) !== 0)
  if (records !== 1 || witness === undefined || !/^\[\s*\{/.test(witness.text)) return undefined
  return {
    about: `${field} is an array of objects in the only record`,
    line: witness.line,
    readings: [{ option: `--records ${quoted(field)}`, meaning: 'each of them is a record' }],
    otherwise: 'it is one document',
  }
}
