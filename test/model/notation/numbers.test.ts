import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Notation } from '../../../src/core/notation.ts'
import { bigint, doublePrecision, integer, numeric } from '../../../src/model/columns.ts'
import { outcome, verdict } from '../helpers.ts'

const read = (notation: Notation, text: string) => verdict(numeric().written(notation), text)
const refused = { refused: 'BAD_NUMBER' }

describe('numbers as people write them', () => {
  it.each<readonly [Notation, string, string]>([
    [{ decimal: ',' }, '0,25', '0.25'],
    [{ decimal: ',' }, '-12,50', '-12.50'],
    [{ decimal: ',' }, ',5', '0.5'],
    [{ decimal: ',' }, '1,5E+3', '1500'],
    [{ decimal: ',', thousands: '.' }, '1.234,50', '1234.50'],
    [{ decimal: ',', thousands: '.' }, '1234,50', '1234.50'],
    [{ decimal: ',', thousands: '.' }, '12.345.678', '12345678'],
    [{ thousands: ',' }, '1,234,567.80', '1234567.80'],
    [{ thousands: ' ' }, '1 234 567', '1234567'],
    [{ thousands: ' ' }, '1\u00a0234', '1234'],
    [{ thousands: '\u00a0' }, '1\u202f234.5', '1234.5'],
    [{ thousands: "'" }, "1'234'567.05", '1234567.05'],
    [{ thousands: "'" }, '1’234', '1234'],
    [{ thousands: ',' }, '−1,234', '-1234'],
    [{ thousands: ',' }, '+1,234', '1234'],
    [{ thousands: ',' }, '0.123', '0.123'],
    [{ money: true }, '$5.00', '5.00'],
    [{ money: true }, '-$5.00', '-5.00'],
    [{ money: true }, '$-5.00', '-5.00'],
    [{ money: true }, '$ 5', '5'],
    [{ money: true }, '5 €', '5'],
    [{ money: true }, '5\u00a0EUR', '5'],
    [{ money: true }, 'US$5', '5'],
    [{ money: true }, 'CHF 5', '5'],
    [{ money: true }, '5 kr', '5'],
    [{ money: 'Fr.' }, 'Fr. 5', '5'],
    [{ money: true }, '(12.50)', '-12.50'],
    [{ money: true }, '($12.50)', '-12.50'],
    [{ money: true }, '$(12.50)', '-12.50'],
    [{ money: true }, '(12.50) €', '-12.50'],
    [{ money: true }, '12.50-', '-12.50'],
    [{ money: true }, '12.50- €', '-12.50'],
    [{ money: true }, '12.50 €-', '-12.50'],
    [{ money: true, decimal: ',', thousands: '.' }, '1.234,50 €', '1234.50'],
    [{ money: '€' }, '1 €', '1'],
    [{ percent: true }, '5%', '0.05'],
    [{ percent: true }, '12.5 %', '0.125'],
    [{ percent: true }, '-250%', '-2.50'],
    [{ percent: true, decimal: ',' }, '0,5%', '0.005'],
    [{ percent: true }, '100%', '1.00'],
  ])('%j reads %j as %s', (notation, text, value) => expect(read(notation, text)).toBe(value))

  it.each<readonly [Notation, string]>([
    [{ decimal: ',' }, '0.25'],
    [{ decimal: ',' }, '1,234,5'],
    [{ decimal: ',' }, '1.234,5'],
    [{ decimal: ',', thousands: '.' }, '1.23.4'],
    [{ decimal: ',', thousands: '.' }, '1.2345'],
    [{ decimal: ',', thousands: '.' }, '1.234.56'],
    [{ decimal: ',', thousands: '.' }, '1.234.5678'],
    [{ decimal: ',', thousands: '.' }, '1234.567'],
    [{ decimal: ',', thousands: '.' }, '0.123'],
    [{ decimal: ',', thousands: '.' }, '.123'],
    [{ decimal: ',', thousands: '.' }, '1.234.'],
    [{ decimal: ',', thousands: '.' }, '1..234'],
    [{ thousands: ',' }, '1,00,000'],
    [{ thousands: ',' }, '1,234e3'],
    [{ thousands: ' ' }, '1 234\u00a0567'],
    [{ thousands: "'" }, "1'234’567"],
    [{ thousands: ',' }, '$1,234'],
    [{ thousands: ',' }, '1,234-'],
    [{ money: true }, '(-5)'],
    [{ money: true }, '-(5)'],
    [{ money: true }, '-5-'],
    [{ money: true }, '(5'],
    [{ money: true }, '5)'],
    [{ money: true }, '$5 €'],
    [{ money: true }, '$'],
    [{ money: true }, '()'],
    [{ money: true }, '5 apples'],
    [{ money: true }, '5%'],
    [{ money: '€' }, '$1'],
    [{ percent: true }, '5'],
    [{ percent: true }, '%'],
    [{ percent: true }, '1e2%'],
    [{ decimal: ',' }, ''],
    [{ decimal: ',' }, ' 1'],
  ])('%j refuses %j', (notation, text) => expect(read(notation, text)).toEqual(refused))

  it('a fault quotes the text of the source, and shows the notation', () => {
    const column = numeric().written({ decimal: ',', thousands: '.' })
    expect(outcome(column, '1.23.4')).toMatchObject({
      code: 'BAD_NUMBER',
      detail: '"1.23.4" is not a number written like 1.234,5',
    })
  })

  it('every type of number reads its own text from it, as strictly as ever', () => {
    const notation = { decimal: ',', thousands: '.' } as const
    expect(verdict(integer().written(notation), '1.200')).toBe(1200)
    expect(verdict(bigint().written(notation), '9.007.199.254.740.993')).toBe(9007199254740993n)
    expect(verdict(doublePrecision().written(notation), '1.234,5')).toBe(1234.5)
    expect(verdict(integer().written(notation), '5,00')).toEqual({ refused: 'BAD_INTEGER' })
    expect(verdict(numeric(6, 2).written(notation), '1.234,567')).toEqual({ refused: 'PRECISION_LOST' })
  })
})

