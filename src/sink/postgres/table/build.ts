/**
 * Builds the indexes that `defer.ts` has dropped. A transaction that makes an index takes its statement off
 * the list in `lading.deferred`. So the key can be built in one session and the other indexes in another, and
 * whatever is killed, the list says what is missing. What is left comes last, under an exclusive lock:
 * `rebuild`.
 */
import type pg from 'pg'
import type { Model } from '../../../model/model.ts'
import { transaction } from '../transaction.ts'
import { qualified } from './ddl.ts'
import { unwatchWrites, watchAllWrites } from './foreign-writes.ts'

/** Runs work on another session, made for it. */
export type Beside = (work: (client: pg.Client) => Promise<void>) => Promise<void>

export const begin =
  "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = 0"

/** The most memory for one index, in bytes; and no more than this share of what the server has for its pages. */
const mostMemory = 1024 ** 3
const shareOfBuffers = 1 / 4
/** Memory that sorting takes, in tables: 1.2 for rows of three columns, 1.5 for the narrowest. */
const memoryPerTable = 1.5

/**
 * Settings of a transaction that builds an index (docs/models.md): memory, and no parallel workers where the
 * rows can be sorted in it. Workers have to write what they have sorted to files, from which it is merged:
 * that costs the server a third more than sorting alone, and saves hardly any time (docs/mechanics.md). Scans
 * begin at the start of the table, where the rows are in the order in which they came.
 */
const settings = `
  SELECT set_config('maintenance_work_mem', (memory / 1024)::bigint || 'kB', true), set_config('synchronize_seqscans', 'off', true),
    CASE WHEN pg_relation_size(to_regclass($1)) * ${memoryPerTable} < memory THEN set_config('max_parallel_maintenance_workers', '0', true) END
  FROM (SELECT greatest(pg_size_bytes(current_setting('maintenance_work_mem')),
    least(${mostMemory}, pg_size_bytes(current_setting('shared_buffers')) * ${shareOfBuffers})) AS memory) AS server`

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
  const built = build(client, model, [key], Promise.resolve())
  await Promise.allSettled([built, beside((other) => build(other, model, others, built))])
  return built
}

/** Builds indexes in a transaction that commits after `first`, if that succeeds. */
async function build(
  client: pg.Client,
  model: Model,
  statements: readonly string[],
  first: Promise<void>,
): Promise<void> {
  await transaction(client, `${begin}; SET LOCAL idle_in_transaction_session_timeout = 0`, async () => {
    await client.query(settings, [qualified(model)])
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
  await client.query(settings, [qualified(model)])
  for (const statement of rows[0]?.statements ?? []) await client.query(statement)
}
