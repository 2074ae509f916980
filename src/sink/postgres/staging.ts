/**
 * For rows whose keys may exist, and for tables that take no COPY: COPY into a temporary table, then one INSERT … ON CONFLICT, sorted by key so
 * that two consumers lock rows in the same order. Among rows of one key the newest wins: the greatest
 * version, then the last in the source.
 */
import type pg from 'pg'
import { stagingPrefix } from '../../driver/postgres/pooling.ts'
import { copy } from '../../driver/postgres/copy.ts'
import { identifier } from '../../driver/postgres/identifier.ts'
import { LadingError } from '../../core/errors.ts'
import { changesRows } from '../../model/change.ts'
import type { Model } from '../../model/model.ts'
import { leavesAlone, settable } from '../sql/conflict.ts'
import { identifiers, qualified } from './table/ddl.ts'
import { copyInto, type CopyRows } from './copy/rows.ts'

/** Named after the model, because a session may serve several; temporary tables lie in the schema pg_temp. */
const stagingName = (model: Model): string => `${stagingPrefix}${model.fingerprint.slice(0, 16)}`

/**
 * The staging table of a session, created once, because creating it for each batch would bloat the catalog.
 * Its rows are numbered, because their place in the table says nothing about their order.
 */
export function createStaging(model: Model): string {
  const staging = stagingName(model)
  return `CREATE TEMP TABLE ${staging} ON COMMIT DELETE ROWS AS SELECT ${columnNames(model)} FROM ${qualified(model)} WITH NO DATA;
          ALTER TABLE pg_temp.${staging} ADD COLUMN ${rowNumber(model)} bigint GENERATED ALWAYS AS IDENTITY (CACHE 10000),
            ADD COLUMN ${changeColumn(model)} text`
}

export const columnNames = ({ columns }: Model): string => identifiers(columns.map(({ name }) => name))

/** The staging table's own columns, under names that no column of the model has. */
export const rowNumber = (model: Model): string => ownColumn(model, 'lading_row')

/** How a row changes that of its key, where rows say that. */
export const changeColumn = (model: Model): string => ownColumn(model, 'lading_change')

function ownColumn({ columns }: Model, wanted: string): string {
  let name = wanted
  while (columns.some((column) => column.name === name)) name += '_'
  return identifier(name)
}

function conflictAction(model: Model): string {
  if (leavesAlone(model)) return 'NOTHING'
  const { version } = model
  const others = settable(model).map(identifier)
  const assignments = others.map((name) => `${name} = excluded.${name}`).join(', ')
  if (version === undefined) return `UPDATE SET ${assignments}`
  const column = identifier(version)
  return `UPDATE SET ${assignments} WHERE target.${column} IS NULL OR target.${column} <= excluded.${column}`
}

/** What is compared, as ON CONFLICT names it. */
const comparedBy = ({ primaryKey, arbiter }: Model): readonly string[] =>
  arbiter?.expressions ?? primaryKey.map(identifier)

const conflictTarget = (model: Model): string => {
  const { predicate } = model.arbiter ?? {}
  return `(${comparedBy(model).join(', ')})${predicate === undefined ? '' : ` WHERE ${predicate}`}`
}

/** What only one row of the staging table may have: rows that no index compares have a number of their own. */
function distinctBy(model: Model): string {
  const compared = comparedBy(model)
  if (model.arbiter === undefined) return compared.join(', ')
  const { predicate = 'true' } = model.arbiter
  const isCompared = [`(${predicate})`, ...compared.map((each) => `(${each}) IS NOT NULL`)].join(' AND ')
  return `${compared.join(', ')}, CASE WHEN ${isCompared} THEN 0 ELSE ${rowNumber(model)} END`
}

/** The staging table of one session, within the transaction of one batch. */
export class Staging {
  protected readonly client: pg.Client
  protected readonly model: Model
  protected readonly table: string
  readonly #rows: CopyRows
  #isUsed = false

  constructor(client: pg.Client, model: Model, rows: CopyRows) {
    this.client = client
    this.model = model
    this.#rows = rows
    this.table = `pg_temp.${stagingName(model)}`
  }

