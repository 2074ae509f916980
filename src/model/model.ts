import { createHash } from 'node:crypto'
import { LadingError } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { Column, type ColumnSpec, type ColumnType } from './columns.ts'
import { visible } from '../core/found.ts'
import type { Mask } from './mask.ts'
import { argumentProblems, exampleOf, isCall, misuses, shown } from './signatures.ts'
import type { RowWriter } from './writer.ts'
import { variableZone, zoneProblem } from './zones.ts'

export interface Index {
  readonly method: 'btree' | 'brin' | 'hash'
  readonly unique: boolean
  readonly columns: readonly string[]
}

const index = (method: Index['method'], unique: boolean, columns: readonly string[]): Index => ({
  method,
  unique,
  columns,
})
export const btree = (...columns: string[]): Index => index('btree', false, columns)
export const unique = (...columns: string[]): Index => index('btree', true, columns)
/**
 * Block range index, for columns whose values follow the order of arrival. PostgreSQL only; SQLite goes
 * without.
 */
export const brin = (...columns: string[]): Index => index('brin', false, columns)
/** Hash index, equality only. PostgreSQL only; SQLite goes without. */
export const hash = (...column: [column: string]): Index => index('hash', false, column)

/** What happens to a record whose primary key is in the table already. */
export type ConflictPolicy = 'error' | 'skip' | 'update'

export interface ModelColumn extends ColumnSpec {
  readonly name: string
  /** The table takes no NULL here, although the model does. */
  readonly tableNotNull?: boolean
}

type Columns = Readonly<Record<string, Column>>

/** What a record is. Row type, decoder, DDL, wire encoding and upsert all derive from it. */
export interface Model<C extends Columns = Columns> {
  readonly table: string
  readonly schema: string | undefined
  readonly columns: readonly ModelColumn[]
  readonly primaryKey: readonly string[]
  readonly indexes: readonly Index[]
  readonly onConflict: ConflictPolicy
  /** With `update`: a record never overwrites one whose value here is greater. */
  readonly version: string | undefined
  /**
   * sha256 of everything declared, so that a producer does not begin a load with one model and finish it with
   * another.
   */
  readonly fingerprint: string
  /** Carries the row type for inference only. */
  readonly row?: { readonly [K in keyof C]: C[K]['value'] }
}

/** The type of a row of `M`. */
export type RowOf<M extends { readonly row?: unknown }> = NonNullable<M['row']>

export interface ModelOptions<C extends Columns> {
  /** Name of the table, without its schema. */
  readonly table: string
  /**
   * Schema of the table; without it the database's own search path decides. SQLite has none and ignores it.
   */
  readonly schema?: string
  readonly columns: C
  readonly primaryKey?: readonly (keyof C & string)[]
  readonly indexes?: readonly Index[]
  /** `error` without a word: a conflicting record is rejected. */
  readonly onConflict?: ConflictPolicy
  readonly version?: keyof C & string
}

/**
 * Checks the options and freezes them into a model. Throws `MODEL_INVALID`, which says everything that is
 * wrong.
 */
export function defineModel<const C extends Columns>(...given: [options: ModelOptions<C>]): Model<C> {
  const [options] = given
  const misused = [
    ...argumentProblems('defineModel', given),
    ...indexMisuses(options?.indexes),
    ...columnMisuses(options?.columns),
  ]
  if (misused.length > 0) throw invalid(options?.table, misused)
  const columns = Object.entries(options.columns).map(([name, column]) => ({ name, ...column.spec }))
  const declared = {
    table: options.table,
    schema: options.schema,
    columns,
    primaryKey: options.primaryKey ?? [],
    indexes: options.indexes ?? [],
    onConflict: options.onConflict ?? 'error',
    version: options.version,
  }
  const problems = [...problemsOf(declared)]
  if (problems.length > 0) throw invalid(options.table, problems)
  return {
    ...declared,
    fingerprint: createHash('sha256').update(JSON.stringify(declared, functionsAsMarks)).digest('hex'),
  }
}

const invalid = (table: unknown, problems: readonly string[]): LadingError =>
  new LadingError(
    'MODEL_INVALID',
    visible(`model${typeof table === 'string' ? ` ${table}` : ''}: ${problems.join('; ')}`),
  )

function* columnMisuses(columns: unknown): Generator<string> {
  if (typeof columns !== 'object' || columns === null) return
  for (const [name, column] of Object.entries(columns)) {
    if (column instanceof Column) for (const misuse of Column.misusesOf(column)) yield `${name}: ${misuse}`
    else {
      // A type without its parentheses, or its name alone.
      const type: unknown = typeof column === 'function' ? column.name : column
      yield `${name}: ${shown(column)} is not a column (write ${typeof type === 'string' && isCall(type) ? exampleOf(type) : 'text(), or another type'})`
    }
  }
}

