/** A file of its own to measure in: the table's schema, rows to insert, and the time that it takes. */
import type { SqliteFile, SqliteValue } from '../../../core/sqlite.ts'
import type { Model } from '../../../model/model.ts'
import type { TableQuestions } from '../../examination.ts'
import { columnsOf } from '../catalog.ts'
import { createIndexes, createTable, identifier, identifiers } from '../ddl.ts'
import { ValueRows } from '../rows.ts'
import type { ForeignKey } from './foreign-keys.ts'

const sampledRows = 5_000
/** As many rows for a statement as a load takes (insert.ts). */
const rowsAtOnce = 64
const mostParameters = 512

export interface Sample {
  readonly columns: readonly string[]
  /** Of all rows, one after the other. */
  readonly values: readonly SqliteValue[]
  readonly rows: number
  readonly decodedMs: number | undefined
}

export interface Schema {
  readonly table: string
  readonly indexes: readonly { readonly name: string; readonly sql: string }[]
  readonly triggers: readonly { readonly name: string; readonly sql: string }[]
  readonly others: readonly string[]
}

export function schemaOf(file: SqliteFile, table: string): Schema | undefined {
  const rows = file.all<{ type: string; name: string; tbl_name: string; sql: string | null }>(
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY rowid",
  )
  const isOf = ({ tbl_name }: { readonly tbl_name: string }) => tbl_name.toLowerCase() === table.toLowerCase()
  const own = rows.find((each) => each.type === 'table' && isOf(each))?.sql
  if (!own || /^CREATE\s+VIRTUAL/i.test(own)) return undefined
  const of = (type: string) =>
    rows.flatMap((each) =>
      each.type === type && isOf(each) && each.sql !== null ? [{ name: each.name, sql: each.sql }] : [],
    )
  return {
    table: own,
    indexes: of('index'),
    triggers: of('trigger'),
    others: file
      .all<{ name: string; sql: string }>(
        "SELECT s.name, sql FROM sqlite_schema s JOIN pragma_table_list l USING (name) WHERE l.schema = 'main' AND l.type = 'table' AND s.name NOT LIKE 'sqlite_%' AND sql IS NOT NULL",
      )
      .flatMap(({ name, sql }) => (name.toLowerCase() === table.toLowerCase() ? [] : [sql])),
  }
}

export const plannedSchema = (model: Model): Schema => ({
  table: createTable(model),
  indexes: createIndexes(model).map((sql) => ({ name: /INDEX ("(?:[^"]|"")+")/.exec(sql)?.[1] ?? '', sql })),
  triggers: [],
  others: [],
})

export async function sampleOf(
  file: SqliteFile | undefined,
  { name, sample }: TableQuestions,
  model: Model | undefined,
): Promise<Sample | undefined> {
  if (model !== undefined && sample !== undefined) {
    const rows = new ValueRows(model.columns.map((column) => column.type.kind === 'timestamptz'))
    const decodedMs = await sample(rows)
    const values: SqliteValue[] = []
    rows.read(0, rows.rows, values)
    return { columns: model.columns.map((column) => column.name), values, rows: rows.rows, decodedMs }
  }
  if (file === undefined) return undefined
  const columns = columnsOf(file, name)
    .filter(({ hidden }) => hidden === 0)
    .map((column) => column.name)
  const found = file.all<Record<string, SqliteValue>>(
    `SELECT ${identifiers(columns)} FROM ${identifier(name.table)} LIMIT ${sampledRows}`,
  )
  return {
    columns,
    values: found.flatMap((each) => columns.map((column) => each[column] ?? null)),
    rows: found.length,
    decodedMs: undefined,
  }
}

export class Scratch {
  readonly #file: SqliteFile
  readonly #table: string
  readonly #schema: Schema
  readonly #sample: Sample
  refused = 0

  constructor(file: SqliteFile, table: string, schema: Schema, sample: Sample) {
    this.#file = file
    this.#table = table
    this.#schema = schema
    this.#sample = sample
  }

  get sample(): Sample {
    return this.#sample
  }

  /** Milliseconds for all rows, with these statements run before. */
  time(before: readonly string[], keys: readonly ForeignKey[] = []): number {
    this.#file.exec(`PRAGMA foreign_keys = ${keys.length > 0 ? 'ON' : 'OFF'}; BEGIN IMMEDIATE`)
    try {
      this.#file.exec(this.#schema.table)
      this.#makeParents(keys)
      for (const sql of before) this.#file.exec(sql)
      return this.#insert()
    } finally {
      this.#file.exec('ROLLBACK')
    }
  }

  #insert(): number {
    const { columns, values, rows } = this.#sample
    const group = Math.max(1, Math.min(rowsAtOnce, Math.floor(mostParameters / columns.length)))
    const sql = (n: number) =>
      `INSERT OR IGNORE INTO ${identifier(this.#table)} (${identifiers(columns)}) VALUES ${Array(n)
        .fill(`(${columns.map(() => '?').join()})`)
        .join()}`
    const [many, one] = [this.#file.database.prepare(sql(group)), this.#file.database.prepare(sql(1))]
    let taken = 0
    const since = performance.now()
    for (let at = 0; at < rows;) {
      const n = at + group <= rows ? group : 1
      const part = values.slice(at * columns.length, (at + n) * columns.length)
      taken += Number((n === group ? many : one).run(...part).changes)
      at += n
    }
    const ms = performance.now() - since
    this.refused = rows - taken
    return ms
  }

  /** The rows that those of the sample refer to. */
  #makeParents(keys: readonly ForeignKey[]): void {
    for (const [parent, of] of Map.groupBy(keys, (key) => key.parent)) {
      const columns = [...new Set(of.flatMap(({ referred }) => referred))]
      const unique = of.map(
        ({ referred, isPrimary }) => `${isPrimary ? 'PRIMARY KEY' : 'UNIQUE'} (${identifiers(referred)})`,
      )
      this.#file.exec(
        `CREATE TABLE ${identifier(parent)} (${[identifiers(columns), ...new Set(unique)].join(', ')})`,
      )
      for (const key of of) {
        const places = key.columns.map((column) =>
          this.#sample.columns.findIndex((each) => each.toLowerCase() === column.toLowerCase()),
        )
        if (places.includes(-1)) continue
        const insert = this.#file.database.prepare(
          `INSERT OR IGNORE INTO ${identifier(parent)} (${identifiers(key.referred)}) VALUES (${places.map(() => '?').join()})`,
        )
        for (let row = 0; row < this.#sample.rows; row++)
          insert.run(
            ...places.map((place) => this.#sample.values[row * this.#sample.columns.length + place] ?? null),
          )
      }
    }
  }
}