  /**
   * Places the rows from `start` to before `end`; returns how many took effect, and how many keys there were
   * if those are fewer.
   */
  async place(start: number, end: number): Promise<{ readonly placed: number; readonly keys: number }> {
    await this.fill(start, end)
    const { rowCount } = await this.client.query(
      `${this.insert()} ${this.#newest(columnNames(this.model))} ${this.#conflict()}`,
    )
    const placed = rowCount ?? 0
    const isEvery = this.model.onConflict === 'error' || placed === end - start
    return { placed, keys: isEvery ? end - start : await this.#keys() }
  }

  /**
   * Places the rows of parts, which begin at `starts` and lie next to each other; returns how many of each
   * part took effect. Only for keys of columns alone: the rows that took effect are found again by them.
   */
  async placeParts(starts: readonly number[], end: number): Promise<ReadonlyMap<number, number>> {
    const first = starts[0] as number
    await this.fill(first, end)
    const names = columnNames(this.model)
    const key = identifiers(this.model.primaryKey)
    const number = rowNumber(this.model)
    const returned = this.model.primaryKey.map((name) => `target.${identifier(name)}`).join(', ')
    const { rows } = await this.client.query<{ part: number; placed: string }>(
      `WITH newest AS MATERIALIZED (${this.#newest(`${names}, ${number}`)}),
         placed AS (${this.insert()} SELECT ${names} FROM newest ${this.#conflict()} RETURNING ${returned})
       SELECT width_bucket(${number} - (SELECT min(${number}) FROM ${this.table}), $1::bigint[]) AS part, count(*) AS placed
       FROM newest JOIN placed USING (${key}) GROUP BY part`,
      [starts.map((start) => start - first)],
    )
    return new Map(rows.map(({ part, placed }) => [starts[part - 1] as number, Number(placed)]))
  }

  protected async fill(start: number, end: number): Promise<void> {
    // It is empty at the beginning of a transaction.
    if (this.#isUsed) await this.client.query(`TRUNCATE ${this.table}`)
    this.#isUsed = true
    const { header, trailer } = this.#rows
    const change = changesRows(this.model) ? changeColumn(this.model) : undefined
    const [taken] = await copy(this.client, copyInto(this.table, this.model, this.#rows, change), [
      header,
      this.#rows.slice(start, end),
      trailer,
    ])
    if (taken !== end - start)
      // v8 ignore next -- a table of ours takes every row or the server says why; a count that differs would be a fault of ours
      throw new LadingError('SINK_FAILED', `PostgreSQL took ${taken} rows of ${end - start} that were sent`)
  }

  async #keys(): Promise<number> {
    const { rows } = await this.client.query<{ keys: string }>(
      `SELECT count(*) AS keys FROM (SELECT DISTINCT ON (${distinctBy(this.model)}) 1 FROM ${this.table}) distinct_keys`,
    )
    return Number(rows[0]?.keys)
  }

  /**
   * COPY accepts values for a column that is GENERATED ALWAYS AS IDENTITY; INSERT needs OVERRIDING SYSTEM
   * VALUE.
   */
  protected insert(): string {
    return `INSERT INTO ${qualified(this.model)} AS target (${columnNames(this.model)}) OVERRIDING SYSTEM VALUE`
  }

  #conflict(): string {
    if (this.model.onConflict === 'error') return ''
    return `ON CONFLICT ${conflictTarget(this.model)} DO ${conflictAction(this.model)}`
  }

  #newest(names: string): string {
    const { version, onConflict } = this.model
    if (onConflict === 'error') return `SELECT ${names} FROM ${this.table} ORDER BY ${rowNumber(this.model)}`
    const key = distinctBy(this.model)
    const last = `${rowNumber(this.model)} ${onConflict === 'skip' ? 'ASC' : 'DESC'}`
    const order =
      onConflict === 'skip' || version === undefined
        ? last
        : `${identifier(version)} DESC NULLS LAST, ${last}`
    return `SELECT DISTINCT ON (${key}) ${names} FROM ${this.table} ORDER BY ${key}, ${order}`
  }
}
