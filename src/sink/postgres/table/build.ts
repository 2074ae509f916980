/**
 * Builds the indexes that `defer.ts` has dropped. A transaction that makes an index takes its statement off
 * the list in `lading.deferred`. So the key can be built in one session and the other indexes in another, and
 * whatever is killed, the list says what is missing. What is left comes last, under an exclusive lock:
 * `rebuild`.
 */
import type pg from 'pg'
import { identifier } from '../../../driver/postgres/identifier.ts'
import { transaction } from '../../../driver/postgres/transaction.ts'
import type { Model } from '../../../model/model.ts'
import { qualified } from './ddl.ts'
import { unwatchWrites, watchAllWrites } from './foreign-writes.ts'

/** Runs work on another session, made for it. */
export type Beside = (work: (client: pg.Client) => Promise<void>) => Promise<void>

/** Scans begin at the start of the table, where the rows are in the order in which they came. */
export const begin = `BEGIN ISOLATION LEVEL READ COMMITTED;
  SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = 0; SET LOCAL synchronize_seqscans = off`

/** The most memory for one index, in bytes; and no more than this share of what the server has for its pages. */
const mostMemory = 1024 ** 3
const shareOfBuffers = 1 / 4
/** Memory that sorting takes, in tables: 1.2 for rows of three columns, 1.5 for the narrowest. */
const memoryPerTable = 1.5
/** Blocks of 8 KiB of which the first row is looked at. */
const sampledBytes = 100 * 8192

/** Settings of a transaction that builds indexes (docs/models.md): memory instead of parallel workers, where `alone` says so. */
const settings = (alone: string): string => `
  SELECT set_config('maintenance_work_mem', (memory / 1024)::bigint || 'kB', true), set_config('max_parallel_maintenance_workers', '0', true)
  FROM (SELECT pg_relation_size(to_regclass($1)) AS size, greatest(pg_size_bytes(current_setting('maintenance_work_mem')),
    least(${mostMemory}, pg_size_bytes(current_setting('shared_buffers')) * ${shareOfBuffers})) AS memory) AS server
  WHERE ${alone}`

/**
 * Whether the rows lie in the order of the key, by a sample, and can be sorted in memory. Workers have to write
 * what they have sorted to files, from which it is merged. Of rows in order that costs a third more than
 * sorting alone and saves hardly any time. Others are sorted in half the time, and faster in little memory
 * (docs/mechanics.md).
 */
function keyInOrder(model: Model): string {
  const keys = model.primaryKey.map(identifier)
  if (keys.length === 0) return 'false'
  const before = keys.map((key) => `lag(${key}) OVER arrival`).join()
  return `size * ${memoryPerTable} < memory AND (SELECT bool_and(follows) FROM
      (SELECT ROW(${keys.join()}) >= ROW(${before}) AS follows
       FROM ${qualified(model)} TABLESAMPLE SYSTEM (least(100, 100.0 * ${sampledBytes} / greatest(1, pg_relation_size(to_regclass($1)))))
       WHERE ctid::text LIKE '%,1)' WINDOW arrival AS (ORDER BY ctid)) AS sample)`
}

const makesIndex = (statement: string): boolean => statement.startsWith('CREATE ')
const isUnique = (statement: string): boolean =>
  statement.startsWith('CREATE UNIQUE ') || isConstraint(statement)
/** The key of a constraint that cannot be made of an index that is there. */
const isConstraint = (statement: string): boolean => !makesIndex(statement) && !usesIndex(statement)
const usesIndex = (statement: string): boolean => statement.includes(' USING INDEX ')

/**
 * Builds the key here and, meanwhile, the other indexes in another session, which commits when the key is
 * built. Only the key's errors count: what could not be built beside it is left to `rebuild`. A table with
 * several keys is left to it altogether.
 */
export async function buildSideBySide(client: pg.Client, model: Model, beside: Beside): Promise<void> {
  const { rows } = await client.query<{ statements: string[] }>(
    'SELECT statements FROM lading.deferred WHERE target = to_regclass($1)',
    [qualified(model)],
  )
  const statements = rows[0]?.statements ?? []
  const [key, another] = statements.filter(isUnique)
  const others = statements.filter((statement) => makesIndex(statement) && !isUnique(statement))
  if (key === undefined || another !== undefined || isConstraint(key) || others.length === 0) return
  // From COMMIT of the key to `rebuild`, a load of another process could update rows by it.
  if (!(await transaction(client, begin, () => watchAllWrites(client, model)))) return
  // A worker for a BRIN index would only take the core from the key.
  const isBrin = others.every((statement) => statement.includes(' USING brin '))
  const built = build(client, model, [key], keyInOrder(model), Promise.resolve())
  await Promise.allSettled([built, beside((other) => build(other, model, others, String(isBrin), built))])
  return built
}

/** Builds indexes in a transaction that commits after `first`, if that succeeds. */
async function build(
  client: pg.Client,
  model: Model,
  statements: readonly string[],
  alone: string,
  first: Promise<void>,
): Promise<void> {
  await transaction(client, `${begin}; SET LOCAL idle_in_transaction_session_timeout = 0`, async () => {
    await client.query(settings(alone), [qualified(model)])
    for (const statement of statements) await client.query(statement)
    await first
    const taken =
      'ARRAY(SELECT s FROM unnest(statements) WITH ORDINALITY AS list (s, n) WHERE s <> ALL ($2) ORDER BY n)'
    await client.query(`UPDATE lading.deferred SET statements = ${taken} WHERE target = to_regclass($1)`, [
      qualified(model),
      statements,
    ])
  })
}

/**
 * Does all that is left, within a transaction. Takes the exclusive lock first: creating the key and dropping
 * the trigger need it, and taking it later could deadlock with a reader that writes.
 */
export async function rebuild(client: pg.Client, model: Model): Promise<void> {
  await client.query(`LOCK TABLE ${qualified(model)} IN ACCESS EXCLUSIVE MODE`)
  await unwatchWrites(client, model)
  const { rows } = await client.query<{ statements: string[] }>(
    'DELETE FROM lading.deferred WHERE target = to_regclass($1) RETURNING statements',
    [qualified(model)],
  )
  const statements = rows[0]?.statements ?? []
  const isOne = statements.filter((statement) => !usesIndex(statement)).length === 1
  await client.query(settings(isOne ? keyInOrder(model) : 'false'), [qualified(model)])
  for (const statement of statements) await client.query(statement)
}
