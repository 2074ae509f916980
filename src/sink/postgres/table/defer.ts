/**
 * The indexes of an empty table, its key among them, dropped for a load and built at its end: keeping them up
 * to date row by row is PostgreSQL's largest single cost (docs/benchmarks.md). What was dropped is recorded
 * in the same transaction, so that the next run after a crash builds it. Meanwhile the ledger alone ensures
 * that nothing takes effect twice.
 */
import type pg from 'pg'
import type { LostSession } from '../../../driver/postgres/connection.ts'
import { isDatabaseError } from '../../../driver/postgres/errors.ts'
import { transaction } from '../../../driver/postgres/transaction.ts'
import { LadingError } from '../../../core/errors.ts'
import { type Model, tableName } from '../../../model/model.ts'
import type { Built, MissingIndexes } from '../../sink.ts'
import { qualified } from './ddl.ts'
import { rowError } from '../errors.ts'
import { begin, type Beside, buildSideBySide, rebuild } from './build.ts'
import { keysSql } from './unique-keys.ts'
import { foreignWrite, watchWrites } from './foreign-writes.ts'
import { forgetLoads, lockLoaded } from '../../sql/steps.ts'
import { dialect, run } from '../ledger.ts'

/**
 * Held shared by loads at work and exclusively by the builder, so that no other process builds the indexes in
 * the middle of a load.
 */
const lockKeyOf = (table: string): string => `hashtextextended('lading/deferred/' || ${table}::oid, 0)`
const lockKey = lockKeyOf('to_regclass($1)')
/** Held shared by sessions that rely on the table's indexes, and exclusively to drop them. */
export const relianceKey = "hashtextextended('lading/relied on/' || to_regclass($1)::oid, 0)"

/** Whether indexes of the model's table are missing because a load has taken them away. */
export async function isDeferred(client: pg.Client, model: Model): Promise<boolean> {
  const { rows } = await client.query('SELECT FROM lading.deferred WHERE target = to_regclass($1)', [
    qualified(model),
  ])
  return rows.length > 0
}

/**
 * Announces, until the session ends or `buildIndexes`, that a load is at work or that this session relies on
 * the indexes.
 */
export async function announce(client: pg.Client, model: Model, deferred: boolean): Promise<void> {
  await client.query(`SELECT pg_try_advisory_lock_shared(${deferred ? lockKey : relianceKey})`, [
    qualified(model),
  ])
}

const inUse = 'others are using it'

/** Drops the indexes, or returns the reason why it cannot. */
export async function deferIndexes(client: pg.Client, model: Model): Promise<string | undefined> {
  try {
    return await transaction(client, begin, async () => {
      // Checked before requesting the lock, and again under it: a table that is in use must not be blocked.
      const early = await obstacle(client, model)
      if (early !== undefined) return early
      const { rows } = await client.query<{ had: boolean }>(
        `SELECT pg_try_advisory_xact_lock(${relianceKey}) AS had`,
        [qualified(model)],
      )
      if (rows[0]?.had !== true) return inUse
      await client.query(`LOCK TABLE ${qualified(model)} IN ACCESS EXCLUSIVE MODE NOWAIT`)
      return (await obstacle(client, model)) ?? (await takeAway(client, model))
    })
  } catch (error) {
    if (isDatabaseError(error) && error.code === '55P03') return inUse
    // Something else, a view for instance, depends on the key.
    if (isDatabaseError(error) && error.code === '2BP01') return 'others depend on its key'
    throw error
  }
}

