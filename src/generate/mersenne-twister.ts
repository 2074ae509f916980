/**
 * MT19937, bit for bit the generator of Python's `random.Random(seed)`. The system that lading replaces was
 * written in Python, and equal seeds must give equal sensor names. Never use it for secrets.
 */
import { LadingError } from '../core/errors.ts'

const size = 624
const middle = 397

export class MersenneTwister {
  readonly #state: Uint32Array
  #next = size

  /** @param seed a non-negative integer of any length; a `number` must be a safe integer. Throws `USAGE`. */
  constructor(seed: number | bigint) {
    this.#state = seededByArray(wordsOf(seed))
  }

  /** The next 32 bits: Python's `getrandbits(32)`. */
  word(): number {
    if (this.#next === size) {
      refresh(this.#state)
      this.#next = 0
    }
    let y = this.#state[this.#next++] ?? 0
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }

  /** A number in [0, 1) with 53 random bits: Python's `random()`. */
  random(): number {
    const high = this.word() >>> 5
    const low = this.word() >>> 6
    return (high * 0x4000000 + low) / 0x20000000000000
  }

  /** Python's `getrandbits(128)` as 32 hexadecimal digits; the first word drawn is the least significant. */
  getrandbits128(): string {
    let digits = ''
    for (let i = 0; i < 4; i++) digits = this.word().toString(16).padStart(8, '0') + digits
    return digits
  }
}

/** The seed's 32-bit words, least significant first. */
function wordsOf(seed: number | bigint): number[] {
  const valid = typeof seed === 'bigint' || Number.isSafeInteger(seed)
  if (!valid || seed < 0)
    throw new LadingError('USAGE', `the seed must be a whole number that is not negative, not ${seed}`)
  const words: number[] = []
  for (let rest = BigInt(seed); rest > 0n; rest >>= 32n) words.push(Number(rest & 0xffffffffn))
  return words.length === 0 ? [0] : words
}

/** `init_genrand` of the reference implementation. */
function seededByWord(seed: number): Uint32Array {
  const state = new Uint32Array(size)
  let last = seed >>> 0
  state[0] = last
  for (let i = 1; i < size; i++) {
    last = (Math.imul(1812433253, last ^ (last >>> 30)) + i) >>> 0
    state[i] = last
  }
  return state
}

/** `init_by_array` of the reference implementation. */
function seededByArray(key: readonly number[]): Uint32Array {
  const state = seededByWord(19650218)
  let last = state[0] ?? 0
  let i = 1
  const store = (word: number): void => {
    last = word >>> 0
    state[i] = last
    if (++i < size) return
    state[0] = last
    i = 1
  }
  for (let k = 0, j = 0; k < Math.max(size, key.length); k++, j = (j + 1) % key.length) {
    store(((state[i] ?? 0) ^ Math.imul(last ^ (last >>> 30), 1664525)) + (key[j] ?? 0) + j)
  }
  for (let k = 1; k < size; k++) store(((state[i] ?? 0) ^ Math.imul(last ^ (last >>> 30), 1566083941)) - i)
  state[0] = 0x80000000
  return state
}

function refresh(state: Uint32Array): void {
  for (let i = 0; i < size; i++) {
    const following = state[i + 1 < size ? i + 1 : 0] ?? 0
    const far = state[i + middle < size ? i + middle : i + middle - size] ?? 0
    const y = ((state[i] ?? 0) & 0x80000000) | (following & 0x7fffffff)
    state[i] = far ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
  }
}
