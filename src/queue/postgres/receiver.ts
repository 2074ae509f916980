/**
 * Takes messages, by leases. What is in hand is bounded by messages and by bytes. The next ones are taken while
 * those before are processed.
 *
 * A message is found by its number, because the index keeps an entry of each message that was settled until the
 * table is vacuumed, which an old snapshot of anybody prevents, and walking over a million of them takes a tenth
 * of a second. So a receiver goes on behind the last number that it took, and looks at all of them now and then:
 * for what was given back, what a lost consumer held, and what a slow transaction has published meanwhile.
 *
 * There is no LISTEN: a transaction that notifies waits for every other one that does when it commits, for the
 * whole server.
 */
import { randomInt } from 'node:crypto'
import type pg from 'pg'
import { type Abortable, sleep, unlessAborted } from '../../core/wait.ts'
import { copyOut } from '../../driver/postgres/copy.ts'
import { type Delivery, mostInFlightBytes } from '../queue.ts'
import { aloneFrom, firstLimit, Patience, suspectFrom, Window } from '../window.ts'
import { requireThere } from './errors.ts'
import { Held, type Holder } from './held.ts'
import { type Row, rowOf, takenColumns } from './rows.ts'
import type { Settlements } from './settlements.ts'

/** In hand at most, and in one statement: as many as a batch has. */
const mostMessages = 8_000
const mostAtOnce = 2_000
/** Beside a message that may be what kills consumers. */
const fewMessages = 10
const meanOver = 64
const firstPollMs = 5
const lastPollMs = 250
/** Between two looks at all messages while there are enough. */
const lookEveryMs = 1_000
/** While there are not, a look may take this share of the time. */
const lookShare = 0.1
/** Random numbers that Node makes at most. */
const mostLease = 2 ** 48 - 1

export interface ReceiverOptions extends Abortable {
  readonly queue: number
  readonly prefetch: number
  readonly leaseMs: number
  readonly settlements: Settlements
  readonly use: <T>(work: (client: pg.Client) => Promise<T>) => Promise<T>
}

/** Taken together, and not handed out yet. */
interface Taken {
  readonly held: readonly Held[]
  /** When the lease began, at the latest. */
  readonly since: number
}

export class Receiver {
  readonly #options: ReceiverOptions
  readonly #window: Window
  readonly #holder: Holder
  readonly #inHand = new Set<Held>()
  #bytes = 0
  #limit = firstLimit
  #mark = -1
  #lookedAt = Number.NEGATIVE_INFINITY
  #lookMs = 0
  #cameShort = true
  #ahead: Promise<Taken> | undefined

  constructor(options: ReceiverOptions) {
    this.#options = options
    this.#window = new Window({ prefetch: options.prefetch, mostMessages, meanOver })
    this.#holder = {
      settlements: options.settlements,
      settled: (held) => {
        if (this.#inHand.delete(held)) this.#bytes -= held.bytes
      },
    }
  }

  async *deliveries(): AsyncGenerator<readonly Delivery[]> {
    const { signal, leaseMs } = this.#options
    const patience = new Patience(firstPollMs, lastPollMs)
    try {
      while (signal?.aborted !== true) {
        const room = this.#room
        const taken = await this.#next(signal)
        if (taken === undefined) return
        // A consumer that was away for so long may find them with another one.
        if (performance.now() - taken.since > leaseMs / 2) {
          await this.#giveBack(taken.held)
          continue
        }
        if (taken.held.length > 0 && this.#room > 0) this.#takeAhead()
        yield taken.held
        if (taken.held.length === 0) await sleep(patience.ms, signal)
        // A consumer that waits for settlements asks nothing of the server, so it may look again soon.
        patience.saw(room <= 0 ? 1 : taken.held.length)
      }
    } finally {
      await this.#ahead?.then(({ held }) => this.#giveBack(held)).catch(() => undefined)
    }
  }

  /** Undefined when the signal aborts. */
  async #next(signal: AbortSignal | undefined): Promise<Taken | undefined> {
    this.#takeAhead()
    const taking = this.#ahead as Promise<Taken>
    const taken = await unlessAborted(taking, signal)
    if (taken !== undefined || signal?.aborted !== true) this.#ahead = undefined
    return taken
  }

