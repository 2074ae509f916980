/** Makes the ledger, a model's table and its indexes where they are missing, and checks that what is there fits. */
import pg from 'pg'
import { LadingError } from '../../core/errors.ts'
import { type Model, tableName } from '../../model/model.ts'
import type { Prepared, PrepareOptions } from '../sink.ts'
import { createIndex, createTable, identifier, qualified, sqlType } from './ddl.ts'
import { blocked, buildIndexes, deferIndexes, isDeferred } from './defer.ts'
import { type CatalogType, misfit } from './fit.ts'
import { migrations } from './schema.ts'
import { transaction } from './transaction.ts'

/** Serialises everything that creates: two consumers that start together must not both make the table. */
const lock = "SELECT pg_advisory_xact_lock(hashtextextended('lading/prepare', 0))"

/** Under a stricter level the transaction would not see what others made while it waited for the lock. */
const begin = 'BEGIN ISOLATION LEVEL READ COMMITTED'

/** Reads pg_class, because to_regclass alone may answer from a cache that is older than the wait for the lock. */
async function isThere(client: pg.Client, name: string): Promise<boolean> {
  const { rows } = await client.query('SELECT FROM pg_class WHERE oid = to_regclass($1)', [name])
  return rows.length > 0
}

/** In another encoding the database could not keep every reject: a message about a record quotes what the encoding may not have. */
async function checkEncoding(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ encoding: string }>("SELECT current_setting('server_encoding') AS encoding")
  const encoding = rows[0]?.encoding
  if (encoding !== 'UTF8') throw new LadingError('SCHEMA_MISMATCH', `the database has the encoding ${encoding}, lading needs UTF8`)
}

export async function prepareLedger(client: pg.Client): Promise<void> {
  await checkEncoding(client)
  if ((await ledgerVersion(client)) === migrations.length) return
  await transaction(client, begin, async () => {
    await client.query(lock)
    const version = await ledgerVersion(client)
    if (version > migrations.length) {
      throw new LadingError('LEDGER_NEWER', `the ledger has version ${version}, this lading knows ${migrations.length}`)
    }
    if (version === 0) {
      await client.query('CREATE SCHEMA IF NOT EXISTS lading; CREATE TABLE IF NOT EXISTS lading.migration (version int PRIMARY KEY)')
    }
    for (const [index, step] of migrations.entries()) {
      if (index >= version) await client.query(`${step}; INSERT INTO lading.migration VALUES (${index + 1})`)
    }
  })
}

async function ledgerVersion(client: pg.Client): Promise<number> {
  if (!(await isThere(client, 'lading.migration'))) return 0
  const { rows } = await client.query('SELECT coalesce(max(version), 0) AS version FROM lading.migration')
  return rows[0].version
}

export async function prepareTable(client: pg.Client, model: Model, deferring?: PrepareOptions['deferIndexes']): Promise<Prepared> {
  for (const problem of orderProblems(model)) throw new LadingError('SCHEMA_MISMATCH', `table ${tableName(model)}: ${problem}`)
  if (!(await isThere(client, qualified(model)))) {
    await transaction(client, begin, async () => {
      await client.query(lock)
      if (await isThere(client, qualified(model))) return
      await client.query(createTable(model))
      for (const index of model.indexes) await client.query(createIndex(model, index))
    })
  }
  const wereAway = await isDeferred(client, model)
  if (wereAway && deferring === undefined) await buildAbandoned(client, model)
  // Before anything is taken away: the table may be somebody else's.
  for await (const problem of problemsOf(client, model, wereAway && deferring !== undefined)) {
    throw new LadingError('SCHEMA_MISMATCH', `table ${tableName(model)}: ${problem}`)
  }
  if (deferring === undefined || wereAway) return { deferred: wereAway && deferring !== undefined }
  const reason = deferring === 'begin' ? await deferIndexes(client, model) : undefined
  return { deferred: deferring === 'begin' && reason === undefined, reason }
}

/** A role that may only insert does not know, and then it is not said to be. */
export async function isEmpty(client: pg.Client, model: Model): Promise<boolean> {
  try {
    const { rows } = await client.query(`SELECT WHERE NOT EXISTS (SELECT FROM ${qualified(model)})`)
    return rows.length > 0
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === insufficientPrivilege) return false
    throw error
  }
}

const insufficientPrivilege = '42501'

