/** What the quick looks at values and at records pass over adds nothing to what the careful one finds. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { defaultDialect } from '../../../src/format/csv/dialect.ts'
import { CsvReader } from '../../../src/format/csv/read.ts'
import { ColumnProfile } from '../../../src/infer/profile/column.ts'
import { noFacts } from '../../../src/infer/profile/facts.ts'
import { Profile } from '../../../src/infer/profile/profile.ts'
import { column } from './cells.ts'

const place = { source: 'file.csv', aside: undefined, line: () => 1 }

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

/** Behind the microseconds more than an offset has. */
const longTails = [...'00000x0000'].map((last) => `2024-01-01 10:00:00.500000 +00:00:0${last}`)

it('values that repeat, whatever they are', () => {
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
    { numRuns: 1500, examples: [[longTails]] },
  )
  // The property means something only if values are passed over.
  expect(passed).toBeGreaterThan(1500)
})

const fields = ['a', 'b', 'c']

/** Records of such columns, and lines that are none. */
const records = fc
  .record({
    columns: fc.tuple(similar, similar, similar),
    empty: fc.array(fc.constantFrom(0, 0, 0, 1, 2), { minLength: 1, maxLength: 7 }),
    delimiter: fc.constantFrom(',', ';', '\t', '.', ':'),
    lineEnds: fc.array(fc.constantFrom('\n', '\n', '\r\n'), { minLength: 1, maxLength: 2 }),
    repeats: fc.integer({ min: 1, max: 6 }),
    odd: fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom(
          '',
          '# note',
          '#,1,2',
          'a,b',
          '1;2;3;4',
          '"open',
          'a"b,c,d',
          ',,',
          '"a,""b",1,2',
          '\r',
          'x\ry,1,2',
        ),
      ),
      { maxLength: 3 },
    ),
    isEnded: fc.boolean(),
  })
  .map(({ columns, empty, delimiter, lineEnds, repeats, odd, isEnded }) => {
    const lines = Array.from(
      { length: Math.max(...columns.map(({ length }) => length)) * repeats },
      (_, row) =>
        columns
          .map((cells, at) =>
            empty[(row + at) % empty.length] === 1
              ? ''
              : (cells[Math.floor(row / repeats) % cells.length] as string),
          )
          .join(delimiter),
    )
    for (const [at, line] of odd) lines.splice(at % lines.length, 0, line.replaceAll(',', delimiter))
    const text = lines.map((line, row) => line + lineEnds[row % lineEnds.length]).join('')
    return { delimiter, bytes: Buffer.from(isEnded ? text : text.trimEnd()) }
  })

/** What is a number for one reader is two cells for the other. */
const inDecimals = {
  delimiter: '.',
  bytes: Buffer.from(`${'"1.5".x.y\n7.x.y\n'.repeat(3)}${'1.5.x.y\n'.repeat(9)}`),
}

/** A CR behind the last cell that ends no line. */
const crInCell = {
  delimiter: ',',
  bytes: Buffer.from(`${'1,2,3\r\n'.repeat(9)}1,2,3\rx1,2,3\n1,2,3\n1,2,3\r`),
}

it('records that repeat, whatever stands among them', () => {
  let passed = 0
  const profileOf = ({ delimiter, bytes }: { delimiter: string; bytes: Buffer }, isQuick: boolean) => {
    const profile = new Profile()
    // Of a second source, the columns are known.
    for (const source of ['first', 'second']) {
      profile.begin(source, fields)
      const reader = new CsvReader({ ...defaultDialect, delimiter }, fields)
      reader.open(bytes)
      while (reader.next()) {
        profile.add(reader, 2)
        const before = profile.records
        if (isQuick) profile.passOver(reader)
        passed += profile.records - before
      }
      profile.end()
    }
    return profile.facts
  }
  fc.assert(
    fc.property(records, (file) => {
      expect(profileOf(file, true)).toEqual(profileOf(file, false))
    }),
    { numRuns: 500, examples: [[inDecimals], [crInCell]] },
  )
  // As above.
  expect(passed).toBeGreaterThan(500)
})
