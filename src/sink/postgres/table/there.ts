/** What is there already. */
import type pg from 'pg'

/**
 * Reads pg_class, because to_regclass alone may answer from a cache that is older than the wait for the lock.
 */
export async function isThere(client: pg.Client, name: string): Promise<boolean> {
  const { rows } = await client.query('SELECT FROM pg_class WHERE oid = to_regclass($1)', [name])
  return rows.length > 0
}

export async function ledgerVersion(client: pg.Client): Promise<number> {
  if (!(await isThere(client, 'lading.migration'))) return 0
  const { rows } = await client.query('SELECT coalesce(max(version), 0) AS version FROM lading.migration')
  return rows[0].version
}
