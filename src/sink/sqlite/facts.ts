/** What a file says of any table or view in it: its columns as types of a model, and its keys. */
import type { SqliteFile } from '../../core/sqlite.ts'
import { bigint, bytea, type ColumnType, doublePrecision, text } from '../../model/columns.ts'
import type { TableColumn, TableFacts, TableName } from '../../model/table.ts'
import { typeOf } from './affinity.ts'
import { type CatalogColumn, columnsOf, hasInsteadTrigger } from './catalog.ts'
import { notedColumns } from './ddl.ts'
import { isDraft } from './made.ts'
import { keysOf } from './unique-keys.ts'

/** Names of tables have no case in SQLite, but for letters beyond ASCII. */
export function factsOf(file: SqliteFile, wanted: TableName): TableFacts | undefined {
  const found = file.get<{ name: string; type: string; strict: number; wr: number }>(
    "SELECT name, type, strict, wr FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE",
    wanted.table,
  )
  if (found === undefined) return undefined
  const table = found.name
  const columns = columnsOf(file, { table })
  const sql = file.get<{ sql: string | null }>('SELECT sql FROM sqlite_schema WHERE name = ?', table)?.sql
  const noted = notedColumns(found.strict === 1 ? (sql ?? '') : '')
  const primary = columns.filter(({ pk }) => pk > 0)
  const rowid = found.wr === 0 && primary.length === 1 && /^integer$/i.test(primary[0]?.type ?? '')
  return {
    table,
    kind: found.type === 'table' || found.type === 'view' ? found.type : 'other',
    isDraft: isDraft(file, { table }),
    columns: columns
      .map((column) => columnOf(column, found.strict === 1, found.wr === 1, rowid))
      .map((column) => ({ ...column, type: noted.get(column.name) ?? column.type })),
    keys: keysOf(file, table, columns),
    inserts: hasInsteadTrigger(file, { table }) ? 'it is a view with an INSTEAD OF trigger' : undefined,
  }
}

/** The rowid gives a lone INTEGER PRIMARY KEY its value. Any other key of a STRICT table must have one. */
function columnOf(
  { name, type, notnull, dflt_value, pk, hidden }: CatalogColumn,
  strict: boolean,
  withoutRowid: boolean,
  rowid: boolean,
): TableColumn {
  const isRowid = pk > 0 && rowid
  return {
    name,
    type: strict ? strictType(type) : typeOf(type),
    shown: type === '' ? 'a column without a type' : type,
    notNull: !isRowid && (notnull === 1 || (pk > 0 && (strict || withoutRowid))),
    hasDefault: dflt_value !== null,
    identity: isRowid ? 'by default' : undefined,
    generated: hidden > 1,
  }
}

const strictTypes: Readonly<Record<string, ColumnType>> = {
  INT: bigint().spec.type,
  INTEGER: bigint().spec.type,
  REAL: doublePrecision().spec.type,
  BLOB: bytea().spec.type,
}

const strictType = (declared: string): ColumnType => strictTypes[declared.toUpperCase()] ?? text().spec.type
