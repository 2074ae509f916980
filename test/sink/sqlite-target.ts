import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SqliteSink, type SqliteSinkOptions } from '../../src/sink/sqlite/sqlite.ts'
import { type Dialect, type SqlTarget, sqlTarget } from '../contract/sink/sql.ts'
import type { Row } from '../contract/sink/target.ts'

const dialect: Dialect = {
  strict: ' STRICT',
  keyText: 'text',
  computed: 'NOT NULL',
  deferred: 'DEFERRABLE INITIALLY DEFERRED',
  ledger: (table) => `lading_${table}`,
  refuse: (table, when, condition) =>
    `CREATE TRIGGER refuse_${when} ${when} INSERT ON ${table} WHEN ${condition} BEGIN SELECT RAISE(ABORT, 'refused by the test'); END`,
  // A statement that SQLite cannot compile fails without any row.
  breakdown: (table) => ({
    begin: `CREATE TRIGGER breakdown BEFORE INSERT ON ${table} BEGIN INSERT INTO nowhere VALUES (1); END`,
    end: 'DROP TRIGGER breakdown',
  }),
  text: (kind, column) => {
    if (kind === 'boolean') return `CASE ${column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END`
    if (kind === 'bytes') return `CASE WHEN ${column} IS NOT NULL THEN '\\x' || lower(hex(${column})) END`
    return kind === 'double' ? column : `CAST(${column} AS TEXT)`
  },
}

export interface SqliteTarget extends SqlTarget {
  readonly path: string
}

/** A database file in a folder of its own. */
export async function openSqlite(options: SqliteSinkOptions = {}): Promise<SqliteTarget> {
  const folder = await mkdtemp(join(tmpdir(), 'lading-sink-'))
  const path = join(folder, 'target.db')
  const database = new DatabaseSync(path)
  return sqlTarget({
    dialect,
    path,
    open: () => new SqliteSink(path, options),
    query: async (sql) => {
      if (sql.startsWith('SELECT')) return database.prepare(sql).all() as Row[]
      database.exec(sql)
      return []
    },
    [Symbol.asyncDispose]: async () => {
      database.close()
      await rm(folder, { recursive: true })
    },
  })
}
