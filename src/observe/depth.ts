/**
 * Asks the queue for its depth on demand, and no more often than an answer is fresh. The work never waits for
 * it: an answer that fails or does not come is only counted.
 */
import { within } from '../core/wait.ts'
import type { Observer } from './observer.ts'
import type { QueueDepth } from './snapshot.ts'

/** An answer serves for so long. */
const freshMs = 2_000
/** An answer that has not come by then is one that failed. */
const patienceMs = 5_000
/** How often the watchdog looks, and how long it must have been quiet before the queue itself is asked. */
const lookEveryMs = 5_000

export class DepthWatch implements Disposable {
  readonly #observer: Observer
  readonly #timer: NodeJS.Timeout
  #ask: (() => Promise<QueueDepth>) | undefined
  #underWay: Promise<void> | undefined
  #askedAt = Number.NEGATIVE_INFINITY

  constructor(observer: Observer) {
    this.#observer = observer
    this.#timer = setInterval(() => {
      if (observer.isQuietFor(lookEveryMs)) void this.refresh(patienceMs)
    }, lookEveryMs).unref()
  }

  /** Once there is a queue to ask. */
  watch(ask: () => Promise<QueueDepth>): void {
    this.#ask = ask
  }

  /** Asks, unless that was done just now, and waits for the answer, but no longer than `ms` milliseconds. */
  async refresh(ms: number): Promise<void> {
    if (this.#ask === undefined || performance.now() - this.#askedAt < freshMs) return
    this.#underWay ??= this.#answer(this.#ask).finally(() => (this.#underWay = undefined))
    await within(ms, this.#underWay)
  }

  async #answer(ask: () => Promise<QueueDepth>): Promise<void> {
    let isLate = false
    const late = setTimeout(() => {
      isLate = true
      this.#observer.missedDepth()
    }, patienceMs).unref()
    try {
      this.#observer.sawDepth(await ask())
    } catch {
      if (!isLate) this.#observer.missedDepth()
    } finally {
      clearTimeout(late)
      this.#askedAt = performance.now()
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#ask = undefined
  }
}
