/**
 * The one place that opens SQLite files: the embedded queue, the SQLite sink and the producer's state all stand on it.
 * Durable by default (WAL, synchronous FULL: a commit survives a loss of power).
 */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'

export type SqliteValue = null | number | bigint | string | Uint8Array

/** Primary result codes of SQLite (sqlite3.h) that have a meaning of their own for us. */
export const sqliteCodes = {
  busy: 5,
  locked: 6,
  readonly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  schema: 17,
  tooBig: 18,
  constraint: 19,
  mismatch: 20,
  notADatabase: 26,
} as const

/** The primary result code of an error of SQLite, and its extended one; undefined for any other error. */
export function sqliteCode(error: unknown): { primary: number; extended: number } | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return { primary: error.errcode & 0xff, extended: error.errcode }
}

export interface SqliteOptions {
  readonly synchronous?: 'FULL' | 'NORMAL'
  /** How long to wait for a lock, in milliseconds. */
  readonly busyMs?: number
  /** Size of a page of a file that is made; one that exists keeps its own. */
  readonly pageBytes?: number
}

export class SqliteFile implements Disposable {
  readonly database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  /** `path` may be `:memory:`. The folder of the file is made where it is missing. */
  constructor(path: string, { synchronous = 'FULL', busyMs = 10_000, pageBytes = 4096 }: SqliteOptions = {}) {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true })
    this.database = new DatabaseSync(path, { timeout: busyMs })
    try {
      this.database.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA synchronous = ${synchronous}; PRAGMA foreign_keys = ON`)
      switchToWal(this.database, busyMs)
    } catch (error) {
      this.database.close()
      throw error
    }
  }

  /** A prepared statement, kept for the next call with the same text. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) this.#statements.set(sql, (statement = this.database.prepare(sql)))
    return statement
  }

  run(sql: string, ...values: SqliteValue[]): number {
    return Number(this.prepare(sql).run(...values).changes)
  }

  all<Row>(sql: string, ...values: SqliteValue[]): Row[] {
    return this.prepare(sql).all(...values) as Row[]
  }

  get<Row>(sql: string, ...values: SqliteValue[]): Row | undefined {
    return this.prepare(sql).get(...values) as Row | undefined
  }

  exec(sql: string): void {
    this.database.exec(sql)
  }

  /** Runs `work` in a transaction that takes the write lock at once, so that it cannot fail half-way for want of it. */
  transaction<T>(work: () => T): T {
    this.database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.database.exec('COMMIT')
      return result
    } catch (error) {
      // Some errors (disk full, I/O) have rolled the transaction back already.
      if (this.database.isTransaction) this.database.exec('ROLLBACK')
      throw error
    }
  }

  /** Brings the file to the last of `steps`, one transaction each; false where the file is newer than they are. */
  migrate(steps: readonly string[]): boolean {
    const version = () => this.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0
    if (version() < steps.length) {
      this.transaction(() => {
        for (const [index, step] of steps.entries()) if (version() === index) this.exec(`${step}; PRAGMA user_version = ${index + 1}`)
      })
    }
    return version() === steps.length
  }

  [Symbol.dispose](): void {
    this.#statements.clear()
    if (this.database.isOpen) this.database.close()
  }
}

/** When several processes make a file at once, SQLite refuses the switch of all but one without waiting, so the waiting is done here. */
function switchToWal(database: DatabaseSync, busyMs: number): void {
  const deadline = performance.now() + busyMs
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (sqliteCode(error)?.primary !== sqliteCodes.busy || performance.now() > deadline) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}
