/**
 * A table that exists → the model of a load that has none: the columns that its file has, and what decides
 * conflicts. It depends on nothing but the catalogue, the fields and what was stated, so that a second run, a
 * consumer process and a replay all come to the same model.
 */
import { Column } from './columns.ts'
import type { ConflictPolicy, ModelColumn } from './declared.ts'
import { type Match, matchFields } from './match.ts'
import { type Model, modelOf } from './model.ts'
import { type TableColumn, type TableFacts, type TableKey, shownTable } from './table.ts'

export interface TableChoices {
  /** Columns that identify a row, by the names of the table or of the file. */
  readonly key?: readonly string[] | undefined
  /** Default: `error`. */
  readonly onConflict?: ConflictPolicy | undefined
  /** Leave out fields that have no column. */
  readonly ignoreExtra?: boolean | undefined
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
    return field === undefined ? [] : [modelColumn(column, field, key.columns.includes(column.name))]
  })
  const model = modelOf({
    schema: facts.schema,
    table: facts.table,
    columns,
    primaryKey: key.columns,
    indexes: [],
    onConflict: choices.onConflict ?? 'error',
    version: undefined,
  })
  return { model, matched, problems }
}

/** Columns that a record may name, whose values the table does not compute. */
const namesOf = ({ columns }: TableFacts): string[] =>
  columns.filter(({ generated, identity }) => !generated && identity !== 'always').map(({ name }) => name)

/**
 * A column of the key must have a value, or it would identify nothing. Where the table forbids NULL is found
 * out when it is prepared, because a trigger may fill in what is missing.
 */
const modelColumn = ({ name, type }: TableColumn, field: string, notNull: boolean): ModelColumn => ({
  name,
  ...new Column({ type, notNull, from: field === name ? undefined : field, nullIf: [] }).spec,
})

function* missing({ columns }: TableFacts, matched: readonly Match[]): Generator<string> {
  const found = new Set(matched.map(({ column }) => column))
  for (const { name, shown, notNull, hasDefault, identity, generated } of columns) {
    const isNeeded = notNull && !hasDefault && identity === undefined && !generated
    if (isNeeded && !found.has(name))
      yield `column ${name} (${shown}) needs a value and the file has no field for it (add it to the file, or give the column a DEFAULT)`
  }
}

interface ChosenKey {
  readonly columns: readonly string[]
  readonly problems: readonly string[]
}

function keyOf(facts: TableFacts, matched: readonly Match[], choices: TableChoices): ChosenKey {
  const { key, onConflict = 'error' } = choices
  const found = new Set(matched.map(({ column }) => column))
  if (key !== undefined) return statedKey(facts, matched, key, onConflict)
  const usable = facts.keys.filter(
    ({ columns, unfit }) => unfit === undefined && columns.every((name) => found.has(name)),
  )
  const [first, ...others] = usable
  if (facts.kind === 'view' && onConflict !== 'error')
    return {
      columns: [],
      problems: [
        `onConflict '${onConflict}' is for tables: what happens to a known key, the trigger of a view decides (leave --on-conflict out)`,
      ],
    }
  if (onConflict === 'error') return { columns: first?.primary === true ? first.columns : [], problems: [] }
  if (first !== undefined && (first.primary || others.length === 0))
    return { columns: first.columns, problems: [] }
  const table = shownTable(facts)
  const why =
    first === undefined
      ? `table ${table} has no unique index on columns of the file${unfitKeys(facts.keys, found)} (CREATE UNIQUE INDEX on those that identify a row)`
      : `table ${table} has several unique indexes: choose one with ${usable.map(({ columns }) => `--key ${columns.join(',')}`).join(' or ')}`
  return { columns: [], problems: [`onConflict '${onConflict}' needs to know what identifies a row: ${why}`] }
}

function unfitKeys(keys: readonly TableKey[], found: ReadonlySet<string>): string {
  const reasons = keys.map(({ name, columns, unfit }) => {
    const absent = columns.filter((column) => !found.has(column))
    return `${name}: ${unfit ?? `the file has no ${absent.join(', ')}`}`
  })
  return reasons.length === 0 ? '' : ` (${reasons.join('; ')})`
}

function statedKey(
  facts: TableFacts,
  matched: readonly Match[],
  key: readonly string[],
  onConflict: ConflictPolicy,
): ChosenKey {
  const problems: string[] = []
  const columns = key.flatMap((name) => {
    const match = matched.find(({ column }) => column === name) ?? matched.find(({ field }) => field === name)
    if (match === undefined) problems.push(`--key ${name} is no column that the file has`)
    return match?.column ?? []
  })
  const same = facts.keys.filter(
    (each) => each.columns.length === columns.length && each.columns.every((name) => columns.includes(name)),
  )
  const unfit = same.every((each) => each.unfit !== undefined)
  if (problems.length === 0 && onConflict !== 'error' && unfit) {
    const why = same[0]?.unfit
    problems.push(
      `--key ${key.join(',')} with --on-conflict ${onConflict} needs a unique index on exactly these columns${why === undefined ? '' : ` (${same[0]?.name}: ${why})`} (CREATE UNIQUE INDEX ON ${shownTable(facts)} (${columns.join(', ')}))`,
    )
  }
  return { columns, problems }
}
