/**
 * Copies of a table to measure on, made and dropped by one transaction that is rolled back. Dropping indexes of
 * the table itself, or inserting into it, would lock it, leave dead rows in it and take numbers of its
 * sequences. A copy is logged where our role may make a table beside the original, else it is temporary: without
 * the log, rows took half of the time and a btree index a quarter less (5,000 rows, PostgreSQL 18).
 */
import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { copy } from '../../../driver/postgres/copy.ts'
import { identifier } from '../../../driver/postgres/identifier.ts'
import type { Model } from '../../../model/model.ts'
import { type CopyRows, copyInto } from '../copy/rows.ts'
import { identifiers } from '../table/ddl.ts'
import type { Part } from './parts.ts'
import type { Relation } from './relation.ts'
import { row } from './visit.ts'

export class Copies {
  readonly #client: pg.Client
  readonly #source: string
  readonly #create: string
  readonly #schema: string
  readonly #prefix = `lading_doctor_${randomUUID().slice(0, 8)}`
  /** Columns that are given values. */
  readonly columns: readonly string[]
  readonly isLogged: boolean
  #made = 0
  /** Has the rows of the sample, with what the table itself gives them. */
  #filled = ''

  private constructor(client: pg.Client, source: Relation, columns: readonly string[], isLogged: boolean) {
    this.#client = client
    this.#source = `${identifier(source.schema)}.${identifier(source.table)}`
    this.columns = columns
    this.isLogged = isLogged
    this.#create = isLogged ? 'CREATE TABLE' : 'CREATE TEMP TABLE'
    this.#schema = isLogged ? identifier(source.schema) : 'pg_temp'
  }

  static async of(client: pg.Client, source: Relation, model: Model | undefined): Promise<Copies> {
    const { columns, mayCreate } = await row<{ columns: string[]; mayCreate: boolean }>(
      client,
      `SELECT ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum) AS columns,
         has_schema_privilege(relnamespace, 'CREATE') AND relpersistence <> 't' AS "mayCreate" FROM pg_class WHERE oid = $1`,
      [source.oid],
    )
    const given = model?.columns.map(({ name }) => name)
    return new Copies(client, source, given ?? columns, mayCreate)
  }

  #name(): string {
    return `${this.#schema}.${this.#prefix}_${this.#made++}`
  }

  /** A table of the columns that are given values, and nothing else. */
  async sampleTable(): Promise<string> {
    const name = this.#name()
    await this.#client.query(
      `${this.#create} ${name} AS SELECT ${identifiers(this.columns)} FROM ${this.#source} WITH NO DATA`,
    )
    return name
  }

  /** The columns with their defaults, and these parts. Numbers come from sequences of its own. */
  async with(parts: readonly Part[]): Promise<string> {
    const name = this.#name()
    await this.#client.query(
      `${this.#create} ${name} (LIKE ${this.#source} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING IDENTITY INCLUDING STORAGE INCLUDING COMPRESSION)`,
    )
    await this.#ownSequences(name)
    for (const part of parts) {
      const parent = part.columns === undefined ? '' : await this.#parent(part.columns)
      for (const statement of part.make(name, parent)) await this.#client.query(statement)
    }
    return name
  }

  async #ownSequences(name: string): Promise<void> {
    const { rows } = await this.#client.query<{ column: string }>(
      `SELECT DISTINCT attname::text AS column FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = adrelid AND attnum = adnum
       JOIN pg_depend ON classid = 'pg_attrdef'::regclass AND objid = d.oid AND refclassid = 'pg_class'::regclass
       JOIN pg_class s ON s.oid = refobjid AND s.relkind = 'S' WHERE adrelid = $1::regclass`,
      [name],
    )
    for (const { column } of rows) {
      const sequence = this.#name()
      const create = this.isLogged ? 'CREATE SEQUENCE' : 'CREATE TEMP SEQUENCE'
      await this.#client.query(
        `${create} ${sequence}; ALTER TABLE ${name} ALTER COLUMN ${identifier(column)} SET DEFAULT nextval('${sequence.replaceAll("'", "''")}')`,
      )
    }
  }

  /** To be called before a copy gets a foreign key. */
  async fill(sample: string): Promise<void> {
    this.#filled = await this.with([])
    await this.add(this.#filled, sample)
  }

  /** The rows that those of the sample refer to: in the table itself, they would be locked one by one. */
  async #parent(columns: readonly string[]): Promise<string> {
    const name = this.#name()
    const given = columns.map((each) => `${identifier(each)} IS NOT NULL`).join(' AND ')
    await this.#client.query(
      `${this.#create} ${name} AS SELECT DISTINCT ${identifiers(columns)} FROM ${this.#filled} WHERE ${given};
       ALTER TABLE ${name} ADD PRIMARY KEY (${identifiers(columns)}); ANALYZE ${name}`,
    )
    return name
  }

  /** Milliseconds that the server took for the rows of the sample. */
  async insert(into: string, sample: string): Promise<number> {
    await this.#client.query(`TRUNCATE ${into}`)
    return this.add(into, sample)
  }

  async add(into: string, sample: string): Promise<number> {
    const names = identifiers(this.columns)
    const { rows } = await this.#client.query<{
      'QUERY PLAN': readonly [{ readonly 'Execution Time': number }]
    }>(
      `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) INSERT INTO ${into} (${names}) OVERRIDING SYSTEM VALUE SELECT ${names} FROM ${sample}`,
    )
    return rows[0]?.['QUERY PLAN'][0]['Execution Time'] ?? 0
  }

  /** Leaves the first rows alone, about so many; returns how many there are. */
  async cut(sample: string, most: number): Promise<number> {
    await this.#client.query(
      `DELETE FROM ${sample} WHERE ctid NOT IN (SELECT ctid FROM ${sample} LIMIT ${Math.max(1, Math.floor(most))})`,
    )
    return (await row<{ rows: number }>(this.#client, `SELECT count(*)::int AS rows FROM ${sample}`)).rows
  }

  /** Milliseconds until the server has taken the first `count` rows, as a load sends them. */
  async copy(into: string, model: Model, rows: CopyRows, count: number): Promise<number> {
    await this.#client.query(`TRUNCATE ${into}`)
    const since = performance.now()
    await copy(this.#client, copyInto(into, model, rows), [rows.header, rows.slice(0, count), rows.trailer])
    return performance.now() - since
  }
}
