/**
 * The good path of a batch: its keys and its rows in one round trip, and COMMIT in another. COMMIT is sent
 * only if every key was new, every load open and every row accepted; otherwise everything is rolled back.
 */
import type pg from 'pg'
import { copy } from '../../driver/postgres/copy.ts'
import { commit, rollback } from '../../driver/postgres/transaction.ts'
import type { LoadInfo } from '../../core/load.ts'
import { changesRows } from '../../model/change.ts'
import type { Model } from '../../model/model.ts'
import type { Batch, Part, Verdict } from '../sink.ts'
import { qualified } from './table/ddl.ts'
import { copyEntries, Entries, ledgerTable } from './entries.ts'
import { rowError } from './errors.ts'
import { insertLoads, loadsOf, lockLoads, openLoads } from './loads.ts'
import { insertRejects } from './rejects.ts'
import { copyInto, type CopyBuffer } from './copy/rows.ts'
import { beginBatch } from './transaction.ts'

/** Most loads whose rows are remembered to exist; a load is at work for a while, and then never again. */
const mostKnownLoads = 10_000
/** Batches at most that do without an attempt after one that failed. */
const longestPause = 32

/** What the last attempts with a model say of the next. */
interface Doubt {
  /** A row's key was there already, and the model says what to do then. */
  readonly conflict: boolean
  /** Batches that do without an attempt; doubled with each attempt that fails. */
  readonly pause: number
  left: number
}

export class DirectPath {
  readonly #known = new Set<string>()
  readonly #doubts = new Map<string, Doubt>()
  readonly #entries = new Entries()

  /** Whether rows of the model conflicted when it was last tried. */
  expectsConflict({ fingerprint }: Model): boolean {
    return this.#doubts.get(fingerprint)?.conflict ?? false
  }

  /** The verdicts, or undefined where nothing was changed because the batch needs a closer look. */
  async write(client: pg.Client, batch: Batch<CopyBuffer>): Promise<readonly Verdict[] | undefined> {
    const { parts, rows, model } = batch
    if (rows.rows === 0 || changesRows(model) || !this.#isWorthIt(model)) return undefined
    const known = loadsOf(batch)
    if (parts.some(({ load }) => load !== undefined && load.plan !== known.get(load.id)?.plan))
      return undefined
    const loads = [...known.values()]
    const unknown = loads.filter(({ id }) => !this.#known.has(id))
    const sql = [...registration(batch, unknown), ...statements(batch, loads)].join(';\n')
    const verdicts = await this.#attempt(client, batch, sql, loads.length)
    if (verdicts !== undefined) this.#remember(unknown)
    return verdicts
  }

  #isWorthIt({ fingerprint }: Model): boolean {
    const doubt = this.#doubts.get(fingerprint)
    return doubt === undefined || doubt.left-- <= 0
  }

  async #attempt(
    client: pg.Client,
    batch: Batch<CopyBuffer>,
    sql: string,
    loads: number,
  ): Promise<readonly Verdict[] | undefined> {
    const { parts, model, rows } = batch
    try {
      const counts = await copy(client, sql, this.#entries.of(batch), [
        rows.header,
        rows.slice(0, rows.rows),
        rows.trailer,
      ])
      const [open, entered, taken] = counts.slice(-3)
      if (open === loads && entered === parts.length && taken === rows.rows) {
        await insertRejects(
          client,
          batch.pipeline,
          parts.flatMap((part) => part.rejects.map((reject) => [part, reject] as const)),
        )
        await commit(client, batch.settlement?.sql)
        batch.settlement?.committed()
        this.#doubts.delete(model.fingerprint)
        return verdictsOf(parts)
      }
      // A trigger leaves rows out, and will do so again.
      if (taken !== rows.rows) this.#doubt(model, false)
    } catch (error) {
      const refused = rowError(error)
      if (refused === undefined) {
        await rollback(client)
        throw error
      }
      if (refused.table === ledgerTable) this.#doubtKeys(model)
      else this.#doubt(model, refused.fault.code === 'CONSTRAINT_UNIQUE' && model.onConflict !== 'error')
    }
    await client.query('ROLLBACK')
    return undefined
  }

  #doubt({ fingerprint }: Model, conflict: boolean): void {
    const pause = Math.min(longestPause, (this.#doubts.get(fingerprint)?.pause ?? 1) * 2)
    this.#doubts.set(fingerprint, { conflict, pause, left: pause })
  }

  /**
   * Known keys say nothing about the table, and after one repeated batch the next may be new: only the second
   * in a row counts.
   */
  #doubtKeys(model: Model): void {
    const doubt = this.#doubts.get(model.fingerprint)
    if (doubt === undefined) this.#doubts.set(model.fingerprint, { conflict: false, pause: 1, left: 0 })
    else this.#doubt(model, doubt.conflict)
  }

  #remember(loads: readonly LoadInfo[]): void {
    // v8 ignore next -- what is forgotten is asked for again: only the memory would show it
    if (this.#known.size + loads.length > mostKnownLoads) this.#known.clear()
    for (const { id } of loads) this.#known.add(id)
  }
}

/** One for neighbours with the same counts: of thousands of messages, mostly each has one record. */
function verdictsOf(parts: readonly Part[]): readonly Verdict[] {
  let last: (Verdict & { readonly kind: 'applied' }) | undefined
  return parts.map(({ records, rows: loaded, filtered: skipped = 0 }) => {
    const rejected = records - loaded - skipped
    if (last?.loaded !== loaded || last.rejected !== rejected || last.skipped !== skipped)
      last = { kind: 'applied', loaded, rejected, skipped }
    return last
  })
}

/**
 * Creates the rows of new loads in a separate transaction: two consumers of one load must not wait for each
 * other. It need not reach the disk before the batch, which comes later in the same log.
 */
const registration = ({ pipeline }: Batch<CopyBuffer>, loads: readonly LoadInfo[]): readonly string[] =>
  loads.length === 0
    ? []
    : [
        'BEGIN ISOLATION LEVEL READ COMMITTED',
        'SET LOCAL synchronous_commit = off',
        insertLoads(pipeline, loads),
        'COMMIT',
      ]

/**
 * BEGIN, the locks that keep the loads from being folded, which of the loads are open and have the parts'
 * plan, the keys, the rows.
 */
function statements({ model, rows }: Batch<CopyBuffer>, loads: readonly LoadInfo[]): readonly string[] {
  return [
    beginBatch,
    lockLoads(loads.map(({ id }) => id)),
    openLoads(loads),
    copyEntries,
    copyInto(qualified(model), model, rows),
  ]
}
