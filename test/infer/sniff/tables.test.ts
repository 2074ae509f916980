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
}

const write = (rows: readonly (readonly string[])[], how: Writing): Buffer => {
  const cell = (text: string) => {
    const needs =
      [how.delimiter, how.quote, '\n', '\r'].some((mark) => text.includes(mark)) || text !== text.trim()
    return how.quoteAll || needs
      ? how.quote + text.split(how.quote).join(how.quote + how.quote) + how.quote
      : text
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
  fc.assert(
    fc.property(table({ min: 2, max: 7 }), writing, ({ header, records }, how) => {
      const read = readInferred(write([header, ...records], how))
      expect(read.fields).toEqual(header)
      expect(read.records).toEqual(records)
      expect(read.rejects).toBe(0)
    }),
    { numRuns: 3000 },
  )
})

it('so does a single column', () => {
  fc.assert(
    fc.property(table({ min: 1, max: 1 }), writing, ({ header, records }, how) => {
      // An empty cell alone is an empty line.
      fc.pre(how.quoteAll || records.every(([cell]) => cell !== ''))
      const read = readInferred(write([header, ...records], how))
      expect(read.fields).toEqual(header)
      expect(read.records).toEqual(records)
    }),
    { numRuns: 2000 },
  )
})
