/** Columns of every kind of value, for property tests. */
import fc from 'fast-check'
import { markers } from '../../../src/infer/profile/shape.ts'
import { inQuotes } from './columns.ts'

const two = (value: number) => String(value).padStart(2, '0')
const day = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))
const clock = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 }))
  .chain(([h, m, s]) =>
    fc.constantFrom(
      `${two(h)}:${two(m)}`,
      `${two(h)}:${two(m)}:${two(s)}`,
      `${two(h)}:${two(m)}:${two(s)}.5000001`,
      `${h}:${two(m)}`,
    ),
  )
const zones = fc.constantFrom('Z', '+00', '+02:00', '-0330', ' UTC', '+1', '')
const slashed = fc
  .tuple(
    fc.integer({ min: 1, max: 31 }),
    fc.integer({ min: 1, max: 13 }),
    fc.constantFrom('2024', '24', '1999'),
    fc.constantFrom('/', '.', '-'),
  )
  .map(([a, b, year, mark]) => `${a < 20 ? a : two(a)}${mark}${two(b)}${mark}${year}`)
const digits = fc.stringMatching(/^[0-9]{1,22}$/)
const grouped = fc
  .tuple(
    fc.integer({ min: 1, max: 999 }),
    fc.array(fc.stringMatching(/^[0-9]{3}$/), { maxLength: 2 }),
    fc.constantFrom(',', '.', ' ', "'"),
    fc.constantFrom('', ',5', '.25', ',123'),
  )
  .map(([first, groups, mark, rest]) => [first, ...groups].join(mark) + rest)

export const kinds: Readonly<Record<string, fc.Arbitrary<string>>> = {
  small: fc.integer().map(String),
  large: fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  digits,
  decimal: fc.tuple(fc.constantFrom('', '-', '+'), digits, digits).map(([sign, a, b]) => `${sign}${a}.${b}`),
  price: fc.integer({ min: 0, max: 999_999 }).map((cents) => (cents / 100).toFixed(2)),
  double: fc.double({ noNaN: true }).map(String),
  exponent: fc.double().map((value) => value.toExponential()),
  grouped,
  day,
  local: fc.tuple(day, fc.constantFrom('T', ' ', 't'), clock).map((parts) => parts.join('')),
  instant: fc.tuple(day, fc.constantFrom('T', ' '), clock, zones).map((parts) => parts.join('')),
  clock,
  slashed,
  slashedTime: fc
    .tuple(slashed, fc.constantFrom(' ', 'T', ', '), clock, fc.constantFrom('', ' AM', 'pm'))
    .map((parts) => parts.join('')),
  named: fc.constantFrom(
    '02-Jan-2021',
    '3-May-2021',
    'January 2, 2021',
    'Jan 2 2021',
    'Jan-02-2021',
    '02 Feb 2021',
    '31-Feb-2021',
    '2-Mar-21',
  ),
  uuid: fc.uuid().chain((text) => fc.constantFrom(text, text.toUpperCase())),
  json: fc.json(),
  boolean: fc.constantFrom('true', 'false', 'TRUE', 'FALSE', 'True', 't', 'f', 'yes', 'no', '1', '0'),
  marker: fc.constantFrom(...markers),
  odd: fc.constantFrom(
    '007',
    '+5',
    '.5',
    '5.',
    '-0',
    '-0.0',
    '0x1F',
    '1_000',
    'nan',
    'inf',
    '1e400',
    ' 7',
    '7 ',
    ' ',
    '$5.00',
    '5%',
    '(5)',
    '="007"',
    '',
  ),
  text: fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
}

/** Cells of a column, as they stand in a file: mostly of one or two kinds, so that types other than text are common. */
export const column = fc
  .uniqueArray(fc.constantFrom(...Object.keys(kinds)), { minLength: 1, maxLength: 2 })
  .chain((names) =>
    fc.array(fc.oneof(...names.map((name) => kinds[name] as fc.Arbitrary<string>)), {
      minLength: 1,
      maxLength: 12,
    }),
  )
  .chain((values) =>
    fc.constantFrom(
      values.map(inQuotes),
      values.map((text) => (/[",\n\r]/.test(text) ? inQuotes(text) : text)),
    ),
  )
