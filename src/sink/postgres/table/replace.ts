/** The rows of a table, replaced as a whole: gathered in the schema `lading`, and moved in one statement. */
import type pg from 'pg'
import type { Connection } from '../../../driver/postgres/connection.ts'
import { identifier } from '../../../driver/postgres/identifier.ts'
import { transaction } from '../../../driver/postgres/transaction.ts'
import { LadingError } from '../../../core/errors.ts'
import type { Abortable } from '../../../core/wait.ts'
import { type Model, tableName } from '../../../model/model.ts'
import type { Replaced } from '../../sink.ts'
import { forgetGathered, refused } from '../../sql/replace.ts'
import { SqlReplacement } from '../../sql/replacement.ts'
import { raw, sql } from '../../sql/statement.ts'
import type { Steps } from '../../sql/steps.ts'
import { rowError } from '../errors.ts'
import { dialect, run } from '../ledger.ts'
import { mayBeFilled } from './catalog.ts'
import { identifiers, qualified } from './ddl.ts'

const begin = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = 0;
  SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') IN ('off', 'local')`

const lockKey = "hashtextextended('lading/replacing/' || to_regclass($1)::oid, 0)"

/** The connection is its own: the lock ends with the session. */
export async function replacing(
  connection: Connection,
  target: Model,
  pipeline: string,
  { signal }: Abortable = {},
): Promise<SqlReplacement> {
  connection.onConnect = (client) => lock(client, target)
  const { name, oid } = await connection.use(async (client) => {
    await requireReplaceable(client, target)
    return await transaction(client, begin, () => makeTable(client, target, pipeline))
  }, signal)
  const place = { schema: 'lading', table: name }
  const [own, gathered] = [qualified(target), qualified(place)]
  const isThere = sql`SELECT 1 AS there FROM pg_class WHERE oid = ${oid}`
  const clear = async (client: pg.Client) => {
    const { rows } = await client.query('SELECT FROM pg_class WHERE oid = $1', [oid])
    if (rows.length === 0) return
    await run(client, forgetGathered(dialect, pipeline))
    await dropTable(client, gathered)
  }
  return new SqlReplacement(target, pipeline, place, {
    dialect,
    transact: (steps, options) =>
      connection.use((client) => transaction(client, begin, () => run(client, steps())), options?.signal),
    target: raw(own),
    *lockTable() {
      yield raw(`LOCK TABLE ${own} IN SHARE ROW EXCLUSIVE MODE`)
      if ((yield isThere).length === 0) throw refused(target, 'what was gathered for it is gone')
    },
    move: () => move(own, gathered, identifiers(target.columns.map((column) => column.name))),
    faultOf: (error) => rowError(error)?.fault,
    clear: () => connection.use((client) => transaction(client, begin, () => clear(client))),
    release: () => connection[Symbol.asyncDispose](),
  })
}

/** ONE statement: of rows that others refer to, what counts is whether the key is there at its end. */
function* move(target: string, gathered: string, columns: string): Steps<Replaced> {
  const [row] = yield raw(
    `WITH gone AS (DELETE FROM ${target} RETURNING 1), old AS (SELECT count(*) AS before FROM gone),
      new AS (INSERT INTO ${target} (${columns}) OVERRIDING SYSTEM VALUE
              SELECT ${columns} FROM ${gathered} CROSS JOIN old WHERE old.before >= 0 RETURNING 1)
     SELECT before, (SELECT count(*) FROM new) AS rows FROM old`,
  )
  yield raw(`DROP TABLE ${gathered}`)
  return { before: Number(row?.['before']), rows: Number(row?.['rows']) }
}

async function lock(client: pg.Client, target: Model): Promise<void> {
  const { rows } = await client.query<{ had: boolean }>(`SELECT pg_try_advisory_lock(${lockKey}) AS had`, [
    qualified(target),
  ])
  if (rows[0]?.had !== true)
    throw new LadingError('SINK_BUSY', `another run replaces the rows of table ${tableName(target)}`)
}

async function requireReplaceable(client: pg.Client, target: Model): Promise<void> {
  const { rows } = await client.query<{ why: string | null }>(
    `SELECT CASE
       WHEN relkind NOT IN ('r', 'p') THEN 'it is no table'
       WHEN row_security_active(t.oid) THEN 'row security applies to our role, which may not see every row'
       WHEN NOT has_table_privilege(t.oid, 'DELETE') THEN 'our role may not delete from it (GRANT DELETE)'
       WHEN EXISTS (SELECT FROM lading.deferred d WHERE d.target = t.oid) THEN 'a load has taken its indexes away; run that again first'
       ELSE (SELECT format('rows of table %s refer to it, and would be changed with it (ON DELETE)', conrelid::regclass)
             FROM pg_constraint WHERE confrelid = t.oid AND conrelid <> t.oid AND confdeltype IN ('c', 'n', 'd') LIMIT 1)
     END AS why FROM pg_class t WHERE oid = to_regclass($1)`,
    [qualified(target)],
  )
  const why = rows[0]?.why
  if (typeof why === 'string') throw refused(target, why)
}

/** With the note that a load has taken its indexes away, which a run that was killed may have left. */
async function dropTable(client: pg.Client, table: string): Promise<void> {
  await client.query('DELETE FROM lading.deferred WHERE target = to_regclass($1)', [table])
  await client.query(`DROP TABLE IF EXISTS ${table}`)
}

/** With all constraints that a single row can break; a row that refers to its own table is looked at in the end. */
async function makeTable(
  client: pg.Client,
  target: Model,
  pipeline: string,
): Promise<{ name: string; oid: number }> {
  await run(client, forgetGathered(dialect, pipeline))
  const { rows } = await client.query<{ name: string; keys: string[]; filled: string[] }>(
    `SELECT 'replacing_' || t.oid AS name, ARRAY(SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c
       WHERE conrelid = t.oid AND contype = 'f' AND confrelid <> t.oid AND conparentid = 0) AS keys,
       ARRAY(SELECT attname::text FROM pg_attribute a
       WHERE attrelid = t.oid AND attnum > 0 AND attnotnull AND attname <> ALL ($2) AND ${mayBeFilled}) AS filled
     FROM pg_class t WHERE oid = to_regclass($1)`,
    [qualified(target), target.columns.map((column) => column.name)],
  )
  const { name, keys, filled } = rows[0] as (typeof rows)[number]
  const table = qualified({ schema: 'lading', table: name })
  await dropTable(client, table)
  await client.query(`CREATE TABLE ${table} (LIKE ${qualified(target)} INCLUDING ALL)`)
  // The triggers of the table come when the rows are moved.
  for (const column of filled)
    await client.query(`ALTER TABLE ${table} ALTER ${identifier(column)} DROP NOT NULL`)
  for (const key of keys) await client.query(`ALTER TABLE ${table} ADD ${key}`)
  const { rows: made } = await client.query<{ oid: number }>('SELECT to_regclass($1)::oid AS oid', [table])
  return { name, oid: (made[0] as { oid: number }).oid }
}
