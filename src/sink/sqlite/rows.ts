import type { SqliteValue } from '../../core/sqlite.ts'
import { instantBytes, isoDate, isoTime, timestampBytes, writeInstant } from '../../model/iso.ts'
import { uuidText } from '../../model/value-writer.ts'
import type { RowBuffer } from '../../model/writer.ts'
import { EncodedRows, type SharedRows } from '../sql/encoded-rows.ts'

/** What a value begins with; its bytes follow. */
const NULL = 0
const NUMBER = 1
const BIGINT = 2
/** Text of which each byte is a character. */
const ASCII = 3
const TEXT = 4
const TIMESTAMP = 5
const BLOB = 6

/** Memory of the first rows. */
const firstBytes = 32 * 1024
/** Beyond it a text is not looked at, byte by byte, for whether it is ASCII. */
const mostLooked = 32
/** Rows are read together up to so many bytes. */
const mostTogether = 64 * 1024

/** Rows as tagged values, which become what an INSERT binds only when it binds them. */
export class ValueRows extends EncodedRows implements RowBuffer {
  /** Of each column, whether its times are instants. */
  readonly utc: readonly boolean[]

  /** Calls `onGrowth` with the size of the rows, in bytes, whenever they outgrow their memory, which then doubles. */
  constructor(utc: readonly boolean[], onGrowth: (bytes: number) => void = () => {}) {
    super({ bytes: firstBytes, isShared: true, onGrowth })
    this.utc = utc
  }

  static of(shared: SharedRows, utc: readonly boolean[]): ValueRows {
    const rows = new ValueRows(utc)
    rows.adopt(shared)
    return rows
  }

  /** Puts the values of the rows from `start` to before `end` into `values`, in the order of the columns. */
  read(start: number, end: number, values: SqliteValue[]): void {
    for (let row = start, index = 0; row < end;) {
      const next = this.#isShort(row, end) ? end : row + 1
      index = this.#readTogether(row, next, values, index)
      row = next
    }
  }

  #isShort(start: number, end: number): boolean {
    return this.startOf(end) - this.startOf(start) <= mostTogether
  }

  /**
   * All bytes become one string, of which texts are parts: each call that makes a string of bytes costs more
   * than what else is done for a value.
   */
  #readTogether(first: number, end: number, values: SqliteValue[], firstIndex: number): number {
    const { buffer, view, utc } = this
    const from = this.startOf(first)
    const all = this.#isShort(first, end) ? buffer.toString('latin1', from, this.startOf(end)) : undefined
    const ascii = (start: number, length: number): string =>
      all === undefined
        ? buffer.toString('latin1', start, start + length)
        : all.substring(start - from, start - from + length)
    let at = from
    let index = firstIndex
    for (let row = first; row < end; row++) {
      for (const isInstant of utc) {
        const tag = buffer[at++]
        if (tag === NUMBER) {
          values[index++] = view.getFloat64(at, true)
          at += 8
        } else if (tag === ASCII) {
          const length = view.getUint32(at, true)
          values[index++] = ascii(at + 4, length)
          at += 4 + length
        } else if (tag === TIMESTAMP) {
          values[index++] = ascii(at, isInstant ? instantBytes : timestampBytes)
          at += instantBytes
        } else if (tag === TEXT) {
          const length = view.getUint32(at, true)
          values[index++] = buffer.toString('utf8', at + 4, at + 4 + length)
          at += 4 + length
        } else if (tag === BIGINT) {
          values[index++] = view.getBigInt64(at, true)
          at += 8
        } else if (tag === BLOB) {
          const length = view.getUint32(at, true)
          values[index++] = buffer.subarray(at + 4, at + 4 + length)
          at += 4 + length
        } else values[index++] = null
      }
    }
    return index
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
    this.custom(isoDate(days))
  }
  timestamp(days: number, micros: number): void {
    this.#tag(TIMESTAMP, instantBytes)
    writeInstant(this.buffer, this.at, days, micros)
    this.at += instantBytes
  }
  time(micros: number): void {
    this.custom(isoTime(micros))
  }
  uuid(bytes: Buffer): void {
    this.custom(uuidText(bytes))
  }
  text(bytes: Buffer, start: number, end: number): void {
    const isAscii = end - start <= mostLooked && allAscii(bytes, start, end)
    this.#sized(isAscii ? ASCII : TEXT, bytes, start, end)
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

function allAscii(bytes: Buffer, start: number, end: number): boolean {
  let marks = 0
  for (let at = start; at < end; at++) marks |= bytes[at] as number
  return marks < 0x80
}
