/** Growing memory for encoded rows, and where each row begins, so that any run of rows can be sent by itself. */
export abstract class EncodedRows {
  protected buffer: Buffer = Buffer.allocUnsafe(1 << 20)
  /** Where the next byte goes. */
  protected at = 0
  #starts = new Int32Array(1 << 12)
  #rows = 0
  /** Sent before the first row and after the last one. */
  abstract readonly header: Buffer
  abstract readonly trailer: Buffer
  /** As COPY names it. */
  abstract readonly format: 'binary' | 'text'

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
    return this.buffer.subarray(this.#startOf(start), this.#startOf(end))
  }

  #startOf(row: number): number {
    return row === this.#rows ? this.#rowsEnd : (this.#starts[row] as number)
  }

  #rowsEnd = 0

  protected beginRow(): void {
    if (this.#rows === this.#starts.length) {
      const larger = new Int32Array(this.#starts.length * 2)
      larger.set(this.#starts)
      this.#starts = larger
    }
    this.#starts[this.#rows] = this.at
  }

  endRow(): void {
    this.#rows++
    this.#rowsEnd = this.at
  }

  dropRow(): void {
    this.at = this.#starts[this.#rows] as number
  }

  /** Makes room for `bytes` more. */
  protected reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + bytes))
    this.buffer.copy(larger, 0, 0, this.at)
    this.buffer = larger
  }
}
