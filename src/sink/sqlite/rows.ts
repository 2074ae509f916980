import type { SqliteValue } from '../../core/sqlite.ts'
import { isoDate, isoTime, isoTimestamp } from '../../model/iso.ts'
import { uuidText } from '../../model/values.ts'
import type { RowBuffer } from '../../model/writer.ts'
import { type EncodedCopy, EncodedRows } from '../sql/encoded-rows.ts'

/** What a value begins with; its bytes follow. */
const NULL = 0
const NUMBER = 1
const BIGINT = 2
const TEXT = 3
const DATE = 4
const TIMESTAMP = 5
const BLOB = 6

interface Column {
  readonly utc: boolean
  /** The text last read: neighbouring records often share it. */
  bytes: Buffer
  text: string
}

/** Rows as tagged values, which become what an INSERT binds only when it binds them. */
export class ValueRows extends EncodedRows implements RowBuffer {
  readonly #columns: readonly Column[]

  /** `utc` says of each column whether its times are instants. */
  constructor(utc: readonly boolean[]) {
    super()
    this.#columns = utc.map((each) => ({ utc: each, bytes: Buffer.alloc(0), text: '' }))
  }

  static of(copy: EncodedCopy, utc: readonly boolean[]): ValueRows {
    const rows = new ValueRows(utc)
    rows.adopt(copy)
    return rows
  }

  get utc(): readonly boolean[] {
    return this.#columns.map(({ utc }) => utc)
  }

  /** Puts the values of row `row` into `values` from `first` on, in the order of the columns. */
  read(row: number, values: SqliteValue[], first: number): void {
    const { view } = this
    let at = this.startOf(row)
    let index = first
    for (const column of this.#columns) {
      const tag = this.buffer[at++]
      if (tag === NUMBER) {
        values[index] = view.getFloat64(at, true)
        at += 8
      } else if (tag === TEXT) {
        const length = view.getUint32(at, true)
        values[index] = this.#text(column, at + 4, length)
        at += 4 + length
      } else if (tag === TIMESTAMP) {
        values[index] = isoTimestamp(view.getInt32(at, true), view.getFloat64(at + 4, true), column.utc)
        at += 12
      } else if (tag === DATE) {
        values[index] = isoDate(view.getInt32(at, true))
        at += 4
      } else if (tag === BIGINT) {
        values[index] = view.getBigInt64(at, true)
        at += 8
      } else if (tag === BLOB) {
        const length = view.getUint32(at, true)
        values[index] = this.buffer.subarray(at + 4, at + 4 + length)
        at += 4 + length
      } else values[index] = null
      index++
    }
  }

  #text(column: Column, at: number, length: number): string {
    if (column.bytes.length !== length || !this.#holds(column.bytes, at)) {
      column.bytes = Buffer.from(this.buffer.subarray(at, at + length))
      column.text = column.bytes.toString('utf8')
    }
    return column.text
  }

  /** Whether the bytes stand at `at`. */
  #holds(bytes: Buffer, at: number): boolean {
    const { buffer } = this
    const { length } = bytes
    // As when appending: the call of a comparison costs more than some dozens of bytes.
    if (length > 32) return bytes.compare(buffer, at, at + length) === 0
    // From the end, where neighbours mostly differ.
    for (let index = length - 1; index >= 0; index--) if (bytes[index] !== buffer[at + index]) return false
    return true
  }

  null(): void {
    this.reserve(1)
    this.buffer[this.at++] = NULL
  }
  boolean(value: boolean): void {
    this.double(value ? 1 : 0)
  }
  integer(value: number): void {
    this.double(value)
  }
  bigint(high: number, low: number): void {
    this.#tag(BIGINT, 8)
    this.view.setUint32(this.at, low, true)
    this.view.setInt32(this.at + 4, high, true)
    this.at += 8
  }
  double(value: number): void {
    this.#tag(NUMBER, 8)
    this.view.setFloat64(this.at, value, true)
    this.at += 8
  }
  numeric(bytes: Buffer, start: number, end: number): void {
    this.text(bytes, start, end)
  }
  date(days: number): void {
    this.#tag(DATE, 4)
    this.view.setInt32(this.at, days, true)
    this.at += 4
  }
  timestamp(days: number, micros: number): void {
    this.#tag(TIMESTAMP, 12)
    this.view.setInt32(this.at, days, true)
    this.view.setFloat64(this.at + 4, micros, true)
    this.at += 12
  }
  time(micros: number): void {
    this.custom(isoTime(micros))
  }
  uuid(bytes: Buffer): void {
    this.custom(uuidText(bytes))
  }
  text(bytes: Buffer, start: number, end: number): void {
    this.#sized(TEXT, bytes, start, end)
  }
  bytea(bytes: Buffer, start: number, end: number): void {
    this.#sized(BLOB, bytes, start, end)
  }
  #sized(tag: number, bytes: Buffer, start: number, end: number): void {
    this.#tag(tag, 4 + end - start)
    this.view.setUint32(this.at, end - start, true)
    this.at += 4
    this.append(bytes, start, end)
  }
  json(bytes: Buffer, start: number, end: number): void {
    this.text(bytes, start, end)
  }
  custom(text: string): void {
    const bytes = Buffer.from(text)
    this.text(bytes, 0, bytes.length)
  }

  change(change: string): void {
    this.custom(change)
  }

  #tag(tag: number, bytes: number): void {
    this.reserve(1 + bytes)
    this.buffer[this.at++] = tag
  }
}
