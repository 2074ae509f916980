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
import { qualified } from './table/ddl.ts'
import { rowError } from './errors.ts'
import { copyInto, type CopyRows } from './copy/rows.ts'
import { mayLeaveOut, Staging } from './staging.ts'

/** Rows of the buffer that lie next to each other. */
export interface Stretch {
  readonly start: number
  /** The row after the last one. */
  readonly end: number
}

export interface Refusal {
  readonly row: number
  readonly fault: Fault
}

export interface Placed {
  /** Rows that the conflict policy left out. */
  readonly skipped: number
  readonly refusals: readonly Refusal[]
}

/**
 * Places the rows of one batch. Once a key has conflicted, the rest of the batch goes through staging at
 * once.
 */
export class Placement {
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

  /** Whether the table has taken a row. */
  get taken(): boolean {
    return this.#taken
  }

  /**
   * Uncertain errors, by their words, that refused a row alone and name no column: two at most, which says
   * that they differ.
   */
  get objections(): ReadonlyMap<string, unknown> {
    return this.#objections
  }

  /**
   * Places all rows at once, without isolating any. Returns false if the database refused some; then none is
   * placed.
   */
  async placeAll(start: number, end: number): Promise<boolean> {
    if (this.#staged) return false
    return (await this.#attempt(start, end, () => this.#direct(start, end))).kind === 'placed'
  }

  /**
   * For parts whose rows may be left out: how many rows of each part took effect. Undefined if the database
   * refused some; then none is placed.
   */
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

/**
 * Places the rows of a run together if the counts of each part can still be known. Returns a function that
 * gives the outcome of the rows from `start` to before `end`, or undefined if each part must be placed by
 * itself. With one message per record there are thousands of parts.
 */
export async function placeRun(
  placement: Placement,
  run: readonly Stretch[],
  leavesOut: boolean,
): Promise<(start: number, end: number) => Placed | undefined> {
  const [first, last] = [(run[0] as Stretch).start, (run.at(-1) as Stretch).end]
  if (await placement.placeAll(first, last)) return () => ({ skipped: 0, refusals: [] })
  if (leavesOut) {
    const starts = run.filter(({ start, end }) => start < end).map(({ start }) => start)
    const placed = starts.length > 1 ? await placement.placeParts(starts, last) : undefined
    return (start, end) =>
      placed && { skipped: start === end ? 0 : end - start - (placed.get(start) ?? 0), refusals: [] }
  }
  const refusals = (await placement.place(first, last)).refusals.values()
  let next = refusals.next()
  // Refusals and spans both ascend.
  return (_, end) => {
    const own: Refusal[] = []
    for (; next.done !== true && next.value.row < end; next = refusals.next()) own.push(next.value)
    return { skipped: 0, refusals: own }
  }
}

/** Runs of spans whose rows are adjacent: one run, unless a duplicate lies in between. */
export function adjacent<S extends Stretch>(spans: readonly S[]): S[][] {
  const runs: S[][] = []
  for (const span of spans) {
    const run = runs.at(-1)
    if (run !== undefined && run.at(-1)?.end === span.start) run.push(span)
    else runs.push([span])
  }
  return runs
}
