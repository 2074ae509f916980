/**
 * Whatever the values: the order of the rows changes no type, and every value of a typed column is decoded
 * and comes back. What PostgreSQL gives back for a decoded value is checked by test/sink/agreement.test.ts.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { defaultDialect } from '../../../src/format/csv/dialect.ts'
import { CsvReader } from '../../../src/format/csv/read.ts'
import type { ColumnProfile } from '../../../src/infer/profile/column.ts'
import { scientific } from '../../../src/infer/profile/doubles.ts'
import { type FoundType, shownType } from '../../../src/infer/profile/found-type.ts'
import { typeOf } from '../../../src/infer/profile/types.ts'
import { columnOfType } from '../../../src/infer/profile/written-type.ts'
import { defineModel } from '../../../src/model/model.ts'
import { writtenBy } from '../../../src/model/notation/notation.ts'
import { RecordDecoder } from '../../../src/model/record.ts'
import type { Value } from '../../../src/model/value.ts'
import { ValueWriter } from '../../../src/model/value-writer.ts'
import { columnOf } from './columns.ts'
import { column } from './cells.ts'

const shown = (found: FoundType) => shownType(found) + JSON.stringify(found.notation ?? {})

it('the order of the rows changes no type', () => {
  fc.assert(
    fc.property(
      column.chain((cells) =>
        fc.tuple(fc.constant(cells), fc.shuffledSubarray(cells, { minLength: cells.length })),
      ),
      ([cells, shuffled]) => {
        expect(shown(typeOf(columnOf(...shuffled)))).toBe(shown(typeOf(columnOf(...cells))))
      },
    ),
    { numRuns: 3000 },
  )
})

it('every value of a typed column is decoded, and comes back from its value', () => {
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(column, (cells) => {
      const profile = columnOf(...cells)
      const found = typeOf(profile)
      seen.set(found.name, (seen.get(found.name) ?? 0) + 1)
      for (const [text, value] of decoded(profile, found, cells)) {
        if (value === null) expect(['', ...(found.notation?.nulls ?? [])]).toContain(text)
        else expect(backFrom(value, found), text).toBe(canonical(text, found))
      }
    }),
    { numRuns: 5000 },
  )
  // The property means something only if every type occurs.
  expect([...seen.keys()].toSorted()).toEqual([
    'bigint',
    'boolean',
    'date',
    'doublePrecision',
    'integer',
    'json',
    'numeric',
    'text',
    'time',
    'timestamp',
    'timestamptz',
    'uuid',
  ])
})

/** Texts of cells, as the CSV reader gives them, and what the model's decoder makes of them. */
function* decoded(
  { field }: ColumnProfile,
  found: FoundType,
  cells: readonly string[],
): Generator<[string, Value]> {
  const model = defineModel({ table: 'test', columns: { value: columnOfType(found).from(field) } })
  const fields = ['id', field]
  const writer = new ValueWriter(model)
  const decoder = new RecordDecoder(model, fields, writer, { notations: { [field]: found.notation ?? {} } })
  const reader = new CsvReader(defaultDialect, fields)
  reader.open(Buffer.from(cells.map((cell) => `r,${cell}\n`).join('')))
  while (reader.next()) {
    if (reader.fault !== undefined) continue
    const text =
      reader.quoting[1] === 2 ? reader.unescaped(1) : reader.bytes.subarray(reader.starts[1], reader.ends[1])
    const fault = decoder.decode(reader)
    expect(fault, `${text.toString()} as ${shown(found)}`).toBeUndefined()
    yield [text.toString(), writer.values.at(-1) as Value]
  }
}

const numbers = ['integer', 'bigint', 'numeric', 'doublePrecision']

/** The text in the form that PostgreSQL writes. Read by other code than the decoders. */
function canonical(text: string, found: FoundType): string {
  const written =
    found.notation === undefined ? text : writtenBy(found.notation, columnOfType(found).spec.type)(text)
  const plain = String(written)
  if (found.name === 'doublePrecision') return scientific(plain).key
  if (numbers.includes(found.name)) return plain
  // Of one spelling.
  if (found.name === 'boolean') return plain.toLowerCase()
  if (found.name === 'time') return timeOf(plain)
  if (found.name === 'timestamp') return instantOf(`${plain}Z`)
  if (found.name === 'timestamptz') return instantOf(plain)
  return plain
}

function backFrom(value: Value, { name }: FoundType): string {
  if (name === 'doublePrecision') return scientific(String(value)).key
  if (name === 'timestamp' || name === 'timestamptz') return instantOf(String(value))
  return name === 'time' ? timeOf(String(value)) : String(value)
}

/** With seconds, and without zeros behind them. */
const timeOf = (text: string) =>
  (/^\d\d:\d\d$/.test(text) ? `${text}:00` : text).replace(/\.?0+$/, (zeros) =>
    text.includes('.') ? '' : zeros,
  )

/** Milliseconds, and the digits behind them. */
function instantOf(text: string): string {
  const [, local = '', time = '', second = '', fraction = '', zone = ''] =
    /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?(?:\.(\d+))? ?(.*)$/.exec(text) ?? []
  const hours = /^[+-]\d\d$/.test(zone)
    ? `${zone}:00`
    : /^[+-]\d{4}$/.test(zone)
      ? `${zone.slice(0, 3)}:${zone.slice(3)}`
      : zone
  const offset = hours === '' || /^(utc|gmt|z)$/i.test(hours) ? 'Z' : hours
  return `${Date.parse(`${local}T${time}${second || ':00'}${offset}`)} ${fraction.replace(/0+$/, '')}`
}
