/** How long a message of another pipeline is left alone, in milliseconds. */
export const foreignPauseMs = 2_000
/** Other pipelines that are told of by name: whoever publishes chooses the names. */
const mostTold = 20

/** How a message was met: a producer that published again may have made several of it. */
interface Met {
  /** When it was met last, and when the pause began in which it was met `count` times. */
  readonly at: number
  readonly since: number
  readonly count: number
  /** How many there are: each is met once in a pause. */
  readonly copies: number
}

/** The messages of other pipelines that a consumer meets and leaves: what it has to know of them to tell when the rest is done. */
export class ForeignMessages {
  readonly #met = new Map<string, Met>()
  readonly #told = new Set<string>()

  /** Whether the pipeline is met for the first time. */
  meet(key: string, pipeline: string): boolean {
    this.#forget()
    this.#met.set(key, metAgain(this.#met.get(key), performance.now()))
    if (this.#told.has(pipeline) || this.#told.size >= mostTold) return false
    this.#told.add(pipeline)
    return true
  }

  /** How many there are in the queue, as far as they were met. */
  count(): number {
    this.#forget()
    return [...this.#met.values()].reduce((sum, { copies }) => sum + copies, 0)
  }

  /** What is not met again when its pause is over has been taken by its own consumer. */
  #forget(): void {
    for (const [key, { at }] of this.#met) if (performance.now() - at > 2 * foreignPauseMs) this.#met.delete(key)
  }
}

function metAgain(before: Met | undefined, now: number): Met {
  if (before === undefined) return { at: now, since: now, count: 1, copies: 1 }
  const isSamePause = now - before.since < foreignPauseMs
  const count = isSamePause ? before.count + 1 : 1
  return { at: now, since: isSamePause ? before.since : now, count, copies: Math.max(count, isSamePause ? before.copies : before.count) }
}
