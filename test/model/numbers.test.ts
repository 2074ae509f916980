import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bigint, doublePrecision, integer, numeric } from '../../src/model/columns.ts'
import { verdict } from './helpers.ts'

const words = [
  '',
  ' ',
  '-',
  '+',
  '.',
  'e',
  'e5',
  '.e5',
  '-.',
  '1e',
  '1e+',
  'NaN',
  'Infinity',
  '-inf',
  '0x10',
  '1_000',
  '1,5',
  '1 ',
  ' 1',
  '--1',
  '1-',
  '1.2.3',
]

describe('integer', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['+7', 7],
    ['007', 7],
    ['-00012', -12],
    ['2147483647', 2_147_483_647],
    ['-2147483648', -2_147_483_648],
    ['00000000000000000000000000001', 1],
  ])('%j is %j', (text, value) => expect(verdict(integer(), text)).toBe(value))

  it.each(['2147483648', '-2147483649', '4294967296', '99999999999999999999', '9'.repeat(400)])(
    '%j does not fit',
    (text) => {
      expect(verdict(integer(), text)).toEqual({ refused: 'OUT_OF_RANGE' })
    },
  )

  it.each([...words, '1.0', '1e3', '.5', '5.', '١', '１'])('%j is no integer', (text) => {
    expect(verdict(integer(), text)).toEqual({ refused: 'BAD_INTEGER' })
  })
})

describe('bigint', () => {
  it.each([
    ['9223372036854775807', 2n ** 63n - 1n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['+9223372036854775807', 2n ** 63n - 1n],
    ['-0', 0n],
    ['000000000000000000000000000000012', 12n],
  ])('%j is %s', (text, value) => expect(verdict(bigint(), text)).toBe(value))

  it('every whole number around 2^53 keeps its last digit', () => {
    for (let value = 2n ** 53n - 200n; value < 2n ** 53n + 200n; value++) {
      expect(verdict(bigint(), String(value))).toBe(value)
      expect(verdict(bigint(), String(-value))).toBe(-value)
    }
  })

  it('every 64-bit integer keeps all its digits', () => {
    fc.assert(
      fc.property(
        fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
        (value) => void expect(verdict(bigint(), String(value))).toBe(value),
      ),
    )
  })

  it.each(['9223372036854775808', '-9223372036854775809', '18446744073709551616', '9'.repeat(400)])(
    '%j does not fit',
    (text) => {
      expect(verdict(bigint(), text)).toEqual({ refused: 'OUT_OF_RANGE' })
    },
  )

  it('a million digits are refused at once', () => {
    expect(verdict(bigint(), '9'.repeat(1_000_000))).toEqual({ refused: 'OUT_OF_RANGE' })
  })

  it.each([...words, '1.0', '1e3', '5n'])('%j is no integer', (text) => {
    expect(verdict(bigint(), text)).toEqual({ refused: 'BAD_INTEGER' })
  })
})

describe('double', () => {
  it.each([
    ['0', 0],
    ['-0', -0],
    ['-0.000', -0],
    ['0e999', 0],
    ['.5', 0.5],
    ['5.', 5],
    ['+1.5', 1.5],
    ['1E3', 1000],
    ['1e-3', 0.001],
    ['000001.2500', 1.25],
    ['5e-324', 5e-324],
    ['2.4703282292062328e-324', 5e-324],
    ['2.2250738585072011e-308', 2.225073858507201e-308],
    ['1.7976931348623157e308', 1.7976931348623157e308],
    ['9007199254740981', 9_007_199_254_740_981],
    ['9007199254740993', 9_007_199_254_740_992],
    ['900719925474098.1', 900_719_925_474_098.1],
    ['1' + '0'.repeat(308), 1e308],
  ])('%j is %j', (text, value) => expect(verdict(doublePrecision(), text)).toBe(value))

  it('a text is the double that JavaScript itself reads', () => {
    const digits = fc.stringMatching(/^[+-]?\d{0,17}\.?\d{0,17}$/).filter((text) => /\d/.test(text))
    fc.assert(
      fc.property(
        fc.oneof(digits, fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)),
        (text) => {
          expect(verdict(doublePrecision(), text)).toBe(Number(text))
        },
      ),
      { numRuns: 2000 },
    )
  })

  it.each([
    '1e309',
    '-1e309',
    '1.7976931348623159e308',
    '1e-400',
    '0.01e-400',
    '2e-324',
    '1e99999999999999999999',
  ])('%j would become infinite or zero and is refused', (text) =>
    expect(verdict(doublePrecision(), text)).toEqual({ refused: 'OUT_OF_RANGE' }),
  )

  it.each(words)('%j is no double', (text) =>
    expect(verdict(doublePrecision(), text)).toEqual({ refused: 'BAD_NUMBER' }),
  )
})

describe('numeric', () => {
  it.each([
    ['0', '0'],
    ['-0', '-0'],
    ['0.000', '0.000'],
    ['007.50', '7.50'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['+1', '1'],
    ['1e3', '1000'],
    ['1.5e1', '15'],
    ['1.50e1', '15.0'],
    ['1.5E+3', '1500'],
    ['123e-5', '0.00123'],
    ['123e-3', '0.123'],
    ['1e-0', '1'],
    ['0e-5', '0.00000'],
    [
      '123456789012345678901234567890.123456789012345678901234567890',
      '123456789012345678901234567890.123456789012345678901234567890',
    ],
  ])('%j is passed through as %j', (text, value) => expect(verdict(numeric(), text)).toBe(value))

  it.each(words)('%j is no number', (text) =>
    expect(verdict(numeric(), text)).toEqual({ refused: 'BAD_NUMBER' }),
  )

  it.each(['1e131072', '1e-16384', '1e99999999999', '1'.repeat(131_073), `.${'1'.repeat(16_384)}`])(
    'a number beyond the limits of PostgreSQL is refused (%#)',
    (text) => expect(verdict(numeric(), text)).toEqual({ refused: 'OUT_OF_RANGE' }),
  )

  it.each([
    ['99.99', '99.99'],
    ['-99.99', '-99.99'],
    ['0099.99', '99.99'],
    ['1.5000', '1.50'],
    ['1', '1'],
    ['0e-100', '0.00'],
    ['1234e-2', '12.34'],
  ])('numeric(4, 2) takes %j as %j', (text, value) => expect(verdict(numeric(4, 2), text)).toBe(value))

  it.each([
    ['100', 'OUT_OF_RANGE'],
    ['1e2', 'OUT_OF_RANGE'],
    ['1.234', 'PRECISION_LOST'],
    ['99.999', 'PRECISION_LOST'],
    ['1e-3', 'PRECISION_LOST'],
  ])('numeric(4, 2) refuses %j and rounds nothing', (text, refused) =>
    expect(verdict(numeric(4, 2), text)).toEqual({ refused }),
  )

  it('numeric(2, 2) has no place before the point', () => {
    expect([verdict(numeric(2, 2), '0.99'), verdict(numeric(2, 2), '1')]).toEqual([
      '0.99',
      { refused: 'OUT_OF_RANGE' },
    ])
  })

  it('a million zeros before the digit that is too many are refused at once', () => {
    expect(verdict(numeric(4, 2), `0.${'0'.repeat(1_000_000)}1`)).toEqual({ refused: 'PRECISION_LOST' })
  })
})
