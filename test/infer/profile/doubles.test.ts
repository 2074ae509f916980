import fc from 'fast-check'
import { expect, it } from 'vitest'
import { numberShape, plainEnd } from '../../../src/infer/profile/number.ts'
import { beyondDouble, decimal, value } from '../../../src/infer/profile/shapes.ts'

/** Of a decimal number without zeros at its end. */
function comesBack(text: string): boolean {
  const bytes = Buffer.from(`${text},`)
  return (numberShape(bytes, 0, bytes.length - 1, true) & beyondDouble) === 0
}

/** As it is told of plain numbers by their words, where bytes are before it; 0 where that does not tell. */
function plainShape(text: string): number {
  const before = 20
  const bytes = Buffer.from(`${'9'.repeat(before)}${text}${','.repeat(8)}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const end = before + text.length
  return plainEnd(bytes, view, before, end, true) === end ? value.shapes : 0
}

/** By the text of the double, as ECMAScript has it: the shortest that is read as the same one. */
function isShortest(text: string): boolean {
  const [whole = '', fraction = ''] = text.split('.')
  const [digits = '', exponent] = Number(text).toExponential().split('e')
  const own = (whole + fraction).replace(/^0+/, '')
  const power = whole === '0' ? -1 - fraction.search(/[^0]/) : whole.length - 1
  return digits.replace('.', '') === own && Number(exponent) === power
}

/** Around powers of two the distance of doubles changes. */
const nearPowers = fc
  .tuple(
    fc.integer({ min: -20, max: 52 }),
    fc.integer({ min: 1, max: 22 }),
    fc.bigInt({ min: -40n, max: 40n }),
  )
  .map(([exponent, scale, more]) => {
    const ten = 10n ** BigInt(scale)
    return [(exponent < 0 ? ten >> BigInt(-exponent) : ten << BigInt(exponent)) + more, scale] as const
  })
const any = fc.tuple(fc.bigInt({ min: 10n ** 15n, max: 10n ** 17n }), fc.integer({ min: 1, max: 22 }))
const numbers = fc
  .oneof(nearPowers, any)
  .filter(([digits]) => digits > 0n && digits % 10n !== 0n)
  .map(([digits, scale]) => {
    const text = String(digits).padStart(scale + 1, '0')
    return `${text.slice(0, -scale)}.${text.slice(-scale)}`
  })

it('a number comes back from a double where its text is the shortest one of it, whatever its digits', () => {
  const seen = new Set<boolean>()
  fc.assert(
    fc.property(numbers, (text) => {
      seen.add(isShortest(text))
      expect(comesBack(text), text).toBe(isShortest(text))
      expect([0, isShortest(text) ? decimal : 0], text).toContain(plainShape(text))
    }),
    {
      numRuns: 20_000,
      examples: [
        // A power of two, found at once, and beside a quotient that is off by one place.
        ['1.0000000000000002'],
        ['1.0000000000000001'],
        ['0.000030517578125000003'],
        // Of fewer digits than are looked at closely, of as many, and of more than a double has.
        ['0.000001234567890123'],
        ['12345678.123456789'],
        ['123456789.1234567891'],
        // Between two doubles.
        ['4503599627370498.5'],
      ],
    },
  )
  expect(seen.size).toBe(2)
  // The first of so few digits that each of them comes back.
  const texts = ['0.000001234567890123', '12345678.12345679', '1.0000000000000001']
  expect(texts.map(plainShape)).toEqual([decimal, decimal, 0])
})
