/**
 * Rows as the text that LOAD DATA reads: fields end with a tab, rows with a newline, a backslash escapes, and NULL is
 * `\N`. Each number, date and time is written so that the server reads exactly this value.
 */
import { instantBytes, isoDate, timestampBytes, writeInstant } from '../../model/iso.ts'
import { uuidText } from '../../model/value-writer.ts'
import type { RowBuffer } from '../../model/writer.ts'
import { EncodedRows } from '../sql/encoded-rows.ts'
import { hexLiteral, literal } from './literal.ts'

/**
 * The same rows as the values of an INSERT, one list for each; `kinds` are those of the first fields, the others are text.
 */
export function valuesOf(rows: Buffer, kinds: readonly FieldKind[]): readonly string[] {
  const lines = rows.toString('utf8').split('\n')
  // Behind the last newline.
  lines.pop()
  return lines.map((line) =>
    line
      .split('\t')
      .map((field, index) => valueOf(field, kinds[index]))
      .join(', '),
  )
}

export type FieldKind = 'text' | 'bytes' | 'bit' | 'stamp'

/** What a TIMESTAMP refuses as a value. */
export const noTime = "'NULL'"

function valueOf(field: string, kind: FieldKind = 'text'): string {
  if (field === '\\N') return kind === 'stamp' ? noTime : 'NULL'
  if (kind === 'bytes') return hexLiteral(field)
  if (kind === 'bit') return field
  return literal(field.replaceAll(/\\(.)/g, (_, escaped: string) => unescaped[escaped] ?? escaped))
}

const unescaped: Readonly<Record<string, string>> = { t: '\t', n: '\n' }

/** How LOAD DATA reads it; a backslash within a literal is one in a session of ours. */
export const format =
  "CHARACTER SET utf8mb4 FIELDS TERMINATED BY X'09' ESCAPED BY X'5C' LINES TERMINATED BY X'0A'"

const TAB = 9
const NEWLINE = 10
const BACKSLASH = 92
const ZERO = 48
const MINUS = 45
const SPACE = 32
const lowerN = 110
const lowerT = 116
const upperN = 78

/** More than any value of fixed size needs: a double has 24 characters, a timestamp 27, a UUID 36. */
const widest = 40
const twoTo32 = 4_294_967_296

export class LoadRows extends EncodedRows implements RowBuffer {
  /** The date that was written last. */
  #days = Number.NaN
  #date = ''

  override startRow(): void {
    this.reserve(1)
  }

  override endRow(): void {
    // In place of the tab behind the last field.
    this.buffer[this.at - 1] = NEWLINE
    super.endRow()
  }

  null(): void {
    this.reserve(3)
    this.buffer[this.at++] = BACKSLASH
    this.buffer[this.at++] = upperN
    this.buffer[this.at++] = TAB
  }

  boolean(value: boolean): void {
    this.reserve(2)
    this.buffer[this.at++] = value ? ZERO + 1 : ZERO
    this.buffer[this.at++] = TAB
  }

  integer(value: number): void {
    this.reserve(widest)
    if (value < 0) this.buffer[this.at++] = MINUS
    this.#digits(Math.abs(value))
    this.buffer[this.at++] = TAB
  }

  bigint(high: number, low: number): void {
    const value = high * twoTo32 + low
    if (Number.isSafeInteger(value)) this.integer(value)
    else this.#ascii(String((BigInt(high) << 32n) | BigInt(low)))
  }

  /** JavaScript's shortest form reads back as the same double. */
  double(value: number): void {
    this.#ascii(Object.is(value, -0) ? '-0' : String(value))
  }

  numeric(bytes: Buffer, start: number, end: number): void {
    this.reserve(end - start + 1)
    this.append(bytes, start, end)
    this.buffer[this.at++] = TAB
  }

  date(days: number): void {
    if (days !== this.#days) {
      this.#date = isoDate(days)
      this.#days = days
    }
    this.#ascii(this.#date)
  }

  timestamp(days: number, micros: number): void {
    this.reserve(widest)
    writeInstant(this.buffer, this.at, days, micros)
    this.buffer[this.at + 10] = SPACE
    this.at += timestampBytes
    this.buffer[this.at++] = TAB
  }

  time(micros: number): void {
    this.reserve(widest)
    writeInstant(this.buffer, this.at, 0, micros)
    this.buffer.copyWithin(this.at, this.at + 11, this.at + instantBytes - 1)
    this.at += timestampBytes - 11
    this.buffer[this.at++] = TAB
  }

  uuid(bytes: Buffer): void {
    this.#ascii(uuidText(bytes))
  }

  text(bytes: Buffer, start: number, end: number): void {
    this.reserve((end - start) * 2 + 1)
    const { buffer } = this
    let { at } = this
    for (let from = start; from < end; from++) {
      const byte = bytes[from] as number
      if (byte === BACKSLASH || byte === TAB || byte === NEWLINE) {
        buffer[at++] = BACKSLASH
        buffer[at++] = byte === TAB ? lowerT : byte === NEWLINE ? lowerN : BACKSLASH
      } else buffer[at++] = byte
    }
    buffer[at++] = TAB
    this.at = at
  }

  /** Hexadecimal digits, because the field is text of the session's character set. */
  bytea(bytes: Buffer, start: number, end: number): void {
    this.#ascii(bytes.toString('hex', start, end))
  }

  json(bytes: Buffer, start: number, end: number): void {
    this.text(bytes, start, end)
  }

  custom(text: string): void {
    const bytes = Buffer.from(text)
    this.text(bytes, 0, bytes.length)
  }

  change(change: string): void {
    this.#ascii(change)
  }

  #ascii(text: string): void {
    this.reserve(text.length + 1)
    this.at += this.buffer.write(text, this.at, 'latin1')
    this.buffer[this.at++] = TAB
  }

  /** Of a whole number that is exact in a double. */
  #digits(value: number): void {
    let width = 1
    for (let limit = 10; limit <= value; limit *= 10) width++
    let rest = value
    for (let at = this.at + width - 1; at >= this.at; at--) {
      const next = Math.floor(rest / 10)
      this.buffer[at] = ZERO + rest - next * 10
      rest = next
    }
    this.at += width
  }
}
