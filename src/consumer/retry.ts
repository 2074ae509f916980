import { type Code, LadingError, toLadingError } from '../core/errors.ts'
import type { Listener } from '../core/events.ts'
import { backoff, sleep } from '../core/wait.ts'

export interface RetryOptions {
  /** Stops the waiting; the last error is thrown then. */
  readonly signal: AbortSignal
  readonly onEvent: Listener
  /** Gives up after this many milliseconds; without it never. */
  readonly deadlineMs?: number | undefined
}

/** Does `work` until it succeeds, as long as the table of codes says that trying again may help. */
export async function retrying<T>(
  work: () => Promise<T>,
  { signal, onEvent, deadlineMs = Number.POSITIVE_INFINITY }: RetryOptions,
): Promise<T> {
  const start = performance.now()
  let waitedFor: Code | undefined
  for (let attempt = 0; ; attempt++) {
    try {
      const result = await work()
      if (waitedFor !== undefined) onEvent({ type: 'resumed', code: waitedFor })
      return result
    } catch (thrown) {
      const error = toLadingError(thrown)
      if (!mayHelp(error) || signal.aborted || performance.now() - start > deadlineMs) throw error
      waitedFor = error.code
      const delayMs = Math.round(backoff(attempt))
      onEvent({ type: 'waiting', code: error.code, message: error.message, attempt: attempt + 1, delayMs })
      await sleep(delayMs, signal)
      if (signal.aborted) throw error
    }
  }
}

const mayHelp = ({ action }: LadingError): boolean => action === 'retry' || action === 'reconnect' || action === 'hold'
