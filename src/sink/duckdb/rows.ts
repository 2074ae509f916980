import { cellOf, type Cell } from './cells.ts'
import type { Model } from '../../model/model.ts'
import type { RowBuffer } from '../../model/writer.ts'

const firstRows = 1 << 10
const firstHeap = 1 << 14
/** Longest text that lies in its entry. */
const mostInline = 12
const microsPerDay = 86_400_000_000
/** Days from 1970 whose microseconds a double holds exactly. */
const exactDays = 100_000
const MINUS = 45
const POINT = 46

/** The values of one column, as a vector of DuckDB has them; of a longer text, where in the heap it lies. */
export interface ColumnValues {
  readonly cell: Cell
  readonly bytes: Buffer
  readonly view: DataView
  /** One for each row that has no value. */
  readonly nulls: Uint8Array
  readonly hasNulls: boolean
  readonly hasLong: boolean
}

interface Growing extends ColumnValues {
  bytes: Buffer
  view: DataView
  nulls: Uint8Array
  hasNulls: boolean
  hasLong: boolean
}

/** Rows column by column, so that a run of them is copied into a vector as it is. */
export class ColumnRows implements RowBuffer {
  readonly #columns: Growing[]
  readonly #rowBytes: number
  #heap = Buffer.allocUnsafe(firstHeap)
  #heapEnd = 0
  #capacity = firstRows
  #rows = 0
  /** The column that comes next in the row. */
  #next = 0
  #rowHeap = 0

  constructor({ columns }: Pick<Model, 'columns'>) {
    const all = columns.map(({ type }) => cellOf(type))
    this.#columns = all.map((cell) => ({ cell, ...memory(cell, firstRows), hasNulls: false, hasLong: false }))
    this.#rowBytes = all.reduce((sum, { width }) => sum + width, 0)
  }

  get rows(): number {
    return this.#rows
  }

  get bytes(): number {
    return this.#rows * this.#rowBytes + this.#heapEnd
  }

  get columns(): readonly ColumnValues[] {
    return this.#columns
  }

  clear(): void {
    for (const column of this.#columns) {
      if (column.hasNulls) column.nulls.fill(0, 0, this.#rows + 1)
      column.hasNulls = false
      column.hasLong = false
    }
    this.#rows = 0
    this.#heapEnd = 0
  }

  startRow(): void {
    this.#next = 0
    this.#rowHeap = this.#heapEnd
    if (this.#rows === this.#capacity) this.#grow()
  }

  endRow(): void {
    this.#rows++
  }

  dropRow(): void {
    for (const { nulls } of this.#columns) nulls[this.#rows] = 0
    this.#heapEnd = this.#rowHeap
  }

  null(): void {
    const column = this.#column()
    column.nulls[this.#rows] = 1
    column.hasNulls = true
  }

  boolean(value: boolean): void {
    this.#column().bytes[this.#rows] = value ? 1 : 0
  }

  integer(value: number): void {
    this.#column().view.setInt32(this.#rows * 4, value, true)
  }

  bigint(high: number, low: number): void {
    this.#words(this.#column(), high, low)
  }

  double(value: number): void {
    this.#column().view.setFloat64(this.#rows * 8, value, true)
  }

  /** Of decimal numbers the digits without their point, filled up to the scale. */
  numeric(bytes: Buffer, start: number, end: number): void {
    const { scale, width } = (this.#columns[this.#next] as Growing).cell
    if (scale === undefined) return this.text(bytes, start, end)
    const { view } = this.#column()
    const isNegative = bytes[start] === MINUS
    let digits = ''
    let missing = scale
    for (let at = isNegative ? start + 1 : start, behind = false; at < end; at++) {
      if (bytes[at] === POINT) behind = true
      else {
        digits += String.fromCharCode(bytes[at] as number)
        if (behind) missing--
      }
    }
    const at = this.#rows * width
    if (width <= 4) {
      const value = Number(digits) * 10 ** missing * (isNegative ? -1 : 1)
      if (width === 2) view.setInt16(at, value, true)
      else view.setInt32(at, value, true)
      return
    }
    const value = BigInt(digits) * 10n ** BigInt(missing) * (isNegative ? -1n : 1n)
    view.setBigInt64(at, BigInt.asIntN(64, value), true)
    if (width === 16) view.setBigInt64(at + 8, value >> 64n, true)
  }

  date(days: number): void {
    this.#column().view.setInt32(this.#rows * 4, days, true)
  }

  timestamp(days: number, micros: number): void {
    const column = this.#column()
    if (days < exactDays && days > -exactDays) this.#int64(column, days * microsPerDay + micros)
    else column.view.setBigInt64(this.#rows * 8, BigInt(days) * BigInt(microsPerDay) + BigInt(micros), true)
  }

  time(micros: number): void {
    this.#int64(this.#column(), micros)
  }

  /** A number of 128 bits with its highest bit turned, so that it sorts as the text does. */
  uuid(bytes: Buffer): void {
    const { view } = this.#column()
    const at = this.#rows * 16
    view.setBigUint64(at, bytes.readBigUInt64BE(8), true)
    view.setBigUint64(at + 8, bytes.readBigUInt64BE(0) ^ (1n << 63n), true)
  }

  text(bytes: Buffer, start: number, end: number): void {
    const column = this.#column()
    const length = end - start
    const at = this.#rows * 16
    column.view.setUint32(at, length, true)
    if (length <= mostInline) {
      const { bytes: entries } = column
      // What a text does not fill must be zero: DuckDB compares whole entries.
      for (let index = 0; index < mostInline; index++)
        entries[at + 4 + index] = index < length ? (bytes[start + index] as number) : 0
      return
    }
    column.hasLong = true
    column.view.setUint32(at + 8, this.#heapEnd, true)
    if (this.#heapEnd + length > this.#heap.length) this.#growHeap(length)
    bytes.copy(this.#heap, this.#heapEnd, start, end)
    this.#heapEnd += length
  }

  bytea(bytes: Buffer, start: number, end: number): void {
    this.text(bytes, start, end)
  }

  json(bytes: Buffer, start: number, end: number): void {
    this.text(bytes, start, end)
  }

  custom(text: string): void {
    const bytes = Buffer.from(text)
    this.text(bytes, 0, bytes.length)
  }

  /** The text of a row, if it is too long for its entry. */
  longText({ view }: ColumnValues, row: number): Buffer | undefined {
    const length = view.getUint32(row * 16, true)
    if (length <= mostInline) return undefined
    const start = view.getUint32(row * 16 + 8, true)
    return this.#heap.subarray(start, start + length)
  }

  #column(): Growing {
    return this.#columns[this.#next++] as Growing
  }

  #int64(column: Growing, value: number): void {
    const high = Math.floor(value / 2 ** 32)
    this.#words(column, high, value - high * 2 ** 32)
  }

  #words({ view }: Growing, high: number, low: number): void {
    const at = this.#rows * 8
    view.setUint32(at, low, true)
    view.setInt32(at + 4, high, true)
  }

  #grow(): void {
    this.#capacity *= 2
    for (const column of this.#columns) {
      const larger = memory(column.cell, this.#capacity)
      column.bytes.copy(larger.bytes)
      larger.nulls.set(column.nulls)
      Object.assign(column, larger)
    }
  }

  #growHeap(bytes: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.#heap.length * 2, this.#heapEnd + bytes))
    this.#heap.copy(larger, 0, 0, this.#heapEnd)
    this.#heap = larger
  }
}

function memory({ width }: Cell, rows: number) {
  const bytes = Buffer.from(new ArrayBuffer(width * rows))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return { bytes, view, nulls: new Uint8Array(rows) }
}
