import type pg from 'pg'
import { LadingError } from '../../core/errors.ts'

/**
 * Runs `work` in a transaction that `begin` begins. `last`: statements that go to the server with the COMMIT, if there are any.
 */
export async function transaction<T>(
  client: pg.Client,
  begin: string,
  work: () => Promise<T>,
  last: (result: T) => string | undefined = () => undefined,
): Promise<T> {
  await client.query(begin)
  let result: T
  try {
    result = await work()
  } catch (error) {
    await rollback(client)
    throw error
  }
  await commit(client, last(result))
  return result
}

/**
 * COMMIT of a transaction that an error has aborted is answered with success and the tag ROLLBACK, so the tag
 * is checked: a commit is believed only when the server calls it one.
 */
export async function commit(client: pg.Client, last?: string): Promise<void> {
  const results = await queryAll(client, last === undefined ? 'COMMIT' : `${last};\nCOMMIT`)
  const command = results.at(-1)?.command
  if (command !== 'COMMIT')
    throw new LadingError('SINK_FAILED', `PostgreSQL: COMMIT was answered with ${command}`)
}

/** The driver gives one result for one statement, and an array for several. */
const queryAll = async (client: pg.Client, sql: string): Promise<readonly pg.QueryResult[]> =>
  [await client.query(sql)].flat()

/** Fails too if the connection is gone; the error that led here is the one that counts. */
export async function rollback(client: pg.Client): Promise<void> {
  await client.query('ROLLBACK').catch(() => undefined)
}
