/** The decoders of columns: a cell and nothing beside it is read, and what is read is written so that it is read again. */
import type { Cells } from '../../src/core/cells.ts'
import type { Fault } from '../../src/core/fault.ts'
import type { Notation } from '../../src/core/notation.ts'
import { notationsProblem } from '../../src/model/notation/notation.ts'
import * as columns from '../../src/model/columns.ts'
import { defineModel, type Model } from '../../src/model/model.ts'
import { RecordDecoder } from '../../src/model/record.ts'
import type { Value } from '../../src/model/value.ts'
import { ValueWriter } from '../../src/model/value-writer.ts'
import { Broken, requireSame, requireThat, type Target } from '../target.ts'

interface Kind {
  readonly column: columns.Column
  /** What else is known of a text and its value. */
  readonly holds?: (text: string, value: Value | Fault) => boolean
}

const isFault = (value: Value | Fault): value is Fault =>
  typeof value === 'object' && value !== null && 'code' in value

const kinds: readonly Kind[] = [
  { column: columns.integer(), holds: (text, value) => isWhole(text, value, 2n ** 31n) },
  { column: columns.bigint(), holds: (text, value) => isWhole(text, value, 2n ** 63n) },
  { column: columns.doublePrecision(), holds: isDouble },
  { column: columns.numeric(), holds: isDecimal },
  { column: columns.numeric(10, 2) },
  { column: columns.boolean() },
  { column: columns.date(), holds: isDay },
  { column: columns.timestamp() },
  { column: columns.timestamptz() },
  { column: columns.timestamptz({ zone: 'Europe/Berlin' }) },
  { column: columns.time() },
  {
    column: columns.uuid(),
    holds: (text, value) =>
      isFault(value) || String(value).replaceAll('-', '') === text.toLowerCase().replaceAll(/[-{}]/g, ''),
  },
  { column: columns.text(), holds: (text, value) => value === text },
  { column: columns.varchar(3), holds: (text, value) => isFault(value) || value === text },
  { column: columns.json(), holds: isJson },
  { column: columns.bytea() },
  {
    column: columns.enumeration('a', 'b c', 'é'),
    holds: (text, value) => isFault(value) !== ['a', 'b c', 'é'].includes(text),
  },
  { column: columns.array(columns.integer()) },
  { column: columns.array(columns.text()) },
  { column: columns.array(columns.timestamptz()) },
  { column: columns.array(columns.json()) },
]

const models = kinds.map(({ column }) => defineModel({ table: 't', columns: { value: column } }))

const notations: readonly Notation[] = [
  {},
  {},
  {},
  {},
  {},
  { trim: true, nulls: ['-', 'NA'] },
  { decimal: ',', thousands: '.' },
  { thousands: ' ', money: true },
  { thousands: "'", money: '$', percent: true },
  { pattern: 'DD.MM.YYYY' },
  { pattern: 'M/D/YYYY h:mm A' },
  { pattern: 'YYYYMMDD HH:mm:ss.SSS' },
  { epoch: 's' },
  { epoch: 'ms' },
  { epoch: 'excel' },
  { excelText: true },
]

/** Whatever could go on with a value if somebody read too far. */
const surroundings = ['5', '-', '"', '.5e1', 'Z', ' +08:00', '}', '\\', ':30'] as const

