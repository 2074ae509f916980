/** Rows as another thread gets them: the same memory, not a copy. */
export interface SharedRows {
  readonly bytes: Uint8Array
  readonly starts: Int32Array
}

export interface RowMemory {
  /** Bytes to begin with. */
  readonly bytes: number
  /** Another thread may read it. */
  readonly isShared: boolean
  /** Called with the size of the rows, in bytes, whenever they outgrow their memory. */
  readonly onGrowth?: (bytes: number) => void
}

/**
 * Growing memory for rows in a sink's own encoding, and where each row begins, so that any run of rows can be
 * taken by itself. Bytes and not objects: a batch of JavaScript values lives long enough to make the heap
 * several times its size.
 */
export abstract class EncodedRows {
  protected buffer: Buffer
  /** The same memory: a number of several bytes is one store here, and one for each byte in the buffer. */
  protected view: DataView
  /** Where the next byte goes. */
  protected at = 0
  /** Where each row begins, the next one too. */
  #starts: Int32Array
  #rows = 0
  readonly #memory: RowMemory

  constructor(memory: RowMemory = { bytes: 1 << 20, isShared: false }) {
    this.#memory = memory
    this.buffer = this.#allocate(memory.bytes)
    this.view = viewOf(this.buffer)
    this.#starts = this.#allocateStarts(1 << 12)
  }

  get rows(): number {
    return this.#rows
  }

  get bytes(): number {
    return this.at
  }

  clear(): void {
    this.at = 0
    this.#rows = 0
  }

  /** The bytes of the rows from `start` to before `end`, without a copy; valid until the next `clear`. */
  slice(start: number, end: number): Buffer {
    return this.buffer.subarray(this.startOf(start), this.startOf(end))
  }

  /** Where row `row` begins in the buffer; with the number of rows, where the last one ends. */
  protected startOf(row: number): number {
    return this.#starts[row] as number
  }

  /** The rows until the next `clear`. */
  share(): SharedRows {
    return { bytes: this.buffer.subarray(0, this.at), starts: this.#starts.subarray(0, this.#rows + 1) }
  }

  /** Takes rows of another thread in place of its own. */
  protected adopt({ bytes, starts }: SharedRows): void {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.view = viewOf(this.buffer)
    this.#starts = starts
    this.#rows = starts.length - 1
    this.at = bytes.length
  }

  startRow(): void {}

  endRow(): void {
    this.#rows++
    if (this.#rows === this.#starts.length) {
      const larger = this.#allocateStarts(this.#starts.length * 2)
      larger.set(this.#starts)
      this.#starts = larger
    }
    this.#starts[this.#rows] = this.at
  }

  dropRow(): void {
    this.at = this.#starts[this.#rows] as number
  }

  /** Copies bytes for which there is room. */
  protected append(bytes: Buffer, start: number, end: number): void {
    const { buffer } = this
    let { at } = this
    // Below some dozens of bytes a loop is faster than the call of a copy.
    if (end - start <= 32) for (let from = start; from < end; from++) buffer[at++] = bytes[from] as number
    else at += bytes.copy(buffer, at, start, end)
    this.at = at
  }

  /** Makes room for `bytes` more. */
  protected reserve(bytes: number): void {
    if (this.at + bytes > this.buffer.length) this.#grow(bytes)
  }

  #grow(bytes: number): void {
    this.#memory.onGrowth?.(this.at + bytes)
    const larger = this.#allocate(Math.max(this.buffer.length * 2, this.at + bytes))
    this.buffer.copy(larger, 0, 0, this.at)
    this.buffer = larger
    this.view = viewOf(larger)
  }

  #allocate(bytes: number): Buffer {
    return this.#memory.isShared ? Buffer.from(new SharedArrayBuffer(bytes)) : Buffer.allocUnsafe(bytes)
  }

  #allocateStarts(count: number): Int32Array {
    return new Int32Array(
      this.#memory.isShared ? new SharedArrayBuffer(count * 4) : new ArrayBuffer(count * 4),
    )
  }
}

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView => new DataView(buffer, byteOffset, length)