async function buildAbandoned(client: pg.Client, model: Model): Promise<void> {
  const built = await buildIndexes(client, model)
  if (built === 'refused') throw blocked(model, 'the load that left them for its end was interrupted')
  if (built !== 'left') return
  throw new LadingError('SINK_BUSY', `a load is at work that has left the indexes of table ${tableName(model)} for its end`)
}

function* orderProblems({ columns, primaryKey, version }: Model): Generator<string> {
  for (const { name, type } of columns) {
    if (sqlType(type).toLowerCase() !== 'json') continue
    if (primaryKey.includes(name)) yield `column ${name} is json, which PostgreSQL cannot compare, so it cannot be part of the primaryKey`
    if (version === name) yield `column ${name} is json, which PostgreSQL cannot compare, so it cannot be the version`
  }
}

interface CatalogColumn extends CatalogType {
  readonly name: string
  readonly required: boolean
  /** Computed from other columns: no value can be given. */
  readonly computed: boolean
  /** GENERATED ALWAYS AS IDENTITY: a value can be inserted, and not updated. */
  readonly alwaysIdentity: boolean
}

async function* problemsOf(client: pg.Client, model: Model, deferred: boolean): AsyncGenerator<string> {
  for (const { it, relkind, relpersistence } of await tablesOf(client, model)) {
    if (relkind !== 'r' && relkind !== 'p')
      yield `${it} is not an ordinary or partitioned table, so rows and ledger would not share a transaction`
    if (relpersistence !== 'p') yield `${it} is not logged: a crash would empty it while the ledger says that the rows took effect`
  }
  const columns = await catalogColumns(client, model)
  for (const { name, type } of model.columns) {
    const column = columns.get(name)
    const problem = column === undefined ? undefined : misfit(type, column)
    if (column === undefined) yield `it has no column ${name}`
    else if (column.computed) yield `column ${name} is computed by the table itself`
    else if (column.alwaysIdentity && model.onConflict === 'update' && !model.primaryKey.includes(name))
      yield `column ${name} is GENERATED ALWAYS AS IDENTITY outside the primaryKey, and PostgreSQL lets onConflict 'update' change no such column`
    else if (problem !== undefined) yield `column ${name} ${problem}`
  }
  const known = new Set(model.columns.map((column) => column.name))
  for (const column of columns.values()) {
    if (column.required && !known.has(column.name)) yield `column ${column.name} needs a value and is not in the model`
  }
  if (!deferred && model.onConflict !== 'error' && !(await hasUniqueKey(client, model))) {
    yield `onConflict '${model.onConflict}' needs a unique index on exactly (${model.primaryKey.map(identifier).join(', ')})`
  }
}

interface CatalogTable {
  /** What a problem calls it. */
  readonly it: string
  readonly relkind: string
  readonly relpersistence: string
}

/** The table, and where it is partitioned all its partitions: that is where the rows lie. */
async function tablesOf(client: pg.Client, model: Model): Promise<readonly CatalogTable[]> {
  const { rows } = await client.query<CatalogTable>(
    `SELECT CASE WHEN oid = to_regclass($1) THEN 'it' ELSE 'its partition ' || oid::regclass END AS it, relkind, relpersistence
     FROM pg_class WHERE oid = to_regclass($1) OR oid IN (SELECT relid FROM pg_partition_tree(to_regclass($1)))
     ORDER BY oid <> to_regclass($1), oid`,
    [qualified(model)],
  )
  return rows
}

async function catalogColumns(client: pg.Client, model: Model): Promise<Map<string, CatalogColumn>> {
  const { rows } = await client.query<CatalogColumn>(
    `SELECT a.attname AS name, coalesce(base.typname, t.typname) AS type, t.typtype = 'e' AS enumerated, typmod,
            format_type(coalesce(base.oid, t.oid), typmod) AS shown,
            a.attgenerated <> '' AS computed, a.attidentity = 'a' AS "alwaysIdentity",
            a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '' AS required
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type base ON t.typtype = 'd' AND base.oid = t.typbasetype
       CROSS JOIN LATERAL (SELECT CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END AS typmod) length
     WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`,
    [qualified(model)],
  )
  return new Map(rows.map((row) => [row.name, row]))
}

async function hasUniqueKey(client: pg.Client, model: Model): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT 1 FROM pg_index i WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indimmediate
       AND i.indpred IS NULL AND i.indexprs IS NULL
       AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text) FROM pg_attribute a
            WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]))
         = (SELECT array_agg(name ORDER BY name) FROM unnest($2::text[]) name)`,
    [qualified(model), model.primaryKey],
  )
  return rows.length > 0
}
