/**
 * For rows whose keys may exist: into a temporary table, then what the policy says by joins on the key. No
 * INSERT … ON DUPLICATE KEY UPDATE, which would take any unique index for the key. Among rows of one key the newest wins:
 * the greatest version, then the last in the source.
 */
import type { Model } from '../../model/model.ts'
import { leavesAlone, settable } from '../sql/conflict.ts'
import { identifier, identifiers, qualified } from './ddl.ts'
import { isDuplicate, Refused } from './errors.ts'
import { literal } from './literal.ts'
import { load } from './loading.ts'
import type { Traits } from './prepare.ts'
import type { LoadRows } from './rows.ts'
import type { Session } from './session.ts'

/** Times that rows are looked for again because another session has inserted some in the meantime. */
const mostRaces = 10

export class Staging {
  protected readonly session: Session
  protected readonly model: Model
  readonly #rows: LoadRows
  protected readonly traits: Traits
  /** What was loaded, each row with its number from 1. */
  protected readonly all: string
  /** Those of them that take effect, of each key one. */
  protected readonly chosen: string

  constructor(session: Session, model: Model, rows: LoadRows, traits: Traits) {
    this.session = session
    this.model = model
    this.#rows = rows
    this.traits = traits
    const name = `lading_staging_${model.fingerprint.slice(0, 16)}`
    this.all = identifier(name)
    this.chosen = identifier(`${name}_chosen`)
  }

  /** Places the rows from `start` to before `end`; returns those that took effect, in their order. */
  async place(start: number, end: number): Promise<readonly number[]> {
    await this.fill(start, end)
    await this.refuseNull(
      this.all,
      this.traits.stamps.map((name) => [name, 'true']),
    )
    await this.#choose()
    for (let there = await this.#look(), races = 0; ; races++) {
      try {
        await this.run(
          `INSERT INTO ${this.target} (${this.names}) SELECT ${this.names} FROM ${this.chosen} WHERE NOT ${this.isThere} ORDER BY ${this.key}`,
        )
        break
      } catch (error) {
        // Another session may have inserted a row of the same key since.
        const now = isDuplicate(error) && races < mostRaces ? await this.#look() : there
        if (now === there) throw error
        there = now
      }
    }
    if (!leavesAlone(this.model)) await this.#update()
    const rows = await this.session.query(
      `SELECT ${this.number} AS n FROM ${this.chosen} WHERE NOT ${this.isThere} OR ${this.takes} ORDER BY 1`,
    )
    return rows.map(({ n }) => start + Number(n) - 1)
  }

  protected async fill(start: number, end: number): Promise<void> {
    const { session, model } = this
    await session.run(`DROP TEMPORARY TABLE IF EXISTS ${this.all}`)
    // Of an outer join every column may be NULL, as values may be that a record does not name.
    await session.run(
      `CREATE TEMPORARY TABLE ${this.all} (${this.number} INT NOT NULL DEFAULT 0 PRIMARY KEY, ${this.change} TEXT) ENGINE=InnoDB
       AS SELECT ${this.namesOf('target')} FROM (SELECT 1) lading_one LEFT JOIN ${this.target} target ON false LIMIT 0`,
    )
    const traits = { ...this.traits, stamps: [] }
    const loading = { into: this.all, model, traits, fields: this.fields, number: this.number }
    const refused = await load(session, loading, this.#rows, start, end)
    if (refused !== undefined) throw new Refused(refused.fault)
  }

  /** What a row has behind its columns. */
  protected get fields(): readonly string[] {
    return []
  }

  protected get target(): string {
    return qualified(this.model)
  }

  get #columns(): readonly string[] {
    return this.model.columns.map(({ name }) => name)
  }

