/**
 * Puts encoded rows into the table, inside the transaction of a batch. The good path is one LOAD DATA (or
 * INSERTs, see loading.ts). Rows go through a staging table only after a key has conflicted in a model that says skip or update. Only after
 * the database has refused a row does the window narrow, until exactly the refused rows are known.
 */
import type { Fault } from '../../core/fault.ts'
import { changesRows } from '../../model/change.ts'
import type { Model } from '../../model/model.ts'
import { mayLeaveOut } from '../sql/conflict.ts'
import { type Attempt, isolate } from '../sql/isolate.ts'
import type { Placed, Placing, Refusal } from '../sql/place.ts'
import { Changes } from './changes.ts'
import { qualified } from './ddl.ts'
import { type LoadFault, rowError } from './errors.ts'
import { load, type Loading } from './loading.ts'
import type { Traits } from './prepare.ts'
import type { LoadRows } from './rows.ts'
import type { Session } from './session.ts'
import { Staging } from './staging.ts'

/** What is known of a table that the model does not say. */
export interface TableWays {
  readonly traits: Traits
  /** Models, by fingerprint, of which a batch has met a key that was there. */
  readonly conflicting: Set<string>
}

/**
 * Places the rows of one batch. Once a key has conflicted, the rest of the batch goes through staging at
 * once.
 */
export class Placement implements Placing {
  readonly #session: Session
  readonly #model: Model
  readonly #rows: LoadRows
  readonly #staging: Staging
  readonly #columns: readonly string[]
  readonly #ways: TableWays
  readonly #loading: Loading
  #taken = false
  readonly #objections = new Map<string, unknown>()

  constructor(session: Session, model: Model, rows: LoadRows, ways: TableWays) {
    this.#session = session
    this.#model = model
    this.#rows = rows
    this.#ways = ways
    this.#staging = new (changesRows(model) ? Changes : Staging)(session, model, rows, ways.traits)
    this.#columns = model.columns.map(({ name }) => name)
    this.#loading = { into: qualified(model), model, traits: ways.traits }
  }

  get taken(): boolean {
    return this.#taken
  }

  get objections(): ReadonlyMap<string, unknown> {
    return this.#objections
  }

  get #isStaged(): boolean {
    return changesRows(this.#model) || this.#ways.conflicting.has(this.#model.fingerprint)
  }

  async placeAll(start: number, end: number): Promise<boolean> {
    if (this.#isStaged) return false
    return (await this.#attempt(start, end, () => this.#direct(start, end))).kind === 'placed'
  }

  async placeParts(starts: readonly number[], end: number): Promise<ReadonlyMap<number, number> | undefined> {
    if (!this.#isStaged) return undefined
    const first = starts[0] as number
    let placed: readonly number[] = []
    const attempt = await this.#attempt(first, end, async () => {
      placed = await this.#staging.place(first, end)
      return undefined
    })
    return attempt.kind === 'placed' ? countsOf(placed, starts) : undefined
  }

  async place(start: number, end: number): Promise<Placed> {
    const refusals: Refusal[] = []
    let skipped = 0
    const attempt = async (from: number, to: number): Promise<Attempt> => {
      if (!this.#isStaged) {
        const direct = await this.#attempt(from, to, () => this.#direct(from, to))
        if (!this.#isStaged) return direct
      }
      let taken = 0
      const staged = await this.#attempt(from, to, async () => {
        taken = (await this.#staging.place(from, to)).length
        return undefined
      })
      if (staged.kind === 'placed' && mayLeaveOut(this.#model)) skipped += to - from - taken
      return staged
    }
    await isolate(start, end, attempt, (row, fault) => refusals.push({ row, fault }))
    return { skipped, refusals }
  }

  /** Runs `work`, which may return a fault of its own, and undoes it if a row was refused. */
  async #attempt(start: number, end: number, work: () => Promise<LoadFault | undefined>): Promise<Attempt> {
    await this.#session.run('SAVEPOINT attempt')
    let found: LoadFault | undefined
    let error: unknown
    let isUncertain = false
    try {
      found = await work()
    } catch (thrown) {
      const refused = rowError(thrown, this.#columns)
      if (refused === undefined) throw thrown
      error = thrown
      isUncertain = refused.isUncertain
      found = { fault: refused.fault, row: undefined }
    }
    if (found === undefined) {
      this.#taken ||= start < end
      return { kind: 'placed' }
    }
    await this.#session.run('ROLLBACK TO attempt')
    if (isUncertain) await this.#probe(start)
    const { fault, row } = found
    if (isUncertain && end - start === 1) this.#object(fault, error)
    if (fault.code === 'CONSTRAINT_UNIQUE' && this.#model.onConflict !== 'error')
      this.#ways.conflicting.add(this.#model.fingerprint)
    return { kind: 'refused', fault, row: row === undefined ? undefined : start + row }
  }

  #object({ column, detail }: Fault, error: unknown): void {
    if (column === undefined && this.#objections.size < 2) this.#objections.set(detail, error)
  }

  /**
   * Runs the same statements without any row: if that fails too, the error is not about a row. They run each
   * time, because the table may change at any moment.
   */
  async #probe(at: number): Promise<void> {
    if (this.#isStaged) await this.#staging.place(at, at)
    else await this.#direct(at, at)
    await this.#session.run('ROLLBACK TO attempt')
  }

  #direct(start: number, end: number): Promise<LoadFault | undefined> {
    return load(this.#session, this.#loading, this.#rows, start, end)
  }
}

/** Of rows, in their order, how many belong to each part; parts begin at `starts`. */
function countsOf(rows: readonly number[], starts: readonly number[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  let part = 0
  for (const row of rows) {
    while (part + 1 < starts.length && (starts[part + 1] as number) <= row) part++
    const start = starts[part] as number
    counts.set(start, (counts.get(start) ?? 0) + 1)
  }
  return counts
}
