import { freeBytes } from './bytes.ts'

/** Sizes of chunks differ by a record; in steps of this many bytes, one chunk's memory fits the next. */
const stepBytes = 64 * 1024
/** Less costs the collector little, and would waste most of a step. */
const leastKept = 4 * stepBytes

/**
 * Memory of bodies that are done with, for those to come. Without it, each chunk leaves a megabyte behind
 * outside the heap, and the collector runs for every dozen of them.
 */
export class SpareMemory {
  #spare: ArrayBuffer[] = []
  /** Weak, because not every body comes back. */
  readonly #taken = new WeakSet<ArrayBufferLike>()

  take(bytes: number): Buffer {
    if (bytes < leastKept) return Buffer.allocUnsafe(bytes)
    const index = this.#spare.findIndex(({ byteLength }) => byteLength >= bytes)
    const [memory = new ArrayBuffer(Math.ceil(bytes / stepBytes) * stepBytes)] =
      index < 0 ? [] : this.#spare.splice(index, 1)
    this.#taken.add(memory)
    return Buffer.from(memory, 0, bytes)
  }

  /** Takes back a body that is no longer used; false for other memory than that of `take`, which is left alone. */
  give({ buffer }: Uint8Array): boolean {
    if (!this.#taken.delete(buffer)) return false
    this.#spare.push(buffer as ArrayBuffer)
    return true
  }

  /** Leaves what is spare to the collector. */
  clear(): void {
    for (const memory of this.#spare) freeBytes(new Uint8Array(memory))
    this.#spare = []
  }
}
