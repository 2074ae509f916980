/** Rows as COPY TEXT, for models with a column whose binary form lading does not know. */
import { isoDate, isoTime, isoTimestamp } from '../../../model/iso.ts'
import type { RowBuffer } from '../../../model/writer.ts'
import { CopyRows } from './rows.ts'

const TAB = 9
const NEWLINE = 10
const RETURN = 13
const BACKSLASH = 92

export class TextRows extends CopyRows implements RowBuffer {
  readonly format = 'text'
  readonly header = Buffer.alloc(0)
  readonly trailer = Buffer.alloc(0)
  readonly #utc: readonly boolean[]
  #column = 0

  /** `utc` says of each column whether its times are instants. */
  constructor(utc: readonly boolean[]) {
    super()
    this.#utc = utc
  }

  override startRow(): void {
    super.startRow()
    this.#column = 0
  }

  override endRow(): void {
    this.reserve(1)
    this.buffer[this.at++] = NEWLINE
    super.endRow()
  }

  null(): void {
    this.#plain('\\N')
  }

  boolean(value: boolean): void {
    this.#plain(value ? 't' : 'f')
  }

  integer(value: number): void {
    this.#plain(String(value))
  }

  bigint(high: number, low: number): void {
    this.#plain(String((BigInt(high) << 32n) | BigInt(low)))
  }

  /** JavaScript's shortest form reads back as the same double. */
  double(value: number): void {
    this.#plain(Object.is(value, -0) ? '-0' : String(value))
  }

  numeric(bytes: Buffer, start: number, end: number): void {
    this.#plain(bytes.toString('latin1', start, end))
  }

  date(days: number): void {
    this.#plain(isoDate(days))
  }

  timestamp(days: number, micros: number): void {
    this.#plain(isoTimestamp(days, micros, this.#utc[this.#column] === true))
  }

  time(micros: number): void {
    this.#plain(isoTime(micros))
  }

  uuid(bytes: Buffer): void {
    this.#plain(bytes.toString('hex'))
  }

  text(bytes: Buffer, start: number, end: number): void {
    this.#separate()
    this.reserve((end - start) * 2)
    const { buffer } = this
    for (let from = start; from < end; from++) {
      const byte = bytes[from] as number
      if (byte === TAB || byte === NEWLINE || byte === RETURN || byte === BACKSLASH) {
        buffer[this.at++] = BACKSLASH
        buffer[this.at++] = byte === TAB ? 116 : byte === NEWLINE ? 110 : byte === RETURN ? 114 : BACKSLASH
      } else buffer[this.at++] = byte
    }
  }

  bytea(bytes: Buffer, start: number, end: number): void {
    this.#plain(`\\\\x${bytes.toString('hex', start, end)}`)
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

  #separate(): void {
    if (this.#column++ === 0) return
    this.reserve(1)
    this.buffer[this.at++] = TAB
  }

  #plain(text: string): void {
    this.#separate()
    this.reserve(text.length)
    this.at += this.buffer.write(text, this.at, 'latin1')
  }
}
