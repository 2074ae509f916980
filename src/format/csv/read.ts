/**
 * Reads the records of a chunk: finds the cells and decodes nothing. This is the hot path of the product, so
 * nothing is allocated per record: one reader is pulled through the chunk, and its fields describe the record
 * it stands on.
 *
 * The chunk is made of whole records (see `RecordScanner`, whose rules these are); only its last one may lack
 * the line end.
 */
import { asBuffer } from '../../core/bytes.ts'
import { cr, lf } from './bytes.ts'
import type { Dialect } from './dialect.ts'

const unquoted = 0
const plainlyQuoted = 1
const doublyQuoted = 2

/**
 * Stands on one record of a chunk at a time; its fields are to be read, and hold until the next call of
 * `next`.
 */
export class RecordReader {
  readonly bytes: Buffer
  /** Number of cells; 1 for a blank line, whose only cell is empty and unquoted. */
  count = 0
  /**
   * Cell `i` is `bytes[starts[i], ends[i])`, without its outer quotes. Replaced when a wider record comes:
   * fetch them after `next`.
   */
  starts = new Int32Array(64)
  ends = new Int32Array(64)
  /** 0 unquoted, 1 quoted, 2 quoted with doubled quotes that `unescape` must undo. */
  quoting = new Uint8Array(64)
  recordStart = 0
  /** Without the line end. */
  recordEnd = 0
  /** Number of LFs in the chunk before the record. */
  line = 0
  /**
   * With a fault, cells are as they came (quotes included where they make no sense); the record's boundaries
   * still hold.
   */
  fault: 'BAD_QUOTE' | 'UNCLOSED_QUOTE' | undefined
  #next = 0
  #lines = 0
  readonly #view: DataView
  readonly #delimiter: number
  readonly #quote: number
  /** One more than the greatest of delimiter, quote and LF, in each byte of a word. */
  readonly #above: number

  constructor(bytes: Uint8Array, dialect: Pick<Dialect, 'delimiter' | 'quote'>) {
    this.bytes = asBuffer(bytes)
    this.#delimiter = dialect.delimiter.charCodeAt(0)
    this.#quote = dialect.quote.charCodeAt(0)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#above = Math.imul(Math.max(this.#delimiter, this.#quote, lf) + 1, 0x01010101)
  }

  /** Goes on to the next record; false at the end of the chunk. */
  next(): boolean {
    const bytes = this.bytes
    const length = bytes.length
    const delimiter = this.#delimiter
    const quote = this.#quote
    const view = this.#view
    const above = this.#above
    let at = this.#next
    if (at >= length) return false
    this.recordStart = at
    this.line = this.#lines
    this.fault = undefined
    let count = 0
    let { starts, ends, quoting } = this
    for (;;) {
      if (count === starts.length) {
        this.#widen()
        ;({ starts, ends, quoting } = this)
      }
      starts[count] = at
      quoting[count] = unquoted
      if (at < length && bytes[at] === quote) at = this.#quotedCell(at, count)
      for (; at < length; at++) {
        // Most bytes are letters and digits, above all that could matter: four of them are passed at once. A
        // byte is below when its difference has the high bit and itself has not; of the flags, the lowest one
        // is right even where the difference borrows.
        while (at + 4 <= length) {
          const word = view.getInt32(at, true)
          const below = (word - above) & ~word & 0x80808080
          if (below !== 0) {
            at += (31 - Math.clz32(below & -below)) >>> 3
            break
          }
          at += 4
        }
        if (at === length) break
        const byte = bytes[at]
        if (byte === delimiter || byte === lf) break
        if (byte === quote) this.fault = 'BAD_QUOTE'
      }
      if (quoting[count] === unquoted) ends[count] = at
      count++
      if (at === length || bytes[at] === lf) break
      at++
    }
    this.count = count
    this.#endRecord(at)
    return true
  }

  /** The bytes of a cell with `quoting` 2, its doubled quotes undone. */
  unescaped(cell: number): Buffer {
    return unescape(this.bytes, this.starts[cell] ?? 0, this.ends[cell] ?? 0, this.#quote)
  }

  #endRecord(at: number): void {
    const { bytes, ends } = this
    let end = at
    // A CR in a quote that never closes is data.
    if (end > this.recordStart && bytes[end - 1] === cr && this.fault !== 'UNCLOSED_QUOTE') end--
    const last = this.count - 1
    if ((ends[last] as number) > end) ends[last] = end
    this.recordEnd = end
    this.#lines++
    this.#next = at + 1
  }

  /**
   * Reads a cell that opens with a quote. A sound one is entered into the arrays and the index of what ends
   * it is returned; of another, the part to the closing quote is passed over and the cell stays an unquoted
   * one that goes on from there.
   */
  #quotedCell(open: number, cell: number): number {
    const bytes = this.bytes
    const length = bytes.length
    const quote = this.#quote
    let kind = plainlyQuoted
    let lines = 0
    let at = open + 1
    for (; at < length; at++) {
      const byte = bytes[at]
      if (byte === lf) lines++
      if (byte !== quote) continue
      if (at + 1 === length || bytes[at + 1] !== quote) break
      kind = doublyQuoted
      at++
    }
    this.#lines += lines
    if (at === length) this.fault = 'UNCLOSED_QUOTE'
    const after = this.#cellEnd(at)
    if (after === -1) {
      this.fault = 'BAD_QUOTE'
      return at + 1
    }
    this.starts[cell] = open + 1
    this.ends[cell] = at
    this.quoting[cell] = kind
    return after
  }

  /**
   * Index of the delimiter, LF or end of the chunk that follows the closing quote, or -1 where other text
   * follows.
   */
  #cellEnd(close: number): number {
    const { bytes } = this
    let at = Math.min(close + 1, bytes.length)
    if (bytes[at] === this.#delimiter) return at
    if (at < bytes.length && bytes[at] === cr) at++
    return at === bytes.length || bytes[at] === lf ? at : -1
  }

  #widen(): void {
    const size = this.starts.length * 4
    const { starts, ends, quoting } = this
    this.starts = new Int32Array(size)
    this.ends = new Int32Array(size)
    this.quoting = new Uint8Array(size)
    this.starts.set(starts)
    this.ends.set(ends)
    this.quoting.set(quoting)
  }
}

/** The bytes of a cell, its doubled quotes undone; `quote` is the byte. */
export function unescape(bytes: Uint8Array, start: number, end: number, quote: number): Buffer {
  const cell = Buffer.allocUnsafe(end - start)
  let size = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    cell[size++] = byte
    if (byte === quote) at++
  }
  return cell.subarray(0, size)
}

/** The bytes of cell `i`, its doubled quotes undone. */
export function cellBytes(reader: RecordReader, i: number): Buffer {
  return reader.quoting[i] === doublyQuoted
    ? reader.unescaped(i)
    : reader.bytes.subarray(reader.starts[i] ?? 0, reader.ends[i] ?? 0)
}

/** The text of cell `i`, with U+FFFD where it is not UTF-8. */
export const cellText = (reader: RecordReader, i: number): string => cellBytes(reader, i).toString('utf8')
