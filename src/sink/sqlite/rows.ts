import type { SqliteValue } from '../../core/sqlite.ts'
import { isoDate, isoTimestamp } from '../../model/iso.ts'
import { uuidText } from '../../model/values.ts'
import type { RowBuffer } from '../../model/writer.ts'

interface Column {
  readonly utc: boolean
  bytes: Buffer
  text: string
}

/** Rows as the values that their INSERT binds, one row after the other. */
export class ValueRows implements RowBuffer {
  /** Only the first `rows` times the number of columns count: the array is kept between batches instead of growing anew. */
  readonly values: SqliteValue[] = []
  rows = 0
  bytes = 0
  /** Where the next value goes, and where its row began. */
  #at = 0
  #rowStart = 0
  /** Of each column, whether its times are instants, and the text last seen: neighbouring records often share it. */
  readonly #columns: readonly Column[]

  constructor(utc: readonly boolean[]) {
    this.#columns = utc.map((each) => ({ utc: each, bytes: Buffer.alloc(0), text: '' }))
  }

  clear(): void {
    this.#at = 0
    this.rows = 0
    this.bytes = 0
  }

  startRow(): void {
    this.#rowStart = this.#at
  }
  endRow(): void {
    this.rows++
  }
  dropRow(): void {
    this.#at = this.#rowStart
  }
  null(): void {
    this.#push(null, 1)
  }
  boolean(value: boolean): void {
    this.#push(value ? 1 : 0, 1)
  }
  integer(value: number): void {
    this.#push(value, 4)
  }
  bigint(value: number | bigint): void {
    this.#push(BigInt(value), 8)
  }
  double(value: number): void {
    this.#push(value, 8)
  }
  numeric(text: string): void {
    this.#push(text, text.length)
  }
  date(days: number): void {
    this.#push(isoDate(days), 10)
  }
  timestamp(days: number, micros: number): void {
    this.#push(isoTimestamp(days, micros, this.#column.utc), 27)
  }
  uuid(hex: string): void {
    this.#push(uuidText(hex), 36)
  }
  text(bytes: Buffer, start: number, end: number): void {
    const column = this.#column
    if (column.bytes.compare(bytes, start, end) !== 0) {
      column.bytes = Buffer.from(bytes.subarray(start, end))
      column.text = column.bytes.toString('utf8')
    }
    this.#push(column.text, end - start)
  }
  json(bytes: Buffer, start: number, end: number): void {
    this.text(bytes, start, end)
  }
  custom(text: string): void {
    this.#push(text, text.length)
  }

  get #column() {
    return this.#columns[this.#at - this.#rowStart] as Column
  }

  #push(value: SqliteValue, bytes: number): void {
    this.values[this.#at++] = value
    this.bytes += bytes
  }
}
