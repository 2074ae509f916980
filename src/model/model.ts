import { createHash } from 'node:crypto'
import { LadingError } from '../core/errors.ts'
import type { SkipWhen } from '../core/skip.ts'
import { visible } from '../core/found.ts'
import type { ColumnSpec, Transformed } from './column.ts'
import { Column } from './columns.ts'
import {
  type Columns,
  type ConflictPolicy,
  type Derive,
  type Index,
  type Model,
  type ModelColumn,
  type Refusal,
  sourceNames,
  type Validate,
  type Where,
} from './declared.ts'
import { isDerived } from './hooks.ts'
import type { Mask } from './mask.ts'
import { problemsOf } from './problems.ts'
import { argumentProblems, exampleOf, isCall, misuses, shown } from './signatures.ts'
import { variableZone } from './zones.ts'

export * from './declared.ts'

/** A row as the model's code sees it. */
export type RowOfColumns<C extends Columns> = { readonly [K in keyof C]: C[K]['value'] }

/** What `defineModel` takes. Names of columns are those of the table. */
export interface ModelOptions<C extends Columns, D extends keyof C & string = never> {
  /** Name of the table, without the schema. */
  readonly table: string
  /** Schema of the table; by default the database's search path decides. Ignored in SQLite. */
  readonly schema?: string
  readonly columns: C
  readonly primaryKey?: readonly (keyof C & string)[]
  readonly indexes?: readonly Index[]
  /** Default: `error`, which rejects a conflicting record. */
  readonly onConflict?: ConflictPolicy
  readonly version?: keyof C & string
  /**
   * Leaves out records on purpose: those of which a field has one of these texts. They count as skipped, and
   * receipts say how many they are.
   */
  readonly skipWhen?: SkipWhen
  /**
   * Leaves out records for which it returns false, by the texts of their fields, before anything is decoded. A throw
   * rejects the record.
   */
  readonly where?: Where
  /**
   * Computes columns from the others, whose values it sees as they are stored: masked, and with times as text. The
   * column decodes the result as strictly as text of the source. Derived columns are the last ones of a table that is
   * made. A record may be decoded again, so that the same row must give the same value. A throw is a fault of the
   * program and stops it (`HOOK_FAILED`).
   */
  readonly derive?: { readonly [K in D]: (row: RowOfColumns<Omit<C, D>>) => Transformed }
  /**
   * Refuses a record, with a reason that is kept with the reject (`RECORD_INVALID`); `undefined` or `true` takes it. It
   * sees the row as it is about to be stored, derived columns and masks included. As for `derive`, the same row must
   * give the same answer, and a throw stops the program.
   */
  readonly validate?: (row: RowOfColumns<C>) => Refusal<keyof C & string> | true | undefined
}

/**
 * Checks the options and makes a model of them: the type of a row, decoding, the table and the upsert follow from it.
 *
 * @throws LadingError `MODEL_INVALID`, which lists every problem.
 * @example
 * const orders = defineModel({
 *   table: 'orders',
 *   columns: { id: bigint().notNull(), total: numeric(12, 2).notNull(), note: text().from('Note') },
 *   primaryKey: ['id'],
 *   onConflict: 'update',
 *   validate: ({ total }) => !total.startsWith('-') || { reason: 'a total is not negative', column: 'total' },
 * })
 * type Order = RowOf<typeof orders> // { readonly id: bigint, readonly total: string, readonly note: string | null }
 */
