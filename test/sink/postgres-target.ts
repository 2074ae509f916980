import pg from 'pg'
import { PostgresSink } from '../../src/sink/postgres/postgres.ts'
import { freshDatabase } from '../../tooling/servers/database.ts'
import { type Dialect, type SqlTarget, sqlTarget } from '../contract/sink/sql.ts'
import type { Row } from '../contract/sink/target.ts'

const failing = (name: string, raise: string) =>
  `CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${raise}; END $$`

const timestamp = 'YYYY-MM-DD"T"HH24:MI:SS.US'

export const dialect: Dialect = {
  strict: '',
  keyText: 'text',
  computed: 'NOT NULL',
  deferred: 'DEFERRABLE INITIALLY DEFERRED',
  ledger: (table) => `lading.${table}`,
  refuse: (table, when, condition) =>
    `${failing('refuse', "RAISE EXCEPTION 'refused by the test'")};
     CREATE TRIGGER refuse ${when} INSERT ON ${table} FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION refuse()`,
  breakdown: (table) => ({
    begin: `${failing('breakdown', "RAISE EXCEPTION 'disk full, says the test' USING ERRCODE = '53100'")};
            CREATE TRIGGER breakdown BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION breakdown()`,
    end: `DROP TRIGGER breakdown ON ${table}`,
  }),
  text: (kind, column) => {
    if (kind === 'timeOfDay') return `to_char(${column}, 'HH24:MI:SS.US')`
    if (kind === 'timestamp') return `to_char(${column}, '${timestamp}')`
    return kind === 'timestamptz'
      ? `to_char(${column} AT TIME ZONE 'UTC', '${timestamp}"Z"')`
      : `CAST(${column} AS text)`
  },
}

export interface PostgresTarget extends SqlTarget {
  readonly url: string
  readonly client: pg.Client
}

/** A database of its own on the run's server. */
export async function openPostgres(): Promise<PostgresTarget> {
  const database = await freshDatabase()
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  return sqlTarget({
    dialect,
    client,
    url: database.url,
    open: () => new PostgresSink(database.url),
    query: async (sql) => [await client.query<Row>(sql)].flat().at(-1)?.rows ?? [],
    [Symbol.asyncDispose]: async () => {
      await client.end()
      await database.drop()
    },
  })
}
