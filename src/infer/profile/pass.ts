/**
 * Passes over records whose values add nothing to their columns, which most records of a file are: the end of a cell
 * and what its value is are found together, and the record is not cut before.
 */
import { cr, hash, lf } from '../../core/bytes.ts'
import type { CellMarks } from '../../format/format.ts'
import { strong } from '../sniff/dialects.ts'
import type { ColumnProfile } from './column.ts'

/** Marks that stand in no number and in no time. */
const delimiters = new Set([...strong].map((each) => each.charCodeAt(0)))
const quotes = new Set([0x22, 0x27])

/** Records that are cut one by one after none could be passed over, at most. */
const longestWait = 64

export class Pass {
  /** What `over` found: how many records are done with, and where the next one begins. */
  passed = 0
  next = 0
  #wait = 0
  #toWait = 0
  /** Cells without a value, of a record and of the one before it. */
  #empty: number[] = []
  #emptyBefore: number[] = []

  /** Whether it is worth a try. */
  mayPass(columns: readonly ColumnProfile[], { delimiter, quote }: CellMarks): boolean {
    if (!delimiters.has(delimiter) || !quotes.has(quote)) return false
    if (this.#toWait > 0) {
      this.#toWait--
      return false
    }
    return columns.every((column) => column.isSettled)
  }

  /** Begins with the record at `from`. Of those that can be passed over, the last one is left. */
  over(
    columns: readonly ColumnProfile[],
    bytes: Buffer,
    view: DataView,
    from: number,
    marks: CellMarks,
  ): void {
    for (const column of columns) column.beginRun()
    this.#empty.length = 0
    this.#emptyBefore.length = 0
    let records = 0
    let start = from
    let last = from
    for (;;) {
      const next = this.#recordEnd(columns, bytes, view, start, marks)
      if (next === -1) break
      records++
      last = start
      start = next
      if (this.#empty.length + this.#emptyBefore.length > 0) this.#countEmpty(columns)
    }
    this.passed = Math.max(0, records - 1)
    this.next = last
    this.#wait = records > 1 ? 0 : Math.min(longestWait, this.#wait * 2 + 1)
    this.#toWait = this.#wait
  }

  /** Index behind a record and its line end; -1 where something has to be looked at with care. */
  #recordEnd(
    columns: readonly ColumnProfile[],
    bytes: Buffer,
    view: DataView,
    start: number,
    marks: CellMarks,
  ): number {
    const width = columns.length
    let at = start
    if (at >= bytes.length || bytes[at] === hash) return -1
    for (let cell = 1; cell <= width; cell++) {
      const end = (columns[cell - 1] as ColumnProfile).endOfRepeat(bytes, view, at, marks)
      if (end === -1) return -1
      if (end === at) this.#empty.push(cell - 1)
      at = end + 1
      const mark = bytes[end]
      if (cell < width) {
        if (mark !== marks.delimiter) return -1
      } else if (mark === cr) {
        if (at >= bytes.length || bytes[at++] !== lf) return -1
      } else if (mark !== lf) return -1
    }
    return at
  }

  /** Those of the record before, which is passed over now that one follows. */
  #countEmpty(columns: readonly ColumnProfile[]): void {
    const before = this.#emptyBefore
    for (const cell of before) (columns[cell] as ColumnProfile).missing++
    before.length = 0
    this.#emptyBefore = this.#empty
    this.#empty = before
  }
}