export function defineModel<const C extends Columns, const D extends keyof C & string = never>(
  ...given: [options: ModelOptions<C, D>]
): Model<C> {
  const [options] = given
  const misused = [
    ...argumentProblems('defineModel', given),
    ...indexMisuses(options?.indexes),
    ...columnMisuses(options?.columns),
  ]
  if (misused.length > 0) throw invalid(options?.table, misused)
  // Not by looking it up in the object, which has a `constructor` of its own, and columns may be called so.
  const derive = new Map<string, Derive>(Object.entries(options.derive ?? {}))
  const unknown = [...derive.keys()].find((name) => !Object.hasOwn(options.columns, name))
  if (unknown !== undefined) throw invalid(options.table, [`derive: there is no column ${unknown}`])
  const all = Object.entries(options.columns).map(([name, column]) =>
    derivedBy(derive.get(name), name, column.spec),
  )
  // Behind all that they may be computed from.
  const columns = [...all.filter((column) => !isDerived(column)), ...all.filter(isDerived)]
  const declared = {
    table: options.table,
    schema: options.schema,
    columns,
    primaryKey: options.primaryKey ?? [],
    indexes: options.indexes ?? [],
    onConflict: options.onConflict ?? 'error',
    version: options.version,
    ...(options.skipWhen && { skipWhen: options.skipWhen }),
    ...(options.where && { where: options.where }),
    ...(options.validate && { validate: options.validate as unknown as Validate }),
  }
  return modelOf(declared)
}

function derivedBy(by: Derive | undefined, name: string, spec: ColumnSpec): ModelColumn {
  if (by === undefined) return { name, ...spec }
  if (spec.generated !== undefined) throw invalid(name, ['it is generated and derived'])
  return { name, ...spec, generated: { value: 'derived', by } }
}

/** The model of a declaration that a program has made. Throws `MODEL_INVALID`, which lists every problem. */
export function modelOf<C extends Columns>(declared: Omit<Model<C>, 'fingerprint'>): Model<C> {
  const problems = [...problemsOf(declared)]
  if (problems.length > 0) throw invalid(declared.table, problems)
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
      // A type without parentheses, or only its name.
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
 * The fingerprint includes whether there is a transform, but not its code, which changes with every build. It
 * includes the name of a mask: its kind and the ids of its keys.
 */
function functionsAsMarks(name: string, value: unknown): unknown {
  if (name === 'mask' && typeof value === 'object' && value !== null) return (value as Mask).name
  if (typeof value !== 'function') return value
  // The kind determines how a type decodes.
  return name === 'decoder' || name === 'problem' ? undefined : 'function'
}

/** The columns read from the source. */
export const sourceColumns = (model: Model): readonly ModelColumn[] =>
  model.columns.filter(({ generated }) => generated === undefined)

/**
 * By the name of each column that is read from the source, the indexes of its cells; -1 where there is none. If
 * `fields` has an entry for each field of each column, in order, two columns may read the same field, each from
 * its own cell.
 */
export function cellsByColumn(
  model: Model,
  fields: readonly string[],
): ReadonlyMap<string, readonly number[]> {
  const indexes = new Map(fields.map((field, index) => [field, index] as const).toReversed())
  const cells = new Map<string, readonly number[]>()
  let first = 0
  for (const column of sourceColumns(model)) {
    const names = sourceNames(column)
    const start = first
    const cellOf = (field: string, index: number): number =>
      fields[start + index] === field ? start + index : (indexes.get(field) ?? -1)
    cells.set(column.name, names.map(cellOf))
    first += names.length
  }
  return cells
}

/** Whether the model masks a column. */
export const isMasked = (model: Pick<Model, 'columns'>): boolean =>
  model.columns.some(({ mask }) => mask !== undefined)

/** Whether rows depend on the release of the time-zone data. */
export const hasZones = (model: Model): boolean =>
  model.columns.some((column) => variableZone(column) !== undefined)

/** Warnings of the model's masks, each once, with the columns it applies to. */
export function warningsOf(model: Model): readonly string[] {
  const warnings = [...new Set(model.columns.flatMap(({ mask }) => mask?.warning ?? []))]
  return warnings.map((warning) => {
    const columns = model.columns.filter(({ mask }) => mask?.warning === warning).map(({ name }) => name)
    return `${tableName(model)}.${columns.join(', ')}: ${warning}`
  })
}

/** The model for a table that forbids NULL in these columns; its fingerprint stays the same. */
export function withNotNull(model: Model, names: readonly string[]): Model {
  return {
    ...model,
    columns: model.columns.map((column) =>
      names.includes(column.name) ? { ...column, tableNotNull: true } : column,
    ),
  }
}

/** The table's display name. */
export const tableName = (model: Model): string =>
  model.schema === undefined ? model.table : `${model.schema}.${model.table}`
