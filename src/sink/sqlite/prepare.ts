/** Makes the ledger, a model's table and its indexes where they are missing, and checks that what is there fits. */
import { LadingError } from '../../core/errors.ts'
import type { SqliteFile } from '../../core/sqlite.ts'
import type { Model } from '../../model/model.ts'
import { createIndexes, createTable, identifier, sqlType } from './ddl.ts'
import { migrations } from './schema.ts'

/** The version has a table of its own: the file's user_version belongs to whoever owns the target tables. */
export function prepareLedger(file: SqliteFile): void {
  if (ledgerVersion(file) === migrations.length) return
  file.transaction(() => {
    const version = ledgerVersion(file)
    if (version > migrations.length) {
      throw new LadingError('LEDGER_NEWER', `the ledger has version ${version}, this lading knows ${migrations.length}`)
    }
    file.exec('CREATE TABLE IF NOT EXISTS lading_migration (version INTEGER PRIMARY KEY) STRICT')
    for (const [index, step] of migrations.entries()) {
      if (index >= version) file.exec(`${step}; INSERT INTO lading_migration VALUES (${index + 1})`)
    }
  })
}

function ledgerVersion(file: SqliteFile): number {
  const table = file.get("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'lading_migration'")
  if (table === undefined) return 0
  return file.get<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM lading_migration')?.version ?? 0
}

export function prepareTable(file: SqliteFile, model: Model): void {
  refuse(model, orderProblems(model))
  file.transaction(() => {
    if (columnsOf(file, model).length > 0) return
    file.exec(createTable(model))
    for (const index of createIndexes(model)) file.exec(index)
  })
  refuse(model, problemsOf(file, model))
}

function refuse({ table }: Model, problems: Iterable<string>): void {
  for (const problem of problems) throw new LadingError('SCHEMA_MISMATCH', `table ${table}: ${problem}`)
}

/** Types whose values SQLite compares as text, where equal values may have different texts and a greater one a smaller text. */
const comparedAsText: readonly string[] = ['numeric', 'json', 'custom']

function* orderProblems({ columns, primaryKey, version }: Model): Generator<string> {
  for (const { name, type } of columns) {
    if (!comparedAsText.includes(type.kind)) continue
    const what = `column ${name} is ${type.kind}, which SQLite compares as text`
    if (primaryKey.includes(name)) yield `${what} (1 and 1.0 would be two keys), so it cannot be part of the primaryKey`
    if (version === name) yield `${what} (10 would be smaller than 9), so it cannot be the version`
  }
}

interface CatalogColumn {
  readonly name: string
  readonly type: string
  readonly notnull: number
  readonly dflt_value: string | null
  readonly pk: number
  readonly hidden: number
}

const columnsOf = (file: SqliteFile, model: Model): CatalogColumn[] =>
  file.all<CatalogColumn>(`SELECT * FROM pragma_table_xinfo(?)`, model.table)

function* problemsOf(file: SqliteFile, model: Model): Generator<string> {
  const table = file.get<{ type: string; strict: number; wr: number }>(
    'SELECT type, strict, wr FROM pragma_table_list WHERE name = ?',
    model.table,
  )
  if (table?.type !== 'table') yield 'it is not an ordinary table'
  // Without STRICT, SQLite would change a value that does not fit instead of refusing it.
  if (table?.strict !== 1) yield 'it is not STRICT'
  const columns = new Map(columnsOf(file, model).map((column) => [column.name, column]))
  for (const { name, type } of model.columns) {
    const column = columns.get(name)
    if (column === undefined) yield `it has no column ${name}`
    else if (column.hidden > 1) yield `column ${name} is computed by the table itself`
    else if (!fits(column.type, sqlType(type))) {
      yield `column ${name} is ${column.type}, the model needs ${sqlType(type)}`
    }
  }
  const hasRowidKey = table?.wr === 0 && [...columns.values()].filter(({ pk }) => pk > 0).length === 1
  const known = new Set(model.columns.map(({ name }) => name))
  for (const column of columns.values()) {
    if (!known.has(column.name) && needsValue(column, hasRowidKey)) yield `column ${column.name} needs a value and is not in the model`
  }
  if (model.onConflict !== 'error' && !hasUniqueKey(file, model, [...columns.values()])) {
    yield `onConflict '${model.onConflict}' needs a unique index on exactly (${model.primaryKey.map(identifier).join(', ')})`
  }
}

/** An ANY column keeps what is bound, and numbers are bound as REAL: 1 would become 1.0. */
function fits(declared: string, wanted: 'INTEGER' | 'REAL' | 'TEXT'): boolean {
  if (declared === 'ANY') return wanted !== 'INTEGER'
  return (declared === 'INT' ? 'INTEGER' : declared) === wanted
}

/** The rowid gives a lone INTEGER PRIMARY KEY its value; any other key of a STRICT table must have one. */
function needsValue({ type, notnull, dflt_value, pk, hidden }: CatalogColumn, hasRowidKey: boolean): boolean {
  if (hidden > 0 || dflt_value !== null) return false
  return pk > 0 ? !hasRowidKey || type !== 'INTEGER' : notnull === 1
}

function hasUniqueKey(file: SqliteFile, model: Model, columns: readonly CatalogColumn[]): boolean {
  const wanted = [...model.primaryKey].sort().join('\0')
  const primary = columns.filter(({ pk }) => pk > 0).map(({ name }) => name)
  if (primary.sort().join('\0') === wanted) return true
  const indexes = file.all<{ name: string }>('SELECT name FROM pragma_index_list(?) WHERE "unique" = 1 AND partial = 0', model.table)
  return indexes.some(({ name }) => {
    const names = file.all<{ name: string }>('SELECT name FROM pragma_index_info(?)', name)
    return (
      names
        .map((each) => each.name)
        .sort()
        .join('\0') === wanted
    )
  })
}
