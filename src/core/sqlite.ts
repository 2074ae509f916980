/**
 * The only place that opens SQLite files, for the embedded queue, the SQLite sink and the producer's state.
 * Durable by default (WAL, synchronous FULL: a commit survives a power loss).
 */
import { closeSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { fileTrouble, type FileTrouble, makeFolder, whyNotWritable } from './files.ts'

export type SqliteValue = null | number | bigint | string | Uint8Array

/**
 * Values for `?`, in order. An object with values for `$name` may precede them, for a value used several
 * times. Numbered parameters (`?1`) work only in the newest releases of Node 22 and 24.
 */
export type SqliteValues =
  | readonly SqliteValue[]
  | readonly [named: Readonly<Record<string, SqliteValue>>, ...rest: SqliteValue[]]

/** The primary result codes of SQLite (sqlite3.h) that are handled separately. */
export const sqliteCodes = {
  error: 1,
  permission: 3,
  busy: 5,
  locked: 6,
  noMemory: 7,
  readonly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  protocol: 15,
  schema: 17,
  tooBig: 18,
  constraint: 19,
  mismatch: 20,
  notADatabase: 26,
} as const

/** The primary and extended result codes of a SQLite error; undefined for any other error. */
export function sqliteCode(error: unknown): { primary: number; extended: number } | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined
  return { primary: error.errcode & 0xff, extended: error.errcode }
}

/** `busy`: another process writes; `damaged`: the file is not a database, or is incomplete. */
export type SqliteTrouble = FileTrouble | 'busy' | 'damaged'

const troubles: Readonly<Record<number, SqliteTrouble>> = {
  [sqliteCodes.permission]: 'refused',
  [sqliteCodes.busy]: 'busy',
  [sqliteCodes.locked]: 'busy',
  [sqliteCodes.protocol]: 'busy',
  [sqliteCodes.noMemory]: 'full',
  [sqliteCodes.full]: 'full',
  [sqliteCodes.ioError]: 'full',
  [sqliteCodes.readonly]: 'refused',
  [sqliteCodes.cantOpen]: 'passing',
  [sqliteCodes.corrupt]: 'damaged',
  [sqliteCodes.notADatabase]: 'damaged',
}

/** What is wrong with the file or its disk; undefined if the error concerns a statement or is unrelated. */
export function sqliteTrouble(error: unknown): SqliteTrouble | undefined {
  const code = sqliteCode(error)
  return code === undefined ? fileTrouble(error) : troubles[code.primary]
}

export interface SqliteOptions {
  readonly synchronous?: 'FULL' | 'NORMAL'
  /** How long to wait for a lock, in milliseconds. */
  readonly busyMs?: number
  /** Page size of a new file; an existing file keeps its own. */
  readonly pageBytes?: number
  /** A new file is for this user alone; SQLite gives the files beside it the same rights. */
  readonly isPrivate?: boolean
  /**
   * For whoever only looks: the file must be there, keeps its journal mode and is not written, unless the caller writes
   * it.
   */
  readonly isGuest?: boolean
}

export class SqliteFile implements Disposable {
  readonly database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  /** `path` may be `:memory:`. A missing folder is created. */
  constructor(
    path: string,
    {
      synchronous = 'FULL',
      busyMs = 10_000,
      pageBytes = 4096,
      isPrivate = false,
      isGuest = false,
    }: SqliteOptions = {},
  ) {
    if (path !== ':memory:' && !isGuest) makeFolder(dirname(path))
    if (isPrivate) makePrivate(path)
    this.database = explaining(path, () => new DatabaseSync(path, { timeout: busyMs }))
    if (isGuest) return
    try {
      this.database.exec(
        `PRAGMA page_size = ${pageBytes}; PRAGMA synchronous = ${synchronous}; PRAGMA foreign_keys = ON`,
      )
      explaining(path, () => switchToWal(this.database, busyMs))
    } catch (error) {
      this.database.close()
      throw error
    }
  }

  /** A prepared statement, cached by its text. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) this.#statements.set(sql, (statement = this.database.prepare(sql)))
    return statement
  }

  run(sql: string, ...values: SqliteValues): number {
    return Number(this.prepare(sql).run(...(values as SqliteValue[])).changes)
  }

  all<Row>(sql: string, ...values: SqliteValues): Row[] {
    return this.prepare(sql).all(...(values as SqliteValue[])) as Row[]
  }

  get<Row>(sql: string, ...values: SqliteValues): Row | undefined {
    return this.prepare(sql).get(...(values as SqliteValue[])) as Row | undefined
  }

  exec(sql: string): void {
    this.database.exec(sql)
  }

  /** Runs `work` in a transaction that takes the write lock first, so that it cannot fail half-way for it. */
  transaction<T>(work: () => T): T {
    this.database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.database.exec('COMMIT')
      return result
    } catch (error) {
      // SQLite itself rolls back on some errors (disk full, I/O).
      if (this.database.isTransaction) this.database.exec('ROLLBACK')
      throw error
    }
  }

  /** Applies the missing `steps`, each in a transaction. Returns false if the file is newer than they are. */
  migrate(steps: readonly string[]): boolean {
    const version = () => this.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0
    if (version() < steps.length) {
      this.transaction(() => {
        for (const [index, step] of steps.entries())
          if (version() === index) this.exec(`${step}; PRAGMA user_version = ${index + 1}`)
      })
    }
    return version() === steps.length
  }

  [Symbol.dispose](): void {
    this.#statements.clear()
    if (this.database.isOpen) this.database.close()
  }
}

function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600))
  } catch (error) {
    throw whyNotWritable(path) ?? error
  }
}

/** SQLite does not say why it cannot open a file; the file system does. */
function explaining<T>(path: string, open: () => T): T {
  try {
    return open()
  } catch (error) {
    const code = sqliteCode(error)?.primary
    const why =
      code === sqliteCodes.cantOpen || code === sqliteCodes.readonly ? whyNotWritable(path) : undefined
    throw why ?? error
  }
}

/**
 * When several processes create a file at once, only one can switch it to WAL. SQLite fails the others
 * without waiting, so we wait here.
 */
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
