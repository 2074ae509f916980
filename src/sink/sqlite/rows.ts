import type { SqliteValue } from '../../core/sqlite.ts'
import { isoDate, isoTimestamp } from '../../model/iso.ts'
import { uuidText } from '../../model/values.ts'
import type { RowBuffer } from '../../model/writer.ts'
import { EncodedRows } from '../encoded-rows.ts'

/** What a value begins with; its bytes follow. */
const NULL = 0
const NUMBER = 1
const BIGINT = 2
const TEXT = 3
const DATE = 4
const TIMESTAMP = 5

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

  /** Puts the values of row `row` into `values`, in the order of the columns. */
  read(row: number, values: SqliteValue[]): void {
    let at = this.startOf(row)
    for (let index = 0; index < this.#columns.length; index++) {
      const column = this.#columns[index] as Column
      const tag = this.buffer[at++]
      if (tag === NUMBER) {
        values[index] = this.buffer.readDoubleLE(at)
        at += 8
      } else if (tag === TEXT) {
        const length = this.buffer.readUInt32LE(at)
        values[index] = this.#text(column, at + 4, length)
        at += 4 + length
      } else if (tag === TIMESTAMP) {
        values[index] = isoTimestamp(this.buffer.readInt32LE(at), this.buffer.readDoubleLE(at + 4), column.utc)
        at += 12
      } else if (tag === DATE) {
        values[index] = isoDate(this.buffer.readInt32LE(at))
        at += 4
      } else if (tag === BIGINT) {
        values[index] = this.buffer.readBigInt64LE(at)
        at += 8
      } else values[index] = null
    }
  }

  #text(column: Column, at: number, length: number): string {
    if (column.bytes.length !== length || column.bytes.compare(this.buffer, at, at + length) !== 0) {
      column.bytes = Buffer.from(this.buffer.subarray(at, at + length))
      column.text = column.bytes.toString('utf8')
    }
    return column.text
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
    this.at = this.buffer.writeUInt32LE(low, this.at)
    this.at = this.buffer.writeInt32LE(high, this.at)
  }
  double(value: number): void {
    this.#tag(NUMBER, 8)
    this.at = this.buffer.writeDoubleLE(value, this.at)
  }
  numeric(bytes: Buffer, start: number, end: number): void {
    this.text(bytes, start, end)
  }
  date(days: number): void {
    this.#tag(DATE, 4)
    this.at = this.buffer.writeInt32LE(days, this.at)
  }
  timestamp(days: number, micros: number): void {
    this.#tag(TIMESTAMP, 12)
    this.at = this.buffer.writeInt32LE(days, this.at)
    this.at = this.buffer.writeDoubleLE(micros, this.at)
  }
  uuid(bytes: Buffer): void {
    this.custom(uuidText(bytes))
  }
  text(bytes: Buffer, start: number, end: number): void {
    this.#tag(TEXT, 4 + end - start)
    this.at = this.buffer.writeUInt32LE(end - start, this.at)
    this.append(bytes, start, end)
  }
  json(bytes: Buffer, start: number, end: number): void {
    this.text(bytes, start, end)
  }
  custom(text: string): void {
    const bytes = Buffer.from(text)
    this.text(bytes, 0, bytes.length)
  }

  #tag(tag: number, bytes: number): void {
    this.reserve(1 + bytes)
    this.buffer[this.at++] = tag
  }
}
