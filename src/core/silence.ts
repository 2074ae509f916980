/**
 * A session whose answer is overdue. Either the other end has vanished (a failover, a router that forgot the
 * connection, a power cut), which TCP alone would notice after a quarter of an hour at best; or the server is
 * still working. So the server is asked over a separate connection. The session counts as lost only if, twice
 * in a row, the server cannot be reached, does not know the session, or waits for this client.
 */

/**
 * Silence of a session before the server is asked, limit for its answer, and pause between two questions, in
 * milliseconds: a lost session is noticed within 40 s.
 */
export const defaultSilentMs = 10_000

/** Why a session seems to be lost, and how far it had come, where the server knows it. */
export interface Suspicion {
  readonly why: string
  readonly at?: string
}

interface Watched {
  readonly bytesRead: number
  /** Undefined where the server is at work for the session, or cannot say. */
  ask(answerMs: number): Promise<Suspicion | undefined>
}

/** Watches a session until disposal; calls `onLost` once, with the reason, if the session is lost. */
export function watchSilence(
  session: () => Watched | undefined,
  silentMs: number,
  onLost: (why: string) => void,
): Disposable {
  let read = session()?.bytesRead
  let before: Suspicion | undefined
  let isOver = false
  const look = async () => {
    const watched = session()
    let now: Suspicion | undefined
    if (watched?.bytesRead === read)
      now = watched === undefined ? { why: 'the server does not answer' } : await watched.ask(silentMs)
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
