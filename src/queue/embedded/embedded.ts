/**
 * A durable queue in one SQLite file, for any number of processes of one machine. A message is leased to
 * the consumer that takes it, and deleted when it is settled; a lease that runs out makes it available again.
 *
 * Publishing syncs to disk before it resolves. Leases and settlements do not wait for the disk: losing one in
 * a power cut only means one more delivery, which the ledger absorbs.
 */
import { randomUUID } from 'node:crypto'
import { freeBytes } from '../../core/bytes.ts'
import { LadingError } from '../../core/errors.ts'
import { SqliteFile, sqliteTrouble } from '../../core/sqlite.ts'
import { type Abortable, sleep } from '../../core/wait.ts'
import {
  type Delivery,
  type Depth,
  type Headers,
  type Outcome,
  type Outgoing,
  type Peeked,
  type Queue,
  type QueueTraits,
  mostInFlightBytes,
} from '../queue.ts'
import { requireSize } from '../size.ts'
import { Patience } from '../window.ts'
import { queueError } from './errors.ts'
import { atOnce, noRoom, Producer } from './producer.ts'
import { applicationId, isWaiting, pageBytes, schema } from './schema.ts'
import { Space } from './space.ts'

export interface EmbeddedOptions {
  /** Length of a lease, in milliseconds; a consumer extends it while it works. */
  readonly leaseMs?: number | undefined
}

interface Row {
  readonly id: number
  readonly key: string
  readonly headers: string
  readonly bytes: number
  readonly attempt: number
  readonly body: Uint8Array
}

/** In hand at most: a claim is one transaction, and the event loop waits for it. */
const mostMessages = 4_000
const firstPollMs = 5
const lastPollMs = 100
/** SQLite's own limit for a value is 1,000,000,000 bytes. */
const maxBytes = 512 * 1024 * 1024

