import type pg from 'pg'
import { LadingError } from '../../core/errors.ts'

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
