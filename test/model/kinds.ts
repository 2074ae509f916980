/**
 * Of each column type: texts of every form and nearly so, and what PostgreSQL is expected to make of them.
 */
import fc from 'fast-check'
import type { Code } from '../../src/core/errors.ts'
import * as columns from '../../src/model/columns.ts'
import { anyText } from './helpers.ts'

export interface Kind {
  readonly name: string
  readonly column: columns.Column
  /** The type's name in SQL. */
  readonly sql: string
  readonly texts: () => readonly string[]
  /** PostgreSQL's own reading of `text`, where it is not `text::sql`. */
  readonly reading?: string
  /** What two values must share to be the same. */
  readonly image: (value: string) => string
  /** Kinds of texts that are refused though PostgreSQL takes them. */
  readonly stricter: Readonly<Record<string, (text: string, code: Code) => boolean>>
}

const matching = (pattern: RegExp) => (text: string) => pattern.test(text)
const refusedFor = (code: Code) => (_: string, found: Code) => found === code
const whiteSpace = matching(/^\s|\s$/)

/** Hand-picked ones. */
const listed = (texts: string): string[] => texts.split('|')

const sample = (texts: fc.Arbitrary<string>, count: number): string[] => fc.sample(texts, count)

/** One edit of each text: what is nearly right shows best where the two disagree. */
const edited = (texts: fc.Arbitrary<string>, alphabet: string): fc.Arbitrary<string> =>
  fc.tuple(texts, fc.nat(), fc.nat(2), fc.constantFrom(...alphabet)).map(([text, at, drop, character]) => {
    const start = at % (text.length + 1)
    return text.slice(0, start) + (drop === 2 ? '' : character) + text.slice(start + (drop === 0 ? 0 : 1))
  })

const signs = fc.constantFrom('', '', '-', '+')
const zeros = fc.constantFrom('', '', '0', '000')
const join = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((each) => each.join(''))
const digits = (most: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.bigInt(10n ** BigInt(most - 1), 10n ** BigInt(most) - 1n), fc.nat(most))
    .map(([all, count]) => String(all).slice(0, count))

const integers = (bits: bigint): fc.Arbitrary<string> => {
  const limit = 2n ** (bits - 1n)
  const near = fc.constantFrom(limit, -limit, 0n, 2n ** 53n, -(2n ** 53n), 2n ** 32n)
  const value = fc.oneof(
    fc.bigInt(-limit, limit - 1n),
    fc.tuple(near, fc.integer({ min: -60, max: 60 })).map(([base, distance]) => base + BigInt(distance)),
    fc.integer().map(BigInt),
  )
  return fc.tuple(value, zeros, fc.boolean()).map(([number, lead, plus]) => {
    const size = String(number < 0n ? -number : number)
    return (number < 0n ? '-' : plus ? '+' : '') + lead + size
  })
}

const integerTexts = (bits: bigint) => () => [
  ...sample(integers(bits), 8000),
  ...sample(edited(integers(bits), '0123456789+-._ ex'), 3000),
  ...listed('|-|+|0x1F|0b1|0o7|1_000|1e3|1.0|NaN|-0|+0|00|1\n|１'),
]

const integerStricter = {
  'white space': whiteSpace,
  'hexadecimal and the like': matching(/^[+-]?0[xob]/i),
  'digit groups': matching(/_/),
}

const doubles = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value.toExponential(18)),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => value.toFixed(6)),
  join(signs, digits(19), fc.constantFrom('', '.'), digits(3)),
  join(signs, zeros, digits(8), fc.constant('.'), digits(19)),
  join(
    signs,
    digits(17),
    fc.constantFrom('', '.', '.5'),
    fc.constantFrom('e', 'E', 'e+', 'e-'),
    fc.nat(340).map(String),
  ),
  // Denormals, and the middle between two doubles.
  fc.tuple(fc.nat(4000), signs).map(([steps, sign]) => `${sign}${(steps * 5e-324).toPrecision(17)}`),
  fc.bigInt(2n ** 53n, 2n ** 64n).map((value) => String(value | 1n)),
  fc.bigInt(2n ** 53n - 100n, 2n ** 53n + 100n).map((value) => `${value}`.replace(/(\d)$/, '.$1')),
)

