/** What of a table does not fit the model. */
import type { ColumnType } from '../../model/columns.ts'
import type { Model } from '../../model/model.ts'
import type { Catalog, CatalogColumn } from './catalog.ts'
import { decidingKey } from './catalog.ts'
import { cellOf, kindOfExisting } from './cells.ts'
import { identifier, identifiers, sqlType } from './ddl.ts'
import { written } from './note.ts'
import { isNested, typeOf, valuesOf } from './types.ts'

/** What DuckDB compares as text, although it is meant otherwise. */
const isOrdered = (type: ColumnType): boolean =>
  type.kind !== 'json' &&
  type.kind !== 'array' &&
  type.kind !== 'custom' &&
  !(type.kind === 'numeric' && cellOf(type).isText)

export function* orderProblems({ columns, primaryKey, version }: Model): Generator<string> {
  if (columns.some(({ name }) => name.toLowerCase() === 'rowid'))
    yield 'a column rowid hides what DuckDB calls the number of a row (give it another name)'
  for (const { name, type } of columns) {
    if (isOrdered(type)) continue
    const what = `column ${name} is ${type.kind}, which is compared as text`
    if (primaryKey.includes(name))
      yield `${what} (1 and 1.0 would be two keys), so it cannot be part of the primaryKey`
    if (version === name) yield `${what} (10 would be smaller than 9), so it cannot be the version`
  }
}

/** One line each, with what to do about it; `catalog` is undefined where there is no such table. */
export function* problemsOf(model: Model, catalog: Catalog | undefined): Generator<string> {
  yield* orderProblems(model)
  if (catalog === undefined) {
    yield 'it is no table (of a view, name the table below it)'
    return
  }
  const columns = new Map(catalog.columns.map((column) => [column.name, column]))
  for (const { name, type } of model.columns) {
    const column = columns.get(name)
    if (column === undefined)
      yield `it has no column ${name} (ALTER TABLE ${identifier(model.table)} ADD COLUMN ${identifier(name)} ${sqlType(type)}, or leave it out of the model)`
    else if (column.isGenerated)
      yield `column ${name} is computed by the table itself (leave it out of the model)`
    else {
      const problem = misfit(type, column)
      if (problem !== undefined) yield `column ${name} is ${column.type}, ${problem}`
    }
  }
  const known = new Set(model.columns.map(({ name }) => name))
  for (const column of catalog.columns) {
    const { name, notNull, fallback, isGenerated } = column
    if (!known.has(name) && notNull && fallback === null && !isGenerated)
      yield `column ${name} needs a value and is not in the model (${valueFor(column)})`
  }
  if (model.onConflict !== 'error' && decidingKey(catalog, model) === undefined) {
    const key = identifiers(model.primaryKey)
    yield `onConflict '${model.onConflict}' needs a unique index on exactly (${key}) (CREATE UNIQUE INDEX … ON ${identifier(model.table)} (${key}), or onConflict: 'error')`
  }
}

/** Where the value may come from. No model writes columns of some types. */
function valueFor(column: CatalogColumn): string {
  const own = typeOf(column)
  if (isNested(column.type)) return 'give it a DEFAULT'
  return own.kind === kindOfExisting
    ? 'give it a DEFAULT, or load without a model, which looks at each value'
    : `write ${column.name}: ${written(own)}.notNull(), or give it a DEFAULT`
}

/** Types of columns that keep every value of a kind, besides its own. */
const larger: Readonly<Record<string, readonly string[]>> = {
  integer: ['BIGINT', 'HUGEINT'],
  bigint: ['HUGEINT'],
  json: ['VARCHAR'],
  timestamp: ['TIMESTAMP_NS'],
}

/** Numbers, which a cast from text would round. */
const rounded = /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|U?INTEGER|DECIMAL\(.*\)|FLOAT|DOUBLE)$/

function misfit(type: ColumnType, column: CatalogColumn): string | undefined {
  const wanted = sqlType(type)
  const own = typeOf(column)
  const cure =
    own.kind === kindOfExisting
      ? '(leave it out of the model, or load without a model, which looks at each value)'
      : `(write ${written(own)})`
  if (isNested(column.type)) return 'and Lading writes no nested values (leave it out of the model)'
  if (type.kind === 'custom')
    return rounded.test(column.type) ? `which would round what is written as text ${cure}` : undefined
  if (type.kind === kindOfExisting)
    return column.type === type.sql ? undefined : `the model needs ${wanted} ${cure}`
  if (column.type === wanted || larger[type.kind]?.includes(column.type) === true) return undefined
  const values = valuesOf(column.type)
  if (
    values !== undefined &&
    (type.kind === 'text' || type.kind === 'varchar' || type.kind === 'enumeration')
  )
    return undefined
  if (type.kind === 'numeric' && hasRoom(type, column.type)) return undefined
  return `the model needs ${wanted} ${cure}`
}

function hasRoom({ precision, scale = 0 }: ColumnType, declared: string): boolean {
  if (declared === 'VARCHAR') return true
  const [, most, behind] = /^DECIMAL\((\d+),(\d+)\)$/.exec(declared) ?? []
  return (
    precision !== undefined && Number(behind) >= scale && Number(most) - Number(behind) >= precision - scale
  )
}

/** Columns of the model in which the table takes no NULL, although the model does. */
export function refusingNull(model: Model, { columns }: Catalog): readonly string[] {
  const refusing = new Set(columns.filter(({ notNull }) => notNull).map(({ name }) => name))
  return model.columns.filter(({ name, notNull }) => !notNull && refusing.has(name)).map(({ name }) => name)
}

/** Whether the model has a key, and nothing in the table refuses a second row of it. */
export const isKeyless = ({ primaryKey, arbiter }: Model, { keys }: Catalog): boolean =>
  primaryKey.length > 0 &&
  arbiter === undefined &&
  !keys.some(({ columns }) => columns?.every((name) => primaryKey.includes(name)))
