/**
 * Hash indexes over few distinct values. All rows of a value lie in one chain of pages that each insert walks
 * through, so that building such an index takes time by the square of the rows: 200,000 of one value took 46
 * s, 50,000 took 3 s (docs/models.md).
 */
import { count } from '../../../core/counted.ts'
import type pg from 'pg'
import { identifier } from '../../../driver/postgres/identifier.ts'
import { type Model, tableName } from '../../../model/model.ts'
import type { TableName } from '../../../model/table.ts'
import { qualified } from './ddl.ts'

/** Rows of one value from which on the index costs more than everything else. */
export const manyRowsOfOneValue = 50_000
/** Blocks of 8 KiB that are looked at: about 20,000 rows of a table with few columns. */
const sampledBlocks = 200

interface HashIndex {
  readonly column: string
  /** Undefined while it is left for the end of a load. */
  readonly name: string | null
}

/** What the hash indexes of the model's table cost, by a sample of its rows; empty where they cost little. */
export async function hashWarnings(
  client: pg.Client,
  model: Model,
  most: number,
): Promise<readonly string[]> {
  const warnings: string[] = []
  for (const { column, name } of await hashIndexes(client, model)) {
    const rows = await rowsOfOneValue(client, model, column)
    if (rows < most) continue
    const cure =
      name === null
        ? `leave hash('${column}') out of the model, and drop the index when it is built`
        : `DROP INDEX ${name}, and leave hash('${column}') out of the model`
    warnings.push(
      `table ${tableName(model)}: about ${count(rows)} rows have the same ${column}, and its hash index goes through all of them for each row, which takes longer than everything else; ${cure} (btree('${column}') or a key that begins with it answers the same)`,
    )
  }
  return warnings
}

async function hashIndexes(client: pg.Client, model: Model): Promise<readonly HashIndex[]> {
  const { rows } = await client.query<HashIndex>(
    `SELECT attname AS column, indexrelid::regclass::text AS name
     FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am am ON am.oid = relam AND amname = 'hash'
       JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0] WHERE indrelid = to_regclass($1)
     UNION ALL
     SELECT name, NULL FROM unnest($2::text[]) name
     WHERE EXISTS (SELECT FROM lading.deferred, unnest(statements) s WHERE target = to_regclass($1) AND position(format('USING hash (%I)', name) IN s) > 0)`,
    [qualified(model), model.columns.map(({ name }) => name)],
  )
  return rows
}

/** How many rows the most frequent value has, about. */
export async function rowsOfOneValue(client: pg.Client, model: TableName, column: string): Promise<number> {
  const { rows: size } = await client.query<{ blocks: number }>(
    "SELECT (pg_relation_size(to_regclass($1)) / current_setting('block_size')::int)::int AS blocks",
    [qualified(model)],
  )
  const percent = Math.min(100, (100 * sampledBlocks) / Math.max(1, size[0]?.blocks ?? 0))
  const { rows } = await client.query<{ rows: number }>(
    `SELECT coalesce(max(n), 0)::int AS rows FROM
       (SELECT count(*) AS n FROM ${qualified(model)} TABLESAMPLE SYSTEM (${percent}) WHERE ${identifier(column)} IS NOT NULL GROUP BY ${identifier(column)}) AS counts`,
  )
  return Math.round(((rows[0]?.rows ?? 0) * 100) / percent)
}
