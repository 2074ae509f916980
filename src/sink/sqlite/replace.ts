/** The rows of a table, replaced as a whole: gathered in a table beside it, and moved in one transaction. */
import { existsSync, rmSync } from 'node:fs'
import { LadingError } from '../../core/errors.ts'
import { SqliteFile, sqliteTrouble } from '../../core/sqlite.ts'
import type { Model } from '../../model/model.ts'
import type { Replaced } from '../sink.ts'
import { tableAs, uniqueIndexAs } from '../sql/copies.ts'
import { forgetGathered, refused } from '../sql/replace.ts'
import { copyRows, countOf, SqlReplacement } from '../sql/replacement.ts'
import { raw, sql } from '../sql/statement.ts'
import type { Steps } from '../sql/steps.ts'
import { identifier, identifiers } from './ddl.ts'
import { rowFault } from './errors.ts'
import { dialect, run } from './ledger.ts'

type Guard = <T>(work: (file: SqliteFile) => T) => T

/** A file beside the database, locked for as long as the process lives; a database in memory has one process. */
function lockBeside(path: string): Disposable | undefined {
  if (path === ':memory:') return undefined
  const lockPath = `${path}-replacing`
  let file: SqliteFile | undefined
  try {
    file = new SqliteFile(lockPath, { busyMs: 0 })
    file.exec('BEGIN EXCLUSIVE')
    // Its last holder may have removed it meanwhile.
    // v8 ignore next -- a race of two processes within a few microseconds
    if (!existsSync(lockPath)) throw busy(path)
  } catch (error) {
    file?.[Symbol.dispose]()
    throw sqliteTrouble(error) === 'busy' ? busy(path) : error
  }
  const held = file
  return {
    [Symbol.dispose]: () => {
      rmSync(lockPath, { force: true })
      held[Symbol.dispose]()
      for (const suffix of ['-wal', '-shm']) rmSync(lockPath + suffix, { force: true })
    },
  }
}

const busy = (path: string): LadingError =>
  new LadingError('SINK_BUSY', `another run replaces the rows of a table in ${path}`)

const gatheringTable = ({ table }: Model): string => `lading_replacing_${table}`

export function replacing(guard: Guard, path: string, target: Model, pipeline: string): SqlReplacement {
  const lock = lockBeside(path)
  try {
    guard((file) => {
      requireReplaceable(file, target)
      file.transaction(() => {
        run(file, forgetGathered(dialect, pipeline))
        makeTable(file, target)
      })
    })
  } catch (error) {
    lock?.[Symbol.dispose]()
    throw error
  }
  const table = gatheringTable(target)
  const clear = (file: SqliteFile) => {
    if (file.get('SELECT 1 FROM sqlite_schema WHERE name = ?', table) === undefined) return
    run(file, forgetGathered(dialect, pipeline))
    file.exec(`DROP TABLE ${identifier(table)}`)
  }
  return new SqlReplacement(
    target,
    pipeline,
    { schema: undefined, table },
    {
      dialect,
      transact: async (steps) => guard((file) => file.transaction(() => run(file, steps()))),
      target: raw(identifier(target.table)),
      move: () => move(target, table),
      faultOf: (error) => rowFault(error, target),
      clear: async () => guard((file) => file.transaction(() => clear(file))),
      release: async () => lock?.[Symbol.dispose](),
    },
  )
}

function* move(target: Model, table: string): Steps<Replaced> {
  const [own, gathered] = [raw(identifier(target.table)), raw(identifier(table))]
  // Of rows that others refer to, what counts is whether the key is there at the end.
  yield sql`PRAGMA defer_foreign_keys = ON`
  const before = yield* countOf(own)
  yield sql`DELETE FROM ${own}`
  yield copyRows(gathered, own, raw(identifiers(target.columns.map(({ name }) => name))))
  const [broken] =
    yield sql`SELECT "table" FROM pragma_foreign_key_check WHERE ${target.table} COLLATE NOCASE IN ("table", parent)`
  if (broken !== undefined)
    throw refused(target, `rows of table ${String(broken['table'])} refer to rows that would be gone`)
  const rows = yield* countOf(own)
  yield sql`DROP TABLE ${gathered}`
  return { before, rows }
}

function requireReplaceable(file: SqliteFile, target: Model): void {
  const table = file.get<{ type: string }>(
    'SELECT type FROM sqlite_schema WHERE name = ? COLLATE NOCASE',
    target.table,
  )
  if (table?.type !== 'table') throw refused(target, 'it is no table')
  const referring = file.get<{ name: string }>(
    `SELECT t.name FROM sqlite_schema t, pragma_foreign_key_list(t.name) key
     WHERE t.type = 'table' AND key."table" = ? COLLATE NOCASE
       AND (key.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT') OR t.name = key."table" COLLATE NOCASE)`,
    target.table,
  )
  if (referring !== undefined)
    throw refused(
      target,
      `rows of table ${referring.name} refer to it, and would be changed with it (ON DELETE)`,
    )
}

/** As the schema has the other one, with its unique indexes. */
function makeTable(file: SqliteFile, target: Model): void {
  const name = gatheringTable(target)
  file.exec(`DROP TABLE IF EXISTS ${identifier(name)}`)
  const statements = file.all<{ sql: string }>(
    `SELECT sql FROM sqlite_schema WHERE tbl_name = ? COLLATE NOCASE AND sql IS NOT NULL AND type IN ('table', 'index') ORDER BY type DESC`,
    target.table,
  )
  for (const [index, statement] of statements.entries()) {
    const made =
      tableAs(statement.sql, identifier(name)) ??
      uniqueIndexAs(statement.sql, identifier(`${name}_${index}`), identifier(name))
    if (made !== undefined) file.exec(made)
  }
}
