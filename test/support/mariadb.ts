/** A target in MariaDB, for fault tests. */
import { createConnection } from 'mysql2/promise'
import { freshMariadb } from '../../tooling/servers/mariadb-database.ts'
import type { Target } from './fixture.ts'

/** A new database, on the run's server or on that of the administrator's url. */
export async function mariadbTarget(server?: string): Promise<Target> {
  const database = await freshMariadb(server)
  return {
    url: database.url,
    ids: async () =>
      (await queryMariadb<{ id: number }>(database.url, 'SELECT id FROM numbers ORDER BY id')).map(
        ({ id }) => id,
      ),
    execute: async (sql) => void (await queryMariadb(database.url, sql)),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

/** On a session of its own. */
export async function queryMariadb<Row>(url: string, sql: string): Promise<Row[]> {
  const client = await createConnection(url)
  client.on('error', () => undefined)
  try {
    const [rows] = await client.query(sql)
    return rows as Row[]
  } finally {
    await client.end()
  }
}
