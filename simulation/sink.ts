/** A sink as a process has it open: sessions of the simulated database. */
import { type Code, LadingError } from '../src/core/errors.ts'
import type { Abortable } from '../src/core/wait.ts'
import type { DeadLetter, Ledger, LoadProgress, Receipt, ReceiptFilter } from '../src/sink/ledger.ts'
import type { Batch, BatchVerdict, Part, Prepared, Sink } from '../src/sink/sink.ts'
import type { Database, Transaction } from './database.ts'
import { nameOf, place } from './messages.ts'
import { databaseName, type SimulatedSettlement } from './queue-server.ts'
import { type Row, Rows } from './rows.ts'
import type { Call } from './operation.ts'
import type { World } from './world.ts'

/** How long a session waits for a key that another transaction has entered. */
const lockMs = 5_000
/** How long a client waits for an answer to a question. */
export const answerMs = 15_000

const passing: readonly Code[] = ['SINK_UNAVAILABLE', 'SINK_BUSY', 'SINK_HOLD']

export class SinkClient {
  readonly place = place
  readonly settles = databaseName
  readonly ledger: Ledger
  readonly #world: World
  readonly #database: Database
  /** Batches that have waited for their keys once. */
  readonly #waited = new WeakSet<Batch>()
  /** What the answers to this process have said. */
  loaded = 0
  /** How often it was prepared. */
  prepared = 0
  /** A message whose last attempts, alone, met errors that no trying again helps: in its batch, and by itself. */
  #halts: readonly string[] = []

  constructor(world: World, database: Database) {
    this.#world = world
    this.#database = database
    this.ledger = {
      bury: this.#bury.bind(this),
      fold: this.#fold.bind(this),
      receipts: ({ loads }: ReceiptFilter): Promise<readonly Receipt[]> =>
        this.#ask('receipts', () => this.#database.receipts(loads)),
      progress: (id: string): Promise<LoadProgress | undefined> =>
        this.#ask('progress', () => this.#database.progress(id)),
      // A file has had one content.
      newest: () => this.#ask('newest', () => []),
    } satisfies Partial<Ledger> as unknown as Ledger
  }

  get asSink(): Sink {
    return this as unknown as Sink
  }

  #call<T>(name: string, effect: () => T, more: Partial<Call<T>> = {}): Promise<T> {
    const isAway = () => this.#database.awaySince !== undefined
    return this.#world.call<T>({ name, effect, lost: 'SINK_UNAVAILABLE', errors: passing, isAway, ...more })
  }

  async prepare(_model: unknown, { signal }: Abortable = {}): Promise<Prepared> {
    const prepared = await this.#call<Prepared>('prepare', () => ({ deferred: false }), {
      signal,
      errors: [...passing, 'SINK_REFUSED'],
    })
    this.prepared++
    return prepared
  }

  rows(): Rows {
    return new Rows()
  }

  /** Rows are sent when the transaction begins, and not a moment before. */
  async write(batch: Batch<Rows>, { signal }: Abortable = {}): Promise<readonly BatchVerdict[]> {
    if (this.#halts.length > 1) this.#world.violated('what halts ends the consumer', 'it goes on writing')
    const isLocked = ({ key }: Part) => this.#database.isLocked(key)
    const left = new Set(this.#waited.has(batch) ? batch.parts.filter(isLocked) : [])
    const parts = batch.parts.filter((part) => !left.has(part))
    const about = parts.map(nameOf).join()
    let transaction: Transaction | undefined
    const dropped = () => transaction && this.#database.rollback(transaction)
    const begin = () => this.#database.begin((transaction = { parts, rows: rowsOf(batch, left) }))
    const isReady = () => !parts.some(isLocked)
    await this.#call('begin', begin, {
      signal,
      isReady,
      isOfSession: true,
      dropped,
      timeout: this.#waiting(batch),
    })
    const commit = () => {
      const verdicts = this.#database.commit(transaction as unknown as Transaction)
      const isConcluded = left.size === 0 && verdicts.every(({ kind }) => kind !== 'refused')
      if (isConcluded) settlementOf(batch)?.run()
      return { verdicts, isConcluded }
    }
    const errors = [...passing, 'SINK_FAILED', 'SINK_REFUSED', 'SCHEMA_MISMATCH'] as const
    const committing = this.#call('commit', commit, { about, signal, dropped, errors })
    const { verdicts, isConcluded } = await committing.catch((error: LadingError) => {
      const isAlone = error.action === 'halt' && batch.parts.length === 1
      this.#halts = isAlone ? [...this.#halts.filter((halt) => halt === about), about] : []
      throw error
    })
    this.#halts = []
    if (isConcluded) settlementOf(batch)?.committed()
    for (const verdict of verdicts) if (verdict.kind === 'applied') this.loaded += verdict.loaded
    if (left.size > 0) this.#world.count('a message is left because another transaction has it')
    let next = 0
    return batch.parts.map((part) =>
      left.has(part) ? { kind: 'locked' } : (verdicts[next++] as BatchVerdict),
    )
  }

  #waiting(batch?: Batch<Rows>) {
    const give = (): void => {
      if (this.#database.awaySince !== undefined)
        throw new LadingError('SINK_UNAVAILABLE', 'the database is away')
      if (batch?.leaveLocked === true) this.#waited.add(batch)
      throw new LadingError('SINK_BUSY', 'another transaction does not end')
    }
    return { ms: lockMs, give }
  }

  #bury(letter: DeadLetter, { signal }: Abortable = {}): Promise<void> {
    const isReady = () => !this.#database.isLocked(letter.key)
    return this.#call('bury', () => this.#database.bury(letter), {
      signal,
      isReady,
      timeout: this.#waiting(),
    }).catch((error: unknown) => {
      // Until the letter is kept, the consumer does not come to the message that halts behind it.
      this.#halts = []
      throw error
    })
  }

  #fold(ids: readonly string[], { signal }: Abortable = {}): Promise<void> {
    return this.#ask('fold', () => this.#database.fold(ids), { signal })
  }

  isEmpty(): Promise<boolean> {
    return this.#ask('is the table empty', () => this.#database.rows.size === 0)
  }

  #ask<T>(name: string, effect: () => T, more: Abortable = {}): Promise<T> {
    const give = (): T => {
      throw new LadingError('SINK_UNAVAILABLE', 'the database does not answer')
    }
    return this.#call(name, effect, { ...more, timeout: { ms: answerMs, give } })
  }
}

/** Those of the parts that are not left out. */
function rowsOf({ parts, rows }: Batch<Rows>, left: ReadonlySet<Part>): readonly Row[] {
  let end = 0
  return parts.flatMap((part) => {
    const own = rows.list.slice(end, (end += part.rows))
    return left.has(part) ? [] : own
  })
}

const settlementOf = ({ settlement }: Batch): SimulatedSettlement | undefined =>
  settlement as SimulatedSettlement | undefined
