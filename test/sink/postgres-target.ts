import pg from 'pg'
import { PostgresSink } from '../../src/sink/postgres/postgres.ts'
import { afterAll } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../tooling/servers/database.ts'
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

interface Open {
  readonly database: FreshDatabase
  readonly client: pg.Client
}

/** Emptied for the next test: to make and drop a database, and to begin a session in it, takes longer than most tests. */
let spare: Open | undefined
afterAll(async () => {
  if (spare !== undefined) await close(spare)
})

const emptying = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
  DROP SCHEMA IF EXISTS lading, public CASCADE;
  CREATE SCHEMA public AUTHORIZATION pg_database_owner;
  GRANT USAGE ON SCHEMA public TO PUBLIC`

/** What a test has left behind that is in no schema of those above, or is one of its own. */
const leftovers = `
  SELECT (SELECT count(*) FROM pg_class WHERE oid >= 16384 AND relpersistence <> 't')
    + (SELECT count(*) FROM pg_proc WHERE oid >= 16384)
    + (SELECT count(*) FROM pg_namespace WHERE oid >= 16384 AND nspname !~ '^(public$|pg_toast_temp|pg_temp)')
    + (SELECT count(*) FROM pg_foreign_data_wrapper) + (SELECT count(*) FROM pg_publication)
    + (SELECT count(*) FROM pg_extension WHERE oid >= 16384) + (SELECT count(*) FROM pg_event_trigger)
    + (SELECT count(*) FROM pg_default_acl)
    + (SELECT count(*) FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = setdatabase
       WHERE datname = current_database()) AS count`

/** False where it is not as new. */
async function isEmptied({ client }: Open): Promise<boolean> {
  try {
    await client.query('DISCARD ALL')
    await client.query(emptying)
    return Number((await client.query<Row>(leftovers)).rows[0]?.['count']) === 0
  } catch {
    return false
  }
}

async function close({ client, database }: Open): Promise<void> {
  await client.end()
  await database.drop()
}

async function opened(): Promise<Open> {
  const database = await freshDatabase()
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  return { database, client }
}

/** An empty database on the run's server, of a test's own as long as that has it. */
export async function openPostgres(): Promise<PostgresTarget> {
  const open = spare ?? (await opened())
  spare = undefined
  const { client, database } = open
  return sqlTarget({
    dialect,
    client,
    url: database.url,
    open: () => new PostgresSink(database.url),
    query: async (sql) => [await client.query<Row>(sql)].flat().at(-1)?.rows ?? [],
    [Symbol.asyncDispose]: async () => {
      if (spare === undefined && (await isEmptied(open))) spare = open
      else await close(open)
    },
  })
}
