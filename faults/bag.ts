/** Draws each item once, in random order, before any is drawn again. */
export class Bag<Item> {
  readonly items: readonly Item[]
  readonly #random: () => number
  #left: Item[] = []

  constructor(items: readonly Item[], random: () => number) {
    this.items = items
    this.#random = random
  }

  draw(): Item | undefined {
    if (this.#left.length === 0) this.#left = [...this.items]
    return this.#left.splice(Math.floor(this.#random() * this.#left.length), 1)[0]
  }

  /** It was not used, and comes again. */
  putBack(item: Item): void {
    this.#left.push(item)
  }
}