/** Why the indexes of the table cannot be dropped and rebuilt exactly as they are; undefined if they can. */
async function obstacle(client: pg.Client, model: Model): Promise<string | undefined> {
  const { rows } = await client.query<{ why: string | null }>(
    `SELECT CASE
       WHEN relkind <> 'r' OR relhassubclass OR EXISTS (SELECT FROM pg_inherits WHERE inhrelid = t.oid) THEN 'it is partitioned or inherited'
       WHEN NOT pg_has_role(relowner, 'USAGE') THEN 'it belongs to another role'
       WHEN NOT has_schema_privilege(relnamespace, 'CREATE') THEN 'our role may make no index in its schema'
       WHEN NOT has_table_privilege(t.oid, 'TRIGGER') THEN 'our role may make no trigger on it'
       WHEN EXISTS (SELECT FROM pg_subscription_rel WHERE srrelid = t.oid) THEN 'it is replicated from another server'
       WHEN row_security_active(t.oid) THEN 'row security applies to our role'
       WHEN EXISTS (SELECT FROM ${qualified(model)}) THEN 'it has rows'
       WHEN EXISTS (SELECT FROM pg_trigger WHERE tgrelid = t.oid AND NOT tgisinternal) THEN 'it has triggers'
       WHEN EXISTS (SELECT FROM pg_constraint WHERE confrelid = t.oid) THEN 'others refer to it'
       WHEN NOT EXISTS (SELECT FROM pg_index WHERE indrelid = t.oid) THEN 'it has no index'
       WHEN EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = indexrelid LEFT JOIN pg_constraint k ON k.conindid = indexrelid AND k.contype IN ('p', 'u')
                    WHERE indrelid = t.oid AND (NOT indisvalid OR indisexclusion OR indisclustered OR indisreplident OR c.reltablespace <> 0
                      OR (k.oid IS NOT NULL AND c.reloptions IS NOT NULL)
                      OR obj_description(indexrelid, 'pg_class') IS NOT NULL OR obj_description(k.oid, 'pg_constraint') IS NOT NULL
                      OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = indexrelid AND attstattarget >= 0))) THEN 'an index of it is more than its definition says'
     END AS why FROM pg_class t WHERE oid = to_regclass($1)`,
    [qualified(model)],
  )
  return rows[0]?.why ?? undefined
}

async function takeAway(client: pg.Client, model: Model): Promise<undefined> {
  const { rows: found } = await client.query<{ oid: number }>('SELECT to_regclass($1)::oid AS oid', [
    qualified(model),
  ])
  await watchWrites(client, model)
  const { rows: keys } = await client.query(keysSql, [qualified(model)])
  // So that every name comes out with its schema, whatever path the session that builds has.
  await client.query('SET LOCAL search_path = pg_catalog')
  const { rows } = await client.query<{ build: string[]; take: string }>(
    `SELECT CASE WHEN c.oid IS NULL THEN ARRAY[pg_get_indexdef(indexrelid)]
              WHEN condeferrable THEN ARRAY[format('ALTER TABLE %s ADD CONSTRAINT %I %s', indrelid::regclass, conname, pg_get_constraintdef(c.oid))]
              ELSE ARRAY[pg_get_indexdef(indexrelid), format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %I', indrelid::regclass, conname,
                CASE contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, conname)] END AS build,
            CASE WHEN c.oid IS NULL THEN format('DROP INDEX %s', indexrelid::regclass)
              ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', indrelid::regclass, conname) END AS take
     FROM pg_index LEFT JOIN pg_constraint c ON c.conindid = indexrelid AND c.contype IN ('p', 'u')
     WHERE indrelid = $1 ORDER BY indisprimary DESC, indisunique DESC, indexrelid`,
    [found[0]?.oid],
  )
  for (const { take } of rows) await client.query(take)
  await client.query('DELETE FROM lading.deferred WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = target)')
  await client.query('INSERT INTO lading.deferred (target, statements, keys) VALUES ($1, $2, $3)', [
    found[0]?.oid,
    rows.flatMap(({ build }) => build),
    JSON.stringify(keys),
  ])
  return undefined
}