function* indexMisuses(indexes: unknown): Generator<string> {
  if (!Array.isArray(indexes)) return
  for (const each of indexes as unknown[]) {
    const { method, unique: isUnique, columns } = Object(each) as Partial<Index>
    const isIndex = typeof method === 'string' && isCall(method) && Array.isArray(columns)
    if (isIndex) yield* misuses(isUnique === true ? 'unique' : method, columns)
    else
      yield `indexes: ${shown(each)} is not an index (write btree('column'), unique('column'), brin('column') or hash('column'))`
  }
}

/**
 * That there is a transform counts; what it does cannot be compared, because its text changes with every
 * build. Of a mask its name counts, which says its kind and the ids of its keys.
 */
function functionsAsMarks(name: string, value: unknown): unknown {
  if (name === 'mask' && typeof value === 'object' && value !== null) return (value as Mask).name
  if (typeof value !== 'function') return value
  // How a type decodes follows from its kind.
  return name === 'decoder' || name === 'problem' ? undefined : 'function'
}

/** The name of the CSV column or JSON field that a column is read from. */
export const sourceName = (column: ModelColumn): string => column.from ?? column.name

/** The columns that are read from the source. */
export const sourceColumns = (model: Model): readonly ModelColumn[] =>
  model.columns.filter(({ generated }) => generated === undefined)

/**
 * Index of the cell that a column is read from, -1 where it has none. Where each column has a cell in its own
 * place, two may read one field.
 */
export function cellOfColumn(model: Model, fields: readonly string[], name: string): number {
  const columns = sourceColumns(model)
  const own = columns.findIndex((column) => column.name === name)
  const column = columns[own]
  if (column === undefined) return -1
  const field = sourceName(column)
  return fields[own] === field ? own : fields.indexOf(field)
}

/** Whether a column of the model holds masks instead of personal data. */
export const isMasked = (model: Model): boolean => model.columns.some(({ mask }) => mask !== undefined)

/** Whether rows of the model depend on the release of the time-zone data. */
export const hasZones = (model: Model): boolean =>
  model.columns.some((column) => variableZone(column) !== undefined)

/** What the model's masks do not promise, each said once with the columns that it holds for. */
export function warningsOf(model: Model): readonly string[] {
  const warnings = [...new Set(model.columns.flatMap(({ mask }) => mask?.warning ?? []))]
  return warnings.map((warning) => {
    const columns = model.columns.filter(({ mask }) => mask?.warning === warning).map(({ name }) => name)
    return `${tableName(model)}.${columns.join(', ')}: ${warning}`
  })
}

/** The model for a table that takes no NULL in these columns; everything that identifies the model stays. */
export function withNotNull(model: Model, names: readonly string[]): Model {
  return {
    ...model,
    columns: model.columns.map((column) =>
      names.includes(column.name) ? { ...column, tableNotNull: true } : column,
    ),
  }
}

/** The model's table as a person writes it. */
export const tableName = (model: Model): string =>
  model.schema === undefined ? model.table : `${model.schema}.${model.table}`

function* problemsOf(model: Omit<Model, 'fingerprint'>): Generator<string> {
  const names = new Set(model.columns.map((column) => column.name))
  yield* identifierProblems([model.table, ...(model.schema === undefined ? [] : [model.schema]), ...names])
  if (names.size === 0) yield 'it has no columns'
  for (const column of model.columns) yield* columnProblems(column)
  yield* sharedMaskProblems(model.columns)
  const used = [
    ...model.primaryKey,
    ...model.indexes.flatMap((each) => each.columns),
    ...(model.version === undefined ? [] : [model.version]),
  ]
  for (const name of new Set(used))
    if (!names.has(name)) yield `there is no column ${name}${guess(name, names)}`
  if (new Set(model.primaryKey).size < model.primaryKey.length) yield 'the primaryKey names a column twice'
  if (model.indexes.some((each) => each.columns.length === 0)) yield 'an index has no columns'
  for (const name of model.primaryKey) {
    if (!model.columns.find((column) => column.name === name)?.notNull)
      yield `the key column ${name} must be notNull()`
  }
  if (model.onConflict !== 'error' && model.primaryKey.length === 0)
    yield `onConflict: '${model.onConflict}' needs a primaryKey`
  if (model.version !== undefined && model.onConflict !== 'update') yield "version needs onConflict: 'update'"
}

function guess(name: string, names: Iterable<string>): string {
  const near = nearest(name, names)
  return near === undefined ? '' : ` (did you mean ${near}?)`
}

