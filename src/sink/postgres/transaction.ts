import type pg from 'pg'
import { LadingError } from '../../core/errors.ts'

/**
 * READ COMMITTED, because under a stricter level the second of two consumers of one chunk would fail instead
 * of waiting for the first. synchronous_commit is raised if a role or database has lowered it. Deferred
 * constraints are checked at once, so that a refused row shows before COMMIT. If a lock takes more than 5 s,
 * the batch is tried again.
 */
export const beginBatch = `BEGIN ISOLATION LEVEL READ COMMITTED;
  SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '10min';
  SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') IN ('off', 'local');
  SET CONSTRAINTS ALL IMMEDIATE`

/**
 * The order in which every statement enters keys into the ledger: two consumers with the same messages wait
 * for each other instead of deadlocking.
 */
export const inOrderOfEntry = (a: { readonly key: string }, b: { readonly key: string }): number =>
  a.key < b.key ? -1 : a.key > b.key ? 1 : 0

/** Runs `work` in a transaction that `begin` begins. */
export async function transaction<T>(client: pg.Client, begin: string, work: () => Promise<T>): Promise<T> {
  await client.query(begin)
  let result: T
  try {
    result = await work()
  } catch (error) {
    await rollback(client)
    throw error
  }
  await commit(client)
  return result
}

/**
 * COMMIT of a transaction that an error has aborted is answered with success and the tag ROLLBACK, so the tag
 * is checked: a commit is believed only when the server calls it one.
 */
export async function commit(client: pg.Client): Promise<void> {
  const { command } = await client.query('COMMIT')
  if (command !== 'COMMIT')
    throw new LadingError('SINK_FAILED', `PostgreSQL: COMMIT was answered with ${command}`)
}

/** Fails too if the connection is gone; the error that led here is the one that counts. */
export async function rollback(client: pg.Client): Promise<void> {
  await client.query('ROLLBACK').catch(() => undefined)
}
