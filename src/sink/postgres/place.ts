/**
 * Puts encoded rows into the table, inside the transaction of a batch. The good path is one direct COPY. Rows
 * go through a staging table only after a key has conflicted in a model that says skip or update. Only after
 * the database has refused a row does the window narrow, until exactly the refused rows are known.
 */
import type pg from 'pg'
import { copy } from '../../driver/postgres/copy.ts'
import type { Fault } from '../../core/fault.ts'
import { changesRows } from '../../model/change.ts'
import type { Model } from '../../model/model.ts'
import { Changes } from './changes.ts'
import { type Attempt, isolate } from '../sql/isolate.ts'
import type { Placed, Placing, Refusal } from '../sql/place.ts'
import { qualified } from './table/ddl.ts'
import { rowError } from './errors.ts'
import { copyInto, type CopyRows } from './copy/rows.ts'
import { mayLeaveOut } from '../sql/conflict.ts'
import { Staging } from './staging.ts'

/**
 * Places the rows of one batch. Once a key has conflicted, the rest of the batch goes through staging at
 * once.
 */
export class Placement implements Placing {
  readonly #client: pg.Client
  readonly #model: Model
  readonly #rows: CopyRows
  readonly #staging: Staging
  readonly #columns: readonly string[]
  #staged: boolean
  #taken = false
  readonly #objections = new Map<string, unknown>()

  /** `staged`: conflicts are expected, so no direct COPY is tried first. */
  constructor(client: pg.Client, model: Model, rows: CopyRows, staged: boolean) {
    this.#client = client
    this.#model = model
    this.#rows = rows
    this.#staging = new (changesRows(model) ? Changes : Staging)(client, model, rows)
    this.#columns = model.columns.map(({ name }) => name)
    this.#staged = staged || changesRows(model)
  }

  get taken(): boolean {
    return this.#taken
  }

  get objections(): ReadonlyMap<string, unknown> {
    return this.#objections
  }

  async placeAll(start: number, end: number): Promise<boolean> {
    if (this.#staged) return false
    return (await this.#attempt(start, end, () => this.#direct(start, end))).kind === 'placed'
  }

  async placeParts(starts: readonly number[], end: number): Promise<ReadonlyMap<number, number> | undefined> {
    if (!this.#staged || this.#model.arbiter !== undefined) return undefined
    let placed: ReadonlyMap<number, number> | undefined
    const attempt = await this.#attempt(starts[0] as number, end, async () => {
      placed = await this.#staging.placeParts(starts, end)
      return undefined
    })
    return attempt.kind === 'placed' ? placed : undefined
  }

  async place(start: number, end: number): Promise<Placed> {
    const refusals: Refusal[] = []
    let skipped = 0
    const attempt = async (from: number, to: number): Promise<Attempt> => {
      if (!this.#staged) {
        const direct = await this.#attempt(from, to, () => this.#direct(from, to))
        if (!this.#staged) return direct
      }
      let taken = 0
      const staged = await this.#attempt(from, to, async () => {
        const { keys, placed } = await this.#staging.place(from, to)
        taken = placed
        return mayLeaveOut(this.#model) || placed === keys ? undefined : leftOut(placed, keys)
      })
      if (staged.kind === 'placed' && mayLeaveOut(this.#model)) skipped += to - from - taken
      return staged
    }
    await isolate(start, end, attempt, (row, fault) => refusals.push({ row, fault }))
    return { skipped, refusals }
  }

  /** Runs `work`, which may return a fault of its own, and undoes it if a row was refused. */
  async #attempt(start: number, end: number, work: () => Promise<Fault | undefined>): Promise<Attempt> {
    await this.#client.query('SAVEPOINT attempt')
    try {
      const fault = await work()
      // Again, because a trigger may have deferred them.
      await this.#client.query(fault === undefined ? 'SET CONSTRAINTS ALL IMMEDIATE; RELEASE attempt' : undo)
      if (fault !== undefined) return { kind: 'refused', fault }
      this.#taken ||= start < end
      return { kind: 'placed' }
    } catch (error) {
      const refused = rowError(error, this.#columns)
      if (refused === undefined) throw error
      await this.#client.query(undo)
      const { fault, line } = refused
      if (refused.uncertain) {
        await this.#probe(start)
        if (end - start === 1 && fault.column === undefined && this.#objections.size < 2)
          this.#objections.set(fault.detail, error)
      }
      if (fault.code === 'CONSTRAINT_UNIQUE' && this.#model.onConflict !== 'error') this.#staged = true
      const row = line === undefined ? undefined : start + line - 1
      return { kind: 'refused', fault, row: row !== undefined && row < end ? row : undefined }
    }
  }

  /**
   * Runs the same statement without any row: if that fails too, the error is not about a row. It runs each
   * time, because the table may change at any moment.
   */
  async #probe(at: number): Promise<void> {
    await this.#client.query('SAVEPOINT attempt')
    await (this.#staged ? this.#staging.place(at, at) : this.#direct(at, at))
    await this.#client.query(undo)
  }

  /**
   * The number of rows that the server took is compared with the number sent: a trigger can leave rows out
   * without an error.
   */
  async #direct(start: number, end: number): Promise<Fault | undefined> {
    const { header, trailer } = this.#rows
    const sql = copyInto(qualified(this.#model), this.#model, this.#rows)
    const [taken = 0] = await copy(this.#client, sql, [header, this.#rows.slice(start, end), trailer])
    return taken === end - start ? undefined : leftOut(taken, end - start)
  }
}

const undo = 'ROLLBACK TO attempt; RELEASE attempt'

const leftOut = (taken: number, sent: number): Fault => ({
  code: 'TRIGGER_RAISED',
  detail: `the database took ${taken} rows of ${sent} without an error: a trigger left the row out`,
})
