import { type Inside, isInside, recordCounter } from './inside.ts'

/**
 * Counts the records in a line or an element, which is a record itself where none stands inside of it. What
 * is looked into is held until it has ended: at most the size of a record.
 */
export class UnitRecords {
  readonly #count: ((unit: Buffer) => number) | undefined
  #pieces: Buffer[] = []

  constructor(inside: Inside, form: 'lines' | 'elements') {
    this.#count = isInside(inside) ? recordCounter(inside, form) : undefined
  }

  begin(): void {
    if (this.#pieces.length > 0) this.#pieces = []
  }

  /** Goes on with `piece[from, to)`. */
  add(piece: Buffer, from: number, to: number): void {
    // A copy, because a piece holds only until the next one.
    if (this.#count !== undefined) this.#pieces.push(Buffer.from(piece.subarray(from, to)))
  }

  /** Ends the unit. */
  count(): number {
    return this.#count === undefined ? 1 : this.#count(Buffer.concat(this.#pieces))
  }
}