  protected get names(): string {
    return identifiers(this.#columns)
  }

  protected namesOf(table: string): string {
    return this.#columns.map((name) => `${table}.${identifier(name)}`).join(', ')
  }

  protected get key(): string {
    return identifiers(this.model.primaryKey)
  }

  /** The columns of our own, under names that no column of the model has. */
  protected get number(): string {
    return this.#own('lading_row')
  }
  protected get change(): string {
    return this.#own('lading_change')
  }
  protected get isThere(): string {
    return this.#own('lading_there')
  }
  protected get takes(): string {
    return this.#own('lading_takes')
  }

  #own(wanted: string): string {
    let name = wanted
    while (this.#columns.some((column) => column.toLowerCase() === name)) name += '_'
    return identifier(name)
  }

  protected get isSame(): string {
    return this.model.primaryKey
      .map((name) => `target.${identifier(name)} = own.${identifier(name)}`)
      .join(' AND ')
  }

  /** Refuses rows whose value in a column is NULL where the condition holds. */
  protected async refuseNull(
    table: string,
    conditions: readonly (readonly [column: string, condition: string])[],
  ): Promise<void> {
    if (conditions.length === 0) return
    const refused = conditions.map(
      ([name, condition]) => `WHEN own.${identifier(name)} IS NULL AND ${condition} THEN ${literal(name)}`,
    )
    const [row] = await this.session.query(
      `SELECT column_name FROM (SELECT CASE ${refused.join(' ')} END AS column_name FROM ${table} own) own WHERE column_name IS NOT NULL LIMIT 1`,
    )
    if (row === undefined) return
    const column = String(row['column_name'])
    throw new Refused({ code: 'CONSTRAINT_NOT_NULL', detail: 'the column of the table is NOT NULL', column })
  }

  /** Runs a statement that must not change a value on its way. */
  protected async run(sql: string): Promise<void> {
    const { warnings } = await this.session.run(sql)
    // v8 ignore next -- the staging table has the types of the table; a value that changes on its way would be a fault of ours
    if (warnings > 0) throw await Refused.byWarnings(this.session, this.#columns)
  }

  /** In the order of the keys, so that two consumers lock rows in the same order. */
  async #choose(): Promise<void> {
    const { version, onConflict } = this.model
    const last = `${this.number} ${onConflict === 'skip' ? 'ASC' : 'DESC'}`
    const place = this.#own('lading_place')
    const order =
      onConflict === 'skip' || version === undefined ? last : `${identifier(version)} DESC, ${last}`
    await this.session.run(`DROP TEMPORARY TABLE IF EXISTS ${this.chosen}`)
    await this.session.run(
      `CREATE TEMPORARY TABLE ${this.chosen} ENGINE=InnoDB
       AS SELECT ${this.names}, ${this.number}, 0 AS ${this.isThere}, 0 AS ${this.takes}
       FROM (SELECT own.*, row_number() OVER (PARTITION BY ${this.key} ORDER BY ${order}) AS ${place} FROM ${this.all} own) own
       WHERE ${place} = 1 ORDER BY ${this.key}`,
    )
  }

  /** Locks the rows that are there, and notes what they say; returns how many they are. */
  async #look(): Promise<number> {
    const { version } = this.model
    const takes = leavesAlone(this.model)
      ? '0'
      : version === undefined
        ? '1'
        : `coalesce(target.${identifier(version)} <= own.${identifier(version)}, target.${identifier(version)} IS NULL)`
    for (let tries = 0; ; tries++) {
      const locked = await this.lockThere()
      await this.session.run(
        `UPDATE ${this.chosen} own STRAIGHT_JOIN ${this.target} target ON ${this.isSame} SET own.${this.isThere} = 1, own.${this.takes} = ${takes}`,
      )
      const there = await this.#count(`SELECT count(*) AS n FROM ${this.chosen} WHERE ${this.isThere}`)
      // Another session may have inserted one in between, which is not locked yet.
      if (there === locked || tries === mostRaces) return there
    }
  }

  protected lockThere(): Promise<number> {
    return this.#count(
      `SELECT STRAIGHT_JOIN count(*) AS n FROM ${this.chosen} own JOIN ${this.target} target ON ${this.isSame} FOR UPDATE`,
    )
  }

  async #count(sql: string): Promise<number> {
    const [row] = await this.session.query(sql)
    return Number(row?.['n'])
  }

  async #update(): Promise<void> {
    await this.refuseNull(
      this.chosen,
      this.traits.required.map((name) => [name, `own.${this.isThere} AND own.${this.takes}`]),
    )
    const sets = settable(this.model).map((name) => `target.${identifier(name)} = own.${identifier(name)}`)
    await this.run(
      `UPDATE ${this.chosen} own STRAIGHT_JOIN ${this.target} target ON ${this.isSame} SET ${sets.join(', ')} WHERE own.${this.isThere} AND own.${this.takes}`,
    )
  }
}
