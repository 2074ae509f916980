/** Settlements and extensions of one turn of the event loop go to the server together, and share a promise. */
import { LadingError } from '../../core/errors.ts'
import type { Outcome } from '../queue.ts'
import { Together } from '../together.ts'
import type { Call } from './calls.ts'

/** In one call: others wait on the server while it runs. */
const mostTogether = 500

export class Settlements {
  readonly #call: Call
  /** The arguments of each. */
  readonly #together = new Together<readonly string[]>((given) => this.#send(given))

  constructor(call: Call) {
    this.#call = call
  }

  settle(id: string, attempt: number, outcome: Outcome): Promise<void> {
    const ms = outcome.kind === 'done' ? 0 : (outcome.afterMs ?? -1)
    return this.#together.add([outcome.kind, id, String(attempt), String(Math.ceil(ms))])
  }

  extend(id: string, attempt: number, ms: number): Promise<void> {
    return this.#together.add(['extend', id, String(attempt), String(Math.ceil(ms))])
  }

  /** Resolves when everything is answered. Never throws. */
  idle(): Promise<void> {
    return this.#together.idle()
  }

  async #send(given: readonly (readonly string[])[]): Promise<void> {
    const calls: Promise<unknown>[] = []
    for (let at = 0; at < given.length; at += mostTogether)
      calls.push(this.#call('settle', given.slice(at, at + mostTogether).flat()))
    const failed = (await Promise.allSettled(calls)).find((each) => each.status === 'rejected')
    // Of a queue that is gone, nothing is left to settle.
    if (failed !== undefined && !isMissing(failed.reason)) throw failed.reason
  }
}

const isMissing = (error: unknown): boolean => error instanceof LadingError && error.code === 'QUEUE_MISSING'