/** 63 bytes is PostgreSQL's limit (NAMEDATALEN - 1), beyond which it cuts a name silently. */
function* identifierProblems(names: readonly string[]): Generator<string> {
  for (const name of names) {
    if (name === '' || name.includes('\0') || Buffer.byteLength(name) > 63)
      yield `'${name}' is not a usable name (1 to 63 bytes, no NUL)`
  }
}

/** PostgreSQL's limit for varchar: 10 MB of one byte each. */
const mostCharacters = 10_485_760

function* columnProblems(column: ModelColumn): Generator<string> {
  let sound = true
  for (const problem of typeProblems(column)) {
    sound = false
    yield problem
  }
  if (sound && column.fallback !== undefined)
    yield* defaultProblems(column.name, column.type, column.fallback)
  yield* maskProblems(column)
  yield* generatedProblems(column)
}

/**
 * With a transform it would not be clear which of the two comes first, nor what a reject of a failed one may
 * show.
 */
function* maskProblems({ name, type, mask, transform }: ModelColumn): Generator<string> {
  if (mask === undefined) return
  if (type.kind !== 'text' && type.kind !== 'varchar')
    yield `${name}: only text and varchar columns can be masked`
  if (transform !== undefined) yield `${name}: mask and transform do not go together`
}

/** What one column masks another one must not show. */
function* sharedMaskProblems(columns: readonly ModelColumn[]): Generator<string> {
  for (const { name, from, mask } of columns) {
    const field = from ?? name
    const others = columns.filter(
      (other) => other.name !== name && other.generated === undefined && sourceName(other) === field,
    )
    if (mask !== undefined && others.length > 0)
      yield `${name}: its field ${field} is masked, and read by ${others[0]?.name} too`
  }
}

const generatedTypes = {
  recordKey: ['text', 'varchar'],
  processedAt: ['timestamptz'],
  processedOn: ['date'],
} as const

function* generatedProblems(column: ModelColumn): Generator<string> {
  const { name, type, generated } = column
  if (generated === undefined) return
  const types: readonly string[] | undefined = Object.hasOwn(generatedTypes, generated.value)
    ? generatedTypes[generated.value]
    : undefined
  if (types === undefined) yield `${name}: '${generated.value}' is not generated`
  else if (!types.includes(type.kind)) yield `${name}: ${generated.value} needs ${types.join(' or ')}`
  const zone = generated.value === 'processedOn' ? zoneProblem(generated.zone) : undefined
  if (zone !== undefined) yield `${name}: ${zone}`
  const { from, fallback, nullIf, transform, mask } = column
  if ([from, fallback, transform, mask].some((each) => each !== undefined) || nullIf.length > 0) {
    yield `${name}: a generated value has no field, default, nullIf, transform or mask`
  }
}

/**
 * A default is decoded for each record that lacks a value, so one that cannot be decoded would reject them
 * all.
 */
function* defaultProblems(name: string, type: ColumnType, fallback: string): Generator<string> {
  const bytes = Buffer.from(fallback)
  const fault = type.decoder()(bytes, 0, bytes.length, nowhere)
  if (fault !== undefined) yield `${name}: the default: ${fault.detail}`
  if (fallback.includes('\0') || !fallback.isWellFormed())
    yield `${name}: the default is not text that a database takes`
}

/** Takes every value and keeps none. */
const nowhere = new Proxy({}, { get: () => () => undefined }) as RowWriter

function* typeProblems({ name, type }: ModelColumn): Generator<string> {
  if (type.kind === 'varchar' && !isBetween(type.length, 1, mostCharacters))
    yield `${name}: varchar needs a length of 1 to ${mostCharacters}`
  if (type.kind === 'numeric') {
    const { precision, scale } = type
    if (precision === undefined && scale !== undefined)
      yield `${name}: numeric needs a precision where it has a scale`
    else if (
      precision !== undefined &&
      !(isBetween(precision, 1, 1000) && isBetween(scale ?? 0, 0, precision))
    ) {
      yield `${name}: numeric(${precision}, ${scale ?? 0}) is not possible`
    }
  }
  const zone = type.kind === 'timestamptz' && type.zone !== undefined ? zoneProblem(type.zone) : undefined
  if (zone !== undefined) yield `${name}: ${zone}`
  if (type.sql !== undefined && !/^[a-z_][\w .,()[\]]*$/i.test(type.sql))
    yield `${name}: '${type.sql}' is not a type name`
  const problem = type.problem?.()
  if (problem !== undefined) yield `${name}: ${problem}`
}

const isBetween = (value: number | undefined, least: number, most: number): boolean =>
  value !== undefined && Number.isInteger(value) && value >= least && value <= most
