import { SqliteFile } from '../../core/sqlite.ts'
import type { Model } from '../../model/model.ts'
import type { RowBuffer } from '../../model/writer.ts'
import type { Batch, Ledger, Prepared, PrepareOptions, Sink, Verdict } from '../sink.ts'
import { sinkError } from './errors.ts'
import { SqliteLedger } from './ledger.ts'
import { prepareLedger, prepareTable } from './prepare.ts'
import { ValueRows } from './rows.ts'
import { writeBatch } from './write.ts'

/** A SQLite file that holds the target table and the ledger; `:memory:` for tests. Any number of processes may write it, one at a time. */
export class SqliteSink implements Sink {
  readonly ledger: Ledger
  readonly #path: string
  readonly #busyMs: number | undefined
  #file: SqliteFile | undefined

  /** `busyMs`: how long to wait for another process that writes. */
  constructor(path: string, options: { readonly busyMs?: number } = {}) {
    this.#path = path
    this.#busyMs = options.busyMs
    this.ledger = new SqliteLedger((work) => this.#guard(work))
  }

  async prepare(model?: Model, { deferIndexes }: PrepareOptions = {}): Promise<Prepared> {
    this.#guard((file) => {
      prepareLedger(file)
      if (model !== undefined) prepareTable(file, model)
    })
    return { deferred: false, reason: deferIndexes && 'a table of SQLite is its key' }
  }

  rows(model: Model): RowBuffer {
    return new ValueRows(model.columns.map((column) => column.type.kind === 'timestamptz'))
  }

  async write(batch: Batch): Promise<readonly Verdict[]> {
    return this.#guard((file) => writeBatch(file, batch))
  }

  #guard<T>(work: (file: SqliteFile) => T): T {
    try {
      return work((this.#file ??= new SqliteFile(this.#path, this.#busyMs === undefined ? {} : { busyMs: this.#busyMs })))
    } catch (error) {
      throw sinkError(error, this.#path)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#file?.[Symbol.dispose]()
    this.#file = undefined
  }
}
