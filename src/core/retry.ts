import { type Code, LadingError, toLadingError } from './errors.ts'
import type { Listener } from './events.ts'
import { type Abortable, backoff, sleep } from './wait.ts'

/** How often something is tried, and the pauses in between: random shares of a bound that doubles. */
export interface RetryPolicy {
  /** Tries in all, the first one included; `Infinity` for no limit. */
  readonly attempts: number
  /** Longest pause after the first try, in milliseconds. */
  readonly firstMs: number
  /** Longest pause of all, in milliseconds. */
  readonly mostMs: number
}

/**
 * For what a database or a queue asks to try again: without a limit, because nothing is wrong with the data.
 */
export const patientRetry: RetryPolicy = { attempts: Number.POSITIVE_INFINITY, firstMs: 200, mostMs: 30_000 }

/** The signal stops the waiting; the last error is thrown then. */
export interface RetryOptions extends Abortable {
  readonly onEvent: Listener
  /** Gives up after this many milliseconds, pauses included; without it never. */
  readonly deadlineMs?: number | undefined
  /**
   * Gives up where the other side was not reached for so long, in milliseconds; one that answers, if only
   * that it is busy, was.
   */
  readonly unreachableMs?: number | undefined
  readonly policy?: RetryPolicy | undefined
}

/**
 * Does `work`, which is given the milliseconds left, until it succeeds, as long as the table of codes says
 * that trying again may help.
 */
export async function retrying<T>(
  work: (leftMs: number) => Promise<T>,
  {
    signal,
    onEvent,
    deadlineMs = Number.POSITIVE_INFINITY,
    unreachableMs = Number.POSITIVE_INFINITY,
    policy = patientRetry,
  }: RetryOptions,
): Promise<T> {
  const start = performance.now()
  let reached = start
  let waitedFor: Code | undefined
  for (let attempt = 0; ; attempt++) {
    const left = () => Math.max(0, Math.min(start + deadlineMs, reached + unreachableMs) - performance.now())
    try {
      const result = await work(left())
      if (waitedFor !== undefined) onEvent({ type: 'resumed', code: waitedFor })
      return result
    } catch (thrown) {
      const error = toLadingError(thrown)
      if (error.action !== 'reconnect') reached = performance.now()
      const isLast = attempt + 1 >= policy.attempts || left() === 0
      if (!mayHelp(error) || signal?.aborted || isLast) throw error
      waitedFor = error.code
      const delayMs = Math.round(Math.min(backoff(attempt, policy.firstMs, policy.mostMs), left()))
      onEvent({ type: 'waiting', code: error.code, message: error.message, attempt: attempt + 1, delayMs })
      await sleep(delayMs, signal)
      if (signal?.aborted) throw error
    }
  }
}

const mayHelp = ({ action }: LadingError): boolean =>
  action === 'retry' || action === 'reconnect' || action === 'hold'
