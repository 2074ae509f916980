import type pg from 'pg'
import { Connection } from '../../driver/postgres/connection.ts'
import { OwnSessions, type Sessions } from '../../driver/postgres/sessions.ts'
import { LadingError } from '../../core/errors.ts'
import type { Abortable } from '../../core/wait.ts'
import type { Model } from '../../model/model.ts'
import type { TableFacts, WantedTable } from '../../model/table.ts'
import type { CopyBuffer } from './copy/rows.ts'
import type { Ledger } from '../ledger.ts'
import type {
  Batch,
  BatchVerdict,
  Built,
  MissingIndexes,
  Prepared,
  PrepareOptions,
  Replacement,
  ReplayBatch,
  Sink,
  Verdict,
} from '../sink.ts'
import type { SessionPool } from '../pool.ts'
import { PoolSessions } from './pool.ts'
import { problemsOf, readCatalog } from './table/catalog.ts'
import { announce, buildIndexes, missingIndexes, startOver } from './table/defer.ts'
import { DirectPath } from './direct.ts'
import { SqlLedger } from '../sql/ledger.ts'
import { postgresLedger } from './ledger.ts'
import { createStaging } from './staging.ts'
import { factsOf } from './table/facts.ts'
import { hashWarnings, manyRowsOfOneValue } from './table/hash-indexes.ts'
import { isEmpty, prepareLedger, prepareTable } from './table/prepare.ts'
import { replacing } from './table/replace.ts'
import { replayRejects } from './replay.ts'
import { rowsOf } from './copy/model-rows.ts'
import { Unanimity } from '../sql/unanimous.ts'
import { replayLetter, writeBatch } from './write.ts'

/**
 * Share of the lease. It is extended at each third, so a statement is at least this old when the lease runs
 * out.
 */
const stalledShareOfLease = 2 / 3
/** Without a lease, or with one that is longer. */
const defaultStalledMs = 30_000

interface PreparedModel {
  readonly model: Model
  readonly prepared: Prepared
}

/**
 * A PostgreSQL database, over one session for batches and, once the ledger is asked, another for that: a
 * question must not wait for the batch that is being written. Consumers in one process have a sink each.
 */
export class PostgresSink implements Sink<CopyBuffer> {
  readonly ledger: Ledger
  readonly place: string
  readonly settles: string
  readonly changesRows = true
  readonly mostColumns = 1600
  readonly #sessions: Sessions
  readonly #open: (isKept: boolean) => Connection
  readonly #connection: Connection
  readonly #reading: Connection
  /** By fingerprint: what is made for a model serves every model that declares the same. */
  readonly #models = new Map<string, PreparedModel>()
  #stalledMs: number
  readonly #manyRowsOfOneValue: number
  readonly #inserting = new Set<string>()
  readonly #past = { inserting: this.#inserting, direct: new DirectPath(), unanimity: new Unanimity() }
  /** The last batch met a lock. */
  #metLock = false

