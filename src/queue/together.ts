/**
 * What is given within one turn of the event loop is sent together, and shares one promise: there are thousands
 * of messages at once.
 */
export class Together<T> {
  readonly #send: (items: readonly T[]) => Promise<void>
  #waiting: T[] = []
  #turn: Promise<void> | undefined
  readonly #underWay = new Set<Promise<void>>()

  constructor(send: (items: readonly T[]) => Promise<void>) {
    this.#send = send
  }

  add(item: T): Promise<void> {
    this.#waiting.push(item)
    if (this.#turn !== undefined) return this.#turn
    const turn = new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#end())
    this.#turn = turn
    this.#underWay.add(turn)
    const over = () => void this.#underWay.delete(turn)
    // Whoever settles hears of a failure; an extension may have nobody who does.
    turn.then(over, over)
    return turn
  }

  /** Resolves when everything is answered. Never throws. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }

  #end(): Promise<void> {
    const items = this.#waiting
    this.#waiting = []
    this.#turn = undefined
    return this.#send(items)
  }
}
