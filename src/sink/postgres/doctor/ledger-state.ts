/** The ledger: its version, and loads that were not finished. */
import { findingsAbout } from '../../../core/finding.ts'
import { migrations } from '../table/schema.ts'
import { type Check, row } from './visit.ts'

const { ok, note, warn, fail } = findingsAbout('database')

export const ledgerState: Check = async ({ client }, add) => {
  const { isThere, mayRead } = await row<{ isThere: boolean; mayRead: boolean }>(
    client,
    `SELECT c.oid IS NOT NULL AS "isThere", coalesce(has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE'), false) AS "mayRead"
     FROM (SELECT 1) AS one LEFT JOIN pg_namespace n ON nspname = 'lading' LEFT JOIN pg_class c ON relnamespace = n.oid AND relname = 'migration'`,
  )
  if (!isThere) return add(note('ledger', 'there is none yet: the first load makes it, in the schema lading'))
  if (!mayRead) return undefined
  const { version } = await row<{ version: number }>(
    client,
    'SELECT coalesce(max(version), 0) AS version FROM lading.migration',
  )
  if (version > migrations.length)
    return add(
      fail(
        'ledger',
        `LEDGER_NEWER: it has version ${version}, and this Lading knows ${migrations.length}`,
        'npm install lading@latest',
      ),
    )
  if (version < migrations.length)
    return add(
      note(
        'ledger',
        `it has version ${version}: the next command that writes brings it to ${migrations.length}`,
      ),
    )
  const { open, deferred } = await row<{ open: number; deferred: string[] | null }>(
    client,
    `SELECT (SELECT count(*)::int FROM lading.load WHERE NOT complete) AS open, (SELECT array_agg(target::text) FROM lading.deferred) AS deferred`,
  )
  if (deferred !== null)
    add(
      warn(
        'ledger',
        `the indexes of ${deferred.join(', ')} are away: a load is at work, or was interrupted before it built them`,
        'lading status',
      ),
    )
  if (open > 0)
    add(
      note(
        'ledger',
        `${open} load${open === 1 ? ' is' : 's are'} not complete: at work, or interrupted`,
        'lading verify',
      ),
    )
  if (deferred === null && open === 0) add(ok('ledger', `version ${version}, every load is complete`))
}
