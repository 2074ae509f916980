/** The ledger in the file of the target. One process has the file, and one work at a time, so there is nothing to lock. */
import { raw, Sql, sql } from '../sql/statement.ts'
import {
  conflictDialect,
  inRows,
  type LedgerDatabase,
  type LedgerDialect,
  runSteps,
  type Steps,
} from '../sql/steps.ts'
import { ledgerVersion } from './prepare.ts'
import { now } from './schema.ts'
import type { Session } from './session.ts'

// oxlint-disable-next-line require-yield
function* nothing(): Steps<void> {}

export const dialect: LedgerDialect = {
  load: raw('lading_load'),
  ledger: raw('lading_ledger'),
  reject: raw('lading_reject'),
  deadLetter: raw('lading_dead_letter'),
  now: raw(now),
  among: (column, values) => sql`${column} IN (${oneOf(values)})`,
  amongRows: inRows,
  // Bytes are searched as text in which each of them ends with a point: half of one and half of the next are none.
  position: (searched, column) =>
    typeof searched === 'string'
      ? sql`instr(${column}, ${searched})`
      : sql`instr(regexp_replace(hex(${column}), '(..)', '\\1.', 'g'), ${Buffer.from(searched).toString('hex').toUpperCase().replaceAll(/../g, '$&.')})`,
  octets: (text) => sql`strlen(${text})`,
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

/** More are planned faster as one value, by which no index is used. */
const mostListed = 20

function oneOf(values: readonly (string | number)[]): Sql {
  if (values.length === 0) return sql`NULL`
  if (values.length <= mostListed) return listed(values)
  const type = raw(typeof values[0] === 'number' ? 'BIGINT[]' : 'VARCHAR[]')
  return sql`SELECT unnest(CAST(CAST(${JSON.stringify(values)} AS JSON) AS ${type}))`
}

const listed = (values: readonly (string | number)[]): Sql =>
  new Sql(['', ...values.slice(1).map(() => ', '), ''], values)

type Use = <T>(work: (session: Session) => Promise<T>) => Promise<T>

/** `use` opens the file and makes one that is not there; `exists`: whether it is. */
export function duckdbLedger(use: Use, exists: () => boolean): LedgerDatabase {
  return {
    dialect,
    isThere: async () => exists() && (await use(async (session) => (await ledgerVersion(session)) > 0)),
    ask: (statement) => use((session) => session.all(statement)),
    transact: (steps) => use((session) => session.transaction(() => run(session, steps()))),
  }
}

/** Within a transaction. */
export const run = <T>(session: Session, steps: Steps<T>): Promise<T> =>
  runSteps(steps, (statement) => session.all(statement))