export const numerics = fc.oneof(
  join(signs, zeros, digits(12), fc.constantFrom('', '.'), digits(8)),
  join(
    signs,
    digits(40),
    fc.constant('.'),
    fc.constantFrom('', '0000', '00000000', '000'),
    digits(40),
    zeros,
  ),
  join(
    signs,
    digits(9),
    fc.constantFrom('0000', '000000000', '00000'),
    fc.constantFrom('', '.000', '.0000', '.'),
  ),
  join(
    signs,
    digits(6),
    fc.constantFrom('', '.'),
    digits(6),
    fc.constantFrom('e', 'E', 'e+', 'e-'),
    fc.nat(30).map(String),
  ),
)
const longNumerics = join(signs, digits(1000), fc.constantFrom('', '.'), digits(1000))

const numericStricter = {
  'white space': whiteSpace,
  'words (NaN, Infinity)': matching(/^[+-]?(nan|inf(inity)?)$/i),
  'hexadecimal and the like': matching(/^[+-]?0[xob]/i),
  'digit groups': matching(/_/),
}

const exactStricter = {
  ...numericStricter,
  'zero with an exponent beyond every number': (text: string, code: Code) =>
    code === 'OUT_OF_RANGE' && /^[+-]?[0.]+e[+-]?\d{5,}$/i.test(text),
}

const numericTexts = () => [
  ...sample(numerics, 9000),
  ...sample(longNumerics, 600),
  ...sample(edited(numerics, '0123456789+-._ eE'), 4000),
  ...listed('0|-0|0.000|-0.00|.0|0.|.|1e10|123e-5|0e5|0e-5|1e-0|0.0000e4|10000|100000000|0.0001|0.00010000'),
  ...listed('1e131071|1e131072|1e-16383|1e-16384|NaN|Infinity|-inf| 1|1 |0x1F|1_0'),
]

const days = fc
  .oneof(fc.integer({ min: -719_162, max: 2_932_896 }), fc.integer({ min: 0, max: 25_000 }))
  .map((day) => new Date(day * 86_400_000).toISOString().slice(0, 10))
const two = (most: number): fc.Arbitrary<string> =>
  fc.nat(most).map((value) => String(value).padStart(2, '0'))
const looseDays = join(
  fc.integer({ min: 1890, max: 2110 }).map(String),
  fc.constant('-'),
  two(14),
  fc.constant('-'),
  two(33),
)
const separator = fc.constantFrom('T', ' ', ' ', 't')
const fraction = fc
  .constantFrom('', '', '.')
  .chain((point) =>
    point === '' ? fc.constant('') : fc.stringMatching(/^\d{1,6}0{0,3}$/).map((f) => `.${f}`),
  )
const clockTimes = join(
  two(24),
  fc.constant(':'),
  two(59),
  fc.oneof(fc.constant(''), join(fc.constant(':'), two(59), fraction)),
)
const bytesTexts = fc.stringMatching(/^\\x([0-9a-fA-F]{2}){0,20}$/)
const localTimes = join(
  fc.oneof(days, days, looseDays),
  separator,
  two(23),
  fc.constant(':'),
  two(59),
  fc.oneof(fc.constant(''), join(fc.constant(':'), two(59), fraction)),
)
const offsets = fc.oneof(
  fc.constantFrom('Z', 'z', '+00', '-00', '+0000', '-00:00', '+15:59:59', '-15:59:59', '+14', '-1200'),
  join(fc.constantFrom('+', '-'), two(17)),
  join(fc.constantFrom('+', '-'), two(16), fc.constantFrom('', ':'), two(61)),
  join(
    fc.constantFrom('+', '-'),
    two(15),
    fc.constantFrom('', ':'),
    two(59),
    fc.constantFrom('', ':'),
    two(59),
  ),
)
export const instants = join(localTimes, fc.constantFrom('', '', ' '), offsets)
const timeAlphabet = '0123456789+-:. TZz/,'
const timeWords = listed(
  '|now|today|infinity|-infinity|epoch|tomorrow|allballs|2024-01-01|Jan 1 2024 10:00|1/2/2024 10:00|20240101T100000',
).flatMap((word) => [word, `${word}Z`, `${word}+08`])

