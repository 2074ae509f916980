/**
 * What becomes of deliveries → the server. It is asked once for all of a turn of the event loop whether it has
 * read them. A delivery is settled by its own subject, on whichever connection there is.
 */
import type { Reopening } from '../reopening.ts'
import { Together } from '../together.ts'
import type { Connection } from './connection.ts'

interface Settlement {
  readonly subject: string
  readonly payload: string
}

export class Settlements {
  readonly #together: Together<Settlement>

  constructor(connections: Reopening<Connection>) {
    this.#together = new Together(async (settlements) => {
      const connection = await connections.get()
      for (const { subject, payload } of settlements) connection.send(subject, payload)
      await connection.flush()
    })
  }

  /** The same promise for all of a turn. */
  send(subject: string, payload: string): Promise<void> {
    return this.#together.add({ subject, payload })
  }

  /** Resolves when everything is answered. Never throws. */
  idle(): Promise<void> {
    return this.#together.idle()
  }
}
