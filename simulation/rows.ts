/** Rows of the simulated table, as the decoder writes them. */
import type { RowBuffer } from '../src/model/writer.ts'

export interface Row {
  readonly id: number
  readonly note: string
}

const unexpected = (): never => {
  throw new Error('the table has no such column')
}

export class Rows implements RowBuffer {
  list: Row[] = []
  #id = 0
  #note = ''

  get rows(): number {
    return this.list.length
  }

  get bytes(): number {
    return this.list.length * 16
  }

  clear(): void {
    // What a transaction reads must not change while it is under way.
    this.list = []
  }

  startRow(): void {
    this.#id = 0
    this.#note = ''
  }

  endRow(): void {
    this.list.push({ id: this.#id, note: this.#note })
  }

  dropRow(): void {}

  bigint(high: number, low: number): void {
    this.#id = high * 2 ** 32 + low
  }

  text(bytes: Buffer, start: number, end: number): void {
    this.#note = bytes.toString('utf8', start, end)
  }

  readonly null = unexpected
  readonly boolean = unexpected
  readonly integer = unexpected
  readonly double = unexpected
  readonly numeric = unexpected
  readonly date = unexpected
  readonly timestamp = unexpected
  readonly time = unexpected
  readonly uuid = unexpected
  readonly bytea = unexpected
  readonly json = unexpected
  readonly custom = unexpected
}
