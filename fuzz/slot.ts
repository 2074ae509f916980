/** What the thread that tries inputs shares with the one that watches it. */

export interface Work {
  readonly target: string
  readonly seed: number
  readonly seconds: number
  /** Tried at most, whatever the clock says. */
  readonly inputs: number
  readonly shared: SharedArrayBuffer
  /** One input to try, instead. */
  readonly replay?: Uint8Array | undefined
}

export type Report =
  | { readonly kind: 'finding'; readonly input: Uint8Array; readonly text: string }
  | {
      readonly kind: 'done'
      readonly runs: number
      /** Inputs that have reached something new. */
      readonly kept: number
      readonly functions: number
      /** Of the replayed input. */
      readonly failure: string | undefined
    }

const mostBytes = 1024 * 1024
const headBytes = 8

export const sharedBytes = headBytes + mostBytes

/** The input that is tried, and how many were tried before. */
export class Slot {
  readonly #numbers: Int32Array
  readonly #bytes: Uint8Array

  constructor(shared: SharedArrayBuffer) {
    this.#numbers = new Int32Array(shared, 0, 2)
    this.#bytes = new Uint8Array(shared, headBytes)
  }

  begin(input: Uint8Array): void {
    this.#bytes.set(input)
    this.#numbers[1] = input.length
    Atomics.add(this.#numbers, 0, 1)
  }

  get count(): number {
    return Atomics.load(this.#numbers, 0)
  }

  get input(): Buffer {
    return Buffer.from(this.#bytes.slice(0, this.#numbers[1]))
  }
}
