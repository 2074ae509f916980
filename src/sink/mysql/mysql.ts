import { LadingError } from '../../core/errors.ts'
import type { Abortable } from '../../core/wait.ts'
import type { Model } from '../../model/model.ts'
import type { TableFacts, WantedTable } from '../../model/table.ts'
import type { Ledger } from '../ledger.ts'
import type {
  Batch,
  BatchVerdict,
  Prepared,
  PrepareOptions,
  ReplayBatch,
  Replacement,
  Sink,
  Verdict,
} from '../sink.ts'
import { SqlLedger } from '../sql/ledger.ts'
import { Unanimity } from '../sql/unanimous.ts'
import { Connection } from './connection.ts'
import { factsOf } from './facts.ts'
import { prepareLedger } from './ledger-tables.ts'
import { mysqlLedger } from './ledger.ts'
import { isEmpty, misfits, noTraits, prepareTable, type PreparedTable } from './prepare.ts'
import { replacing } from './replace.ts'
import { replayRejects } from './replay.ts'
import { LoadRows } from './rows.ts'
import type { Session } from './session.ts'
import { replayLetter, writeBatch } from './write.ts'

/** Of a lease, which is extended at each third: who is silent for so long in a transaction loses its messages. */
const stalledShareOfLease = 2 / 3
/** Without a lease, or with one that is longer. */
const mostStalledMs = 30_000

/**
 * A database of MariaDB or MySQL, over one session for batches and another, once the ledger is asked, for that: a
 * question must not wait for the batch that is being written. Consumers in one process have a sink each.
 */
export class MysqlSink implements Sink<LoadRows> {
  readonly ledger: Ledger
  readonly place: string
  readonly changesRows = true
  /** Of InnoDB. */
  readonly mostColumns = 1017
  readonly #open: () => Connection
  readonly #connection: Connection
  readonly #reading: Connection
  /** By fingerprint: what is made for a model serves every model that declares the same. */
  readonly #models = new Map<string, PreparedTable>()
  readonly #conflicting = new Set<string>()
  readonly #unanimity = new Unanimity()
  #hasSaidInserts = false
  #stalledMs = mostStalledMs
  /** The last batch met a lock. */
  #metLock = false

  /** `silentMs`: see `Connection`. */
  constructor(url: string, options: { readonly silentMs?: number } = {}) {
    this.#open = () => new Connection(url, options)
    this.#connection = this.#open()
    this.#reading = this.#open()
    for (const connection of [this.#connection, this.#reading])
      connection.onConnect = (session) => session.limitSilence(this.#stalledMs)
    this.place = this.#connection.place
    this.ledger = new SqlLedger(mysqlLedger(this.#reading))
  }

  async prepare(model?: Model, options: PrepareOptions = {}): Promise<Prepared> {
    const { signal, connectMs, deferIndexes, leaseMs = mostStalledMs } = options
    const stalledMs = Math.min(mostStalledMs, leaseMs * stalledShareOfLease)
    const isShorter = stalledMs < this.#stalledMs
    if (isShorter) this.#stalledMs = stalledMs
    const table = await this.#connection.use(
      async (session) => {
        if (isShorter) await session.limitSilence(stalledMs)
        await prepareLedger(session)
        return model && { ...(await this.#prepareOnce(session, model)), inserts: this.#whyInserts(session) }
      },
      signal,
      connectMs,
    )
    return {
      ...table,
      deferred: false,
      reason: deferIndexes && 'InnoDB keeps the rows of a table in its primary key',
    }
  }

  /** Said once. */
  #whyInserts({ takesLocal }: Session): string | undefined {
    if (takesLocal || this.#hasSaidInserts) return undefined
    this.#hasSaidInserts = true
    return 'the server does not allow LOAD DATA LOCAL (local_infile)'
  }

  async #prepareOnce(session: Session, model: Model): Promise<PreparedTable> {
    const known = this.#models.get(model.fingerprint)
    if (known !== undefined) return known
    const table = await prepareTable(session, model)
    this.#models.set(model.fingerprint, { ...table, remade: false, keyless: false })
    return table
  }

  table(
    name: WantedTable,
    options: Abortable & Pick<PrepareOptions, 'connectMs'> = {},
  ): Promise<TableFacts | undefined> {
    return this.#connection.use((session) => factsOf(session, name), options.signal, options.connectMs)
  }

  misfits(model: Model): Promise<readonly string[]> {
    return this.#connection.use((session) => misfits(session, model))
  }

  rows(): LoadRows {
    return new LoadRows()
  }

  isEmpty(model: Model, options?: Abortable): Promise<boolean> {
    return this.#reading.use((session) => isEmpty(session, model), options?.signal)
  }

  async replacing(model: Model, pipeline: string, options?: Abortable): Promise<Replacement> {
    const own = this.#open()
    try {
      return await replacing(own, model, pipeline, { ...options, stalledMs: this.#stalledMs })
    } catch (error) {
      await own[Symbol.asyncDispose]()
      throw error
    }
  }

  async write(batch: Batch<LoadRows>, options?: Abortable): Promise<readonly BatchVerdict[]> {
    const leaveLocked = this.#metLock && batch.leaveLocked === true
    try {
      const verdicts = await this.#connection.use(
        (session) => writeBatch(session, batch, this.#past(batch.model), leaveLocked),
        options?.signal,
      )
      this.#metLock = false
      return verdicts
    } catch (error) {
      this.#metLock = error instanceof LadingError && error.code === 'SINK_BUSY'
      throw error
    }
  }

  replayLetter(letter: number, batch: Batch<LoadRows>, options?: Abortable): Promise<readonly Verdict[]> {
    return this.#connection.use(
      (session) => replayLetter(session, letter, batch, this.#past(batch.model)),
      options?.signal,
    )
  }

  replayRejects(batch: ReplayBatch<LoadRows>, options?: Abortable): Promise<readonly Verdict[]> {
    return this.#connection.use(
      (session) => replayRejects(session, batch, this.#past(batch.model).ways),
      options?.signal,
    )
  }

  #past({ fingerprint }: Model) {
    const { traits = noTraits } = this.#models.get(fingerprint) ?? {}
    return { ways: { traits, conflicting: this.#conflicting }, unanimity: this.#unanimity }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
    await this.#reading[Symbol.asyncDispose]()
  }
}
