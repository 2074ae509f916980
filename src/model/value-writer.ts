import { isoDate, isoTime, isoTimestamp } from './iso.ts'
import type { Model } from './declared.ts'
import type { Value } from './value.ts'
import type { RowWriter } from './writer.ts'

/** Collects rows as arrays of values, in the order of the model's columns. */
export class ValueWriter implements RowWriter {
  readonly values: Value[] = []
  readonly #utc: ReadonlySet<number>
  #rowStart = 0

  constructor(model: Model) {
    this.#utc = new Set(
      model.columns.flatMap((column, index) => (column.type.kind === 'timestamptz' ? [index] : [])),
    )
  }

  startRow(): void {
    this.#rowStart = this.values.length
  }
  endRow(): void {}
  dropRow(): void {
    this.values.length = this.#rowStart
  }
  null(): void {
    this.values.push(null)
  }
  boolean(value: boolean): void {
    this.values.push(value)
  }
  integer(value: number): void {
    this.values.push(value)
  }
  bigint(high: number, low: number): void {
    this.values.push((BigInt(high) << 32n) | BigInt(low))
  }
  double(value: number): void {
    this.values.push(value)
  }
  numeric(bytes: Buffer, start: number, end: number): void {
    this.values.push(bytes.toString('latin1', start, end))
  }
  date(days: number): void {
    this.values.push(isoDate(days))
  }
  timestamp(days: number, micros: number): void {
    this.values.push(isoTimestamp(days, micros, this.#utc.has(this.values.length - this.#rowStart)))
  }
  time(micros: number): void {
    this.values.push(isoTime(micros))
  }
  uuid(bytes: Buffer): void {
    this.values.push(uuidText(bytes))
  }
  text(bytes: Buffer, start: number, end: number): void {
    this.values.push(bytes.toString('utf8', start, end))
  }
  bytea(bytes: Buffer, start: number, end: number): void {
    this.values.push(`\\x${bytes.toString('hex', start, end)}`)
  }
  json(bytes: Buffer, start: number, end: number): void {
    this.values.push(bytes.toString('utf8', start, end))
  }
  custom(text: string): void {
    this.values.push(text)
  }
}

/** The usual form of a UUID of 16 bytes. */
export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
