/**
 * The good path of a batch: its keys and its rows in one round trip, and COMMIT in another. COMMIT is sent only where every key was
 * new, every load open and every row taken; in any other case all of it is rolled back, as if it had not been tried.
 */
import type pg from 'pg'
import type { LoadInfo } from '../../core/load.ts'
import type { Model } from '../../model/model.ts'
import type { Batch, Part, Verdict } from '../sink.ts'
import { copy } from './copy.ts'
import { qualified } from './ddl.ts'
import { rowError } from './errors.ts'
import { arrayLiteral, literal } from './literal.ts'
import { insertLoads, loadsOf, lockLoads } from './loads.ts'
import { insertRejects } from './rejects.ts'
import { copyInto, type CopyRows } from './rows.ts'
import { beginBatch, commit, rollback } from './transaction.ts'

/** Loads whose rows are known to be there; a load is at work for a while, and then never again. */
const mostKnownLoads = 10_000
/** Batches at most that do without an attempt after one that failed. */
const longestPause = 32

/** What the last attempts with a model say of the next. */
interface Doubt {
  /** A key was there already, and the model says what to do then. */
  readonly conflict: boolean
  /** Batches that do without an attempt; doubled with each attempt that fails. */
  readonly pause: number
  left: number
}

export class DirectPath {
  readonly #known = new Set<string>()
  readonly #doubts = new Map<string, Doubt>()

  /** Whether rows of the model conflicted when it was last tried. */
  expectsConflict({ fingerprint }: Model): boolean {
    return this.#doubts.get(fingerprint)?.conflict ?? false
  }

  /** The verdicts, or undefined where nothing was changed because the batch needs a closer look. */
  async write(client: pg.Client, batch: Batch): Promise<readonly Verdict[] | undefined> {
    const { parts, rows, model } = batch
    if (rows.rows === 0 || parts.some(({ replays }) => replays !== undefined) || !this.#isWorthIt(model)) return undefined
    const loads = loadsOf(batch)
    const unknown = [...loads.values()].filter(({ id }) => !this.#known.has(id))
    const sql = [...registration(batch, unknown), ...statements(batch, [...loads.keys()])].join(';\n')
    // A statement ends at a NUL, wherever that comes from.
    if (sql.includes('\0')) return undefined
    const verdicts = await this.#attempt(client, batch, sql)
    if (verdicts !== undefined) this.#remember(unknown)
    return verdicts
  }

  #isWorthIt({ fingerprint }: Model): boolean {
    const doubt = this.#doubts.get(fingerprint)
    return doubt === undefined || doubt.left-- <= 0
  }

  async #attempt(client: pg.Client, batch: Batch, sql: string): Promise<readonly Verdict[] | undefined> {
    const { parts, model } = batch
    const rows = batch.rows as unknown as CopyRows
    try {
      const counts = await copy(client, sql, [rows.header, rows.slice(0, rows.rows), rows.trailer])
      if (counts.at(-2) === parts.length && counts.at(-1) === rows.rows) {
        await insertRejects(
          client,
          batch.pipeline,
          parts.flatMap((part) => part.rejects.map((reject) => [part, reject] as const)),
        )
        await commit(client)
        this.#doubts.delete(model.fingerprint)
        return parts.map((part) => ({ kind: 'applied', loaded: part.rows, rejected: part.records - part.rows, skipped: 0 }))
      }
      // A trigger leaves rows out, and will do so again.
      if (counts.at(-1) !== rows.rows) this.#doubt(model, false)
    } catch (error) {
      const refused = rowError(error)
      if (refused === undefined) {
        await rollback(client)
        throw error
      }
      this.#doubt(model, refused.fault.code === 'CONSTRAINT_UNIQUE' && model.onConflict !== 'error')
    }
    await client.query('ROLLBACK')
    return undefined
  }

  #doubt({ fingerprint }: Model, conflict: boolean): void {
    const pause = Math.min(longestPause, (this.#doubts.get(fingerprint)?.pause ?? 1) * 2)
    this.#doubts.set(fingerprint, { conflict, pause, left: pause })
  }

  #remember(loads: readonly LoadInfo[]): void {
    if (this.#known.size + loads.length > mostKnownLoads) this.#known.clear()
    for (const { id } of loads) this.#known.add(id)
  }
}

/**
 * Makes the rows of new loads, in a transaction of its own: two consumers of one load must not wait for each other. It need not reach
 * the disk before the batch does, which comes later in the same log.
 */
const registration = ({ pipeline }: Batch, loads: readonly LoadInfo[]): readonly string[] =>
  loads.length === 0
    ? []
    : ['BEGIN ISOLATION LEVEL READ COMMITTED', 'SET LOCAL synchronous_commit = off', insertLoads(pipeline, loads), 'COMMIT']

/**
 * BEGIN, the locks that keep the loads from being folded, the keys, and the COPY. A key of a load that is complete, or has another
 * plan, is not entered, nor is one that is there already: the number of entered ones tells.
 */
function statements({ pipeline, parts, model, rows }: Batch, loads: readonly string[]): readonly string[] {
  // Sorted, so that two consumers with the same messages wait for each other instead of deadlocking.
  const sorted = [...parts].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  const lock = loads.length === 0 ? [] : [lockLoads(loads)]
  const column = (type: string, value: (part: Part) => string | number | null) => arrayLiteral(type, sorted.map(value))
  const enter = `INSERT INTO lading.ledger (pipeline, key, sha256, load_id, outcome, records, loaded, rejected, skipped)
    SELECT ${literal(pipeline)}, key, decode(sha256, 'hex'), load_id, 'applied', records, loaded, records - loaded, 0
    FROM unnest(${column('text', ({ key }) => key)}, ${column('text', ({ sha256 }) => sha256)}, ${column('uuid', ({ load }) => load?.id ?? null)},
      ${column('bigint', ({ records }) => records)}, ${column('bigint', (part) => part.rows)}, ${column('text', ({ load }) => load?.plan ?? null)})
      AS part (key, sha256, load_id, records, loaded, plan)
    WHERE load_id IS NULL OR EXISTS (SELECT FROM lading.load WHERE id = load_id AND plan = decode(part.plan, 'hex') AND NOT complete)
    ON CONFLICT DO NOTHING`
  return [beginBatch, ...lock, enter, copyInto(qualified(model), model, rows as unknown as CopyRows)]
}
