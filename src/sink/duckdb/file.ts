/**
 * The only place that opens DuckDB files. A process opens a file once: DuckDB's lock keeps other processes out, but not
 * the process itself, and closing a second handle would give the lock away.
 */
import { closeSync, existsSync, openSync, readSync, realpathSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { LadingError } from '../../core/errors.ts'
import { makeFolder } from '../../core/files.ts'
import { isBroken, sinkError } from './errors.ts'
import { Session } from './session.ts'

export const inMemory = ':memory:'

/** The file need not be there yet, nor its folder. */
export function realPathOf(path: string): string {
  const full = resolve(path)
  try {
    return realpathSync(full)
  } catch {
    const folder = dirname(full)
    return folder === full ? full : join(realPathOf(folder), basename(full))
  }
}

/** DuckDB writes three blocks of 4096 bytes before anything else: a shorter file has never held a row. */
const headerBytes = 3 * 4096

/** DuckDB leaves what it had no room to finish, and takes it for no database afterwards. */
function removeUnfinished(path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? headerBytes) < headerBytes) rmSync(path)
}

const magic = { start: 8, text: 'DUCK' }
const sqliteBeginning = 'SQLite format 3\0'

/**
 * DuckDB would read a CSV or JSON file into memory, where rows are lost with the process, and ask the network for an
 * extension that opens a SQLite database. Of a file that cannot be read, it says why itself.
 */
function requireDatabase(path: string): void {
  const beginning = beginningOf(path)
  if (beginning === '' || beginning.startsWith(magic.text, magic.start)) return
  const what =
    beginning === sqliteBeginning ? `is a SQLite database (--to sqlite:${path})` : 'is no DuckDB database'
  throw notOurs(path, what)
}

const notOurs = (path: string, what: string): LadingError =>
  new LadingError('SINK_CORRUPT', `the file ${path} ${what}`)

/** Of a file that is empty, another process may write the header just now. */
function beginningOf(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return ''
  const bytes = Buffer.alloc(sqliteBeginning.length)
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    // v8 ignore next -- where tests run as root, there is no file that may not be read
    return ''
  }
  try {
    return bytes.toString('latin1', 0, readSync(file, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(file)
  }
}

interface Open {
  readonly instance: DuckDBInstance
  readonly connection: DuckDBConnection
  readonly session: Session
}

/** The files that this process has open, by their paths. */
const files = new Map<string, DuckdbFile>()

/** A database, for all in this process that use it, one after the other. */
export class DuckdbFile {
  readonly path: string
  /** Tables whose rows are being replaced. */
  readonly replacing = new Set<string>()
  readonly #isGuest: boolean
  #users = 0
  #open: Open | undefined
  /** The last work that was asked for. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(path: string, isGuest: boolean) {
    this.path = path
    this.#isGuest = isGuest
  }

  /** For whoever releases it afterwards; `isGuest`: it is only read. */
  static at(path: string, isGuest = false): DuckdbFile {
    if (path === inMemory) return new DuckdbFile(path, false).#used()
    const real = realPathOf(path)
    const file = files.get(real) ?? new DuckdbFile(real, isGuest)
    files.set(real, file)
    return file.#used()
  }

  #used(): this {
    this.#users++
    return this
  }

  /** Runs the work alone. Errors come out as ours. */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => this.#run(work))
    this.#last = turn.catch(() => {})
    return await turn
  }

  async #run<T>(work: (session: Session) => Promise<T>): Promise<T> {
    try {
      this.#open ??= await this.#start()
      return await work(this.#open.session)
    } catch (error) {
      if (isBroken(error)) this.#close()
      throw sinkError(error, this.path)
    }
  }

  async #start(): Promise<Open> {
    if (this.path !== inMemory && !this.#isGuest) makeFolder(dirname(this.path))
    const wasKilled = !this.#isGuest && existsSync(`${this.path}.wal`)
    const instance = await this.#openInstance()
    let connection: DuckDBConnection | undefined
    try {
      connection = await instance.connect()
      await this.#requireStored(connection)
      // A batch is no work for several threads, and rows are decoded beside it.
      await connection.run('SET threads = 1')
      // When DuckDB 1.5.4 closes the file, it writes the rows of the log, but leaves them out of the indexes (CREATE INDEX)
      // of tables that were not used since. Unique indexes would then accept duplicates, and DELETE would fail.
      if (wasKilled) await connection.run('CHECKPOINT')
      return { instance, connection, session: await Session.of(connection) }
    } catch (error) {
      // The file can be opened again only when both are closed.
      connection?.closeSync()
      instance.closeSync()
      throw error
    }
  }

  /** An empty file named as one of data is read into memory, too. */
  async #requireStored(connection: DuckDBConnection): Promise<void> {
    if (this.path === inMemory) return
    const stored = await connection.runAndReadAll(
      'SELECT 1 FROM duckdb_databases() WHERE database_name = current_database() AND path IS NOT NULL',
    )
    if (stored.currentRowCount === 0) throw notOurs(this.path, 'is no DuckDB database')
  }

  async #openInstance(): Promise<DuckDBInstance> {
    if (this.path === inMemory) return await DuckDBInstance.create(this.path)
    const isNew = !this.#isGuest && !existsSync(this.path)
    requireDatabase(this.path)
    try {
      // Of a program that opens the file by the cache, too, it is the same instance.
      return await DuckDBInstance.fromCache(this.path, this.#isGuest ? { access_mode: 'READ_ONLY' } : {})
    } catch (error) {
      if (isNew && sinkError(error, this.path).code === 'SINK_HOLD') removeUnfinished(this.path)
      throw error
    }
  }

  #close(): void {
    const open = this.#open
    this.#open = undefined
    open?.connection.closeSync()
    open?.instance.closeSync()
  }

  /** For one of its users; the last one closes it. */
  async release(): Promise<void> {
    await this.#last
    if (--this.#users > 0) return
    files.delete(this.path)
    this.#close()
  }
}
