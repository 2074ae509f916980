/** The ledger in the database of the target. Locks on the rows of loads keep batches and folds apart. */
import type { LedgerRow } from '../sql/ledger-rows.ts'
import { raw, type Sql, sql } from '../sql/statement.ts'
import { inRows, type LedgerDatabase, type LedgerDialect, runSteps, type Steps } from '../sql/steps.ts'
import type { Connection } from './connection.ts'
import { isLedgerThere } from './ledger-tables.ts'
import { now } from './schema.ts'
import { textOf } from './literal.ts'
import type { Session } from './session.ts'
import { transaction } from './transaction.ts'

const among = (column: Sql, values: readonly (string | number)[]): Sql =>
  values.length === 0 ? raw('false') : sql`${column} IN (${values})`

/** In the order of their ids, so that two sessions wait for each other instead of deadlocking. */
const lock = (ids: readonly string[], how: string): Sql =>
  sql`SELECT id FROM lading_load WHERE ${among(sql`id`, ids)} ORDER BY id ${raw(how)}`

function* lockAlone(ids: readonly string[]): Steps<void> {
  yield lock(ids, 'FOR UPDATE')
}

export const dialect: LedgerDialect = {
  load: raw('lading_load'),
  ledger: raw('lading_ledger'),
  reject: raw('lading_reject'),
  deadLetter: raw('lading_dead_letter'),
  now: raw(now),
  among,
  amongRows: inRows,
  position: (searched, column) => sql`locate(${searched}, ${column})`,
  octets: (text) => sql`octet_length(${text})`,
  unlessThere: raw('ON DUPLICATE KEY UPDATE pipeline = pipeline'),
  *entering(insert) {
    const [ran] = yield sql`${insert} ON DUPLICATE KEY UPDATE pipeline = pipeline`
    return ran?.['changed'] === 1
  },
  updateFrom: (table, from, set, where) => sql`UPDATE ${table}, ${from} SET ${set} WHERE ${where}`,
  forUpdate: raw('FOR UPDATE'),
  *lockLoads(ids) {
    yield lock(ids, 'LOCK IN SHARE MODE')
  },
  // One that changes a row under a shared lock deadlocks with another that does.
  lockChanging: lockAlone,
  lockBatches: lockAlone,
  // A load that is busy is skipped: waiting could hang on a stopped consumer, and the writer of its batch
  // folds it after committing.
  *lockFreeLoads(ids) {
    const free = yield lock(ids, 'FOR UPDATE SKIP LOCKED')
    return free.map((row) => String(row['id']))
  },
}

export function mysqlLedger(connection: Connection): LedgerDatabase {
  return {
    dialect,
    isThere: (options) => connection.use(isLedgerThere, options?.signal),
    ask: (statement, options) => connection.use((session) => rowsOf(session, statement), options?.signal),
    transact: (steps, options) =>
      connection.use((session) => transaction(session, () => run(session, steps())), options?.signal),
  }
}

/** Texts that are kept as bytes, because no collation of an index is that long, or makes one of two texts. */
const textColumns = ['pipeline', 'key'] as const

/** A statement that returns no rows gives one that says how many it has `changed`. */
async function rowsOf(session: Session, statement: Sql): Promise<readonly LedgerRow[]> {
  const text = textOf(statement)
  if (!/^\s*(?:SELECT|WITH)\b/.test(text)) return [{ changed: (await session.run(text)).changed }]
  const rows = await session.query(text)
  return rows.map((row) => {
    const texts = textColumns.filter((name) => row[name] instanceof Uint8Array)
    return texts.length === 0
      ? row
      : { ...row, ...Object.fromEntries(texts.map((name) => [name, String(row[name])])) }
  })
}

/** Within a transaction. */
export const run = <T>(session: Session, steps: Steps<T>): Promise<T> =>
  runSteps(steps, (statement) => rowsOf(session, statement))