const timeForm = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?([Zz]|[+-]\d\d(\d\d|:\d\d(:\d\d)?)?))?$/
const timeStricter = {
  'another form (words, names of months and zones, other orders and separators)': (text: string) =>
    !timeForm.test(text),
  'hour 24 and second 60': matching(/^.{11}(24|\d\d:\d\d:60)/),
  'digits beyond the microsecond': refusedFor('PRECISION_LOST'),
}

const extremes = [
  '0001-01-01 00:00',
  '9999-12-31 23:59:59.999999',
  '1969-12-31 23:59:59.999999',
  '2000-01-01 00:00:00.000001',
  '1714-08-02 12:34:56.789012',
]

const hex = fc.stringMatching(/^[0-9a-fA-F]{32}$/)
const uuids = fc
  .tuple(hex, fc.boolean())
  .map(([text, hyphens]) => (hyphens ? text.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : text))

export const kinds: readonly Kind[] = [
  {
    name: 'integer',
    column: columns.integer(),
    sql: 'integer',
    texts: integerTexts(32n),
    image: (value) => value,
    stricter: integerStricter,
  },
  {
    name: 'bigint',
    column: columns.bigint(),
    sql: 'bigint',
    texts: integerTexts(64n),
    image: (value) => value,
    stricter: integerStricter,
  },
  {
    name: 'double',
    column: columns.doublePrecision(),
    sql: 'double precision',
    texts: () => [
      ...sample(doubles, 14_000),
      ...sample(edited(doubles, '0123456789+-._ eExn'), 4000),
      ...listed(
        '5e-324|-5e-324|2.4703282292062327e-324|2.4703282292062328e-324|1.7976931348623157e308|1.7976931348623158e308|1e309|-1e309',
      ),
      ...listed('-0|-0.0|+0|.5|5.|-.5|.||007|1e-400|0e-400|0e999|NaN|Infinity|-inf| 1|1 |0x1p3|1_0'),
      ...listed(
        '2.2250738585072011e-308|2.2250738585072014e-308|9007199254740993|9007199254740981|900719925474098.1|6.02214076e23|1e22|1e23',
      ),
    ],
    image: (value) => `float8send(${value})`,
    stricter: numericStricter,
  },
  {
    name: 'numeric',
    column: columns.numeric(),
    sql: 'numeric',
    texts: numericTexts,
    image: (value) => `${value}::text`,
    stricter: exactStricter,
  },
  {
    name: 'numeric(12, 4)',
    column: columns.numeric(12, 4),
    sql: 'numeric(12, 4)',
    texts: numericTexts,
    image: (value) => `${value}::text`,
    stricter: { ...exactStricter, 'digits that would be rounded away': refusedFor('PRECISION_LOST') },
  },
  {
    name: 'boolean',
    column: columns.boolean(),
    sql: 'boolean',
    texts: () => {
      const words = fc.constantFrom(
        'true',
        'false',
        't',
        'f',
        'yes',
        'no',
        'y',
        'n',
        'on',
        'off',
        '1',
        '0',
        'TRUE',
        'False',
        'oN',
      )
      return [...sample(words, 500), ...sample(edited(words, 'truefalsyno10 TR'), 2000)]
    },
    image: (value) => value,
    stricter: {
      'white space': whiteSpace,
      'beginnings of the words': matching(/^(tru?|fa|fal|fals|ye|of)$/i),
    },
  },
  {
    name: 'date',
    column: columns.date(),
    sql: 'date',
    texts: () => [
      ...sample(days, 6000),
      ...sample(looseDays, 4000),
      ...sample(edited(days, timeAlphabet), 3000),
      ...timeWords,
      '0001-01-01',
      '9999-12-31',
    ],
    image: (value) => value,
    stricter: { 'another form': (text) => !/^\d{4}-\d\d-\d\d$/.test(text) },
  },
  {
    name: 'timestamp',
    column: columns.timestamp(),
    sql: 'timestamp',
    texts: () => [
      ...sample(localTimes, 8000),
      ...sample(edited(localTimes, timeAlphabet), 4000),
      ...sample(instants, 300),
      ...timeWords,
      ...extremes,
    ],
    image: (value) => value,
    stricter: { ...timeStricter, 'a zone': refusedFor('ZONE_NOT_ALLOWED') },
  },
  {
    name: 'timestamptz',
    column: columns.timestamptz(),
    sql: 'timestamptz',
    texts: () => [
      ...sample(instants, 12_000),
      ...sample(edited(instants, timeAlphabet), 6000),
      ...sample(localTimes, 300),
      ...timeWords,
      ...extremes.flatMap((text) =>
        ['Z', '+15:59:59', '-15:59:59', ' +01', '-01'].map((offset) => text + offset),
      ),
    ],
    image: (value) => value,
    stricter: {
      ...timeStricter,
      'no zone': refusedFor('ZONE_MISSING'),
      'years 0 and 10000 of UTC': refusedFor('OUT_OF_RANGE'),
    },
  },
  ...['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'].map((zone): Kind => {
    const quarters = fc.integer({
      min: Date.parse('1990-01-01') / 900_000,
      max: Date.parse('2025-01-01') / 900_000,
    })
    return {
      name: `timestamptz of ${zone}`,
      column: columns.timestamptz({ zone }),
      sql: 'timestamptz',
      texts: () =>
        sample(
          quarters.map((quarter) => new Date(quarter * 900_000).toISOString().slice(0, 19)),
          3000,
        ),
      reading: `text::timestamp at time zone '${zone}'`,
      image: (value) => value,
      stricter: {
        'happened twice': refusedFor('LOCAL_TIME_AMBIGUOUS'),
        'never happened': refusedFor('LOCAL_TIME_MISSING'),
      },
    }
  }),
  {
    name: 'time',
    column: columns.time(),
    sql: 'time',
    texts: () => [
      ...sample(clockTimes, 6000),
      ...sample(edited(clockTimes, timeAlphabet), 3000),
      ...timeWords,
      ...listed(
        '24:00|24:00:00|24:00:00.000|24:00:01|23:59:60|040506|04:05 AM|04:05:06.7891234|12:00+02|12:00Z',
      ),
    ],
    image: (value) => value,
    stricter: {
      'another form': (text: string) => !/^\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text),
      'second 60': matching(/^\d\d:\d\d:60/),
      'digits beyond the microsecond': refusedFor('PRECISION_LOST'),
    },
  },
  {
    name: 'bytea',
    column: columns.bytea(),
    sql: 'bytea',
    texts: () => [
      ...sample(bytesTexts, 3000),
      ...sample(edited(bytesTexts, '0123456789abcdefg\\x \n'), 2000),
      ...listed('|\\x|\\x0|\\X00|abc|\\000|\\\\'),
    ],
    image: (value) => value,
    stricter: {
      'the escape format': (text: string) => !text.startsWith('\\x'),
      'white space between digits': matching(/\s/),
    },
  },
  {
    name: 'uuid',
    column: columns.uuid(),
    sql: 'uuid',
    texts: () => [
      ...sample(uuids, 5000),
      ...sample(edited(uuids, '0123456789abcdefg-{} '), 2000),
      '',
      `{${'0'.repeat(32)}}`,
    ],
    image: (value) => value,
    stricter: { 'braces and other hyphens': matching(/^\{?[0-9a-f-]+\}?$/i) },
  },
  {
    name: 'text',
    column: columns.text(),
    sql: 'text',
    texts: () => [
      ...sample(
        anyText.map((text) => text.replaceAll('\0', '')),
        5000,
      ),
      ...sample(
        fc.string({ unit: fc.constantFrom(...'\t\n\r\\N.,"\'abtnvfr0x\b\v\f 😀é'), maxLength: 12 }),
        5000,
      ),
      ...listed('|\\N|\\.|\\|\t|\n|\r\n|NULL|"|\''),
      ...[31, 32, 33, 5000].map((length) => 'é\t'.repeat(length / 2).padEnd(length, 'a')),
    ],
    image: (value) => `convert_to(${value}, 'UTF8')`,
    stricter: {},
  },
  {
    name: 'json',
    column: columns.json(),
    sql: 'json',
    texts: () => {
      const documents = fc.json({ maxDepth: 4 })
      return [
        ...sample(documents, 4000),
        ...sample(edited(documents, '{}[]":,\\ \n\t0-1.eE+u/'), 4000),
        '"\\u0000"',
        '"\\ud800"',
        '1e999999',
        '-0',
        '\u{feff}1',
      ]
    },
    image: (value) => `${value}::text`,
    stricter: {},
  },
]
