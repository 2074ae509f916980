import { setImmediate, setTimeout as delay } from 'node:timers/promises'

/** Options of every asynchronous call of a contract. */
export interface Abortable {
  readonly signal?: AbortSignal | undefined
}

/** Waits `ms` milliseconds, or until the signal aborts; never throws. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return
  await delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined)
}

const breathEveryMs = 10

/** For a loop that never waits by itself: a pause now and then, in which everything else may run. */
export function breath(): () => Promise<void> | undefined {
  let since = performance.now()
  return () => {
    if (performance.now() - since < breathEveryMs) return undefined
    return setImmediate().then(() => void (since = performance.now()))
  }
}

/**
 * Milliseconds to wait before attempt `n` (0-based), with "full jitter": a random share of an exponentially
 * growing bound, so that clients do not return all at once.
 */
export function backoff(n: number, firstMs = 200, mostMs = 30_000): number {
  return Math.random() * Math.min(mostMs, firstMs * 2 ** Math.min(n, 20))
}

export interface Stopping extends Disposable {
  /** Take nothing more, start nothing more. */
  readonly stop: AbortSignal
  /** Give up what is under way. */
  readonly abandon: AbortSignal
}

/**
 * The way everything stops: `stop` aborts with the signal, `abandon` `graceMs` later; neither once disposed.
 */
export function stopping(signal: AbortSignal | undefined, graceMs: number): Stopping {
  const [stop, abandon, over] = [new AbortController(), new AbortController(), new AbortController()]
  const begin = () => {
    stop.abort()
    void sleep(graceMs, over.signal).then(() => over.signal.aborted || abandon.abort())
  }
  if (signal?.aborted) begin()
  else signal?.addEventListener('abort', begin, { once: true, signal: over.signal })
  return { stop: stop.signal, abandon: abandon.signal, [Symbol.dispose]: () => over.abort() }
}

/** Waits for the work, but at most `ms` milliseconds. Never throws: the caller can do without the result. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const waited = new AbortController()
  await Promise.race([work.catch(() => undefined), sleep(ms, waited.signal)])
  waited.abort()
}

/** The result of the work, or undefined as soon as the signal aborts. The work may be shared, and goes on. */
export async function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  if (signal === undefined) return work
  // After an abort, a failure must not count as an unhandled rejection.
  work.catch(() => undefined)
  if (signal.aborted) return undefined
  const { promise: aborted, resolve } = Promise.withResolvers<undefined>()
  const give = () => resolve(undefined)
  signal.addEventListener('abort', give)
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', give)
  }
}
