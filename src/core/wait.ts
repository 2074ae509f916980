import { setTimeout as delay } from 'node:timers/promises'

/** What every asynchronous call of a contract takes. */
export interface Abortable {
  readonly signal?: AbortSignal | undefined
}

/** Waits `ms` milliseconds, or until the signal aborts; never throws. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return
  await delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined)
}

/**
 * Milliseconds to wait before attempt `n` (0-based): "full jitter", a random share of an exponentially growing bound,
 * because clients that wait equally long come back together.
 */
export function backoff(n: number, firstMs = 200, mostMs = 30_000): number {
  return Math.random() * Math.min(mostMs, firstMs * 2 ** Math.min(n, 20))
}