describe('every number comes back exactly', () => {
  const value = fc.tuple(fc.bigInt(0n, 10n ** 30n), fc.integer({ min: 0, max: 12 }), fc.boolean())
  const notations = fc.constantFrom<Notation>(
    { decimal: ',', thousands: '.' },
    { thousands: ',' },
    { thousands: ' ', decimal: ',' },
    { thousands: "'" },
    { decimal: ',' },
  )
  /** Its digits in groups, without a regular expression. */
  const grouped = (digits: string, separator: string): string =>
    digits.length <= 3 ? digits : grouped(digits.slice(0, -3), separator) + separator + digits.slice(-3)

  const written = fc
    .tuple(value, notations, fc.constantFrom('-', '()', 'behind', '\u2212'), fc.constantFrom('', '$', ' EUR'))
    .map(([[units, scale, negative], notation, sign, currency]) => {
      const all = String(units).padStart(scale + 1, '0')
      const whole = all.slice(0, all.length - scale)
      const fraction = all.slice(all.length - scale)
      const decimal = notation.decimal ?? '.'
      const number = grouped(whole, notation.thousands ?? '') + (scale === 0 ? '' : decimal + fraction)
      const priced = currency === '$' ? `$${number}` : `${number}${currency}`
      const signed = !negative
        ? priced
        : sign === '()'
          ? `(${priced})`
          : sign === 'behind'
            ? `${priced}-`
            : `${sign}${priced}`
      const exact = `${negative ? '-' : ''}${whole}${scale === 0 ? '' : `.${fraction}`}`
      return { notation: { ...notation, money: true } as Notation, text: signed, exact }
    })

  it('in any notation, as its digits say', () => {
    fc.assert(
      fc.property(written, ({ notation, text, exact }) => {
        expect(read(notation, text)).toBe(exact)
      }),
      { numRuns: 500 },
    )
  })

  it('a percentage is a hundredth, to the last digit', () => {
    fc.assert(
      fc.property(value, ([units, scale]) => {
        const all = String(units).padStart(scale + 3, '0')
        const text = `${all.slice(0, all.length - scale)}${scale === 0 ? '' : `.${all.slice(all.length - scale)}`}%`
        const hundredth = String(read({ percent: true }, text))
        const [whole = '', fraction = ''] = hundredth.split('.')
        expect(fraction).toHaveLength(scale + 2)
        expect(BigInt(whole + fraction)).toBe(units)
      }),
    )
  })

  it('any text is one value or one fault', () => {
    const near = fc
      .tuple(written, fc.nat(), fc.string({ maxLength: 2 }))
      .map(([{ notation, text }, at, more]) => {
        const cut = at % (text.length + 1)
        return { notation, text: `${text.slice(0, cut)}${more}${text.slice(cut)}` }
      })
    fc.assert(
      fc.property(near, ({ notation, text }) => {
        const result = read(notation, text)
        if (typeof result === 'string') expect(result).toMatch(/^-?\d+(\.\d+)?$/)
        // An exponent may go too far.
        else if (!/e/i.test(text)) expect(result).toEqual(refused)
      }),
    )
  })
})
