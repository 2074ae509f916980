import { createConnection, type Connection } from 'mysql2/promise'
import { MysqlSink } from '../../src/sink/mysql/mysql.ts'
import { freshMariadb } from '../../tooling/servers/mariadb-database.ts'
import { type Dialect, type SqlTarget, sqlTarget } from '../contract/sink/sql.ts'
import type { Row } from '../contract/sink/target.ts'

const raise = (state: string, text: string) => `SIGNAL SQLSTATE '${state}' SET MESSAGE_TEXT = '${text}'`

export const dialect: Dialect = {
  strict: '',
  keyText: 'varchar(50)',
  computed: '',
  deferred: '',
  ledger: (table) => `lading_${table}`,
  refuse: (table, when, condition) =>
    `CREATE TRIGGER refuse_${when} ${when} INSERT ON ${table} FOR EACH ROW
     IF ${condition} THEN ${raise('45000', 'refused by the test')}; END IF`,
  breakdown: (table) => ({
    begin: `CREATE TRIGGER breakdown BEFORE INSERT ON ${table} FOR EACH ROW
            ${raise('HY000', 'disk full, says the test')}, MYSQL_ERRNO = 1114`,
    end: 'DROP TRIGGER breakdown',
  }),
  text: (kind, column) => {
    switch (kind) {
      case 'boolean':
        return `CASE ${column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END`
      case 'bytes':
        return `CASE WHEN ${column} IS NOT NULL THEN concat('\\x', lower(hex(${column}))) END`
      case 'timestamp':
        return `date_format(${column}, '%Y-%m-%dT%H:%i:%s.%f')`
      case 'timestamptz':
        return `date_format(${column}, '%Y-%m-%dT%H:%i:%s.%fZ')`
      case 'numeric':
        // A DECIMAL has as many digits behind its point as it can.
        return `regexp_replace(CAST(${column} AS CHAR), '\\.?0*$', '')`
      default:
        return `CAST(${column} AS CHAR)`
    }
  },
}

export interface MysqlTarget extends SqlTarget {
  readonly url: string
  readonly client: Connection
}

/** A database of its own on the run's server. */
export async function openMysql(server?: string): Promise<MysqlTarget> {
  const database = await freshMariadb(server)
  const client = await createConnection({
    uri: database.url,
    multipleStatements: true,
    dateStrings: true,
    jsonStrings: true,
    supportBigNumbers: true,
  })
  await client.query('SET NAMES utf8mb4')
  await client.query(
    "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,STRICT_ALL_TABLES', time_zone = '+00:00'",
  )
  return sqlTarget({
    dialect,
    client,
    url: database.url,
    open: () => new MysqlSink(database.url),
    query: async (sql) => {
      const [result] = await client.query(sql)
      return Array.isArray(result) ? (result as Row[]) : []
    },
    [Symbol.asyncDispose]: async () => {
      await client.end()
      await database[Symbol.asyncDispose]()
    },
  })
}
