import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultDialect } from '../../../src/format/csv/dialect.ts'
import { RecordScanner } from '../../../src/format/csv/scan.ts'
import { adversarialText, bytesOf, count, cutAll, legalText, pieceSizes, readAll } from './helpers.ts'
import { rawRecords } from './oracle.ts'

const runs = { numRuns: 900 }
const anyText = fc.oneof(adversarialText, legalText)
const anyMin = fc.integer({ min: 0, max: 60 })

describe('for any bytes, cut into any pieces, at any chunk size', () => {
  it('the chunks joined are the file', () => {
    fc.assert(
      fc.property(anyText, pieceSizes, anyMin, (text, pieces, min) => {
        const { chunks } = cutAll(bytesOf(text), pieces, min)
        expect(Buffer.concat(chunks.map((chunk) => chunk.bytes)).toString()).toBe(text)
      }),
      runs,
    )
  })

  it('a file cut at any chunk size parses to the same records', () => {
    fc.assert(
      fc.property(anyText, pieceSizes, anyMin, (text, pieces, min) => {
        const file = bytesOf(text)
        let line = 0
        const records = cutAll(file, pieces, min).chunks.flatMap((chunk) => {
          const first = line
          line += chunk.lines
          return readAll(chunk.bytes).map((record) => ({ ...record, line: first + record.line }))
        })
        expect(records).toEqual(readAll(file))
      }),
      runs,
    )
  })

  it('the records and lines counted are those that are read', () => {
    fc.assert(
      fc.property(anyText, pieceSizes, anyMin, (text, pieces, min) => {
        const { chunks, scanner } = cutAll(bytesOf(text), pieces, min)
        for (const chunk of chunks) expect(chunk.records).toBe(readAll(chunk.bytes).length)
        expect(scanner.records).toBe(rawRecords(text).length)
        expect(scanner.lines).toBe(count(text, '\n'))
      }),
      runs,
    )
  })

  it('a chunk ends with the first record that makes it large enough', () => {
    fc.assert(
      fc.property(anyText, pieceSizes, anyMin, (text, pieces, min) => {
        const { chunks } = cutAll(bytesOf(text), pieces, min)
        for (const chunk of chunks.slice(0, -1)) {
          const records = rawRecords(Buffer.from(chunk.bytes).toString('latin1'))
          expect(chunk.bytes.length).toBeGreaterThanOrEqual(min)
          const last = (records.at(-1)?.raw.length ?? 0) + 1
          if (records.length > 1) expect(chunk.bytes.length - last).toBeLessThan(min)
        }
      }),
      runs,
    )
  })

  it('an unclosed quote is told exactly when the reader meets one, with the line it opened on', () => {
    fc.assert(
      fc.property(anyText, pieceSizes, anyMin, (text, pieces, min) => {
        const { unclosedQuoteLine } = cutAll(bytesOf(text), pieces, min)
        const last = readAll(bytesOf(text)).at(-1)
        expect(unclosedQuoteLine !== undefined).toBe(last?.fault === 'UNCLOSED_QUOTE')
        if (unclosedQuoteLine === undefined) return
        const inQuote = rawRecords(text).at(-1)?.cells.at(-1) ?? ''
        expect(unclosedQuoteLine).toBe(1 + count(text.slice(0, text.length - inQuote.length), '\n'))
      }),
      runs,
    )
  })

  it('the bytes of the open record are known after each piece', () => {
    fc.assert(
      fc.property(anyText, fc.nat(60), fc.integer({ min: 0, max: 100 }), (text, at, min) => {
        const piece = bytesOf(text).subarray(0, at)
        const scanner = new RecordScanner(defaultDialect)
        let from = 0
        for (let end = 0; end !== -1; end = scanner.cut(piece, from, min)) from = end
        const records = rawRecords(Buffer.from(piece).toString('latin1'))
        const ended = scanner.records
        const open = records.slice(ended).reduce((sum, record) => sum + record.raw.length, 0)
        expect(records.length - ended).toBe(open > 0 ? 1 : 0)
        expect(scanner.recordBytes).toBe(open)
      }),
      runs,
    )
  })
})

it('a file of many windows with quotes here and there is counted as it is read', () => {
  const plain = '2021-01-01T00:00:00.000+08:00,bdd640fb_0,0.0746765216767864\r\n'.repeat(700)
  const odd = `"a\n""b""\r\nc",5" pipe,"x"y\n${'long '.repeat(9000)}\n"${'in\nquotes '.repeat(3000)}"\n\n`
  const text = (plain + odd).repeat(4) + plain + 'last'
  const expected = readAll(bytesOf(text))
  expect(expected).toHaveLength((700 + 4) * 4 + 700 + 1)
  for (const [piece, min] of [
    [text.length, 1],
    [text.length, 30_000],
    [65_536, 100_000],
    [8191, 8193],
    [1000, 0],
    [100_000, Infinity],
  ] as const) {
    const { chunks, scanner } = cutAll(bytesOf(text), [piece], min)
    expect(scanner.records).toBe(expected.length)
    expect(scanner.lines).toBe(count(text, '\n'))
    expect(chunks.flatMap((chunk) => readAll(chunk.bytes)).map((record) => record.raw)).toEqual(
      expected.map((record) => record.raw),
    )
  }
})

it('a stray quote damages its own record only', () => {
  const { chunks } = cutAll(bytesOf('a,5" pipe\n"x"y,1\nb,2\n'), [4], 0)
  expect(chunks.map((chunk) => Buffer.from(chunk.bytes).toString())).toEqual([
    'a,5" pipe\n',
    '"x"y,1\n',
    'b,2\n',
  ])
})

it('an input without bytes has no records', () => {
  const scanner = new RecordScanner(defaultDialect)
  expect(scanner.cut(new Uint8Array(0), 0, 0)).toBe(-1)
  expect(scanner.finish()).toEqual({})
  expect(scanner.records).toBe(0)
})

it('another delimiter and another quote are followed, also where they are higher than letters', () => {
  const dialect = { delimiter: '|', quote: '~', header: true }
  const { chunks, scanner } = cutAll(bytesOf('~a\n|~|"b\nc|d\n'), [3], 0, dialect)
  expect(scanner.records).toBe(2)
  expect(chunks.map((chunk) => readAll(chunk.bytes, dialect)[0]?.cells)).toEqual([
    ['a\n|', '"b'],
    ['c', 'd'],
  ])
})