  #takeAhead(): void {
    this.#ahead ??= this.#take()
    // It is heard of where it is awaited.
    this.#ahead.catch(() => undefined)
  }

  get #room(): number {
    const inHand = this.#inHand.size
    const fit = this.#window.fitBeside(this.#bytes)
    return Math.min(
      mostAtOnce,
      Math.min(this.#limit, this.#options.prefetch) - inHand,
      // One that is larger than the bound is taken alone.
      inHand === 0 ? Math.max(1, fit) : fit,
    )
  }

  async #take(): Promise<Taken> {
    const { queue, leaseMs, use } = this.#options
    const room = this.#room
    const since = performance.now()
    if (room <= 0) return { held: [], since }
    const everyMs = Math.max(this.#cameShort ? 0 : lookEveryMs, this.#lookMs / lookShare)
    const isLook = since - this.#lookedAt >= everyMs
    const lease = randomInt(1, mostLease)
    const rows: Row[] = []
    const sql = takeSql({
      queue,
      behind: isLook ? -1 : this.#mark,
      messages: room,
      bytes: mostInFlightBytes - this.#bytes,
      lease,
      leaseMs,
    })
    await use((client) => copyOut(client, sql, (fields) => rows.push(rowOf(fields))))
    if (isLook) {
      this.#lookedAt = performance.now()
      this.#lookMs = this.#lookedAt - since
    }
    this.#cameShort = rows.length < room
    const held = rows.map((row) => new Held(row, lease, this.#holder)).toSorted((a, b) => a.id - b.id)
    this.#accept(held)
    return { held, since }
  }

  #accept(held: readonly Held[]): void {
    let attempt = 0
    for (const each of held) {
      this.#inHand.add(each)
      this.#bytes += each.bytes
      this.#window.came(each.bytes)
      this.#mark = Math.max(this.#mark, each.id)
      attempt = Math.max(attempt, each.attempt)
    }
    if (attempt >= aloneFrom) this.#limit = 1
    else if (attempt >= suspectFrom) this.#limit = fewMessages
    else if (held.length > 0) this.#limit = this.#window.after(this.#limit)
  }

  async #giveBack(held: readonly Held[]): Promise<void> {
    await Promise.all(held.map((each) => each.settle({ kind: 'release' })))
  }
}

interface Take {
  readonly queue: number
  readonly behind: number
  readonly messages: number
  readonly bytes: number
  readonly lease: number
  readonly leaseMs: number
}

/** By the index, which has the order; a lease that is lost in a crash costs a count, so it does not wait for the disk. */
const settings = `SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off;
  SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off`

const takeSql = ({
  queue,
  behind,
  messages,
  bytes,
  lease,
  leaseMs,
}: Take): string => `${settings}; ${requireThere(queue)};
  COPY (
    WITH free AS MATERIALIZED (
      SELECT id, bytes FROM lading_queue.message WHERE queue = ${queue} AND id > ${behind} AND available_at <= clock_timestamp()
      ORDER BY id LIMIT ${messages} FOR UPDATE SKIP LOCKED
    ), fitting AS (SELECT id, sum(bytes) OVER (ORDER BY id) - bytes AS before FROM free)
    UPDATE lading_queue.message m
      SET lease = ${lease}, attempt = m.attempt + 1, available_at = clock_timestamp() + ${Math.round(leaseMs)} * interval '1 ms'
    FROM fitting WHERE m.queue = ${queue} AND m.id = fitting.id AND fitting.before < ${Math.max(1, bytes)}
    RETURNING ${takenColumns('m')}
  ) TO STDOUT (FORMAT binary)`
