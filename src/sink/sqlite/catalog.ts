/** What a file says of a model's table, and what of it does not fit the model. */
import type { SqliteFile } from '../../core/sqlite.ts'
import type { Model } from '../../model/model.ts'
import { affinityOf } from './affinity.ts'
import { identifier, identifiers, isOrdered, type SqliteType, sqlType } from './ddl.ts'

export function* orderProblems({ columns, primaryKey, version }: Model): Generator<string> {
  for (const { name, type } of columns) {
    if (isOrdered(type)) continue
    const what = `column ${name} is ${type.kind}, which SQLite compares as text`
    if (primaryKey.includes(name))
      yield `${what} (1 and 1.0 would be two keys), so it cannot be part of the primaryKey`
    if (version === name) yield `${what} (10 would be smaller than 9), so it cannot be the version`
  }
}

export interface CatalogColumn {
  readonly name: string
  readonly type: string
  readonly notnull: number
  readonly dflt_value: string | null
  readonly pk: number
  readonly hidden: number
}

export const columnsOf = (file: SqliteFile, model: Pick<Model, 'table'>): CatalogColumn[] =>
  file.all<CatalogColumn>(`SELECT * FROM pragma_table_xinfo(?)`, model.table)

/** One line each, with what to do about it. */
export function* problemsOf(file: SqliteFile, model: Model): Generator<string> {
  yield* orderProblems(model)
  const table = file.get<{ type: string; strict: number; wr: number }>(
    'SELECT type, strict, wr FROM pragma_table_list WHERE name = ? COLLATE NOCASE',
    model.table,
  )
  const isView = hasInsteadTrigger(file, model)
  if (table?.type === 'view' && !isView)
    yield 'it is a view without an INSTEAD OF INSERT trigger (name the table below it)'
  else if (table?.type !== 'table' && !isView) yield 'it is not an ordinary table'
  const columns = new Map(columnsOf(file, model).map((column) => [column.name, column]))
  const knowsAffinity = model.columns.every(
    ({ name, type }) =>
      type.affinity !== undefined && type.affinity === affinityOf(columns.get(name)?.type ?? ''),
  )
  // Without STRICT, SQLite would change a value that does not fit instead of refusing it.
  if (table?.strict !== 1 && !isView && !knowsAffinity) yield 'it is not STRICT'
  for (const { name, type } of model.columns) {
    const column = columns.get(name)
    if (column === undefined)
      yield `it has no column ${name} (ALTER TABLE ${identifier(model.table)} ADD COLUMN ${identifier(name)} ${sqlType(type)}, or leave it out of the model)`
    else if (column.hidden > 1)
      yield `column ${name} is computed by the table itself (leave it out of the model)`
    else if (table?.strict === 1 && !fits(column.type, sqlType(type))) {
      yield `column ${name} is ${column.type}, the model needs ${sqlType(type)} (write ${modelType(column.type)})`
    }
  }
  const hasRowidKey = table?.wr === 0 && [...columns.values()].filter(({ pk }) => pk > 0).length === 1
  const known = new Set(model.columns.map(({ name }) => name))
  for (const column of columns.values()) {
    if (!known.has(column.name) && needsValue(column, hasRowidKey))
      yield `column ${column.name} needs a value and is not in the model (write ${column.name}: ${modelType(column.type)}.notNull(), or give it a DEFAULT)`
  }
  if (
    model.onConflict !== 'error' &&
    model.arbiter === undefined &&
    !hasUniqueKey(file, model, [...columns.values()])
  ) {
    const key = identifiers(model.primaryKey)
    yield `onConflict '${model.onConflict}' needs a unique index on exactly (${key}) (CREATE UNIQUE INDEX … ON ${identifier(model.table)} (${key}), or onConflict: 'error')`
  }
}

/** How a model writes a column of the type. */
function modelType(declared: string): string {
  const written: Readonly<Record<string, string>> = {
    INT: 'bigint()',
    INTEGER: 'bigint()',
    REAL: 'doublePrecision()',
    BLOB: 'bytea()',
  }
  return written[declared] ?? 'text()'
}

/**
 * Columns of the model in which the table takes no NULL, although the model does. A trigger may leave such a
 * row out.
 */
export function refusingNull(file: SqliteFile, model: Model): readonly string[] {
  const hasTriggers = file.get(
    "SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE",
    model.table,
  )
  if (hasTriggers !== undefined) return []
  const columns = new Map(columnsOf(file, model).map(({ name, notnull }) => [name, notnull]))
  return model.columns
    .filter(({ name, notNull }) => !notNull && columns.get(name) === 1)
    .map(({ name }) => name)
}

/** Whether the table is a view whose trigger answers INSERT. */
export function hasInsteadTrigger(file: SqliteFile, { table }: Pick<Model, 'table'>): boolean {
  const triggers = file.all<{ sql: string }>(
    `SELECT t.sql FROM sqlite_schema v JOIN sqlite_schema t ON t.type = 'trigger' AND lower(t.tbl_name) = lower(v.name)
     WHERE v.type = 'view' AND v.name = ? COLLATE NOCASE`,
    table,
  )
  return triggers.some(({ sql }) => /\bINSTEAD\s+OF\s+INSERT\b/i.test(sql))
}

export const isThere = (file: SqliteFile, model: Pick<Model, 'table'>): boolean =>
  columnsOf(file, model).length > 0

/** An ANY column keeps what is bound, and numbers are bound as REAL: 1 would become 1.0. */
function fits(declared: string, wanted: SqliteType): boolean {
  if (declared === 'ANY') return wanted !== 'INTEGER'
  return (declared === 'INT' ? 'INTEGER' : declared) === wanted
}

/** The rowid gives a lone INTEGER PRIMARY KEY its value; any other key of a STRICT table must have one. */
function needsValue({ type, notnull, dflt_value, pk, hidden }: CatalogColumn, hasRowidKey: boolean): boolean {
  if (hidden > 0 || dflt_value !== null) return false
  return pk > 0 ? !hasRowidKey || type !== 'INTEGER' : notnull === 1
}

/**
 * Unique keys of the table that refuse a second row of the model's key: on exactly its columns, or on some of
 * them.
 */
function uniqueKeys(
  file: SqliteFile,
  { table, primaryKey }: Model,
  columns: readonly CatalogColumn[],
): readonly (readonly string[])[] {
  const indexes = file.all<{ name: string }>(
    'SELECT name FROM pragma_index_list(?) WHERE "unique" = 1 AND partial = 0',
    table,
  )
  // An expression has no name.
  const named = indexes.map(({ name }) =>
    file
      .all<{ name: string | null }>('SELECT name FROM pragma_index_info(?)', name)
      .map((each) => each.name ?? ''),
  )
  const primary = columns.filter(({ pk }) => pk > 0).map(({ name }) => name)
  return [primary, ...named].filter((key) => key.length > 0 && key.every((name) => primaryKey.includes(name)))
}

const hasUniqueKey = (file: SqliteFile, model: Model, columns: readonly CatalogColumn[]): boolean =>
  uniqueKeys(file, model, columns).some(({ length }) => length === model.primaryKey.length)

/** Whether the model has a key, and nothing in the table refuses a second row of it. */
export const isKeyless = (file: SqliteFile, model: Model): boolean =>
  model.primaryKey.length > 0 &&
  model.arbiter === undefined &&
  uniqueKeys(file, model, columnsOf(file, model)).length === 0
