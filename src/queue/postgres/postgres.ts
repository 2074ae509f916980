/**
 * Queues in a PostgreSQL database: a table of messages, each leased to the consumer that takes it and deleted
 * when it is settled. Where the target is the same database, the transaction of a batch settles its messages
 * itself (`settling`).
 *
 * Times are the server's. A session that is lost is made again by the next call that needs one.
 */
import type pg from 'pg'
import { type Abortable, stopping, within } from '../../core/wait.ts'
import { Connection } from '../../driver/postgres/connection.ts'
import { copy, copyOut } from '../../driver/postgres/copy.ts'
import { OwnSessions } from '../../driver/postgres/sessions.ts'
import type {
  Delivery,
  Depth,
  OpenOptions,
  Outgoing,
  Peeked,
  Queue,
  QueueTraits,
  Settling,
} from '../queue.ts'
import { requireSize } from '../size.ts'
import { parseAddress } from './address.ts'
import { queueError, requireThere } from './errors.ts'
import { type Opened, openTable } from './prepare.ts'
import { Receiver } from './receiver.ts'
import { publishedColumns, publishedRows, type Row, rowOf, takenColumns } from './rows.ts'
import { Settlements } from './settlements.ts'

/**
 * Half of what other sessions take, in milliseconds: one that is lost may have taken messages, whose leases run on, and
 * both waits together stay under a minute.
 */
const silentMs = 5_000

/** PostgreSQL takes 1 GB in one row, and the server and we have it in memory more than once. */
const maxBytes = 256 * 1024 * 1024
/** A stop waits this long for what is being sent, and the end of a queue for what is under way. */
const stopWithinMs = 10_000
const closeWithinMs = 3_000

export async function openPgQueue(url: string, options: OpenOptions = {}): Promise<Queue> {
  const { database, queue, leaseMs } = parseAddress(url)
  const sessions = new OwnSessions(database)
  const looking = new Connection(sessions, { silentMs })
  try {
    const opened = await looking.use(
      (client) => openTable(client, queue, options.create ?? true),
      options.signal,
    )
    return new PostgresQueue(queue, leaseMs, sessions, looking, opened)
  } catch (error) {
    await looking[Symbol.asyncDispose]()
    throw queueError(error, queue)
  }
}

class PostgresQueue implements Queue {
  readonly id: string
  readonly traits: QueueTraits
  readonly settling: Settling
  readonly #name: string
  readonly #number: number
  readonly #settlements: Settlements
  /** Each is opened when it is first used: what looks, publishes, takes and settles never waits for another. */
  readonly #looking: Connection
  readonly #publishing: Connection
  readonly #taking: Connection
  readonly #settlingOn: Connection
  /** Gives up what the server has not answered when everything else is closed. */
  readonly #giveUp = new AbortController()
  #closing: Promise<void> | undefined

  constructor(name: string, leaseMs: number, sessions: OwnSessions, looking: Connection, opened: Opened) {
    this.id = opened.uuid
    this.traits = { maxBytes, leaseMs, warnings: opened.unsafe.map(unsafeWarning) }
    this.#name = name
    this.#number = opened.number
    this.#looking = looking
    this.#publishing = new Connection(sessions, { silentMs })
    this.#taking = new Connection(sessions, { silentMs })
    this.#settlingOn = new Connection(sessions, { silentMs })
    this.#settlements = new Settlements(sessions.identity, opened.number, (work) =>
      this.#use(this.#settlingOn, work),
    )
    this.settling = this.#settlements
  }

  /** One transaction. */
  async publish(messages: readonly Outgoing[], { signal }: Abortable = {}): Promise<void> {
    requireSize(messages, maxBytes)
    if (messages.length === 0) return
    using stop = stopping(signal, stopWithinMs)
    const rows = publishedRows(this.#number, messages)
    await this.#use(this.#publishing, (client) => copy(client, publishSql(this.#number), rows), stop.abandon)
  }

  async *deliveries(options: Abortable & { readonly prefetch: number }): AsyncGenerator<readonly Delivery[]> {
    const receiver = new Receiver({
      ...options,
      queue: this.#number,
      leaseMs: this.traits.leaseMs as number,
      settlements: this.#settlements,
      use: (work) => this.#use(this.#taking, work),
    })
    yield* receiver.deliveries()
  }

  async peek(n: number, { signal }: Abortable = {}): Promise<readonly Peeked[]> {
    const rows: Row[] = []
    const sql = `COPY (SELECT ${takenColumns('m')} FROM lading_queue.message m WHERE queue = ${this.#number} AND available_at <= clock_timestamp()
      ORDER BY id LIMIT ${Math.trunc(n)}) TO STDOUT (FORMAT binary)`
    await this.#use(
      this.#looking,
      (client) => copyOut(client, sql, (fields) => rows.push(rowOf(fields))),
      signal,
    )
    return rows.map(({ key, headers, body, attempt, fault }) => ({ key, headers, body, attempt, fault }))
  }

  async depth({ signal }: Abortable = {}): Promise<Depth> {
    const sql = `SELECT count(*) FILTER (WHERE lease IS NULL OR available_at <= clock_timestamp())::float8 AS ready,
        count(*) FILTER (WHERE lease IS NOT NULL AND available_at > clock_timestamp())::float8 AS "inFlight"
      FROM lading_queue.message WHERE queue = $1`
    const [row] = await this.#ask<{ ready: number; inFlight: number }>(sql, signal)
    return { ready: row?.ready ?? 0, inFlight: row?.inFlight ?? 0, dead: 0 }
  }

  async oldest({ signal }: Abortable = {}): Promise<number | undefined> {
    const sql = `SELECT extract(epoch FROM clock_timestamp() - published_at)::float8 * 1000 AS age
      FROM lading_queue.message WHERE queue = $1 ORDER BY id LIMIT 1`
    const [row] = await this.#ask<{ age: number }>(sql, signal)
    return row === undefined ? undefined : Math.max(0, row.age)
  }

  async #ask<T extends pg.QueryResultRow>(sql: string, signal?: AbortSignal): Promise<readonly T[]> {
    const { rows } = await this.#use(this.#looking, (client) => client.query<T>(sql, [this.#number]), signal)
    return rows
  }

  async #use<T>(
    connection: Connection,
    work: (client: pg.Client) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const signals = [this.#giveUp.signal, ...(signal === undefined ? [] : [signal])]
    try {
      return await connection.use(work, AbortSignal.any(signals))
    } catch (error) {
      throw queueError(error, this.#name)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    const connections = [this.#looking, this.#publishing, this.#taking, this.#settlingOn]
    await within(closeWithinMs, this.#settlements.idle())
    const closed = Promise.all(connections.map((each) => each[Symbol.asyncDispose]()))
    await within(closeWithinMs, closed)
    this.#giveUp.abort()
    await closed
  }
}

/** What was published is on the disk, whatever a role or the database prefers. */
const publishSql = (
  queue: number,
): string => `SET TRANSACTION ISOLATION LEVEL READ COMMITTED; ${requireThere(queue)};
  SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') IN ('off', 'local');
  COPY lading_queue.message (${publishedColumns}) FROM STDIN (FORMAT binary)`

const unsafeWarning = (setting: string): string =>
  `the server runs with ${setting} = off: when its machine fails, it may lose what was published and what was loaded`
