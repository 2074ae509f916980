/**
 * The rows of a table, replaced as a whole: gathered in a table beside it, and copied in one transaction. Readers see the
 * old rows until it commits, and nothing that belongs to the table (views, rights, triggers, keys that refer to it) is
 * touched. A table that is renamed would lose those, and TRUNCATE would keep readers out, or commit.
 */
import type { Fault } from '../../core/fault.ts'
import type { Abortable } from '../../core/wait.ts'
import type { Model } from '../../model/model.ts'
import { gatheringPipeline } from '../receipt.ts'
import type { GatheredLoad, Replaced, Replacement } from '../sink.ts'
import { gatheringModel, idsOf, isCurrent, refusedBy, requireGathered, takeLoads } from './replace.ts'
import { type Sql, sql } from './statement.ts'
import type { LedgerDatabase, Steps } from './steps.ts'

/** Where databases differ. */
export interface Gathering extends Pick<LedgerDatabase, 'dialect' | 'transact'> {
  /** The table whose rows are replaced, as SQL has it. */
  readonly target: Sql
  /**
   * Locks the table against writers, not readers, until the transaction ends. Throws where what was gathered is gone.
   * Undefined where a transaction has the database to itself.
   */
  readonly lockTable?: () => Steps<void>
  /** Deletes the rows of the table, and copies those that were gathered. */
  readonly move: () => Steps<Replaced>
  /** What an error of `move` says of a row; undefined where it concerns the system. */
  readonly faultOf: (error: unknown) => Fault | undefined
  /** Removes what was gathered, if it is there, and what the ledger has of it. */
  readonly clear: () => Promise<void>
  /** Lets the next replacement begin. */
  readonly release: () => Promise<void>
}

/** The last step of all moves that delete and insert, on `gathered`. */
export const copyRows = (gathered: Sql, target: Sql, columns: Sql): Sql =>
  sql`INSERT INTO ${target} (${columns}) SELECT ${columns} FROM ${gathered}`

export function* countOf(table: Sql): Steps<number> {
  const [row] = yield sql`SELECT count(*) AS n FROM ${table}`
  return Number(row?.['n'])
}

export class SqlReplacement implements Replacement {
  readonly model: Model
  readonly pipeline: string
  readonly #target: Model
  readonly #targetPipeline: string
  readonly #gathering: Gathering

  /** `place`: of the table that gathers. */
  constructor(target: Model, pipeline: string, place: Pick<Model, 'schema' | 'table'>, gathering: Gathering) {
    this.#target = target
    this.#targetPipeline = pipeline
    this.#gathering = gathering
    this.pipeline = gatheringPipeline(pipeline)
    this.model = gatheringModel(target, place)
  }

  isCurrent(loads: readonly string[], options?: Abortable): Promise<boolean> {
    const { dialect, target, transact } = this.#gathering
    const pipeline = this.#targetPipeline
    return transact(function* () {
      return yield* isCurrent(dialect, pipeline, loads, yield* countOf(target))
    }, options)
  }

  async take(loads: readonly GatheredLoad[], options?: Abortable): Promise<Replaced> {
    const { dialect, transact } = this.#gathering
    // By itself: a transaction that has looked sees nothing of what others write while it waits for their locks.
    const ids = await transact(() => idsOf(dialect, this.#targetPipeline), options)
    return await transact(() => this.#take(ids.toSorted(), loads), options)
  }

  /** Batches are kept out in the order in which one takes its locks: those of loads, then those of the table. */
  *#take(known: readonly string[], loads: readonly GatheredLoad[]): Steps<Replaced> {
    const { dialect, lockTable } = this.#gathering
    if (known.length > 0) yield* dialect.lockBatches(known)
    if (lockTable !== undefined) yield* lockTable()
    yield* requireGathered(dialect, this.#target, this.#targetPipeline, loads)
    const replaced = yield* this.#move()
    yield* takeLoads(dialect, this.#targetPipeline, loads, replaced.rows)
    return replaced
  }

  *#move(): Steps<Replaced> {
    try {
      return yield* this.#gathering.move()
    } catch (error) {
      const fault = this.#gathering.faultOf(error)
      throw fault === undefined ? error : refusedBy(this.#target, fault)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What is left here the next replacement removes.
    await this.#gathering.clear().catch(() => undefined)
    await this.#gathering.release()
  }
}