export const types: Target = {
  name: 'types',
  options: 3,
  seeds: [
    '0',
    '-2147483648',
    '9223372036854775807',
    '1.5e-300',
    '000123.4500',
    '1e5',
    'true',
    'off',
    '2024-02-29',
    '2024-01-01T10:30:00.123456+02:00',
    '2024-03-31 02:30:00',
    '24:00:00',
    '12:30',
    '550e8400-e29b-41d4-a716-446655440000',
    '{"a":[1,"\\u00e9"]}',
    '\\x00ff',
    '{1,NULL,"a b"}',
    '[[1,2],[3,4]]',
    '1.234.567,89',
    '$1,000.00',
    '(12.50)',
    '5%',
    '31.12.2024',
    '1/2/2024 1:05 PM',
    '1700000000',
    '45000.5',
    '="007"',
    'b c',
    '[0:1]={1,2}',
    '10000-01-01 00:00:00 BC',
  ],
  tokens: [
    '0',
    '9',
    '99999999',
    '00000000000000000000',
    '-',
    '+',
    '.',
    ',',
    'e',
    'E',
    ':',
    'T',
    'Z',
    ' ',
    '+00',
    '+14:00',
    ' UTC',
    ' BC',
    ' AM',
    'inf',
    'nan',
    '0x',
    '_',
    '\\x',
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    'NULL',
    'null',
    'true',
    'é',
    '\u202f',
    '\u2212',
    '😀',
  ],
  check(input) {
    const index = input.below(kinds.length)
    const [{ holds }, model] = [kinds[index] as Kind, models[index] as Model]
    const notation = input.of(notations)
    const around = input.of(surroundings)
    const { body } = input
    const text = body.toString('utf8')
    // What no database takes as text does not get as far as a decoder.
    if (body.length === 0 || body.includes(0) || !Buffer.from(text).equals(body)) return
    const isUsual = Object.keys(notation).length === 0
    if (!isUsual && notationsProblem({ notation }) !== undefined)
      throw new Error('the notation cannot be read')
    const value = decoded(model, notation, text, '')
    requireSame('nothing but the cell is read', decoded(model, notation, text, around), value)
    if (isUsual && holds !== undefined)
      requireThat('the value is that of the text', holds(text, value), { text, value })
    if (isFault(value))
      return requireThat('a reason is short', value.detail.length < 4096, value.detail.length)
    if (value === null) return
    requireSame('what is read can be read again', decoded(model, {}, String(value), ''), value)
  },
}

function decoded(model: Model, notation: Notation, text: string, around: string): Value | Fault {
  const writer = new ValueWriter(model)
  const fault = new RecordDecoder(model, ['value'], writer, { notation }).decode(cellOf(text, around))
  if (fault === undefined && writer.values.length !== 1)
    throw new Broken('one value is written', writer.values)
  if (fault !== undefined && writer.values.length > 0)
    throw new Broken('with a fault, nothing is written', writer.values)
  return fault ?? (writer.values[0] as Value)
}

function cellOf(text: string, around: string): Cells {
  const [gap, cell] = [Buffer.from(around), Buffer.from(text)]
  return {
    bytes: Buffer.concat([gap, cell, gap]),
    count: 1,
    starts: Int32Array.of(gap.length),
    ends: Int32Array.of(gap.length + cell.length),
    quoting: Uint8Array.of(1),
    unescaped: () => cell,
  }
}

function isWhole(text: string, value: Value | Fault, limit: bigint): boolean {
  if (!/^[+-]?\d+$/.test(text)) return isFault(value)
  const number = BigInt(text.replace('+', ''))
  return number >= -limit && number < limit
    ? !isFault(value) && BigInt(value as number) === number
    : isFault(value)
}

function isDouble(text: string, value: Value | Fault): boolean {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return isFault(value)
  return Number.isFinite(Number(text)) ? isFault(value) || Object.is(value, Number(text)) : isFault(value)
}

function isDecimal(text: string, value: Value | Fault): boolean {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return isFault(value)
  return (
    isFault(value) ||
    (/^-?(0|[1-9]\d*)(\.\d+)?$/.test(String(value)) &&
      (Number(value) === Number(text) || Math.abs(Number(value) / Number(text) - 1) < 1e-15))
  )
}

function isDay(text: string, value: Value | Fault): boolean {
  const [day] = /^\d{4}-\d\d-\d\d$/.exec(text) ?? []
  if (day === undefined || day.startsWith('0000')) return true
  const time = Date.parse(`${day}T00:00:00Z`)
  const isReal = !Number.isNaN(time) && new Date(time).toISOString().startsWith(day)
  return isReal ? value === day : isFault(value)
}

/** `JSON.parse` takes names twice, NULs, half surrogates and any depth. */
function isJson(text: string, value: Value | Fault): boolean {
  let isSound = true
  try {
    JSON.parse(text)
  } catch {
    isSound = false
  }
  return isFault(value)
    ? !isSound || /\\u|deep|twice/.test(text + value.detail) || text.length > 1000
    : isSound && value === text
}
