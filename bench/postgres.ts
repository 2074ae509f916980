/**
 * PostgreSQL as a target: tables that are made anew for each run on a private server with its default
 * durability.
 */
import pg from 'pg'
import type { Model } from '../src/model/model.ts'
import { tableName } from '../src/model/model.ts'
import { createIndex, createTable } from '../src/sink/postgres/table/ddl.ts'
import type { TableState } from './rounds.ts'

/**
 * A checkpoint, so that no run pays for the pages of the one before. `fill` is SQL that puts rows there
 * beforehand.
 */
export async function resetTable(url: string, model: Model, fill: readonly string[] = []): Promise<void> {
  await query(url, async (client) => {
    const clear = [
      'SET client_min_messages = warning',
      'DROP SCHEMA IF EXISTS lading CASCADE',
      `DROP TABLE IF EXISTS ${tableName(model)}`,
    ]
    const make = [createTable(model), ...model.indexes.map((index) => createIndex(model, index))]
    for (const sql of [...clear, ...make, ...fill, 'CHECKPOINT']) await client.query(sql)
  })
}

/** Rows, the sum of their hashes, and the indexes that the table has, whatever they are called. */
export async function tableState(url: string, model: Model, columns = '*'): Promise<TableState> {
  const table = tableName(model)
  return await query(url, async (client) => {
    const rows = await client.query<{ rows: number; checksum: string | null }>(
      `SELECT count(*)::float8 AS rows, sum(hashtextextended(r::text, 0)::numeric)::text AS checksum FROM (SELECT ${columns} FROM ${table}) r`,
    )
    const indexes = await client.query<{ indexes: string | null }>(
      `SELECT string_agg(d, '; ' ORDER BY d) AS indexes FROM (
        SELECT regexp_replace(indexdef, 'INDEX .* ON', 'INDEX ON') AS d FROM pg_indexes WHERE tablename = $1)`,
      [table],
    )
    const { rows: count = 0, checksum } = rows.rows[0] ?? {}
    return { rows: count, checksum: `${checksum ?? 'none'}, ${indexes.rows[0]?.indexes ?? 'no index'}` }
  })
}

/** What makes the table's key and indexes again after they were left out, and what leaves them out. */
export function bareTable(model: Model): { readonly drop: string[]; readonly make: string[] } {
  const table = tableName(model)
  return {
    drop: [`DROP TABLE ${table}`, createTable({ ...model, primaryKey: [] })],
    make: [
      `ALTER TABLE ${table} ADD PRIMARY KEY (${model.primaryKey.join(', ')})`,
      ...model.indexes.map((each) => createIndex(model, each)),
    ],
  }
}

export async function execute(url: string, statements: readonly string[]): Promise<void> {
  await query(url, async (client) => {
    for (const sql of statements) await client.query(sql)
  })
}

async function query<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const shown = [
  'shared_buffers',
  'max_wal_size',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_level',
]

export async function shownSettings(url: string): Promise<Readonly<Record<string, string>>> {
  return query(url, async (client) => {
    const { rows } = await client.query<{ name: string; value: string }>(
      'SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name',
      [shown],
    )
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]))
  })
}
