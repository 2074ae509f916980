import { type Action, type Code, type LadingError, toLadingError } from './errors.ts'
import type { Listener } from './events.ts'
import { type Abortable, backoff, sleep } from './wait.ts'

/** The number of attempts, and the pauses between them: random shares of a bound that doubles. */
export interface RetryPolicy {
  /** Attempts, including the first one; `Infinity` for no limit. */
  readonly attempts: number
  /** Longest pause after the first attempt, in milliseconds. */
  readonly firstMs: number
  /** Upper bound of all pauses, in milliseconds. */
  readonly mostMs: number
}

/** For errors that a database or queue asks to retry: no limit, because nothing is wrong with the data. */
export const patientRetry: RetryPolicy = { attempts: Number.POSITIVE_INFINITY, firstMs: 200, mostMs: 30_000 }

/** An abort ends the waiting and throws the last error. */
export interface AttemptOptions extends Abortable {
  readonly onEvent: Listener
  readonly policy?: RetryPolicy | undefined
  /** Failures in a row from which on they are reported; the first one by default. */
  readonly reportFrom?: number | undefined
}

export interface RetryOptions extends AttemptOptions {
  /** Gives up after this many milliseconds, including pauses; by default never. */
  readonly deadlineMs?: number | undefined
  /**
   * Gives up if the other side was not reached for this many milliseconds; an answer counts as reached, even
   * if it is only that it is busy.
   */
  readonly unreachableMs?: number | undefined
  /** Errors that are worth another try, by the action of their code; all that can pass by default. */
  readonly retryOn?: readonly Action[] | undefined
}

const passing: readonly Action[] = ['retry', 'reconnect', 'hold']

/** Whether trying again may help, by the table of codes. */
export const mayPass = ({ action }: LadingError): boolean => passing.includes(action)

/**
 * Attempts at one thing that fails now and then: counts the failures in a row, reports each as `waiting` with
 * the pause that follows it, and what went through after them as `resumed`.
 */
export class Attempts {
  readonly #options: AttemptOptions
  readonly #policy: RetryPolicy
  /** In a row. */
  #failures = 0
  #reported: Code | undefined

  constructor(options: AttemptOptions) {
    this.#options = options
    this.#policy = options.policy ?? patientRetry
  }

  /** Whether the policy allows no attempt after the one under way. */
  get isLast(): boolean {
    return this.#failures + 1 >= this.#policy.attempts
  }

  /** Pauses after a failure, for at most `mostMs` milliseconds or until the signal aborts. */
  async pauseAfter(
    {
      code,
      message,
      afterMs = 0,
    }: Pick<LadingError, 'code' | 'message'> & Partial<Pick<LadingError, 'afterMs'>>,
    mostMs = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const { onEvent, signal, reportFrom = 1 } = this.#options
    const bound = backoff(this.#failures++, this.#policy.firstMs, this.#policy.mostMs)
    const delayMs = Math.round(Math.min(Math.max(bound, afterMs), mostMs))
    if (this.#failures >= reportFrom) {
      this.#reported = code
      onEvent({ type: 'waiting', code, message, attempt: this.#failures, delayMs })
    }
    await sleep(delayMs, signal)
  }

  /** What was waited for is there; whether it works is still to be seen. */
  resumed(): void {
    if (this.#reported !== undefined) this.#options.onEvent({ type: 'resumed', code: this.#reported })
    this.#reported = undefined
  }

  /** Something went through: the next failure is the first one. */
  progressed(): void {
    this.resumed()
    this.#failures = 0
  }
}

/** Does `work`, which is given the milliseconds left, until it succeeds or trying again cannot help. */
export async function retrying<T>(
  work: (leftMs: number) => Promise<T>,
  {
    deadlineMs = Number.POSITIVE_INFINITY,
    unreachableMs = Number.POSITIVE_INFINITY,
    retryOn = passing,
    ...options
  }: RetryOptions,
): Promise<T> {
  const { signal } = options
  const start = performance.now()
  let reached = start
  const attempts = new Attempts(options)
  const left = () => Math.max(0, Math.min(start + deadlineMs, reached + unreachableMs) - performance.now())
  for (;;) {
    try {
      const result = await work(left())
      attempts.progressed()
      return result
    } catch (thrown) {
      const error = toLadingError(thrown)
      if (error.action !== 'reconnect') reached = performance.now()
      if (!retryOn.includes(error.action) || signal?.aborted || attempts.isLast || left() === 0) throw error
      await attempts.pauseAfter(error, left())
      if (signal?.aborted) throw error
    }
  }
}
