import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckdbSink } from '../../src/sink/duckdb/duckdb.ts'
import { type Dialect, type SqlTarget, sqlTarget } from '../contract/sink/sql.ts'
import { queryDuckdb } from '../support/duckdb.ts'

const iso = '%Y-%m-%dT%H:%M:%S.%f'

const dialect: Dialect = {
  strict: '',
  keyText: 'text',
  computed: 'NOT NULL',
  deferred: 'DEFERRABLE INITIALLY DEFERRED',
  ledger: (table) => `lading_${table}`,
  // A view takes no rows. A table that has an index cannot be renamed.
  breakdown: (table) => ({
    begin: `DROP INDEX IF EXISTS ${table}_key; ALTER TABLE ${table} RENAME TO ${table}_broken; CREATE VIEW ${table} AS FROM ${table}_broken`,
    end: `DROP VIEW ${table}; ALTER TABLE ${table}_broken RENAME TO ${table}`,
  }),
  text: (kind, column) => {
    switch (kind) {
      case 'bytes':
        return `CASE WHEN ${column} IS NOT NULL THEN '\\x' || lower(hex(${column})) END`
      case 'timestamp':
        return `strftime(${column}, '${iso}')`
      case 'timestamptz':
        return `strftime(${column} AT TIME ZONE 'UTC', '${iso}Z')`
      case 'timeOfDay':
        return `rpad(CAST(${column} AS VARCHAR) || CASE WHEN contains(CAST(${column} AS VARCHAR), '.') THEN '' ELSE '.' END, 15, '0')`
      default:
        return `CAST(${column} AS VARCHAR)`
    }
  },
}

export interface DuckdbTarget extends SqlTarget {
  readonly path: string
}

/** A database file in a folder of its own. */
export async function openDuckdb(): Promise<DuckdbTarget> {
  const folder = await mkdtemp(join(tmpdir(), 'lading-sink-'))
  const path = join(folder, 'target.duckdb')
  return sqlTarget({
    dialect,
    path,
    takesTurns: true as const,
    open: () => new DuckdbSink(path),
    // DuckDB computes such a column when it is read.
    query: (sql: string) => queryDuckdb(path, sql.replace(/NOT NULL (GENERATED .*) STORED/, '$1')),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  })
}
