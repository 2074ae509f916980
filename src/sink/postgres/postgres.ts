import type pg from 'pg'
import { LadingError } from '../../core/errors.ts'
import type { Abortable } from '../../core/wait.ts'
import type { Model } from '../../model/model.ts'
import type { RowBuffer } from '../../model/writer.ts'
import type { Batch, Ledger, Sink, Verdict } from '../sink.ts'
import { BinaryRows } from './binary.ts'
import { Connection } from './connection.ts'
import { PostgresLedger } from './ledger.ts'
import { createStaging } from './place.ts'
import { prepareLedger, prepareTable } from './prepare.ts'
import { TextRows } from './text.ts'
import { writeBatch } from './write.ts'

/**
 * A PostgreSQL database, over one session for batches and, once the ledger is asked, another for that: a question must not wait
 * for the batch that is being written. Consumers in one process have a sink each.
 */
export class PostgresSink implements Sink {
  readonly ledger: Ledger
  readonly #connection: Connection
  readonly #reading: Connection
  /** By fingerprint: what is made for a model serves every model that declares the same. */
  readonly #models = new Map<string, Model>()
  readonly #stalledMs: number

  /** `stalledMs`: how long a session of ours may hold a transaction open in silence before others that wait for it end it. */
  constructor(url: string, options: { readonly stalledMs?: number } = {}) {
    this.#stalledMs = options.stalledMs ?? 60_000
    this.#connection = new Connection(url)
    this.#connection.onConnect = async (client) => {
      for (const model of this.#models.values()) await this.#stage(client, model)
    }
    this.#reading = new Connection(url)
    this.ledger = new PostgresLedger(this.#reading)
  }

  prepare(model?: Model, options?: Abortable): Promise<void> {
    return this.#connection.use(async (client) => {
      await prepareLedger(client)
      if (model === undefined || this.#models.has(model.fingerprint)) return
      await prepareTable(client, model)
      await this.#stage(client, model)
      this.#models.set(model.fingerprint, model)
    }, options?.signal)
  }

  rows(model: Model): RowBuffer {
    const types = model.columns.map((column) => column.type.kind)
    if (types.includes('custom')) return new TextRows(types.map((kind) => kind === 'timestamptz'))
    return new BinaryRows(types.length)
  }

  async write(batch: Batch, options?: Abortable): Promise<readonly Verdict[]> {
    try {
      return await this.#connection.use((client) => writeBatch(client, batch), options?.signal)
    } catch (error) {
      if (error instanceof LadingError && error.code === 'SINK_BUSY') await this.#reap()
      throw error
    }
  }

  async #stage(client: pg.Client, model: Model): Promise<void> {
    if (model.onConflict !== 'error') await client.query(createStaging(model))
  }

  /**
   * Ends sessions of ours that hold a transaction open and have not sent a byte for long. No time-out of the server
   * covers a COPY that waits for a stopped or vanished client, and its lock on a chunk would stay for ever. Ours never pause
   * in a transaction: everything that they send is in memory before it begins.
   */
  async #reap(): Promise<void> {
    const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'lading' AND usename = current_user
                   AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND wait_event = 'ClientRead' AND query_start < clock_timestamp() - $1 * interval '1 ms'`
    await this.#connection.use((client) => client.query(sql, [this.#stalledMs])).catch(() => undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
    await this.#reading[Symbol.asyncDispose]()
  }
}
