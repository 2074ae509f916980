/** The ledger in the schema `lading`. Advisory locks on loads keep batches and folds apart. */
import type pg from 'pg'
import type { Connection } from '../../driver/postgres/connection.ts'
import { transaction } from '../../driver/postgres/transaction.ts'
import { asBuffer } from '../../core/bytes.ts'

import type { LedgerRow } from '../sql/ledger-rows.ts'
import { raw, type Sql, sql } from '../sql/statement.ts'
import {
  conflictDialect,
  type LedgerDatabase,
  type LedgerDialect,
  runSteps,
  type Steps,
} from '../sql/steps.ts'
import { ledgerVersion } from './table/there.ts'
import { beginBatch } from './transaction.ts'

/**
 * Loads are locked in the order of their ids, so that two sessions wait for each other instead of
 * deadlocking.
 */
const lock = (how: string, ids: readonly string[]): Sql =>
  sql`SELECT ${raw(how)}(hashtextextended(id, 0)) FROM unnest(${ids}::text[]) id ORDER BY id`

function* lockShared(ids: readonly string[]): Steps<void> {
  yield lock('pg_advisory_xact_lock_shared', ids)
}

export const dialect: LedgerDialect = {
  load: raw('lading.load'),
  ledger: raw('lading.ledger'),
  reject: raw('lading.reject'),
  deadLetter: raw('lading.dead_letter'),
  now: raw('now()'),
  among: (column, values) => sql`${column} = ANY (${values})`,
  // With IN, a page of receipts would be joined with every reject there is.
  amongRows: (column, query) => sql`${column} = ANY (ARRAY(${query}))`,
  // A path may be longer than a key of an index.
  sourcesHint: (sources) =>
    sql`hashtextextended(source, 0) = ANY (ARRAY(SELECT hashtextextended(name, 0) FROM unnest(${sources}::text[]) AS name))`,
  position: (searched, column) => sql`position(${searched} IN ${column})`,
  octets: (text) => sql`octet_length(${text})`,
  ...conflictDialect,
  forUpdate: raw('FOR UPDATE'),
  lockLoads: lockShared,
  lockChanging: lockShared,
  *lockBatches(ids) {
    yield lock('pg_advisory_xact_lock', ids)
  },
  // A load that is busy is skipped: waiting could hang on a stopped consumer, and the writer of its batch
  // folds it after committing.
  *lockFreeLoads(ids) {
    const free =
      yield sql`SELECT id FROM unnest(${ids}::text[]) id WHERE pg_try_advisory_xact_lock(hashtextextended(id, 0))`
    return free.map((row) => String(row['id']))
  },
}

export function postgresLedger(connection: Connection): LedgerDatabase {
  return {
    dialect,
    isThere: (options) =>
      connection.use(async (client) => (await ledgerVersion(client)) > 0, options?.signal),
    ask: (statement, options) => connection.use((client) => rowsOf(client, statement), options?.signal),
    transact: (steps, options) =>
      connection.use(
        (client) => transaction(client, beginBatch, () => run(client, steps())),
        options?.signal,
      ),
  }
}

async function rowsOf(client: pg.Client, statement: Sql): Promise<LedgerRow[]> {
  const values = statement.values.map((value) => (value instanceof Uint8Array ? asBuffer(value) : value))
  return (
    await client.query<LedgerRow>(
      statement.text((n) => `$${n}`),
      values,
    )
  ).rows
}

/** Within a transaction. */
export const run = <T>(client: pg.Client, steps: Steps<T>): Promise<T> =>
  runSteps(steps, (statement) => rowsOf(client, statement))
