/**
 * A table that exists → the model of a load that has none: the columns that its file has, and what decides
 * conflicts. It depends on nothing but the catalogue, the fields and what was stated, so that a second run, a
 * consumer process and a replay all come to the same model.
 */
import { Column, type ColumnType } from './columns.ts'
import type { Arbiter, ConflictPolicy, ModelColumn } from './declared.ts'
import { type Match, matchFields } from './match.ts'
import { type Model, modelOf } from './model.ts'
import { canBeWritten, type TableColumn, type TableFacts, type TableKey, shownTable } from './table.ts'
import { isZoned } from './zones.ts'

/** What is stated of a model that follows from a table. */
export interface TableChoices {
  /** Columns that identify a row, by the names of the table or of the file; or the name of a unique index. */
  readonly key?: readonly string[] | undefined
  /** Default: `error`. */
  readonly onConflict?: ConflictPolicy | undefined
  /** Leave out fields that have no column. */
  readonly ignoreExtra?: boolean | undefined
  /**
   * An IANA name, or an offset such as `+02:00`. A timestamptz reads times without an offset in this zone; a timestamp
   * keeps the local time that a time with an offset has there.
   */
  readonly zone?: string | undefined
}

/**
 * What a load without a written model was stated with: its layout holds it, so that a replay derives the same
 * model from the table of its pipeline.
 */
export interface StatedChoices extends TableChoices {
  /** Fields of a source whose records name their own. */
  readonly fields?: readonly string[] | undefined
}

export interface OfTable {
  /** Undefined where something does not fit. */
  readonly model: Model | undefined
  /** Fields that found their column, in the order of the fields. */
  readonly matched: readonly Match[]
  /** What does not fit, each with what to do about it. */
  readonly problems: readonly string[]
}

/** `fields`: those of the file; undefined where each record names its own. */
export function modelOfTable(
  facts: TableFacts,
  fields: readonly string[] | undefined,
  choices: TableChoices = {},
): OfTable {
  const { matched, problems: misfits } = matchFields(fields ?? namesOf(facts), facts, choices)
  const key = keyOf(facts, matched, choices)
  const problems = [...misfits, ...(fields === undefined ? [] : missing(facts, matched)), ...key.problems]
  if (problems.length > 0) return { model: undefined, matched, problems }
  const fieldOf = new Map(matched.map(({ field, column }) => [column, field]))
  const columns = facts.columns.flatMap((column) => {
    const field = fieldOf.get(column.name)
    const isKey = key.arbiter === undefined && key.columns.includes(column.name)
    return field === undefined ? [] : [modelColumn(column, field, isKey, choices.zone)]
  })
  const model: Model = {
    ...modelOf({
      schema: facts.schema,
      table: facts.table,
      columns,
      primaryKey: key.columns,
      indexes: [],
      onConflict: choices.onConflict ?? 'error',
      ...(key.arbiter && { arbiter: key.arbiter }),
      version: undefined,
    }),
    origin: 'table',
  }
  return { model, matched, problems }
}

/** Columns that a record may name, and that it can fill. */
const namesOf = ({ columns }: TableFacts): string[] =>
  columns.filter((column) => canBeWritten(column) && column.identity !== 'always').map(({ name }) => name)

/**
 * A column of the key must have a value, or it would identify nothing. Where the table forbids NULL is found
 * out when it is prepared, because a trigger may fill in what is missing.
 */
const modelColumn = (
  { name, type }: TableColumn,
  field: string,
  notNull: boolean,
  zone: string | undefined,
): ModelColumn => ({
  name,
  ...new Column({ type: inZone(type, zone), notNull, from: field === name ? undefined : field, nullIf: [] })
    .spec,
})

/** The model of a table before it is there. */
export const modelInZone = (model: Model, zone: string | undefined): Model => ({
  ...model,
  columns: model.columns.map((column) => ({ ...column, type: inZone(column.type, zone) })),
})

const inZone = (type: ColumnType, zone: string | undefined): ColumnType =>
  zone === undefined || !isZoned(type) ? type : { ...type, zone, decoder: () => type.decoder(zone) }

function* missing({ columns }: TableFacts, matched: readonly Match[]): Generator<string> {
  const found = new Set(matched.map(({ column }) => column))
  for (const { name, shown, notNull, hasDefault, mayBeFilled, identity, generated } of columns) {
    const isNeeded = notNull && !hasDefault && mayBeFilled !== true && identity === undefined && !generated
    if (isNeeded && !found.has(name))
      yield `column ${name} (${shown}) needs a value and the file has no field for it (add it to the file, or give the column a DEFAULT)`
  }
}

