/**
 * Settles and extends what is held: all of one turn of the event loop in two statements. A message is changed only
 * by whoever has its lease.
 */
import type pg from 'pg'
import type { Settlement } from '../../core/settlement.ts'
import type { Delivery, Outcome, Settling } from '../queue.ts'
import type { Held } from './held.ts'

type Use = <T>(work: (client: pg.Client) => Promise<T>) => Promise<T>

interface Change {
  readonly held: Held
  /** Until when it stays away, in milliseconds from now; null for not at all. */
  readonly afterMs: number | null
  /** What becomes of the lease and of the attempt. */
  readonly kind: 'retry' | 'release' | 'extend'
}

/** What goes to the server with the next statements. */
interface Turn {
  readonly done: Held[]
  readonly changes: Change[]
  readonly over: Promise<void>
}

/** Losing one of them in a crash means one more delivery, so they do not wait for the disk. */
const begin = 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off'
/** By the index, whatever the statistics say of a table that is full and empty by turns. */
const byIndex =
  'SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off'

export class Settlements implements Settling {
  readonly by: string
  readonly #queue: number
  readonly #use: Use
  #turn: Turn | undefined

  /** `by`: see `Settling`. */
  constructor(by: string, queue: number, use: Use) {
    this.by = by
    this.#queue = queue
    this.#use = use
  }

  /** The promise is that of all settlements of this turn. */
  settle(held: Held, outcome: Outcome): Promise<void> {
    const turn = this.#current()
    if (outcome.kind === 'done') turn.done.push(held)
    else turn.changes.push({ held, afterMs: outcome.afterMs ?? null, kind: outcome.kind })
    return turn.over
  }

  extend(held: Held, ms: number): Promise<void> {
    const turn = this.#current()
    turn.changes.push({ held, afterMs: ms, kind: 'extend' })
    return turn.over
  }

  settlement(deliveries: readonly Delivery[]): Settlement {
    const held = deliveries as readonly Held[]
    return {
      sql: `${byIndex}; ${this.#deletion(held)}`,
      committed: () => {
        for (const each of held) each.isCommitted()
      },
    }
  }

  /** Resolves when nothing is under way. Never throws. */
  async idle(): Promise<void> {
    await this.#turn?.over.catch(() => undefined)
  }

  #current(): Turn {
    if (this.#turn !== undefined) return this.#turn
    const [done, changes]: [Held[], Change[]] = [[], []]
    const over = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      if (this.#turn === turn) this.#turn = undefined
      return this.#send(turn)
    })
    const turn: Turn = { done, changes, over }
    // Whoever settles hears of it; an extension may have nobody who does.
    over.catch(() => undefined)
    return (this.#turn = turn)
  }

  async #send(turn: Turn): Promise<void> {
    const { done, changes } = turn
    const statements = [
      begin,
      byIndex,
      ...(done.length > 0 ? [this.#deletion(done)] : []),
      ...(changes.length > 0 ? [this.#update(changes)] : []),
    ]
    const settled = changes.filter(({ kind }) => kind !== 'extend')
    try {
      await this.#use((client) => client.query(statements.join('; ')))
    } catch (error) {
      for (const held of done) held.isOpen()
      for (const { held } of settled) held.isOpen()
      throw error
    }
    for (const held of done) held.isOver('done')
    for (const { held, kind } of settled) if (kind !== 'extend') held.isOver(kind)
  }

  #deletion(held: readonly Held[]): string {
    return `DELETE FROM lading_queue.message m USING ${heldRows(held)} WHERE m.queue = ${this.#queue} AND m.id = held.id AND m.lease = held.lease`
  }

  /**
   * What another transaction has locked is left alone: that is one that settles it, and waiting for it could be
   * waiting for each other.
   */
  #update(changes: readonly Change[]): string {
    const after = changes.map(({ afterMs }) => (afterMs === null ? 'NULL' : Math.round(afterMs)))
    const kinds = changes.map(({ kind }) => kind)
    return `UPDATE lading_queue.message m SET lease = CASE kind WHEN 'extend' THEN m.lease END,
        attempt = m.attempt - CASE kind WHEN 'release' THEN 1 ELSE 0 END,
        available_at = coalesce(clock_timestamp() + after * interval '1 ms', '-infinity')
      FROM (
        SELECT m.id, after, kind FROM ${heldRows(
          changes.map(({ held }) => held),
          `, '{${after.join()}}'::bigint[], '{${kinds.join()}}'::text[]`,
          ', after, kind',
        )}
        JOIN lading_queue.message m ON m.queue = ${this.#queue} AND m.id = held.id AND m.lease = held.lease
        ORDER BY m.id FOR UPDATE OF m SKIP LOCKED
      ) change WHERE m.queue = ${this.#queue} AND m.id = change.id`
  }
}

const heldRows = (held: readonly Held[], arrays = '', names = ''): string =>
  `unnest('{${held.map(({ id }) => id).join()}}'::bigint[], '{${held.map(({ lease }) => lease).join()}}'::bigint[]${arrays}) AS held (id, lease${names})`
