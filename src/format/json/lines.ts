/** Pass 1 over NDJSON: each line that is not blank is a record, whatever is in it. */
import { cr, lf } from '../../core/bytes.ts'
import { LadingError } from '../../core/errors.ts'
import { type Layout, maxRecordBytes } from '../../core/load.ts'
import type { MakeSplitter, Splitter } from '../split.ts'
import { markBytes } from '../text.ts'
import { isSpace } from './elements.ts'
import { type Inside, insideKeys } from './inside.ts'
import { openBracket } from './scan.ts'
import { UnitRecords } from './units.ts'

/** Index of the first byte from `from` to before `to` that is no space, or `to`. */
export function passSpace(bytes: Buffer, from: number, to = bytes.length): number {
  let at = from
  while (at < to && isSpace(bytes[at])) at++
  return at
}

/** `inside`: where the records stand in each line. */
export const ndjsonSplitter =
  (inside?: Inside): MakeSplitter =>
  (path) =>
    new LinesSplitter(path, { inside })

interface LinesOptions {
  /** Records and lines before the first piece: it goes on with a file that was begun. */
  readonly counted?: { readonly records: number; readonly lines: number }
  readonly inside?: Inside | undefined
}

export class LinesSplitter implements Splitter {
  readonly layout: Layout
  isPastHead: boolean
  records: number
  lines: number
  readonly #path: string
  #piece: Buffer = Buffer.alloc(0)
  /** Of the line that is still open. */
  #lineBytes = 0
  #isBlank = true
  /** Of the lines since the last record. */
  #bytesWithout = 0
  /** The byte before the piece. */
  #before: number | undefined

  readonly #units: UnitRecords

  constructor(path: string, { counted, inside = { unwrap: [] } }: LinesOptions = {}) {
    this.#path = path
    this.layout = { format: 'ndjson', fields: [], ...insideKeys(inside) }
    this.#units = new UnitRecords(inside, 'lines')
    this.isPastHead = counted !== undefined
    this.records = counted?.records ?? 0
    this.lines = counted?.lines ?? 0
  }

  get openBytes(): number {
    return this.#lineBytes
  }

  begin(piece: Buffer): number {
    this.#piece = piece
    if (this.isPastHead) return 0
    this.isPastHead = true
    const start = markBytes(piece, this.#path)
    const first = passSpace(piece, start)
    if (piece[first] === openBracket) {
      const line = 1 + piece.subarray(0, first).filter((byte) => byte === lf).length
      throw new LadingError(
        'SOURCE_MALFORMED',
        `${this.#path}:${line}: an array begins where each line holds an object: --format json`,
      )
    }
    return start
  }

  cut(from: number, min: number): number {
    const piece = this.#piece
    for (let at = from; ;) {
      const found = piece.indexOf(lf, at)
      const end = found < 0 ? piece.length : found + 1
      // The first byte decides, mostly.
      if (this.#isBlank) this.#isBlank = passSpace(piece, at, end) === end
      this.#lineBytes += end - at
      this.#units.add(piece, at, end)
      at = end
      if (found < 0) {
        this.#before = piece.at(-1)
        // One byte more may be the CR of a line end.
        this.#requireSize(this.#lineBytes - 1)
        return -1
      }
      this.#requireSize(this.#lineBytes - 1, found > 0 ? piece[found - 1] : this.#before)
      this.lines++
      const records = this.#isBlank ? 0 : this.#units.count()
      this.#units.begin()
      this.#bytesWithout = records === 0 ? this.#bytesWithout + this.#lineBytes : 0
      this.#lineBytes = 0
      this.#isBlank = true
      // Lines without a record belong to the chunk of the next one, unless they would take more than a record may.
      if (records === 0 && this.#bytesWithout < maxRecordBytes) continue
      this.#bytesWithout = 0
      this.records += records
      if (at >= min) return at
    }
  }

  finish(): void {
    this.isPastHead = true
    this.#requireSize(this.#lineBytes, this.#before)
    if (!this.#isBlank) this.records += this.#units.count()
  }

  #requireSize(bytes: number, last?: number): void {
    if (bytes <= maxRecordBytes || bytes - (last === cr ? 1 : 0) <= maxRecordBytes) return
    const limit = `${maxRecordBytes / 1024 / 1024} MiB`
    throw new LadingError(
      'RECORD_TOO_LARGE',
      `${this.#path}:${this.lines + 1}: the line is larger than ${limit}`,
    )
  }
}
