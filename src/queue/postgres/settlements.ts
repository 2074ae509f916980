/**
 * Settles and extends what is held: all of one turn of the event loop in two statements. A message is changed only
 * by whoever has its lease.
 */
import type pg from 'pg'
import type { Settlement } from '../../core/settlement.ts'
import type { Delivery, Outcome, Settling } from '../queue.ts'
import { Together } from '../together.ts'
import type { Held } from './held.ts'

type Use = <T>(work: (client: pg.Client) => Promise<T>) => Promise<T>

/** What goes to the server. */
interface Change {
  readonly held: Held
  readonly kind: Outcome['kind'] | 'extend'
  /** Until when it stays away, in milliseconds from now; null for not at all. */
  readonly afterMs: number | null
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
  readonly #together = new Together<Change>((changes) => this.#send(changes))

  /** `by`: see `Settling`. */
  constructor(by: string, queue: number, use: Use) {
    this.by = by
    this.#queue = queue
    this.#use = use
  }

  /** The promise is that of all settlements of this turn. */
  settle(held: Held, outcome: Outcome): Promise<void> {
    const afterMs = outcome.kind === 'done' ? null : (outcome.afterMs ?? null)
    return this.#together.add({ held, kind: outcome.kind, afterMs })
  }

  extend(held: Held, ms: number): Promise<void> {
    return this.#together.add({ held, kind: 'extend', afterMs: ms })
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
  idle(): Promise<void> {
    return this.#together.idle()
  }

  async #send(changes: readonly Change[]): Promise<void> {
    const done = changes.flatMap(({ held, kind }) => (kind === 'done' ? [held] : []))
    const others = changes.filter(({ kind }) => kind !== 'done')
    const statements = [
      begin,
      byIndex,
      ...(done.length > 0 ? [this.#deletion(done)] : []),
      ...(others.length > 0 ? [this.#update(others)] : []),
    ]
    try {
      await this.#use((client) => client.query(statements.join('; ')))
    } catch (error) {
      for (const { held, kind } of changes) if (kind !== 'extend') held.isOpen()
      throw error
    }
    for (const { held, kind } of changes) if (kind !== 'extend') held.isOver(kind)
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
