/** The reader and the scanner of rarer dialects: of plain CSV they find what the fast ones find. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { cellBytes } from '../../../src/core/cells.ts'
import type { CsvCells } from '../../../src/format/csv/cells.ts'
import { csvReader, csvScanner } from '../../../src/format/csv/choose.ts'
import type { RecordDialect } from '../../../src/format/csv/dialect.ts'
import { DialectReader } from '../../../src/format/csv/read-dialect.ts'
import { CsvReader } from '../../../src/format/csv/read.ts'
import { DialectScanner } from '../../../src/format/csv/scan-dialect.ts'
import { RecordScanner, type Scanner } from '../../../src/format/csv/scan.ts'
import { adversarialText, pieceSizes } from './helpers.ts'

const plain = { delimiter: ',', quote: '"' }

function everything(reader: CsvCells, body: Buffer) {
  const found: unknown[] = []
  reader.open(body)
  while (reader.next()) found.push(record(reader))
  return found
}

const record = (reader: CsvCells) => ({
  cells: Array.from({ length: reader.count }, (_, cell) => [
    reader.starts[cell],
    reader.ends[cell],
    reader.quoting[cell],
    reader.flaw === undefined && [reader.cellStart(cell), reader.cellEnd(cell)],
    cellBytes(reader, cell).toString('latin1'),
  ]),
  fault: reader.fault,
  bounds: [reader.recordStart, reader.recordEnd, reader.isLast],
})

it('reads plain CSV to the byte as the fast reader does', () => {
  fc.assert(
    fc.property(adversarialText, fc.constantFrom([], ['a', 'b']), (text, fields) => {
      const body = Buffer.from(text)
      const [own, fast] = [new DialectReader(plain, fields), new CsvReader(plain, fields)]
      expect(everything(own, body)).toEqual(everything(fast, body))
      own.openOne(body)
      fast.openOne(body)
      expect(record(own)).toEqual(record(fast))
    }),
    { numRuns: 5_000 },
  )
})

it('finds the ends of plain CSV where the fast scanner finds them', () => {
  fc.assert(
    fc.property(adversarialText, pieceSizes, fc.integer({ min: 1, max: 20 }), (text, sizes, min) => {
      const ends = (scanner: Scanner) => {
        const found: unknown[] = []
        const file = Buffer.from(text)
        for (let at = 0, index = 0; at < file.length; index++) {
          const piece = file.subarray(at, at + (sizes[index % sizes.length] as number))
          for (let from = 0; from >= 0;) {
            from = scanner.cut(piece, from, from + min)
            found.push([from, scanner.records, scanner.lines, scanner.recordBytes, scanner.openQuoteLine])
          }
          at += piece.length
        }
        return [...found, scanner.finish(), scanner.records]
      }
      expect(ends(new DialectScanner(plain))).toEqual(ends(new RecordScanner(plain)))
    }),
    { numRuns: 5_000 },
  )
})

type Case = readonly [text: string, cells: readonly (readonly (string | null)[])[]]

const cases: readonly (readonly [Partial<RecordDialect>, ...Case])[] = [
  [
    { quote: '' },
    'a,"b\n"c,\n',
    [
      ['a', '"b'],
      ['"c', null],
    ],
  ],
  [
    { escape: '\\' },
    '1,"C:\\\\tools\\\\bin\\\\","a \\"quoted\\" word",\\N\n2,"O\\\'Neil","tab\\there",\\N\n',
    [
      ['1', 'C:\\tools\\bin\\', 'a "quoted" word', null],
      ['2', "O'Neil", 'tab\there', null],
    ],
  ],
  [{ escape: '\\' }, 'a\\,b,c\\\\,"\\N",x\\Ny\n', [['a,b', 'c\\', 'N', 'xNy']]],
  [{ escape: '\\', quote: '' }, 'a\\\nb,c\\nd,e\\r\r\n', [['a\nb', 'c\nd', 'e\r']]],
  [
    { comment: '#' },
    '# a "b\n1,2\n\n#\n3,#4\n# end',
    [
      ['1', '2'],
      ['3', '#4'],
    ],
  ],
  [{ trim: true }, ' a ,\t"b, c" , \n', [['a', 'b, c', null]]],
  [{ trim: true, delimiter: '\t' }, 'a \t\t b\n', [['a', null, 'b']]],
  [
    { multiline: false },
    'a,"b, c"\r\n"d",e',
    [
      ['a', 'b, c'],
      ['d', 'e'],
    ],
  ],
]

it.each(cases)('%j reads %j', (dialect, text, cells) => {
  const reader = csvReader({ ...plain, ...dialect })
  reader.open(Buffer.from(text))
  const found: (string | null)[][] = []
  while (reader.next()) {
    expect(reader.fault).toBeUndefined()
    found.push(
      Array.from({ length: reader.count }, (_, cell) =>
        reader.quoting[cell] === 0 && reader.starts[cell] === reader.ends[cell]
          ? null
          : cellBytes(reader, cell).toString(),
      ),
    )
  }
  expect(found).toEqual(cells)
})

it('a record that is too long or too short is what `ragged` says', () => {
  const counts = (ragged: RecordDialect['ragged'], text: string) => {
    const reader = csvReader({ ...plain, ...(ragged && { ragged }) }, ['a', 'b', 'c'])
    reader.openOne(Buffer.from(text))
    return [reader.count, reader.fault?.code]
  }
  for (const [text, rejected, trimmed, padded] of [
    ['1,2,3', undefined, undefined, undefined],
    ['1,2,3,,', 'COLUMN_COUNT', undefined, undefined],
    ['1,2,3,""', 'COLUMN_COUNT', 'COLUMN_COUNT', 'COLUMN_COUNT'],
    ['1,2,3,4', 'COLUMN_COUNT', 'COLUMN_COUNT', 'COLUMN_COUNT'],
    ['1,2', 'COLUMN_COUNT', 'COLUMN_COUNT', undefined],
    ['', 'BLANK_LINE', 'BLANK_LINE', 'BLANK_LINE'],
  ] as const) {
    expect([counts(undefined, text)[1], counts('trim', text)[1], counts('pad', text)[1]]).toEqual([
      rejected,
      trimmed,
      padded,
    ])
  }
  expect([counts('trim', '1,2,3,,')[0], counts('pad', '1')[0]]).toEqual([3, 3])
  const wide = csvReader(
    { ...plain, ragged: 'pad' },
    Array.from({ length: 1000 }, (_, cell) => `c${cell}`),
  )
  wide.openOne(Buffer.from('1,2'))
  expect([wide.fault, wide.count, cellBytes(wide, 1).toString(), cellBytes(wide, 999).toString()]).toEqual([
    undefined,
    1000,
    '2',
    '',
  ])
})

it('a quote that its line does not close is a fault of that record alone where no cell goes on in the next line', () => {
  const file = Buffer.from('1,"a\r\n2,"b, c"\r\n"3,d\n4,e"\n5,f\n6,"g')
  const dialect: RecordDialect = { ...plain, multiline: false }
  const scanner = csvScanner(dialect)
  expect([scanner.cut(file, 0, file.length), scanner.finish(), scanner.records]).toEqual([-1, {}, 6])
  const reader = csvReader(dialect, ['n', 'text'])
  reader.open(file)
  const faults: (string | undefined)[] = []
  while (reader.next()) faults.push(reader.fault?.code)
  expect(faults).toEqual(['BAD_QUOTE', undefined, 'BAD_QUOTE', 'BAD_QUOTE', undefined, 'BAD_QUOTE'])
})

it('a fault of a record says which option would take it', () => {
  const detail = (text: string) => {
    const reader = csvReader(plain, ['a', 'b'])
    reader.openOne(Buffer.from(text))
    return reader.fault?.detail
  }
  expect(detail('1')).toMatch(/^1 cell where the header has 2; --ragged pad fills short records$/)
  expect(detail('1,2,,')).toMatch(
    /^4 cells where the header has 2; --ragged trim drops empty cells at the end$/,
  )
  expect(detail('1,2,3')).toMatch(
    /^3 cells where the header has 2; a text that holds the delimiter needs quotes$/,
  )
  expect(detail('# note')).toMatch(/^1 cell where the header has 2; --comment '#' leaves such lines out$/)
  expect(detail('1,"a \\"b\\" c"')).toMatch(/where a backslash escapes quotes: --escape '\\'$/)
  expect(detail('1,"x\n2,y\n3,"z"')).toMatch(/goes on in the next line, --no-multiline makes records of its/)
  expect(detail('1, "x"')).toMatch(/--trim takes spaces around quotes$/)
})
