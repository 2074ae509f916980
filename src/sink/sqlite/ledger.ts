/**
 * The ledger in the file of the target. A transaction has the file to itself, so there is nothing to lock.
 */
import type { SqliteFile, SqliteValue } from '../../core/sqlite.ts'
import { ledgerVersion } from './prepare.ts'

import type { LedgerRow } from '../sql/ledger-rows.ts'
import { raw, type Sql, sql } from '../sql/statement.ts'
import { conflictDialect, inRows, type LedgerDatabase, type LedgerDialect, type Steps } from '../sql/steps.ts'

// oxlint-disable-next-line require-yield
function* nothing(): Steps<void> {}

export const dialect: LedgerDialect = {
  load: raw('lading_load'),
  ledger: raw('lading_ledger'),
  reject: raw('lading_reject'),
  deadLetter: raw('lading_dead_letter'),
  now: raw("strftime('%Y-%m-%dT%H:%M:%fZ')"),
  among: (column, values) => sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(values)}))`,
  amongRows: inRows,
  position: (searched, column) => sql`instr(${column}, ${searched})`,
  octets: (text) => sql`octet_length(${text})`,
  ...conflictDialect,
  forUpdate: sql``,
  lockLoads: nothing,
  lockChanging: nothing,
  lockBatches: nothing,
  // oxlint-disable-next-line require-yield
  *lockFreeLoads(ids) {
    return ids
  },
}

/** `guard` turns errors of the file into ours, and makes one that is not there; `exists`: whether it is. */
export function sqliteLedger(
  guard: <T>(work: (file: SqliteFile) => T) => T,
  exists: () => boolean,
): LedgerDatabase {
  return {
    dialect,
    isThere: async () => exists() && guard((file) => ledgerVersion(file) > 0),
    ask: async (statement) => guard((file) => rowsOf(file, statement)),
    transact: async (steps) => guard((file) => file.transaction(() => run(file, steps()))),
  }
}

const rowsOf = (file: SqliteFile, statement: Sql): LedgerRow[] =>
  file.all<LedgerRow>(
    statement.text(() => '?'),
    ...(statement.values as readonly SqliteValue[]),
  )

/** A step may catch the error of its statement. */
export function run<T>(file: SqliteFile, steps: Steps<T>): T {
  let step = steps.next()
  while (step.done !== true) {
    let rows: LedgerRow[]
    try {
      rows = rowsOf(file, step.value)
    } catch (error) {
      step = steps.throw(error)
      continue
    }
    step = steps.next(rows)
  }
  return step.value
}