interface ChosenKey {
  readonly columns: readonly string[]
  readonly arbiter?: Arbiter | undefined
  readonly problems: readonly string[]
}

const none: ChosenKey = { columns: [], problems: [] }

/** What identifies a row: nothing needs to where no policy asks for it. */
function keyOf(facts: TableFacts, matched: readonly Match[], choices: TableChoices): ChosenKey {
  const { key, onConflict = 'error' } = choices
  const index = key?.length === 1 ? facts.keys.find(({ name }) => name === key[0]) : undefined
  if (index !== undefined) return arbiterOf({ ...facts, keys: [index] }, matched, onConflict, index.columns)
  const stated = key === undefined ? undefined : columnsOf(key, matched)
  if (stated !== undefined && stated.problems.length > 0) return { columns: [], problems: stated.problems }
  if (onConflict !== 'error') return arbiterOf(facts, matched, onConflict, stated?.columns)
  if (stated !== undefined) return { columns: stated.columns, problems: [] }
  const found = new Set(matched.map(({ column }) => column))
  const primary = facts.keys.find((each) => each.primary && each.columns.every((name) => found.has(name)))
  return primary === undefined ? none : { columns: primary.columns, problems: [] }
}

/** `names` may be those of columns or of fields. */
function columnsOf(names: readonly string[], matched: readonly Match[]) {
  const problems: string[] = []
  const columns = names.flatMap((name) => {
    const match = matched.find(({ column }) => column === name) ?? matched.find(({ field }) => field === name)
    if (match === undefined) problems.push(`--key ${name} is no column that the file has`)
    return match?.column ?? []
  })
  return { columns, problems }
}

/** The index that decides what is known: the one on the stated columns, the primary key, or the only one. */
function arbiterOf(
  facts: TableFacts,
  matched: readonly Match[],
  onConflict: ConflictPolicy,
  stated: readonly string[] | undefined,
): ChosenKey {
  const refused = (why: string): ChosenKey => ({
    columns: [],
    problems: [`--on-conflict ${onConflict} needs to know what identifies a row: ${why}`],
  })
  if (facts.kind === 'view') return refused('the trigger of a view decides that (leave --on-conflict out)')
  const found = new Set(matched.map(({ column }) => column))
  const meant = facts.keys.filter(({ columns }) => stated === undefined || isSame(columns, stated))
  const fit = meant.filter((key) => unfitness(key, found) === undefined)
  const best =
    fit.length === 1 ? fit[0] : fit.find((key) => isPlain(key) && (stated !== undefined || key.primary))
  if (best !== undefined) return chosen(best)
  const table = shownTable(facts)
  if (fit.length > 0) {
    const rivals = ({ columns }: TableKey) => fit.filter((other) => isSame(other.columns, columns)).length
    const ways = fit.map((key) => `--key ${rivals(key) > 1 ? key.name : key.columns.join(',')}`)
    return refused(`table ${table} has several unique indexes: choose one with ${ways.join(' or ')}`)
  }
  const reasons = meant.map((key) => `${key.name}: ${unfitness(key, found)}`)
  const where = stated === undefined ? 'columns of the file' : `exactly (${stated.join(', ')})`
  const why = reasons.length === 0 ? '' : ` that can decide it (${reasons.join('; ')})`
  const on = stated === undefined ? 'those that identify a row' : `${table} (${stated.join(', ')})`
  return refused(`table ${table} has no unique index on ${where}${why}: CREATE UNIQUE INDEX ON ${on}`)
}

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((name) => others.includes(name))

const isPlain = ({ expressions, predicate }: TableKey): boolean =>
  expressions === undefined && predicate === undefined

/** Why the index cannot decide what is known of the records of the file. */
function unfitness({ columns, reads = [], unfit }: TableKey, found: ReadonlySet<string>): string | undefined {
  const absent = [...new Set([...columns, ...reads])].filter((name) => !found.has(name))
  return unfit ?? (absent.length === 0 ? undefined : `the file has no ${absent.join(', ')}`)
}

function chosen(key: TableKey): ChosenKey {
  const { columns, expressions, predicate } = key
  if (isPlain(key)) return { columns, problems: [] }
  const arbiter = { ...(expressions && { expressions }), ...(predicate !== undefined && { predicate }) }
  return { columns, arbiter, problems: [] }
}
