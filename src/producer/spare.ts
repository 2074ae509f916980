/** Sizes of chunks differ by a record; in steps of this many bytes, one chunk's memory fits the next. */
const stepBytes = 64 * 1024

/**
 * Memory of bodies that were published, for those to come. Without it, each chunk leaves a megabyte behind
 * outside the heap, and the collector runs for every dozen of them.
 */
export class SpareMemory {
  readonly #spare: ArrayBuffer[] = []
  readonly #taken = new Set<ArrayBufferLike>()

  take(bytes: number): Buffer {
    const index = this.#spare.findIndex(({ byteLength }) => byteLength >= bytes)
    const [memory = new ArrayBuffer(Math.ceil(bytes / stepBytes) * stepBytes)] =
      index < 0 ? [] : this.#spare.splice(index, 1)
    this.#taken.add(memory)
    return Buffer.from(memory, 0, bytes)
  }

  /** Takes back a body that is no longer used; other memory than that of `take` is left alone. */
  give({ buffer }: Uint8Array): void {
    if (this.#taken.delete(buffer)) this.#spare.push(buffer as ArrayBuffer)
  }
}
