/** What no two rows of a table share, by its unique indexes. */
import type { SqliteFile } from '../../core/sqlite.ts'
import type { TableKey } from '../../model/table.ts'
import { mentions, partsOf } from '../sql/index-parts.ts'
import type { CatalogColumn } from './catalog.ts'

export function keysOf(file: SqliteFile, table: string, columns: readonly CatalogColumn[]): TableKey[] {
  const indexes = file.all<{ name: string; origin: string }>(
    'SELECT name, origin FROM pragma_index_list(?) WHERE "unique" = 1 ORDER BY name',
    table,
  )
  const names = columns.map(({ name }) => name)
  const others = indexes
    .filter(({ origin }) => origin !== 'pk')
    .map(({ name }) => indexKey(file, name, names))
  const primary = columns.filter(({ pk }) => pk > 0).toSorted((a, b) => a.pk - b.pk)
  if (primary.length === 0) return others
  return [{ name: 'PRIMARY KEY', primary: true, columns: primary.map(({ name }) => name) }, ...others]
}

function indexKey(file: SqliteFile, name: string, all: readonly string[]): TableKey {
  const info = file.all<{ name: string | null }>('SELECT name FROM pragma_index_info(?)', name)
  const plain = info.flatMap((column) => column.name ?? [])
  const sql = file.get<{ sql: string | null }>('SELECT sql FROM sqlite_schema WHERE name = ?', name)?.sql
  const { compared, predicate } = partsOf(sql ?? '')
  if (plain.length === info.length) return { name, primary: false, columns: plain, predicate }
  // An expression has no name in the catalogue: its columns are those that it mentions.
  const mentioned = all.filter((column) => mentions(compared.join(), column))
  return {
    name,
    primary: false,
    columns: [...new Set([...plain, ...mentioned])],
    expressions: compared,
    predicate,
  }
}
