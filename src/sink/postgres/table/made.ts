/**
 * Tables that Lading has made. One that is still empty and unchanged is made again when its model has
 * changed, so that a first try with a wrong model leaves nothing behind. A single row, or anything that
 * others have added to the table, keeps it.
 */
import type pg from 'pg'
import { isDatabaseError } from '../../../driver/postgres/errors.ts'
import type { Model } from '../../../model/model.ts'
import type { TableName } from '../../../model/table.ts'
import { createIndex, createTable, qualified } from './ddl.ts'
import { relianceKey } from './defer.ts'

/** In `migrations`. */
export const madeTables = `
  -- Tables that were made for a model, by what statements, and what they were like then.
  CREATE TABLE lading.made (
    target regclass PRIMARY KEY,
    definition text NOT NULL,
    state text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
  )`

/**
 * What the table `target` is like, as text: all that DROP TABLE would take with it, names instead of numbers.
 * Views and foreign keys that depend on it are not all in here: they keep DROP TABLE from taking effect.
 */
const state = (target: string): string => `
  (SELECT jsonb_build_array(
    jsonb_build_array(t.relkind, t.relowner::regrole, t.relacl::text, t.reloptions, t.reltablespace, t.relpersistence, t.relrowsecurity, t.relforcerowsecurity, t.relreplident),
    (SELECT jsonb_agg(jsonb_build_array(attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attidentity, attgenerated,
        attcollation, attstorage, attcompression, attstattarget, attacl::text, attoptions) ORDER BY attnum)
      FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = t.oid AND attnum > 0),
    (SELECT jsonb_agg(jsonb_build_array(conname, pg_get_constraintdef(oid)) ORDER BY conname) FROM pg_constraint WHERE conrelid = t.oid),
    (SELECT jsonb_agg(jsonb_build_array(pg_get_indexdef(indexrelid), reltablespace, reloptions, indisclustered, indisreplident) ORDER BY relname)
      FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indrelid = t.oid),
    (SELECT jsonb_agg(pg_describe_object(classid, objid, objsubid) ORDER BY pg_describe_object(classid, objid, objsubid))
      FROM pg_depend WHERE refclassid = 'pg_class'::regclass AND refobjid = t.oid AND deptype <> 'i'),
    (SELECT jsonb_agg(jsonb_build_array(objsubid, description) ORDER BY objsubid) FROM pg_description WHERE classoid = 'pg_class'::regclass AND objoid = t.oid)
  )::text FROM pg_class t WHERE t.oid = ${target})`

const statements = (model: Model): readonly string[] => [
  createTable(model),
  ...model.indexes.map((index) => createIndex(model, index)),
]

const definition = (model: Model): string => statements(model).join(';\n')

/** Within a transaction. */
export async function makeTable(client: pg.Client, model: Model): Promise<void> {
  for (const statement of statements(model)) await client.query(statement)
  await client.query('DELETE FROM lading.made WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = target)')
  const values = `to_regclass($1), $2, ${state('to_regclass($1)')}`
  await client.query(`INSERT INTO lading.made (target, definition, state) VALUES (${values})`, [
    qualified(model),
    definition(model),
  ])
}

/** Whether we have made the table, for another model; at the price of one question for a table that fits. */
export async function isOutdated(client: pg.Client, model: Model): Promise<boolean> {
  if (model.origin === 'table') return false
  const { rows } = await client.query(
    'SELECT FROM lading.made WHERE target = to_regclass($1) AND definition <> $2',
    [qualified(model), definition(model)],
  )
  return rows.length > 0
}

/**
 * Recreates the table if Lading made it for another model and it is empty and unused; returns whether it did.
 * Within a transaction.
 */
export async function remakeTable(client: pg.Client, model: Model): Promise<boolean> {
  // Checked before the lock as well: a table with rows must not be blocked.
  if (!(await mayBeRemade(client, model)) || (await hasRows(client, model))) return false
  const { rows } = await client.query<{ had: boolean }>(
    `SELECT pg_try_advisory_xact_lock(${relianceKey}) AS had`,
    [qualified(model)],
  )
  if (rows[0]?.had !== true) return false
  await client.query('SAVEPOINT remake')
  try {
    await client.query(`LOCK TABLE ${qualified(model)} IN ACCESS EXCLUSIVE MODE NOWAIT`)
    // v8 ignore next -- what came between the look above and the lock
    if ((await hasRows(client, model)) || !(await mayBeRemade(client, model))) return false
    await client.query(`DROP TABLE ${qualified(model)}`)
  } catch (error) {
    // In use, or something depends on it.
    if (!isDatabaseError(error) || (error.code !== '55P03' && error.code !== '2BP01')) throw error
    await client.query('ROLLBACK TO SAVEPOINT remake')
    return false
  }
  await makeTable(client, model)
  return true
}

/** Whether Lading has made the table, and it is as it was then, without a row. Needs no ledger. */
export async function isDraft(client: pg.Client, name: TableName): Promise<boolean> {
  const { rows: ledger } = await client.query("SELECT WHERE to_regclass('lading.made') IS NOT NULL")
  if (ledger.length === 0) return false
  const { rows } = await client.query(
    `SELECT FROM lading.made WHERE target = to_regclass($1) AND state = ${state('to_regclass($1)')}`,
    [qualified(name)],
  )
  return rows.length > 0 && !(await hasRows(client, name))
}

async function hasRows(client: pg.Client, model: TableName): Promise<boolean> {
  const { rows } = await client.query(`SELECT FROM ${qualified(model)} LIMIT 1`)
  return rows.length > 0
}

async function mayBeRemade(client: pg.Client, model: Model): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT FROM lading.made JOIN pg_class ON oid = target WHERE target = to_regclass($1) AND definition <> $2
       AND pg_has_role(relowner, 'USAGE') AND NOT EXISTS (SELECT FROM lading.deferred d WHERE d.target = made.target)
       AND state = ${state('to_regclass($1)')}`,
    [qualified(model), definition(model)],
  )
  return rows.length > 0
}
