import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { LadingError } from '../../core/errors.ts'
import type { Fault, Reject } from '../../core/fault.ts'
import { SqliteFile, type SqliteOptions } from '../../core/sqlite.ts'
import { changesRows } from '../../model/change.ts'
import type { Model } from '../../model/model.ts'
import type { TableFacts, WantedTable } from '../../model/table.ts'
import type { Ledger } from '../ledger.ts'
import type {
  Batch,
  Part,
  Prepared,
  PrepareOptions,
  Replacement,
  ReplayBatch,
  Sink,
  Verdict,
} from '../sink.ts'
import { hasInsteadTrigger, problemsOf } from './catalog.ts'
import { identifier } from './ddl.ts'
import { sinkError } from './errors.ts'
import { factsOf } from './facts.ts'
import { SqlLedger } from '../sql/ledger.ts'
import { sqliteLedger } from './ledger.ts'
import { prepareLedger, prepareTable } from './prepare.ts'
import { replacing } from './replace.ts'
import { replayRejects } from './replay.ts'
import { ValueRows } from './rows.ts'
import { requireOwn } from '../table.ts'
import { ownerOf, requireMain } from './schema.ts'
import { replayLetter, writeBatch } from './write.ts'
import { Writer } from './writer.ts'

export interface SqliteSinkOptions {
  /** How long to wait for another process that writes. */
  readonly busyMs?: number
  /** Batches of so many bytes of values or more are written by a thread. */
  readonly threadBytes?: number
  /** The file keeps its journal mode: for whoever only asks. */
  readonly isGuest?: boolean
}

/** Below it a thread costs more than it gives: it takes some dozens of milliseconds to start. */
const defaultThreadBytes = 64 * 1024

/**
 * A SQLite file that holds the target table and the ledger; `:memory:` for tests. Any number of processes may
 * write it, one at a time.
 */
export class SqliteSink implements Sink<ValueRows> {
  readonly ledger: Ledger
  readonly place: string
  readonly changesRows = true
  readonly mostColumns = 2000
  readonly #path: string
  readonly #options: SqliteOptions
  readonly #threadBytes: number
  /** None for a database in memory, which one connection alone sees. */
  readonly #writer: Writer | undefined
  /** Whether the last batch had rows that SQLite refuses. */
  #refused = false
  #file: SqliteFile | undefined

  constructor(path: string, options: SqliteSinkOptions = {}) {
    this.#path = path
    this.place = path === ':memory:' ? 'sqlite::memory:' : realPathOf(path)
    this.#options = {
      ...(options.busyMs !== undefined && { busyMs: options.busyMs }),
      ...(options.isGuest !== undefined && { isGuest: options.isGuest }),
    }
    this.#threadBytes = options.threadBytes ?? defaultThreadBytes
    this.#writer = path === ':memory:' ? undefined : new Writer(path, options.busyMs)
    this.ledger = new SqlLedger(
      sqliteLedger(
        (work) => this.#guard(work),
        () => this.#exists,
      ),
    )
  }

  async prepare(model?: Model, { deferIndexes }: PrepareOptions = {}): Promise<Prepared> {
    const table = this.#guard((file) => {
      prepareLedger(file)
      return model === undefined ? {} : prepareTable(file, model)
    })
    return { ...table, deferred: false, reason: deferIndexes && 'a table of SQLite is its key' }
  }

  async table(name: WantedTable): Promise<TableFacts | undefined> {
    requireMain(name)
    requireOwn(name, ownerOf(name.table))
    return this.#exists ? this.#guard((file) => factsOf(file, name)) : undefined
  }

  async misfits(model: Model): Promise<readonly string[]> {
    return this.#guard((file) => [...problemsOf(file, model)])
  }

  /** Opening the file would make it. */
  get #exists(): boolean {
    return this.#path === ':memory:' || this.#file !== undefined || existsSync(this.#path)
  }

  rows(model: Model): ValueRows {
    const change = changesRows(model) ? [false] : []
    const utc = [...model.columns.map((column) => column.type.kind === 'timestamptz'), ...change]
    return new ValueRows(utc, (bytes) => {
      // So early, it is there when the batch is decoded.
      if (bytes >= this.#threadBytes) this.#writer?.start()
    })
  }

  /** Of a view it is not known. */
  async isEmpty(model: Model): Promise<boolean> {
    const { table } = model
    return this.#guard(
      (file) =>
        !hasInsteadTrigger(file, model) &&
        file.get(`SELECT 1 FROM ${identifier(table)} LIMIT 1`) === undefined,
    )
  }

  async replacing(model: Model, pipeline: string): Promise<Replacement> {
    return replacing((work) => this.#guard(work), this.#path, model, pipeline)
  }

  async write(batch: Batch<ValueRows>): Promise<readonly Verdict[]> {
    // Refused rows come in series; trying the thread first would write each of these batches twice.
    const apart = !this.#refused && batch.rows.bytes >= this.#threadBytes
    const verdicts = apart ? await this.#writer?.write(batch) : undefined
    return verdicts ?? this.#writeHere(batch)
  }

  async replayLetter(letter: number, batch: Batch<ValueRows>): Promise<readonly Verdict[]> {
    return this.#guard((file) => replayLetter(file, letter, batch))
  }

  async replayRejects(batch: ReplayBatch<ValueRows>): Promise<readonly Verdict[]> {
    return this.#guard((file) => replayRejects(file, batch))
  }

  #writeHere(batch: Batch<ValueRows>): readonly Verdict[] {
    const { pipeline, model, parts, rows } = batch
    this.#refused = false
    const described = parts.map((part) => ({
      ...part,
      describe: (row: number, fault: Fault) => this.#describe(part, row, fault),
    }))
    return this.#guard((file) => writeBatch(file, { pipeline, model, parts: described, rows }))
  }

  #describe(part: Part, row: number, fault: Fault): Reject {
    this.#refused = true
    return part.describe(row, fault)
  }

  #guard<T>(work: (file: SqliteFile) => T): T {
    try {
      return work((this.#file ??= new SqliteFile(this.#path, this.#options)))
    } catch (error) {
      throw sinkError(error, this.#path)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer?.[Symbol.asyncDispose]()
    this.#file?.[Symbol.dispose]()
    this.#file = undefined
  }
}

export function openSqlite(url: string): SqliteSink {
  const path = url.slice(url.indexOf(':') + 1)
  if (path === '') throw new LadingError('USAGE', 'the database URL names no file: sqlite:PATH')
  return new SqliteSink(path)
}

/** The file need not be there yet, nor its folder. */
function realPathOf(path: string): string {
  const full = resolve(path)
  try {
    return realpathSync(full)
  } catch {
    const folder = dirname(full)
    return folder === full ? full : join(realPathOf(folder), basename(full))
  }
}
