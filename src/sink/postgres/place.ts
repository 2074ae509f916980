/**
 * Puts encoded rows into the table, inside the transaction of a batch. The good path is one direct COPY. Only where a key
 * exists already, and the model says skip or update, do rows go through a staging table; and only where the database refuses a
 * row does the window narrow until exactly the refused rows are known.
 */
import type pg from 'pg'
import { LadingError } from '../../core/errors.ts'
import type { Fault } from '../../core/fault.ts'
import type { Model } from '../../model/model.ts'
import { type Attempt, isolate } from '../isolate.ts'
import { copy } from './copy.ts'
import { identifier, identifiers, qualified } from './ddl.ts'
import { rowError } from './errors.ts'
import { copyInto, type CopyRows } from './rows.ts'

export interface Refusal {
  readonly row: number
  readonly fault: Fault
}

export interface Placed {
  /** Rows that the conflict policy left out. */
  readonly skipped: number
  readonly refusals: readonly Refusal[]
}

/** Places the rows of one batch. Once a key has conflicted, the rest of the batch goes through staging at once. */
export class Placement {
  readonly #client: pg.Client
  readonly #model: Model
  readonly #rows: CopyRows
  #staged: boolean

  /** `staged` where rows are expected to conflict; a direct COPY is not tried first then. */
  constructor(client: pg.Client, model: Model, rows: CopyRows, staged: boolean) {
    this.#client = client
    this.#model = model
    this.#rows = rows
    this.#staged = staged
  }

  /** All rows at once, without isolating anything: false where the database refused some, and then none is placed. */
  async placeAll(start: number, end: number): Promise<boolean> {
    if (this.#staged) return false
    return (await this.#attempt(start, end, () => this.#direct(start, end))).kind === 'placed'
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
        const { keys, placed } = await this.#throughStaging(from, to)
        taken = placed
        return this.leavesOut || placed === keys ? undefined : leftOut(placed, keys)
      })
      if (staged.kind === 'placed' && this.leavesOut) skipped += to - from - taken
      return staged
    }
    await isolate(start, end, attempt, (row, fault) => refusals.push({ row, fault }))
    return { skipped, refusals }
  }

  /** Runs `work`, which may return a fault of its own, and undoes it where a row was refused. */
  async #attempt(start: number, end: number, work: () => Promise<Fault | undefined>): Promise<Attempt> {
    await this.#client.query('SAVEPOINT attempt')
    try {
      const fault = await work()
      await this.#client.query(fault === undefined ? 'RELEASE attempt' : 'ROLLBACK TO attempt; RELEASE attempt')
      return fault === undefined ? { kind: 'placed' } : { kind: 'refused', fault }
    } catch (error) {
      const refused = rowError(error)
      if (refused === undefined) throw error
      await this.#client.query('ROLLBACK TO attempt; RELEASE attempt')
      if (refused.fault.code === 'CONSTRAINT_UNIQUE' && this.#model.onConflict !== 'error') this.#staged = true
      const row = refused.line === undefined ? undefined : start + refused.line - 1
      return { kind: 'refused', fault: refused.fault, row: row !== undefined && row < end ? row : undefined }
    }
  }

  /** The number of rows that the server took is compared with the number sent: a trigger can leave rows out without an error. */
  async #direct(start: number, end: number): Promise<Fault | undefined> {
    const taken = await this.#copy(qualified(this.#model), start, end)
    if (taken === end - start) return undefined
    return leftOut(taken, end - start)
  }

  async #copy(table: string, start: number, end: number): Promise<number> {
    const { header, trailer } = this.#rows
    const [taken] = await copy(this.#client, copyInto(table, this.#model, this.#rows), [header, this.#rows.slice(start, end), trailer])
    return taken as number
  }

  /**
   * COPY into the staging table, then one INSERT … ON CONFLICT, sorted by key so that two consumers lock rows in the same
   * order. Of rows with the same key the newest counts: the greatest version, then the last in the source. Returns how many keys
   * there were, and how many rows took effect.
   */
  async #throughStaging(start: number, end: number): Promise<{ readonly keys: number; readonly placed: number }> {
    const { primaryKey, version } = this.#model
    const staging = `pg_temp.${stagingName(this.#model)}`
    await this.#client.query(`TRUNCATE ${staging} RESTART IDENTITY`)
    const taken = await this.#copy(staging, start, end)
    if (taken !== end - start) throw new LadingError('SINK_FAILED', `PostgreSQL took ${taken} rows of ${end - start} that were sent`)
    const names = identifiers(this.#model.columns.map((column) => column.name))
    const key = identifiers(primaryKey)
    const newest = this.#model.onConflict === 'skip' ? '' : version === undefined ? '' : `${identifier(version)} DESC NULLS LAST, `
    const direction = this.#model.onConflict === 'skip' ? 'ASC' : 'DESC'
    const { rows } = await this.#client.query<{ keys: string; placed: string }>(
      `WITH newest AS MATERIALIZED (
         SELECT DISTINCT ON (${key}) ${names} FROM ${staging} ORDER BY ${key}, ${newest}${rowNumber(this.#model)} ${direction}
       ), placed AS (
         INSERT INTO ${qualified(this.#model)} AS target (${names}) SELECT ${names} FROM newest
         ON CONFLICT (${key}) DO ${this.#conflictAction()} RETURNING 1
       ) SELECT (SELECT count(*) FROM newest) AS keys, (SELECT count(*) FROM placed) AS placed`,
    )
    return { keys: Number(rows[0]?.keys), placed: Number(rows[0]?.placed) }
  }

  /**
   * Whether the conflict policy may leave rows out, and then how many shows only of rows that are placed by themselves. An update
   * without a version leaves none out: of two with the same key, the first took effect and was replaced.
   */
  get leavesOut(): boolean {
    return this.#model.version !== undefined || this.#conflictAction() === 'NOTHING'
  }

  #conflictAction(): string {
    const { columns, primaryKey, version, onConflict } = this.#model
    const others = columns.filter((column) => !primaryKey.includes(column.name)).map((column) => identifier(column.name))
    if (onConflict === 'skip' || others.length === 0) return 'NOTHING'
    const assignments = others.map((name) => `${name} = excluded.${name}`).join(', ')
    if (version === undefined) return `UPDATE SET ${assignments}`
    const column = identifier(version)
    return `UPDATE SET ${assignments} WHERE target.${column} IS NULL OR target.${column} <= excluded.${column}`
  }
}

const leftOut = (taken: number, sent: number): Fault => ({
  code: 'TRIGGER_RAISED',
  detail: `the database took ${taken} rows of ${sent} without an error: a trigger left the row out`,
})

/** The staging table's own column, under a name that no column of the model has. */
function rowNumber(model: Model): string {
  let name = 'lading_row'
  while (model.columns.some((column) => column.name === name)) name += '_'
  return identifier(name)
}

/** Named after the model, because a session may serve several; temporary tables lie in the schema pg_temp. */
const stagingName = (model: Model): string => `lading_staging_${model.fingerprint.slice(0, 16)}`

/** The staging table of a session, made once for each session: making it for each batch would bloat the catalog. */
export function createStaging(model: Model): string {
  const names = identifiers(model.columns.map((column) => column.name))
  const staging = stagingName(model)
  return `CREATE TEMP TABLE ${staging} ON COMMIT DELETE ROWS AS SELECT ${names} FROM ${qualified(model)} WITH NO DATA;
          ALTER TABLE pg_temp.${staging} ADD COLUMN ${rowNumber(model)} bigint GENERATED ALWAYS AS IDENTITY`
}
