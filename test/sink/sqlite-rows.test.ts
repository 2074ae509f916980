import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { SqliteValue } from '../../src/core/sqlite.ts'
import { isoDate, isoTimestamp } from '../../src/model/iso.ts'
import { ValueRows } from '../../src/sink/sqlite/rows.ts'

const utc = [true, false, false]

interface Value {
  readonly write: (rows: ValueRows) => void
  /** As the column reads it. */
  readonly read: (isInstant: boolean) => SqliteValue
}

const bytesOf = (text: string): Buffer => Buffer.from(text)

const nothing: Value = { write: (rows) => rows.null(), read: () => null }
const number = (value: number): Value => ({ write: (rows) => rows.double(value), read: () => value })
const text = (value: string): Value => ({
  write: (rows) => rows.text(bytesOf(value), 0, bytesOf(value).length),
  read: () => value,
})
const blob = (value: Uint8Array): Value => ({
  write: (rows) => rows.bytea(Buffer.from(value), 0, value.length),
  read: () => Buffer.from(value),
})
const whole = (value: bigint): Value => ({
  write: (rows) => rows.bigint(Number(value >> 32n), Number(value & 0xffffffffn)),
  read: () => value,
})
const day = (days: number): Value => ({ write: (rows) => rows.date(days), read: () => isoDate(days) })
const time = (days: number, micros: number): Value => ({
  write: (rows) => rows.timestamp(days, micros),
  read: (isInstant) => isoTimestamp(days, micros, isInstant),
})

const days = fc.integer({ min: -719_528, max: 2_932_896 })
/** Around the length up to which texts are looked at, and the bytes up to which rows are read together. */
const texts = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('a'.repeat(31), 'é'.repeat(16), 'é'.repeat(17), 'x'.repeat(70_000), 'ü'.repeat(40_000)),
)
const values: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(nothing),
  fc.double({ noNaN: true }).map(number),
  texts.map(text),
  fc.uint8Array({ maxLength: 40 }).map(blob),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(whole),
  days.map(day),
  fc.tuple(days, fc.integer({ min: 0, max: 86_399_999_999 })).map(([date, micros]) => time(date, micros)),
)
const rowsOf = fc.array(fc.tuple(values, values, values), { minLength: 1, maxLength: 30 })

it('whatever rows hold is read again, by any thread and in runs of any length', () => {
  fc.assert(
    fc.property(rowsOf, fc.integer({ min: 1, max: 30 }), (records, run) => {
      const written = new ValueRows(utc)
      for (const record of records) {
        written.startRow()
        for (const value of record) value.write(written)
        written.endRow()
      }
      const shared = structuredClone({ rows: written.share() }).rows
      const rows = ValueRows.of(shared, utc)
      const read: SqliteValue[] = []
      for (let start = 0; start < records.length; start += run) {
        const some: SqliteValue[] = []
        rows.read(start, Math.min(start + run, records.length), some)
        read.push(...some)
      }
      expect(read).toEqual(
        records.flatMap((record) => record.map((value, column) => value.read(utc[column] === true))),
      )
    }),
  )
})

it('who holds rows hears of their size each time that their memory grows', () => {
  const sizes: number[] = []
  const rows = new ValueRows([false], (bytes) => sizes.push(bytes))
  for (let row = 0; row < 10_000; row++) {
    rows.startRow()
    rows.double(row)
    rows.endRow()
  }
  expect(sizes.length).toBeGreaterThan(1)
  expect(sizes).toEqual([...sizes].sort((a, b) => a - b))
})