export class EmbeddedQueue implements Queue {
  readonly id: string
  readonly traits: QueueTraits
  readonly #path: string
  readonly #leaseMs: number
  readonly #publisher: SqliteFile
  readonly #consumer: SqliteFile
  readonly #space: Space
  readonly #producer: Producer
  readonly #settlements: {
    readonly apply: () => void
    readonly done: () => void
    readonly failed: (error: unknown) => void
  }[] = []

  constructor(path: string, options: EmbeddedOptions = {}) {
    this.#path = path
    this.#leaseMs = options.leaseMs ?? 30_000
    this.#publisher = this.#guard(() => new SqliteFile(path, { pageBytes, isPrivate: true }))
    try {
      this.#guard(() => this.#makeTables())
      this.id = this.#guard(
        () => (this.#publisher.get<{ id: string }>('SELECT id FROM queue') as { id: string }).id,
      )
      this.#space = this.#guard(() => new Space(path, this.#publisher))
      this.#producer = new Producer(this.#publisher, this.#space, (work) => this.#guard(work))
      this.traits = {
        maxBytes: Math.min(maxBytes, this.#space.maxBytes),
        leaseMs: this.#leaseMs,
        isLocal: true,
      }
      this.#consumer = this.#guard(() => new SqliteFile(path, { synchronous: 'NORMAL' }))
      for (const file of [this.#publisher, this.#consumer])
        file.exec(`PRAGMA wal_autocheckpoint = ${this.#space.logPages}; PRAGMA cache_size = -512`)
    } catch (error) {
      this.#publisher[Symbol.dispose]()
      throw error
    }
  }

  async publish(messages: readonly Outgoing[], { signal }: Abortable = {}): Promise<void> {
    requireSize(messages, this.traits.maxBytes)
    if (await this.#producer.publish(messages, signal)) return
    const { ready, inFlight } = await this.depth()
    throw noRoom(this.#path, this.#space.free, ready + (inFlight ?? 0))
  }

  async *deliveries({
    prefetch,
    signal,
  }: Abortable & { readonly prefetch: number }): AsyncIterable<readonly Delivery[]> {
    const inFlight = { count: 0, bytes: 0 }
    const patience = new Patience(firstPollMs, lastPollMs)
    while (!signal?.aborted) {
      const count = Math.min(prefetch, mostMessages) - inFlight.count
      const bytes = mostInFlightBytes - inFlight.bytes
      const claimed = this.#claim(count, bytes)
      for (const row of claimed.rows) {
        inFlight.count++
        inFlight.bytes += row.bytes
      }
      yield claimed.rows.map((row) => this.#delivery(row, claimed.lease, inFlight))
      if (claimed.rows.length === 0) await sleep(patience.ms, signal)
      // A consumer that waits for settlements does not touch the file, so it may look again soon.
      const isFull = count <= 0 || bytes <= 0
      patience.saw(isFull ? 1 : claimed.rows.length)
    }
  }

  async peek(n: number): Promise<readonly Peeked[]> {
    const rows = this.#guard(() =>
      this.#consumer.all<Row>(
        `SELECT key, headers, attempt, body FROM message JOIN body USING (id)
         WHERE dead = 0 AND (lease IS NULL OR NOT ${isWaiting}) ORDER BY available_at, id LIMIT ?`,
        { now: Date.now() },
        n,
      ),
    )
    return rows.map((row) => ({
      key: row.key,
      headers: JSON.parse(row.headers) as Headers,
      body: row.body,
      attempt: row.attempt,
    }))
  }

  async depth(): Promise<Depth> {
    const sql = `SELECT count(*) FILTER (WHERE dead = 0 AND NOT (lease IS NOT NULL AND ${isWaiting})) AS ready,
                        count(*) FILTER (WHERE dead = 0 AND lease IS NOT NULL AND ${isWaiting}) AS inFlight,
                        count(*) FILTER (WHERE dead = 1) AS dead FROM message`
    return { ...(this.#guard(() => this.#consumer.get<Depth>(sql, { now: Date.now() })) as Depth) }
  }

  async oldest(): Promise<number | undefined> {
    // Ids are given in the order of publishing, so the first row will do; a minimum would read them all.
    const sql = 'SELECT published_at AS since FROM message WHERE dead = 0 ORDER BY id LIMIT 1'
    const since = this.#guard(() => this.#consumer.get<{ since: number | null }>(sql))?.since ?? undefined
    return since === undefined ? undefined : Math.max(0, Date.now() - since)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#flush()
    this.#consumer[Symbol.dispose]()
    this.#publisher[Symbol.dispose]()
  }

  /**
   * A transaction of a consumer; where the disk is full, its room is that of the log, which is moved into the
   * file.
   */
  #consuming<T>(work: () => T): T {
    try {
      return this.#consumer.transaction(work)
    } catch (error) {
      if (sqliteTrouble(error) !== 'full') throw error
      this.#space.reclaim()
      return this.#consumer.transaction(work)
    }
  }

  #makeTables(): void {
    // In this order: another process may make the tables between the two.
    const empty = this.#publisher.get('SELECT 1 FROM sqlite_schema LIMIT 1') === undefined
    const id = this.#publisher.get<{ application_id: number }>('PRAGMA application_id')?.application_id
    if (!empty && id !== applicationId)
      throw new LadingError('QUEUE_CORRUPT', `${this.#path} is a database, but not a queue`)
    if (!this.#publisher.migrate(schema))
      throw new LadingError('QUEUE_NEWER', `queue ${this.#path} was made by a newer version of lading`)
  }

  /** Leases up to `count` messages, of at most `bytes` together but for the last. */
  #claim(count: number, bytes: number): { readonly lease: string; readonly rows: readonly Row[] } {
    const lease = randomUUID()
    if (count <= 0 || bytes <= 0) return { lease, rows: [] }
    const rows = this.#guard(() => {
      // Looking first keeps idle consumers from taking the write lock at each poll.
      if (this.#available(1).length === 0) return []
      return this.#consuming(() => {
        const ids: number[] = []
        let sum = 0
        for (const row of this.#available(count)) {
          if (sum >= bytes) break
          ids.push(row.id)
          sum += row.bytes
        }
        const until = Date.now() + this.#leaseMs
        const sql =
          'UPDATE message SET lease = ?, available_at = ?, detail = ?, attempt = attempt + 1 WHERE id = ?'
        for (const id of ids) this.#consumer.run(sql, lease, until, String(this.#leaseMs), id)
        return ids.map(
          (id) =>
            this.#consumer.get<Row>('SELECT * FROM message JOIN body USING (id) WHERE id = ?', id) as Row,
        )
      })
    })
    return { lease, rows }
  }

  /**
   * What comes back does not wait until there is nothing new, and what nobody here settles (messages of others, above
   * all) does not keep back what is new: each takes half of a claim, where there is enough of both.
   */
  #available(limit: number): { id: number; bytes: number }[] {
    const chosen = (condition: string) =>
      this.#consumer.all<{ id: number; bytes: number }>(
        `SELECT id, bytes FROM message WHERE dead = 0 AND ${condition} ORDER BY available_at, id LIMIT ?`,
        { now: Date.now() },
        limit,
      )
    const again = chosen(`available_at > ${atOnce} AND available_at <= $now`)
    const fresh = chosen(`available_at = ${atOnce} AND available_at <= $now`)
    const due = [...again.splice(0, Math.ceil(limit / 2)), ...fresh, ...again].slice(0, limit)
    return due.length > 0 ? due : chosen(`available_at > $now AND NOT ${isWaiting}`)
  }

  /** It holds none of `headers`, which is as long as most small bodies. */
  #delivery(
    { id, key, headers, bytes, attempt, body }: Row,
    lease: string,
    inFlight: { count: number; bytes: number },
  ): Delivery {
    let settlement: Promise<void> | undefined
    const settle = async (outcome: Outcome) => {
      await this.#enqueueSettlement(() => this.#settle(id, lease, outcome))
      inFlight.count--
      inFlight.bytes -= bytes
      if (outcome.kind === 'done') freeBytes(body)
    }
    return {
      key,
      body,
      headers: JSON.parse(headers) as Headers,
      attempt,
      settle: (outcome) => {
        const failed = (error: unknown) => {
          settlement = undefined
          throw error
        }
        return (settlement ??= settle(outcome).catch(failed))
      },
      extend: (ms) =>
        this.#enqueueSettlement(() => {
          this.#consumer.run(
            'UPDATE message SET available_at = ?, detail = ? WHERE id = ? AND lease = ?',
            Date.now() + ms,
            String(ms),
            id,
            lease,
          )
        }),
    }
  }

  #settle(id: number, lease: string, outcome: Outcome): void {
    switch (outcome.kind) {
      case 'done':
        this.#consumer.run('DELETE FROM message WHERE id = ? AND lease = ?', id, lease)
        return
      case 'retry': {
        const sql =
          'UPDATE message SET lease = NULL, available_at = ?, detail = ?, code = ? WHERE id = ? AND lease = ?'
        const { afterMs, code } = outcome
        this.#consumer.run(sql, Date.now() + afterMs, String(afterMs), code, id, lease)
        return
      }
      case 'release': {
        const sql =
          'UPDATE message SET lease = NULL, available_at = ?, detail = ?, attempt = attempt - 1 WHERE id = ? AND lease = ?'
        const { afterMs } = outcome
        const at = afterMs === undefined ? atOnce : Date.now() + afterMs
        this.#consumer.run(sql, at, String(afterMs ?? 0), id, lease)
      }
    }
  }

  /** Settlements of one turn of the event loop share a transaction. */
  #enqueueSettlement(apply: () => void): Promise<void> {
    if (this.#settlements.length === 0) setImmediate(() => this.#flush())
    return new Promise((done, failed) => this.#settlements.push({ apply, done, failed }))
  }

  #flush(): void {
    const settlements = this.#settlements.splice(0)
    if (settlements.length === 0) return
    try {
      this.#guard(() => this.#consuming(() => settlements.forEach(({ apply }) => apply())))
      for (const { done } of settlements) done()
    } catch (error) {
      for (const { failed } of settlements) failed(error)
    }
  }

  #guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw queueError(error, this.#path)
    }
  }
}
