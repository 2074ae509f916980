/** Makes the ledger, a model's table and its indexes where they are missing, and checks that what is there fits. */
import type pg from 'pg'
import { LadingError } from '../../core/errors.ts'
import { type Model, tableName } from '../../model/model.ts'
import { transaction } from './connection.ts'
import { compatibleTypes, createIndex, createTable, identifier, qualified, sqlType } from './ddl.ts'
import { migrations } from './schema.ts'

/** Serialises everything that creates: two consumers that start together must not both make the table. */
const lock = "SELECT pg_advisory_xact_lock(hashtextextended('lading/prepare', 0))"

/** Under a stricter level the transaction would not see what others made while it waited for the lock. */
const begin = 'BEGIN ISOLATION LEVEL READ COMMITTED'

/** Reads pg_class, because to_regclass alone may answer from a cache that is older than the wait for the lock. */
async function isThere(client: pg.Client, name: string): Promise<boolean> {
  const { rows } = await client.query('SELECT FROM pg_class WHERE oid = to_regclass($1)', [name])
  return rows.length > 0
}

export async function prepareLedger(client: pg.Client): Promise<void> {
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

export async function prepareTable(client: pg.Client, model: Model): Promise<void> {
  if (!(await isThere(client, qualified(model)))) {
    await transaction(client, begin, async () => {
      await client.query(lock)
      if (await isThere(client, qualified(model))) return
      await client.query(createTable(model))
      for (const index of model.indexes) await client.query(createIndex(model, index))
    })
  }
  for await (const problem of problemsOf(client, model)) {
    throw new LadingError('SCHEMA_MISMATCH', `table ${tableName(model)}: ${problem}`)
  }
}

interface CatalogColumn {
  readonly name: string
  readonly type: string
  readonly enumerated: boolean
  readonly required: boolean
  readonly generated: boolean
}

async function* problemsOf(client: pg.Client, model: Model): AsyncGenerator<string> {
  const table = await client.query('SELECT relkind, relpersistence FROM pg_class WHERE oid = to_regclass($1)', [qualified(model)])
  const { relkind, relpersistence } = table.rows[0]
  if (relkind !== 'r' && relkind !== 'p')
    yield 'it is not an ordinary or partitioned table, so rows and ledger would not share a transaction'
  if (relpersistence !== 'p') yield 'it is not logged: a crash would empty it while the ledger says that the rows took effect'
  const columns = await catalogColumns(client, model)
  for (const { name, type } of model.columns) {
    const column = columns.get(name)
    const compatible = compatibleTypes(type)
    const text = type.kind === 'text' || type.kind === 'varchar'
    if (column === undefined) yield `it has no column ${name}`
    else if (column.generated) yield `column ${name} is computed by the table itself`
    else if (compatible !== undefined && !compatible.includes(column.type) && !(text && column.enumerated)) {
      yield `column ${name} is ${column.type}, the model says ${sqlType(type)} (custom('${column.type}') would send it as text)`
    }
  }
  const known = new Set(model.columns.map((column) => column.name))
  for (const column of columns.values()) {
    if (column.required && !known.has(column.name)) yield `column ${column.name} needs a value and is not in the model`
  }
  if (model.onConflict !== 'error' && !(await hasUniqueKey(client, model))) {
    yield `onConflict '${model.onConflict}' needs a unique index on exactly (${model.primaryKey.map(identifier).join(', ')})`
  }
}

async function catalogColumns(client: pg.Client, model: Model): Promise<Map<string, CatalogColumn>> {
  const { rows } = await client.query<CatalogColumn>(
    `SELECT a.attname AS name, coalesce(base.typname, t.typname) AS type, t.typtype = 'e' AS enumerated,
            a.attgenerated <> '' OR a.attidentity = 'a' AS generated,
            a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '' AS required
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type base ON t.typtype = 'd' AND base.oid = t.typbasetype
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