  /**
   * `stalledMs`: age at which a statement that waits for its client is considered stalled, so that others
   * that need its locks may end its session; a lease passed to `prepare` overrides it. `silentMs`,
   * `isGuest`: see `Connection`. `manyRowsOfOneValue`: rows of one value from which on a hash index is warned against.
   */
  constructor(
    sessions: string | Sessions,
    options: {
      readonly stalledMs?: number
      readonly silentMs?: number
      readonly isGuest?: boolean
      readonly manyRowsOfOneValue?: number
    } = {},
  ) {
    this.#stalledMs = options.stalledMs ?? defaultStalledMs
    this.#manyRowsOfOneValue = options.manyRowsOfOneValue ?? manyRowsOfOneValue
    this.#sessions = typeof sessions === 'string' ? new OwnSessions(sessions) : sessions
    this.#open = (isKept) => new Connection(this.#sessions, { ...options, isKept })
    this.#connection = this.#open(true)
    this.place = this.#sessions.place
    this.settles = this.#sessions.identity
    this.#connection.onConnect = async (client) => {
      for (const known of this.#models.values()) await this.#stage(client, known)
    }
    this.#reading = this.#open(false)
    for (const connection of [this.#connection, this.#reading])
      connection.onBusy = (client) => this.#reap(client)
    this.ledger = new SqlLedger(postgresLedger(this.#reading))
  }

  prepare(model?: Model, options: PrepareOptions = {}): Promise<Prepared> {
    if (options.leaseMs !== undefined)
      this.#stalledMs = Math.min(defaultStalledMs, options.leaseMs * stalledShareOfLease)
    return this.#connection.use(
      async (client) => {
        await prepareLedger(client)
        if (model === undefined) return { deferred: false }
        const known = this.#models.get(model.fingerprint)
        if (known !== undefined) return known.prepared
        const prepared = await prepareTable(client, model, options.deferIndexes)
        if (prepared.inserts !== undefined) this.#inserting.add(model.fingerprint)
        await this.#stage(client, { model, prepared })
        this.#models.set(model.fingerprint, {
          model,
          prepared: { ...prepared, remade: false, keyless: false, inserts: undefined },
        })
        return prepared
      },
      options.signal,
      options.connectMs,
    )
  }

  async buildIndexes(model: Model, options?: Abortable): Promise<Built> {
    await using another = this.#open(true)
    // Of a pool it would keep another session from the program for minutes.
    const beside = this.#sessions.areShared
      ? undefined
      : (work: (client: pg.Client) => Promise<void>) => another.use(work, options?.signal)
    return await this.#connection.use((client) => {
      // A session that is made anew is not that of a load at work any more.
      this.#models.set(model.fingerprint, {
        model,
        prepared: { ...this.#models.get(model.fingerprint)?.prepared, deferred: false },
      })
      return buildIndexes(client, model, beside, this.#connection.lost)
    }, options?.signal)
  }

  missingIndexes(options?: Abortable): Promise<readonly MissingIndexes[]> {
    return this.#reading.use(missingIndexes, options?.signal)
  }

  startOver(model: Model, loads: readonly string[], options?: Abortable): Promise<void> {
    return this.#connection.use((client) => startOver(client, model, loads), options?.signal)
  }

  async replacing(model: Model, pipeline: string, options?: Abortable): Promise<Replacement> {
    const own = this.#open(true)
    try {
      return await replacing(own, model, pipeline, options)
    } catch (error) {
      await own[Symbol.asyncDispose]()
      throw error
    }
  }

  async warnings(model: Model, options?: Abortable): Promise<readonly string[]> {
    if (!model.indexes.some(({ method }) => method === 'hash')) return []
    return this.#reading.use(
      (client) => hashWarnings(client, model, this.#manyRowsOfOneValue),
      options?.signal,
    )
  }

  table(
    name: WantedTable,
    options: Abortable & Pick<PrepareOptions, 'connectMs'> = {},
  ): Promise<TableFacts | undefined> {
    return this.#connection.use((client) => factsOf(client, name), options.signal, options.connectMs)
  }

  misfits(model: Model): Promise<readonly string[]> {
    return this.#connection.use(async (client) => [
      ...problemsOf(model, await readCatalog(client, model), false),
    ])
  }

  rows(model: Model): CopyBuffer {
    return rowsOf(model)
  }

  isEmpty(model: Model, options?: Abortable): Promise<boolean> {
    return this.#reading.use((client) => isEmpty(client, model), options?.signal)
  }

  async write(batch: Batch<CopyBuffer>, options?: Abortable): Promise<readonly BatchVerdict[]> {
    const leaveLocked = this.#metLock && batch.leaveLocked === true
    try {
      const verdicts = await this.#connection.use(
        (client) => writeBatch(client, batch, this.#past, leaveLocked),
        options?.signal,
      )
      this.#metLock = false
      return verdicts
    } catch (error) {
      this.#metLock = error instanceof LadingError && error.code === 'SINK_BUSY'
      throw error
    }
  }

  replayLetter(letter: number, batch: Batch<CopyBuffer>, options?: Abortable): Promise<readonly Verdict[]> {
    return this.#connection.use((client) => replayLetter(client, letter, batch, this.#past), options?.signal)
  }

  replayRejects(batch: ReplayBatch<CopyBuffer>, options?: Abortable): Promise<readonly Verdict[]> {
    return this.#connection.use(
      (client) => replayRejects(client, batch, this.#inserting.has(batch.model.fingerprint)),
      options?.signal,
    )
  }

  async #stage(client: pg.Client, { model, prepared }: PreparedModel): Promise<void> {
    if (model.onConflict !== 'error' || this.#inserting.has(model.fingerprint))
      await client.query(createStaging(model))
    await announce(client, model, prepared.deferred)
  }

  /**
   * Ends sessions of Lading that have an open transaction, wait for their client, and whose last statement
   * began longer ago than the limit. No time-out of the server covers a COPY that waits for a stopped or
   * vanished client, and its locks would stay forever. The server knows the age of the statement, not of the
   * silence. So a COPY over the limit that waits for the next bytes of a slow client is ended too, which
   * costs that client another attempt. All bytes of a batch are in memory before it begins, so a COPY takes
   * about as long as the network needs.
   */
  async #reap(client: pg.Client): Promise<void> {
    const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'lading' AND usename = current_user
                   AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND wait_event = 'ClientRead' AND query_start < clock_timestamp() - $1 * interval '1 ms'`
    await client.query(sql, [this.#stalledMs])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
    await this.#reading[Symbol.asyncDispose]()
  }
}

export const postgresOver = (pool: SessionPool): PostgresSink => new PostgresSink(new PoolSessions(pool))