/** Builds what was taken away, as the last of the loads at work. `lost`: sessions that this load has lost. */
export async function buildIndexes(
  client: pg.Client,
  model: Model,
  beside?: Beside,
  lost: readonly LostSession[] = [],
): Promise<Built> {
  if (!(await isDeferred(client, model))) return 'nothing'
  const table = [qualified(model)]
  // Of a session that is not that of a load, the server only remarks that there was nothing to unlock.
  await client.query(`SELECT pg_advisory_unlock_shared(${lockKey})`, table)
  const { rows } = await client.query<{ had: boolean }>(
    `SELECT pg_try_advisory_lock(${lockKey}) AS had`,
    table,
  )
  if (rows[0]?.had !== true) {
    if (await isBeingBuilt(client, table))
      throw new LadingError('SINK_BUSY', `the indexes of table ${tableName(model)} are being built`)
    if ((await endLost(client, table, lost)) === 0) return 'left'
    throw new LadingError('SINK_BUSY', `a lost session of this load still holds table ${tableName(model)}`)
  }
  try {
    if (beside !== undefined) await buildSideBySide(client, model, beside)
    await transaction(client, begin, () => rebuild(client, model))
    return 'built'
  } catch (error) {
    if (rowError(error)?.uncertain === false) return 'refused'
    throw error
  } finally {
    await client.query(`SELECT pg_advisory_unlock(${lockKey})`, table).catch(() => undefined)
  }
}

/** Possibly by the session of a client that has gone: a server goes on building. */
async function isBeingBuilt(client: pg.Client, table: readonly string[]): Promise<boolean> {
  const { rows } = await client.query(`${holdersOf(lockKey)} AND mode = 'ExclusiveLock'`, [...table])
  return rows.length > 0
}

/** Ends those that the server takes for loads at work; returns how many. A number may be that of a younger session by now. */
async function endLost(
  client: pg.Client,
  table: readonly string[],
  lost: readonly LostSession[],
): Promise<number> {
  const now = performance.now()
  const { rows } = await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity JOIN unnest($2::int[], $3::float8[]) AS lost (pid, ms) USING (pid)
     WHERE backend_start < clock_timestamp() - ms * interval '1 ms' AND EXISTS (${holdersOf(lockKey)} AND pid = lost.pid)`,
    [...table, lost.map(({ pid }) => pid), lost.map(({ at }) => now - at)],
  )
  return rows.length
}

const holdersOf = (key: string): string =>
  `SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND (classid::bigint << 32) | objid::bigint = ${key}
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

/** Tables whose indexes are missing without a load at work: it was interrupted, or a row violates them. */
export async function missingIndexes(client: pg.Client): Promise<readonly MissingIndexes[]> {
  const { rows } = await client.query<MissingIndexes>(
    `SELECT target::text AS "table", greatest(1, (SELECT count(*) FROM unnest(statements) s WHERE s NOT LIKE '% USING INDEX %'))::int AS indexes
     FROM lading.deferred WHERE EXISTS (SELECT FROM pg_class WHERE oid = target) AND NOT EXISTS (${holdersOf(lockKeyOf('target'))}) ORDER BY 1`,
  )
  return rows
}

/**
 * Undoes everything that the loads did, and builds the indexes of the then empty table. Throws
 * `INDEXES_BLOCKED` and changes nothing if the table holds a row of another origin or another session has
 * written to it. Loads only insert here, so without another writer the number of rows proves their origin.
 */
export async function startOver(client: pg.Client, model: Model, loads: readonly string[]): Promise<void> {
  await transaction(client, begin, async () => {
    // In the order of a batch, which locks its loads first.
    const theirs = await run(client, lockLoaded(dialect, loads))
    await client.query(`LOCK TABLE ${qualified(model)} IN ACCESS EXCLUSIVE MODE`)
    // An earlier COMMIT whose answer was lost did it already.
    if (!(await isDeferred(client, model))) return
    const { rows } = await client.query<{ rows: string }>(`SELECT count(*) AS rows FROM ${qualified(model)}`)
    if (Number(rows[0]?.rows) !== theirs)
      throw blocked(model, `of its ${rows[0]?.rows} rows, ${theirs} came with the files of this load`)
    const foreign = await foreignWrite(client, model)
    if (foreign !== undefined) throw blocked(model, foreign)
    await client.query(`TRUNCATE ${qualified(model)}`)
    await rebuild(client, model)
    await run(client, forgetLoads(dialect, loads))
  })
}

export const blocked = (model: Model, detail: string): LadingError =>
  new LadingError(
    'INDEXES_BLOCKED',
    `table ${tableName(model)}: a row is refused, which shows only now that the indexes are built (two with one key, mostly); ${detail}`,
  )
