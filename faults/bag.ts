/** Draws each item once, in random order, before any is drawn again; first those to begin with, in their order. */
export class Bag<Item> {
  readonly items: readonly Item[]
  readonly #random: () => number
  #left: Item[] = []
  readonly #first: Item[]

  constructor(items: readonly Item[], random: () => number, first: readonly Item[] = []) {
    this.items = items
    this.#random = random
    this.#first = [...first]
  }

  draw(): Item | undefined {
    const first = this.#first.shift()
    if (first !== undefined) return first
    if (this.#left.length === 0) this.#left = [...this.items]
    return this.#left.splice(Math.floor(this.#random() * this.#left.length), 1)[0]
  }

  /** It was not used, and comes again. */
  putBack(item: Item): void {
    this.#left.push(item)
  }
}
