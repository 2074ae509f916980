/** What PostgreSQL says of a session that is silent. */
import type { Socket } from 'node:net'
import pg from 'pg'
import type { Suspicion } from '../../core/silence.ts'
import { isDatabaseError } from './errors.ts'

/** The socket of a session, which the driver's types leave out. */
export const streamOf = (client: pg.Client): Socket =>
  (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream

/** Undefined where the server is at work for the session, or cannot say. */
export async function askAbout(
  pid: number | undefined,
  config: pg.ClientConfig,
  answerMs: number,
): Promise<Suspicion | undefined> {
  if (pid === undefined) return { why: 'the server does not answer' }
  const client = new pg.Client(config)
  client.on('error', () => undefined)
  const deadline = setTimeout(() => streamOf(client).destroy(), answerMs)
  try {
    await client.connect()
    const { rows } = await client.query<{ waits: boolean; at: string }>(
      `SELECT coalesce(wait_event_type = 'Client', false) AS waits, concat_ws(' ', query_start, state_change, bytes_processed) AS at
       FROM pg_stat_activity LEFT JOIN pg_stat_progress_copy USING (pid) WHERE pid = $1 AND application_name = 'lading'`,
      [pid],
    )
    const [known] = rows
    if (known === undefined) return { why: 'the server does not know the session any more' }
    return known.waits
      ? { why: 'the server waits for what was sent, or its answer is lost', at: known.at }
      : undefined
  } catch (error) {
    // One that has no place for us is there, and so may the session be.
    if (isDatabaseError(error) && !error.code?.startsWith('57P')) return undefined
    return { why: 'the server cannot be reached' }
  } finally {
    clearTimeout(deadline)
    // Where nothing is heard, the other side's part of an orderly end would be waited for.
    void client.end()
    streamOf(client).destroySoon()
  }
}
