/** What the quick look at a value passes over adds nothing to what the careful one finds. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { defaultDialect } from '../../../src/format/csv/dialect.ts'
import { CsvReader } from '../../../src/format/csv/read.ts'
import { ColumnProfile } from '../../../src/infer/profile/column.ts'
import { noFacts } from '../../../src/infer/profile/facts.ts'
import { column } from './cells.ts'

const place = { source: 'file.csv', isRemark: false, line: () => 1 }

/** Columns in which values come again, with other digits and with another character here and there. */
const similar = column.chain((cells) =>
  fc.array(
    fc
      .tuple(
        fc.constantFrom(...cells),
        fc.constantFrom('same', 'same', 'digits', 'digits', 'other'),
        fc.array(fc.nat({ max: 9 }), { minLength: 60, maxLength: 60 }),
        fc.constantFrom(...'0:-.T Z+/eE59'),
      )
      .map(([cell, change, digits, other]) => {
        if (change === 'same') return cell
        const [first = 0, second = 0] = digits
        const at = (first * 10 + second) % Math.max(1, cell.length)
        if (change === 'other')
          return cell[at] === '"' ? cell : cell.slice(0, at) + other + cell.slice(at + 1)
        let next = 0
        return cell.replaceAll(/\d/g, (digit) => (next++ < at ? digit : String(digits[next % digits.length])))
      }),
    { minLength: 3, maxLength: 60 },
  ),
)

it('whatever the values', () => {
  let passed = 0
  fc.assert(
    fc.property(similar, (cells) => {
      const quick = new ColumnProfile(noFacts('value', undefined))
      const careful = new ColumnProfile(noFacts('value', undefined))
      const reader = new CsvReader(defaultDialect, ['id', 'value'])
      const bytes = Buffer.from(cells.map((cell) => `r,${cell}\n`).join(''))
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      reader.open(bytes)
      while (reader.next()) {
        const { starts, ends, quoting, fault } = reader
        if (fault !== undefined || quoting[1] === 2) continue
        const at = [starts[1] as number, ends[1] as number, quoting[1] as number] as const
        if (quick.repeats(bytes, view, ...at)) passed++
        else quick.add(bytes, ...at, false, place, view)
        careful.add(bytes, ...at, false, place)
        expect(quick.shapes, bytes.toString('utf8', at[0], at[1])).toBe(careful.shapes)
      }
      quick.endSource()
      careful.endSource()
      expect(quick.facts).toEqual(careful.facts)
    }),
    { numRuns: 1500 },
  )
  // The property means something only if values are passed over.
  expect(passed).toBeGreaterThan(1500)
})
