/**
 * What becomes of deliveries → the server. It is asked once for all of a turn of the event loop whether it has
 * read them. A delivery is settled by its own subject, on whichever connection there is.
 */
import { setImmediate } from 'node:timers/promises'
import type { Reopening } from '../reopening.ts'
import type { Connection } from './connection.ts'

export class Settlements {
  readonly #connections: Reopening<Connection>
  #waiting: { readonly subject: string; readonly payload: string }[] = []
  #turn: Promise<void> | undefined
  readonly #underWay = new Set<Promise<void>>()

  constructor(connections: Reopening<Connection>) {
    this.#connections = connections
  }

  /** The same promise for all of a turn. */
  send(subject: string, payload: string): Promise<void> {
    this.#waiting.push({ subject, payload })
    if (this.#turn === undefined) {
      const turn = this.#send()
      this.#turn = turn
      this.#underWay.add(turn)
      const over = () => void this.#underWay.delete(turn)
      turn.then(over, over)
    }
    return this.#turn
  }

  async #send(): Promise<void> {
    await setImmediate()
    const sent = this.#waiting
    this.#waiting = []
    this.#turn = undefined
    const connection = await this.#connections.get()
    for (const { subject, payload } of sent) connection.send(subject, payload)
    await connection.flush()
  }

  /** Resolves when everything is answered. Never throws. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }
}
