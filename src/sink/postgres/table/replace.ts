/**
 * The rows of a table, replaced as a whole: gathered in a table beside it, and moved in one statement. Readers
 * see the old rows until it commits, and nothing that belongs to the table (views, rights, triggers, policies, keys that
 * refer to it) is touched. A table that is renamed would lose those, and TRUNCATE would keep readers out.
 */
import pg from 'pg'
import type { Connection } from '../../../driver/postgres/connection.ts'
import { transaction } from '../../../driver/postgres/transaction.ts'
import { LadingError } from '../../../core/errors.ts'
import type { Abortable } from '../../../core/wait.ts'
import { type Model, tableName } from '../../../model/model.ts'
import type { GatheredLoad, Replaced, Replacement } from '../../sink.ts'
import {
  forgetGathered,
  gatheringModel,
  gatheringPipeline,
  isCurrent,
  lockPipeline,
  refused,
  requireGathered,
  takeLoads,
} from '../../sql/replace.ts'
import { rowError } from '../errors.ts'
import { dialect, run } from '../ledger.ts'
import { identifiers, qualified } from './ddl.ts'

const begin = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = 0;
  SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') IN ('off', 'local')`

const lockKey = "hashtextextended('lading/replacing/' || to_regclass($1)::oid, 0)"

export class PostgresReplacement implements Replacement {
  readonly model: Model
  readonly pipeline: string
  readonly #connection: Connection
  readonly #target: Model
  readonly #targetPipeline: string
  /** Of the table that gathers. */
  readonly #oid: number

  private constructor(
    connection: Connection,
    target: Model,
    pipeline: string,
    made: { name: string; oid: number },
  ) {
    this.#connection = connection
    this.#target = target
    this.#targetPipeline = pipeline
    this.#oid = made.oid
    this.pipeline = gatheringPipeline(pipeline)
    this.model = gatheringModel(target, { schema: 'lading', table: made.name })
  }

  /** The connection is its own: the lock ends with the session. */
  static async begin(
    connection: Connection,
    target: Model,
    pipeline: string,
    options: Abortable = {},
  ): Promise<PostgresReplacement> {
    connection.onConnect = (client) => lock(client, target)
    const made = await connection.use(async (client) => {
      await requireReplaceable(client, target)
      return await transaction(client, begin, () => makeTable(client, target, pipeline))
    }, options.signal)
    return new PostgresReplacement(connection, target, pipeline, made)
  }

  isCurrent(loads: readonly string[], { signal }: Abortable = {}): Promise<boolean> {
    return this.#connection.use(async (client) => {
      const { rows } = await client.query<{ count: string }>(
        `SELECT count(*) FROM ${qualified(this.#target)}`,
      )
      return await run(client, isCurrent(dialect, this.#targetPipeline, loads, Number(rows[0]?.count)))
    }, signal)
  }

  take(loads: readonly GatheredLoad[], { signal }: Abortable = {}): Promise<Replaced> {
    return this.#connection.use(
      (client) => transaction(client, begin, () => this.#take(client, loads)),
      signal,
    )
  }

  async #take(client: pg.Client, loads: readonly GatheredLoad[]): Promise<Replaced> {
    const target = qualified(this.#target)
    await run(client, lockPipeline(dialect, this.#targetPipeline))
    // Others may read meanwhile, and none may write.
    await client.query(`LOCK TABLE ${target} IN SHARE ROW EXCLUSIVE MODE`)
    const { rows: found } = await client.query('SELECT FROM pg_class WHERE oid = $1', [this.#oid])
    if (found.length === 0) throw refused(this.#target, 'what was gathered for it is gone')
    await run(client, requireGathered(dialect, this.#target, this.#targetPipeline, loads))
    const replaced = await this.#move(client)
    await run(client, takeLoads(dialect, this.#targetPipeline, loads, replaced.rows))
    await client.query(`DROP TABLE ${qualified(this.model)}`)
    return replaced
  }

  /** ONE statement: of rows that others refer to, what counts is whether the key is there at its end. */
  async #move(client: pg.Client): Promise<Replaced> {
    const columns = identifiers(this.#target.columns.map(({ name }) => name))
    const move = `WITH gone AS (DELETE FROM ${qualified(this.#target)} RETURNING 1), old AS (SELECT count(*) AS before FROM gone),
      new AS (INSERT INTO ${qualified(this.#target)} (${columns}) OVERRIDING SYSTEM VALUE
              SELECT ${columns} FROM ${qualified(this.model)} CROSS JOIN old WHERE old.before >= 0 RETURNING 1)
      SELECT before, (SELECT count(*) FROM new) AS rows FROM old`
    try {
      const { rows } = await client.query<{ before: string; rows: string }>(move)
      return { before: Number(rows[0]?.before), rows: Number(rows[0]?.rows) }
    } catch (error) {
      const row = rowError(error)
      if (row === undefined) throw error
      // What a trigger raises may quote a record.
      const why = row.fault.code === 'TRIGGER_RAISED' ? 'a trigger refuses a row' : row.fault.detail
      throw refused(this.#target, why)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const clear = (client: pg.Client) => transaction(client, begin, () => this.#clear(client))
    // What is left here the next replacement removes.
    await this.#connection.use(clear).catch(() => undefined)
    await this.#connection[Symbol.asyncDispose]()
  }

  async #clear(client: pg.Client): Promise<void> {
    const { rows } = await client.query('SELECT FROM pg_class WHERE oid = $1', [this.#oid])
    if (rows.length === 0) return
    await run(client, forgetGathered(dialect, this.#targetPipeline))
    await dropTable(client, qualified(this.model))
  }
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
  const { rows } = await client.query<{ name: string; keys: string[] }>(
    `SELECT 'replacing_' || t.oid AS name, ARRAY(SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c
       WHERE conrelid = t.oid AND contype = 'f' AND confrelid <> t.oid AND conparentid = 0) AS keys
     FROM pg_class t WHERE oid = to_regclass($1)`,
    [qualified(target)],
  )
  const { name, keys } = rows[0] as (typeof rows)[number]
  const table = qualified({ schema: 'lading', table: name })
  await dropTable(client, table)
  await client.query(`CREATE TABLE ${table} (LIKE ${qualified(target)} INCLUDING ALL)`)
  for (const key of keys) await client.query(`ALTER TABLE ${table} ADD ${key}`)
  const { rows: made } = await client.query<{ oid: number }>('SELECT to_regclass($1)::oid AS oid', [table])
  return { name, oid: (made[0] as { oid: number }).oid }
}
