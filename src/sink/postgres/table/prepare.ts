/**
 * Creates what is missing of the ledger, a model's table and its indexes, and checks that what exists fits.
 */
import type pg from 'pg'
import { isDatabaseError } from '../../../driver/postgres/errors.ts'
import { transaction } from '../../../driver/postgres/transaction.ts'
import { LadingError } from '../../../core/errors.ts'
import { type Model, tableName } from '../../../model/model.ts'
import type { Prepared, PrepareOptions } from '../../sink.ts'
import { requireFit } from '../../table.ts'
import {
  hasInsteadTrigger,
  orderProblems,
  problemsOf,
  readCatalog,
  refusingNull,
  whyInserted,
} from './catalog.ts'
import { qualified } from './ddl.ts'
import { blocked, buildIndexes, deferIndexes, isDeferred } from './defer.ts'
import { isOutdated, makeTable, remakeTable } from './made.ts'
import { migrations } from './schema.ts'
import { isThere, ledgerVersion } from './there.ts'
import { requireSchema } from './schemas.ts'

/** Serialises everything that creates: two consumers that start together must not both make the table. */
const lock = "SELECT pg_advisory_xact_lock(hashtextextended('lading/prepare', 0))"

/**
 * Under a stricter level the transaction would not see what others made while it waited for the lock. That wait ends, so that
 * a session whose client has stopped is noticed and ended (`SINK_BUSY`).
 */
const begin = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '5s'"

/**
 * In another encoding the database could not keep every reject: a message about a record quotes what the
 * encoding may not have.
 */
async function checkEncoding(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ encoding: string }>(
    "SELECT current_setting('server_encoding') AS encoding",
  )
  const encoding = rows[0]?.encoding
  if (encoding !== 'UTF8')
    throw new LadingError('SCHEMA_MISMATCH', `the database has the encoding ${encoding}, lading needs UTF8`)
}

export async function prepareLedger(client: pg.Client): Promise<void> {
  await checkEncoding(client)
  if ((await ledgerVersion(client)) === migrations.length) return
  await transaction(client, begin, async () => {
    await client.query(lock)
    const version = await ledgerVersion(client)
    if (version > migrations.length) {
      throw new LadingError(
        'LEDGER_NEWER',
        `the ledger has version ${version}, this lading knows ${migrations.length}`,
      )
    }
    if (version === 0) {
      await makeSchema(client)
      await client.query('CREATE TABLE IF NOT EXISTS lading.migration (version int PRIMARY KEY)')
    }
    for (const [index, step] of migrations.entries()) {
      if (index >= version) await client.query(`${step}; INSERT INTO lading.migration VALUES (${index + 1})`)
    }
  })
}

/** IF NOT EXISTS would demand the right to make one where an administrator has made it for the role. */
async function makeSchema(client: pg.Client): Promise<void> {
  const { rows } = await client.query("SELECT FROM pg_namespace WHERE nspname = 'lading'")
  if (rows.length === 0) await client.query('CREATE SCHEMA lading')
}

export async function prepareTable(
  client: pg.Client,
  model: Model,
  deferring?: PrepareOptions['deferIndexes'],
): Promise<Prepared> {
  const remade = await ensureTable(client, model)
  const wereAway = await isDeferred(client, model)
  if (wereAway && deferring === undefined) await buildAbandoned(client, model)
  const catalog = await readCatalog(client, model)
  // Before anything is dropped: the table may not be Lading's.
  requireFit(model, [...problemsOf(model, catalog, wereAway && deferring !== undefined)])
  const [itself] = catalog.tables
  const table = {
    remade,
    keyless: !wereAway && !catalog.checksKey,
    notNull: refusingNull(model, catalog),
    inserts: itself && whyInserted(itself),
  }
  if (deferring === undefined || wereAway) return { ...table, deferred: wereAway && deferring !== undefined }
  const reason = deferring === 'begin' ? await deferIndexes(client, model) : undefined
  return { ...table, deferred: deferring === 'begin' && reason === undefined, reason }
}

/**
 * Creates a missing table, and recreates an empty one that Lading made for another model; returns whether it
 * recreated it.
 */
async function ensureTable(client: pg.Client, model: Model): Promise<boolean> {
  if ((await isThere(client, qualified(model))) && !(await isOutdated(client, model))) return false
  return transaction(client, begin, async () => {
    await client.query(lock)
    if (await isThere(client, qualified(model))) return remakeTable(client, model)
    await requireSchema(client, model)
    requireFit(model, [...orderProblems(model)])
    await makeTable(client, model)
    return false
  })
}

/**
 * A role that may only insert does not know, and one that sees not every row does not either; then it is not
 * said to be.
 */
export async function isEmpty(client: pg.Client, model: Model): Promise<boolean> {
  try {
    const { rows } = await client.query(
      `SELECT FROM pg_class WHERE oid = to_regclass($1) AND NOT row_security_active(oid) AND NOT ${hasInsteadTrigger}
         AND NOT EXISTS (SELECT FROM ${qualified(model)})`,
      [qualified(model)],
    )
    return rows.length > 0
  } catch (error) {
    if (isDatabaseError(error) && error.code === insufficientPrivilege) return false
    throw error
  }
}

const insufficientPrivilege = '42501'

async function buildAbandoned(client: pg.Client, model: Model): Promise<void> {
  const built = await buildIndexes(client, model)
  if (built === 'refused') throw blocked(model, 'the load that left them for its end was interrupted')
  if (built !== 'left') return
  throw new LadingError(
    'SINK_BUSY',
    `a load is at work that has left the indexes of table ${tableName(model)} for its end`,
  )
}
