import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readInferred } from '../../support/inferred.ts'

/** What a writer of another program may choose. */
interface Writing {
  readonly delimiter: string
  readonly quote: string
  readonly lineEnd: string
  readonly quoteAll: boolean
  readonly finalNewline: boolean
  /** Instead of a doubled quote. */
  readonly escape?: string
}

const write = (rows: readonly (readonly string[])[], how: Writing): Buffer => {
  const cell = (text: string) => {
    const needs =
      [how.delimiter, how.quote, how.escape ?? how.quote, '\n', '\r'].some((mark) => text.includes(mark)) ||
      text !== text.trim()
    if (!how.quoteAll && !needs) return text
    const { quote, escape = quote } = how
    const escaped = escape === quote ? text : text.split(escape).join(escape + escape)
    return quote + escaped.split(quote).join(escape + quote) + quote
  }
  const lines = rows.map((row) => row.map(cell).join(how.delimiter))
  return Buffer.from(lines.join(how.lineEnd) + (how.finalNewline ? how.lineEnd : ''))
}

const writing = fc.record({
  delimiter: fc.constantFrom(',', ',', ';', '\t', '|'),
  quote: fc.constant('"'),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  quoteAll: fc.boolean(),
  finalNewline: fc.boolean(),
})

const word = fc.stringMatching(/^[a-zA-Zäöüéñ]{1,9}$/)
const marks = [',', ', ', ';', '|', '"', "'", '\\', '#', '\n', '\r\n', '\t', ' ', '5"', '12,50', '€', '漢字']
const prose = fc
  .array(fc.oneof(word, fc.constantFrom(...marks)), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(''))
const value = fc.oneof(
  word,
  fc.integer().map(String),
  fc.integer().map((cents) => (cents / 100).toFixed(2)),
  fc.integer({ min: 0, max: 30_000 }).map((day) => new Date(day * 86_400_000).toISOString().slice(0, 10)),
  fc.constantFrom('', '12:30', 'true', '007', 'A-17', 'NA', '-'),
  prose,
)

/** A header of different words, and records of as many cells. */
const table = (columns: { min: number; max: number }) =>
  fc.integer(columns).chain((width) =>
    fc.record({
      header: fc.uniqueArray(
        word.map((name) => `${name}_`),
        { minLength: width, maxLength: width },
      ),
      records: fc.array(fc.array(value, { minLength: width, maxLength: width }), {
        minLength: 1,
        maxLength: 12,
      }),
    }),
  )

it('a table that another program wrote gives its cells back, with nothing stated', () => {
  return fc.assert(
    fc.asyncProperty(table({ min: 2, max: 7 }), writing, async ({ header, records }, how) => {
      const read = await readInferred(write([header, ...records], how))
      expect(read.fields).toEqual(header)
      expect(read.records).toEqual(records)
      expect(read.rejects).toBe(0)
    }),
    { numRuns: 1500 },
  )
})

it('so does a single column', () => {
  return fc.assert(
    fc.asyncProperty(table({ min: 1, max: 1 }), writing, async ({ header, records }, how) => {
      // An empty cell alone is an empty line.
      fc.pre(how.quoteAll || records.every(([cell]) => cell !== ''))
      const read = await readInferred(write([header, ...records], how))
      expect(read.fields).toEqual(header)
      expect(read.records).toEqual(records)
    }),
    { numRuns: 300 },
  )
})

/** Records whose first column needs quotes, and whose last one shows what a value is. */
const telling = fc.array(fc.tuple(word, value, fc.nat(9999).map(String)), { minLength: 3, maxLength: 12 })

it.each([
  ['apostrophes', { quote: "'" }],
  ['backslashes', { escape: '\\' }],
])('quotes that the cells need are found: %s', (_, how) => {
  return fc.assert(
    fc.asyncProperty(telling, writing, async (rows, usual) => {
      const records = rows.map(([first, ...rest]) => [`${first}, "x"${usual.delimiter}y`, ...rest])
      const read = await readInferred(write([['a_', 'b_', 'c_'], ...records], { ...usual, ...how }))
      expect(read.fields).toEqual(['a_', 'b_', 'c_'])
      expect(read.records).toEqual(records)
    }),
    { numRuns: 300 },
  )
})

it('a table without a header has none', () => {
  const day = fc
    .integer({ min: 0, max: 9999 })
    .map((each) => new Date(each * 86_400_000).toISOString().slice(0, 10))
  const record = fc.tuple(fc.nat().map(String), word, day, value)
  return fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 2, maxLength: 12 }), writing, async (records, how) => {
      const read = await readInferred(write(records, how))
      // A last column without a name and without a value is none; an empty text in quotes is a value.
      const width = !how.quoteAll && records.every(([, , , last]) => last === '') ? 3 : 4
      expect(read.fields).toEqual(['column_1', 'column_2', 'column_3', 'column_4'].slice(0, width))
      expect(read.records).toEqual(records.map((cells) => cells.slice(0, width)))
    }),
    { numRuns: 300 },
  )
})
