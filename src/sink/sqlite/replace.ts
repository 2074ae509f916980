/** The rows of a table, replaced as a whole: gathered in a table beside it, and moved in one transaction. */
import { existsSync, rmSync } from 'node:fs'
import { LadingError } from '../../core/errors.ts'
import { SqliteFile, sqliteTrouble } from '../../core/sqlite.ts'
import type { Model } from '../../model/model.ts'
import type { GatheredLoad, Replaced, Replacement } from '../sink.ts'
import {
  forgetGathered,
  gatheringModel,
  gatheringPipeline,
  isCurrent,
  refused,
  requireGathered,
  takeLoads,
} from '../sql/replace.ts'
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

export class SqliteReplacement implements Replacement {
  readonly model: Model
  readonly pipeline: string
  readonly #guard: Guard
  readonly #lock: Disposable | undefined
  readonly #target: Model
  readonly #targetPipeline: string

  private constructor(guard: Guard, lock: Disposable | undefined, target: Model, pipeline: string) {
    this.#guard = guard
    this.#lock = lock
    this.#target = target
    this.#targetPipeline = pipeline
    this.pipeline = gatheringPipeline(pipeline)
    this.model = gatheringModel(target, { schema: undefined, table: gatheringTable(target) })
  }

  static begin(guard: Guard, path: string, target: Model, pipeline: string): SqliteReplacement {
    const lock = lockBeside(path)
    try {
      guard((file) => {
        requireReplaceable(file, target)
        file.transaction(() => {
          run(file, forgetGathered(dialect, pipeline))
          makeTable(file, target)
        })
      })
      return new SqliteReplacement(guard, lock, target, pipeline)
    } catch (error) {
      lock?.[Symbol.dispose]()
      throw error
    }
  }

  async isCurrent(loads: readonly string[]): Promise<boolean> {
    return this.#guard((file) => {
      const rows = countOf(file, this.#target)
      return run(file, isCurrent(dialect, this.#targetPipeline, loads, rows))
    })
  }

  async take(loads: readonly GatheredLoad[]): Promise<Replaced> {
    return this.#guard((file) => file.transaction(() => this.#take(file, loads)))
  }

  #take(file: SqliteFile, loads: readonly GatheredLoad[]): Replaced {
    run(file, requireGathered(dialect, this.#target, this.#targetPipeline, loads))
    const before = countOf(file, this.#target)
    const columns = identifiers(this.#target.columns.map(({ name }) => name))
    const [target, gathered] = [identifier(this.#target.table), identifier(this.model.table)]
    try {
      // Of rows that others refer to, what counts is whether the key is there at the end.
      file.exec('PRAGMA defer_foreign_keys = ON')
      file.exec(
        `DELETE FROM ${target}; INSERT INTO ${target} (${columns}) SELECT ${columns} FROM ${gathered}`,
      )
      const [broken] = file.all<{ table: string }>(
        'SELECT "table" FROM pragma_foreign_key_check WHERE ? COLLATE NOCASE IN ("table", parent)',
        this.#target.table,
      )
      if (broken !== undefined)
        throw refused(this.#target, `rows of table ${broken.table} refer to rows that would be gone`)
    } catch (error) {
      const fault = rowFault(error, this.#target)
      if (fault === undefined) throw error
      throw refused(this.#target, fault.code === 'TRIGGER_RAISED' ? 'a trigger refuses a row' : fault.detail)
    }
    const rows = countOf(file, this.#target)
    run(file, takeLoads(dialect, this.#targetPipeline, loads, rows))
    file.exec(`DROP TABLE ${gathered}`)
    return { before, rows }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#guard((file) =>
        file.transaction(() => {
          if (file.get('SELECT 1 FROM sqlite_schema WHERE name = ?', this.model.table) === undefined) return
          run(file, forgetGathered(dialect, this.#targetPipeline))
          file.exec(`DROP TABLE ${identifier(this.model.table)}`)
        }),
      )
    } catch {
      // What is left here the next replacement removes.
    } finally {
      this.#lock?.[Symbol.dispose]()
    }
  }
}

const countOf = (file: SqliteFile, { table }: Model): number =>
  file.get<{ count: number }>(`SELECT count(*) AS count FROM ${identifier(table)}`)?.count ?? 0

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

const namePart = String.raw`("(?:[^"]|"")*"|\[[^\]]*\]|\`[^\`]*\`|\w+)`
const tableHead = new RegExp(String.raw`^CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?${namePart}`, 'i')
const indexHead = new RegExp(
  String.raw`^CREATE\s+UNIQUE\s+INDEX\s+(?:IF\s+NOT\s+EXISTS\s+)?${namePart}\s+ON\s+${namePart}`,
  'i',
)

/** As the schema has the other one, with its unique indexes. */
function makeTable(file: SqliteFile, target: Model): void {
  const name = gatheringTable(target)
  file.exec(`DROP TABLE IF EXISTS ${identifier(name)}`)
  const statements = file.all<{ sql: string }>(
    `SELECT sql FROM sqlite_schema WHERE tbl_name = ? COLLATE NOCASE AND sql IS NOT NULL AND type IN ('table', 'index') ORDER BY type DESC`,
    target.table,
  )
  for (const [index, { sql }] of statements.entries()) {
    if (tableHead.test(sql)) file.exec(sql.replace(tableHead, () => `CREATE TABLE ${identifier(name)}`))
    else if (indexHead.test(sql))
      file.exec(
        sql.replace(
          indexHead,
          () => `CREATE UNIQUE INDEX ${identifier(`${name}_${index}`)} ON ${identifier(name)}`,
        ),
      )
  }
}
