const textLength = 36
/** Of an id, in words of 32 bits. */
const words = 4
/** Where the digits of each word begin, and the hyphens. */
const wordStarts = [0, 9, 19, 28] as const
const hyphens = [8, 13, 18, 23] as const
const hyphen = 0x2d
const firstIds = 64
/** Of the slots, at most this share is taken. */
const fullAt = 0.6

/**
 * A set of UUIDs, numbered in the order in which they came. A run may have a hundred thousand loads: each takes
 * some 30 bytes here, where a Set of texts takes 100.
 */
export class Ids {
  #words = new Uint32Array(firstIds * words)
  /** Open addressing: the number of the id and 1, or 0. */
  #slots = new Uint32Array(firstIds)
  #size = 0
  readonly #asked = new Uint32Array(words)

  get size(): number {
    return this.#size
  }

  /** The number of the id, which is new if it is the size before. Throws for a text that is no id. */
  add(id: string): number {
    if (!readId(id, this.#asked)) throw new TypeError(`${id} is no UUID in lower case`)
    const slot = this.#slotOf(this.#asked, 0)
    const found = this.#slots[slot] as number
    if (found > 0) return found - 1
    const index = this.#size++
    if (this.#size * words > this.#words.length) this.#words = doubled(this.#words)
    this.#words.set(this.#asked, index * words)
    this.#slots[slot] = this.#size
    if (this.#size > this.#slots.length * fullAt) this.#grow()
    return index
  }

  /** -1 for a text that is not among them. */
  indexOf(id: string): number {
    return readId(id, this.#asked) ? (this.#slots[this.#slotOf(this.#asked, 0)] as number) - 1 : -1
  }

  has(id: string): boolean {
    return this.indexOf(id) >= 0
  }

  at(index: number): string {
    const word = (place: number) => hexOf(this.#words[index * words + place] as number)
    const [b, c] = [word(1), word(2)]
    return `${word(0)}-${b.slice(0, 4)}-${b.slice(4)}-${c.slice(0, 4)}-${c.slice(4)}${word(3)}`
  }

  *[Symbol.iterator](): Generator<string> {
    for (let index = 0; index < this.#size; index++) yield this.at(index)
  }

  /** Where the id at this place of the words lies, or belongs. */
  #slotOf(ids: Uint32Array, at: number): number {
    const mask = this.#slots.length - 1
    // The ids of loads are hashes.
    let slot = (ids[at] as number) & mask
    for (;;) {
      const found = this.#slots[slot] as number
      if (found === 0 || isSame(this.#words, (found - 1) * words, ids, at)) return slot
      slot = (slot + 1) & mask
    }
  }

  #grow(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2)
    for (let index = 0; index < this.#size; index++)
      this.#slots[this.#slotOf(this.#words, index * words)] = index + 1
  }
}

/** A small number for each of a set of ids, by the number of the id; 0 until it is set. */
export class Notes {
  #values: Uint8Array | Uint32Array

  /** `Values` says how large they may be. */
  constructor(Values: typeof Uint8Array | typeof Uint32Array = Uint8Array) {
    this.#values = new Values(firstIds)
  }

  /** 0 also for -1, which stands for an id that is not in the set. */
  at(index: number): number {
    return this.#values[index] ?? 0
  }

  set(index: number, value: number): void {
    while (index >= this.#values.length) this.#values = doubled(this.#values)
    this.#values[index] = value
  }
}

const hexOf = (word: number): string => word.toString(16).padStart(8, '0')

function doubled<Values extends Uint8Array | Uint32Array>(values: Values): Values {
  const larger = new (values.constructor as new (length: number) => Values)(values.length * 2)
  larger.set(values)
  return larger
}

function isSame(ids: Uint32Array, at: number, others: Uint32Array, otherAt: number): boolean {
  for (let word = 0; word < words; word++) if (ids[at + word] !== others[otherAt + word]) return false
  return true
}

/** Returns false for a text that is no UUID in lower case. */
function readId(id: string, into: Uint32Array): boolean {
  if (id.length !== textLength) return false
  for (const at of hyphens) if (id.charCodeAt(at) !== hyphen) return false
  for (let word = 0; word < words; word++) {
    let value = 0
    for (let at = wordStarts[word] as number, digits = 0; digits < 8; at++) {
      if (at === hyphens[1] || at === hyphens[3]) continue
      const digit = digitOf(id.charCodeAt(at))
      if (digit < 0) return false
      value = (value << 4) | digit
      digits++
    }
    into[word] = value
  }
  return true
}

const digitOf = (code: number): number =>
  code >= 0x30 && code <= 0x39 ? code - 0x30 : code >= 0x61 && code <= 0x66 ? code - 0x57 : -1
