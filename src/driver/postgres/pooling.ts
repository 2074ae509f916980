/** A pooler between us and the server that lends its sessions for less time than a client is connected. */
import { LadingError } from '../../core/errors.ts'
import { isDatabaseError } from './errors.ts'

/** Of the names of staging tables, which live as long as their session. */
export const stagingPrefix = 'lading_staging_'

export const poolerCure =
  'pool_mode = session (pgbouncer.ini, for this database or user), or name the port of PostgreSQL itself in the URL'

/**
 * PgBouncer's own answer to BEGIN in statement mode. Errors of the server name the routine that raised them, and those of
 * PgBouncer do not.
 */
export const refusesTransactions = (error: unknown): boolean =>
  isDatabaseError(error) &&
  error.code === '08P01' &&
  error.routine === undefined &&
  error.message.includes('statement pooling mode')

/**
 * What an error says of the pooler: a load would fail on it again and again. `isPooled`: the session's number is another
 * than was sent when it began. In session mode it is that too, but there a new session has no staging table yet, and an old
 * one keeps its own.
 */
export function poolerError(error: unknown, isPooled: boolean): LadingError | undefined {
  const refuse = (what: string) => new LadingError('SINK_REFUSED', `${what}; ${poolerCure}`, { cause: error })
  if (refusesTransactions(error))
    return refuse(
      'a pooler stands before the server and refuses transactions (pool_mode = statement), so nothing can be loaded',
    )
  if (!isPooled || !isDatabaseError(error) || !error.message.includes(stagingPrefix)) return undefined
  if (error.code !== duplicateTable && error.code !== undefinedTable) return undefined
  const how = error.code === duplicateTable ? 'is in a session that has just begun' : 'is gone'
  return refuse(
    `a pooler stands before the server and lends its sessions for one transaction (pool_mode = transaction): a staging table ${how}, because several clients share them`,
  )
}

const duplicateTable = '42P07'
const undefinedTable = '42P01'
