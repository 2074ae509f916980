/**
 * Simulated time in place of Node's: the clocks, timers and random numbers of this process, and the folder that a
 * consumer looks at when it starts. Nothing that runs in a simulation waits for anything real.
 */
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'

export interface Timer {
  at: number
  readonly owner: number
  readonly run: () => void
  readonly everyMs: number | undefined
  /** Set by the program, and not by a server that is simulated. */
  readonly isOfProgram: boolean
}

export class Clock {
  now = 0
  /** Whose code runs: the process that sets timers and calls servers now. */
  owner = 0
  readonly #timers = new Set<Timer>()
  #random = 1

  add(
    ms: number,
    run: () => void,
    more: { readonly isOfProgram?: boolean; readonly everyMs?: number } = {},
  ): Timer {
    const { isOfProgram = false, everyMs } = more
    const timer = { at: this.now + Math.max(0, ms), owner: this.owner, run, everyMs, isOfProgram }
    this.#timers.add(timer)
    return timer
  }

  remove(timer: Timer | undefined): void {
    if (timer !== undefined) this.#timers.delete(timer)
  }

  /** The timer that is due first; of several, the one that was set first. */
  next(): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) if (first === undefined || timer.at < first.at) first = timer
    return first
  }

  fire(timer: Timer): void {
    this.now = Math.max(this.now, timer.at)
    this.#timers.delete(timer)
    if (timer.everyMs !== undefined) {
      timer.at = this.now + timer.everyMs
      this.#timers.add(timer)
    }
    timer.run()
  }

  /** The process is gone. */
  forget(owner: number): void {
    for (const timer of this.#timers) if (timer.owner === owner) this.#timers.delete(timer)
  }

  /** Timers that the program of this process has set, for later than the turn that ends it. */
  countOf(owner: number): number {
    let count = 0
    for (const timer of this.#timers)
      if (timer.owner === owner && timer.isOfProgram && timer.at > this.now) count++
    return count
  }

  /** The same numbers in each schedule. */
  random(): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0
    return this.#random / 2 ** 32
  }
}

let clock = new Clock()

/** From now on this is the time. */
export function setClock(next: Clock): void {
  clock = next
}

const realImmediate = setImmediate

/** A turn of the real event loop. */
export const realTurn = (): Promise<void> => new Promise((resolve) => realImmediate(resolve))

/** Some day on which files of today are old. */
const epoch = Date.UTC(2100, 0, 1)

function sleep<T>(ms = 0, value?: T, { signal }: { readonly signal?: AbortSignal } = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error)
    const aborted = () => {
      clock.remove(timer)
      reject(signal?.reason as Error)
    }
    const over = () => {
      signal?.removeEventListener('abort', aborted)
      resolve(value as T)
    }
    const timer = clock.add(ms, over, { isOfProgram: true })
    signal?.addEventListener('abort', aborted, { once: true })
  })
}

/** Replaces what the program gets of time from Node, for the rest of this process. */
export function simulateTime(): void {
  Object.assign(timers, { setTimeout: sleep, setImmediate: () => sleep(0) })
  Object.assign(files, { realpath: async () => '/', stat: async () => ({ isDirectory: () => true }) })
  syncBuiltinESMExports()
  const cleared = (timer: unknown) => clock.remove(timer as Timer)
  const later = (run: () => void, ms = 0) => clock.add(ms, run, { isOfProgram: true })
  Object.assign(globalThis, {
    setTimeout: later,
    setImmediate: (run: () => void) => later(run),
    setInterval: (run: () => void, everyMs: number) =>
      clock.add(everyMs, run, { isOfProgram: true, everyMs }),
    clearTimeout: cleared,
    clearInterval: cleared,
    clearImmediate: cleared,
  })
  Object.defineProperty(performance, 'now', { value: () => clock.now })
  Date.now = () => epoch + clock.now
  Math.random = () => clock.random()
}
