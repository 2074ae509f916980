/** Inputs that are nearly those which are known. */

/** Numbers from 0 to below 1, the same for each seed (mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const mostEdits = 6
/** Beyond the windows of the scanners, and the 64 cells for which readers have room at first. */
export const mostBytes = 24 * 1024
const mostRepeats = 300
/** Seldom: what takes quadratic time shows only at this size. */
const longRun = 150_000
const edges = [0, 9, 10, 13, 32, 34, 44, 45, 48, 57, 92, 0x7f, 0x80, 0xc3, 0xed, 0xef, 0xf4, 0xff]

export class Mutator {
  readonly #next: () => number
  readonly #tokens: readonly Buffer[]
  readonly #options: number

  constructor(next: () => number, tokens: readonly string[], options: number) {
    this.#next = next
    this.#tokens = tokens.map((token) => Buffer.from(token))
    this.#options = options
  }

  below(limit: number): number {
    return Math.floor(this.#next() * limit)
  }

  /** One input, edited a few times; `other` lends it parts. */
  mutated(input: Buffer, other: Buffer): Buffer {
    let bytes = input
    for (let edits = 1 + this.below(mostEdits); edits > 0; edits--) bytes = this.#edited(bytes, other)
    return bytes.subarray(0, bytes.length > longRun ? 2 * longRun : mostBytes)
  }

  #edited(bytes: Buffer, other: Buffer): Buffer {
    // Options are edited in their place, mostly one of eight times.
    if (this.#options > 0 && this.below(8) === 0)
      return replaced(bytes, this.below(this.#options), 1, Buffer.of(this.below(256)))
    const at = this.#place(bytes)
    const size = this.#size(bytes.length - at)
    switch (this.below(8)) {
      case 0:
        return replaced(bytes, at, 1, Buffer.of(this.below(256)))
      case 1:
        return replaced(bytes, at, 1, Buffer.of(edges[this.below(edges.length)] as number))
      case 2:
        return replaced(bytes, at, size, Buffer.alloc(0))
      case 3:
        return replaced(bytes, at, 0, repeated(bytes.subarray(at, at + size), this.#repeats()))
      case 4: {
        const from = this.#place(other)
        return replaced(bytes, at, size, other.subarray(from, from + this.#size(other.length - from)))
      }
      case 5: {
        const to = this.#place(bytes)
        return replaced(bytes, to, 0, Buffer.from(bytes.subarray(at, at + size)))
      }
      default:
        return replaced(bytes, at, this.below(2) * size, this.#token())
    }
  }

  #token(): Buffer {
    const token = this.#tokens[this.below(this.#tokens.length)] ?? Buffer.of(this.below(256))
    if (this.below(400) === 0) return Buffer.alloc(longRun, token)
    return this.below(16) === 0 ? repeated(token, this.#repeats()) : token
  }

  #place(bytes: Buffer): number {
    const first = Math.min(this.#options, bytes.length)
    return first + this.below(bytes.length - first + 1)
  }

  /** Small, mostly. */
  #size(most: number): number {
    return Math.min(most, this.below(4) === 0 ? this.below(most + 1) : 1 + this.below(6))
  }

  #repeats(): number {
    return this.below(6) === 0 ? this.below(mostRepeats) : 1 + this.below(4)
  }
}

const replaced = (bytes: Buffer, at: number, size: number, by: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + size)])

function repeated(bytes: Buffer, times: number): Buffer {
  const most = bytes.length === 0 ? 0 : Math.min(times, Math.ceil(mostBytes / bytes.length))
  return Buffer.concat(Array.from({ length: most }, () => bytes))
}
