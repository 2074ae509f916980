/**
 * A session whose answer is overdue. Either the other end has vanished (a failover, a router that forgot the
 * connection, a power cut), which TCP alone would notice after a quarter of an hour at best; or the server is
 * still working. So the server is asked over a separate connection. The session counts as lost only if, twice
 * in a row, the server cannot be reached, does not know the session, or waits for this client.
 */
import type { Socket } from 'node:net'
import pg from 'pg'
import { isDatabaseError } from './errors.ts'

/**
 * Silence of a session before the server is asked, limit for its answer, and pause between two questions, in
 * milliseconds: a lost session is noticed within 40 s.
 */
export const defaultSilentMs = 10_000

/** The socket of a session, which the driver's types leave out. */
export const streamOf = (client: pg.Client): Socket =>
  (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream

export interface Session {
  /** Undefined until the server has said it. */
  readonly pid: number | undefined
  readonly bytesRead: number
}

/** Why a session seems to be lost, and how far it had come, where the server knows it. */
interface Suspicion {
  readonly why: string
  readonly at?: string
}

/** Watches a session until disposal; calls `onLost` once, with the reason, if the session is lost. */
export function watchSilence(
  session: () => Session | undefined,
  config: pg.ClientConfig,
  silentMs: number,
  onLost: (why: string) => void,
): Disposable {
  let read = session()?.bytesRead
  let before: Suspicion | undefined
  let isOver = false
  const look = async () => {
    const { pid, bytesRead } = session() ?? {}
    let now: Suspicion | undefined
    if (bytesRead === read)
      now = pid === undefined ? { why: 'the server does not answer' } : await ask(config, pid, silentMs)
    if (isOver) return
    if (session()?.bytesRead !== read) now = undefined
    read = session()?.bytesRead
    if (now !== undefined && before !== undefined && now.at === before.at) return onLost(now.why)
    before = now
    timer = setTimeout(look, silentMs)
  }
  let timer = setTimeout(look, silentMs)
  return {
    [Symbol.dispose]: () => {
      isOver = true
      clearTimeout(timer)
    },
  }
}

/** Undefined where the server is at work for the session, or cannot say. */
async function ask(config: pg.ClientConfig, pid: number, answerMs: number): Promise<Suspicion | undefined> {
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
    client.end().catch(() => undefined)
    streamOf(client).destroySoon()
  }
}
