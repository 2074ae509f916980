/** What one of them takes besides its bytes. */
const overhead = 512
const mostBytes = 64 * 1024 * 1024

/**
 * Small files of stores, as they were read in this run, for those who read them again: a load looks at the beginnings of
 * all files before it plans the first. The first ones are held, as many as there is room for.
 */
export class Held {
  readonly #files = new Map<string, Buffer>()
  #bytes = 0

  get(key: string): Buffer | undefined {
    return this.#files.get(key)
  }

  /** The key names the file and its state. */
  add(key: string, bytes: Buffer): void {
    const size = this.#bytes + bytes.length + overhead
    if (size > mostBytes || this.#files.has(key)) return
    this.#files.set(key, bytes)
    this.#bytes = size
  }
}
