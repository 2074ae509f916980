/**
 * CSV in its dialects. What splits a file and what reads a chunk must agree on every byte; the fast reader and scanner of plain CSV must
 * find what those of all dialects find; and what is written must be read as it was.
 */
import { csvRecord } from '../../src/format/csv/record.ts'
import { csvReader } from '../../src/format/csv/choose.ts'
import type { CsvCells } from '../../src/format/csv/cells.ts'
import { type CsvLayout, isPlain, type StatedDialect } from '../../src/format/csv/dialect.ts'
import { DialectReader } from '../../src/format/csv/read-dialect.ts'
import { DialectScanner } from '../../src/format/csv/scan-dialect.ts'
import { RecordScanner, type Scanner } from '../../src/format/csv/scan.ts'
import { csvSplitter } from '../../src/format/csv/split.ts'
import { anyFields, type ExpectedFields } from '../../src/format/split.ts'
import { linesIn } from '../../src/core/bytes.ts'
import { readAll, recordOf, requireOrder } from '../read.ts'
import { type Sizes, sizesOf, split } from '../split.ts'
import { requireSame, requireThat, type Target } from '../target.ts'

const dialects: readonly StatedDialect[] = [
  {},
  { delimiter: ';' },
  { delimiter: '\t', quote: "'" },
  { quote: '' },
  { escape: '\\' },
  { escape: '\\', quote: '', delimiter: '\t' },
  { comment: '#' },
  { trim: true },
  { multiline: false },
  { ragged: 'pad' },
  { ragged: 'trim' },
  { delimiter: ' ', trim: true },
  { comment: '"', quote: "'", delimiter: ' ' },
  { delimiter: ';', quote: "'", escape: '\\', comment: '#', trim: true, ragged: 'pad' },
  { escape: '\\', comment: '#', trim: true, ragged: 'trim', multiline: false },
  { quote: '', comment: '#', ragged: 'pad', escape: '\\' },
]

const named: ExpectedFields = { ...anyFields, names: ['a', 'b', 'c'], namesColumns: false }

export const csv: Target = {
  name: 'csv',
  options: 8,
  seeds: [
    'a,b,c\n1,2,3\n4,5,6\n',
    'a;b;c\r\n"1";"x ""y""\r\nz";3\r\n',
    'a,b\n="007",2\n"x"y,1\n,\n\n1\n',
    "a\tb\n'x\\ty'\t\\N\n# c\n 'a' \t b \n",
    '\ufeffsep=;\na;b;c\n# note\n\n1;"2\n3";\\;\n',
    'a,b,c\n1,2,3,,\n"é",\u2603,\n1\r2,3,4\r\n',
    'a\r1\r2\r',
    `${'x,'.repeat(80)}x\n${'1,'.repeat(80)}1\n`,
    `a,b\n${'1,a longer text without quotes, 2\n'.repeat(300)}`,
  ],
  tokens: [
    '"',
    '""',
    "'",
    ',',
    ';',
    '\t',
    '\n',
    '\r\n',
    '\r',
    '\\',
    '\\"',
    '\\\n',
    '\\N',
    '#',
    ' ',
    '="',
    'sep=',
    '\0',
    '\xff',
    'é',
    '\ufeff',
  ],
  check(input) {
    const dialect = input.of(dialects)
    const header = input.below(3) > 0
    const extra = input.of<StatedDialect>([
      {},
      {},
      { skipLines: 1 },
      { headerRows: 2 },
      { skipLines: 2, headerRows: 3 },
    ])
    const stated = { ...dialect, header, ...extra }
    const make = () => csvSplitter(stated)('f.csv', header ? anyFields : named)
    const sizes = sizesOf(input)
    const source = input.body
    const whole = split(make, source, { ...sizes, first: Math.max(1, source.length) })
    // Which fault of a source is met first depends on how much of it has been seen.
    const [one, other] = [split(make, source, sizes), whole].map((each) => ({
      ...each,
      refused: each.refused !== undefined,
    }))
    requireSame('the same chunks however the bytes are cut into pieces', one, other)
    if (whole.refused !== undefined || whole.layout.fields.length === 0) return
    const layout = whole.layout as CsvLayout
    const cells = csvReader(layout, layout.fields)
    let looked = 0
    let [counted, linesBefore] = [0, 0]
    for (const { start, end, records, lines } of whole.chunks) {
      const chunk = source.subarray(start, end)
      const read = readAll(cells, chunk)
      requireSame('a chunk is read as the records that were counted', read.length, records)
      linesBefore += linesIn(source, counted, start)
      counted = start
      requireSame('lines are counted', lines, linesBefore)
      requireOrder(read, chunk, between(layout))
      if (isPlain(layout))
        requireSame(
          'both readers find the same',
          readAll(new DialectReader(layout, layout.fields), chunk),
          read,
        )
      for (const { start: from, end: to } of read.slice(0, mostLooked - looked))
        requireRecord(chunk.subarray(from, to), layout, cells)
      looked = Math.min(mostLooked, looked + read.length)
    }
    if (isPlain(layout)) requireScanners(layout, source, sizes)
  },
}

/** Of an input, because each is read again some times. */
const mostLooked = 12

const between = ({ comment }: CsvLayout): RegExp =>
  comment === undefined ? /^(\r?\n|\r)?$/ : /^(\r?\n|\r)?([^]*(\n|$))?$/

const texts = ['', 'x', ' y ', 'a"b', "it's", 'one\ntwo', '#', '\\', 'é,;\t'] as const

/** One record, as a person sees and corrects it. */
function requireRecord(bytes: Buffer, layout: CsvLayout, reader: CsvCells): void {
  reader.openOne(bytes)
  const { fault, values } = recordOf(reader)
  const same = csvRecord.rewrite(bytes, layout, () => undefined)
  if (fault === undefined)
    requireSame(
      'a record in which nothing is replaced stays',
      same?.toString('latin1'),
      bytes.toString('latin1'),
    )
  if (fault !== undefined || same === undefined) return
  layout.fields.forEach((field, cell) => {
    const place = csvRecord.locate(bytes, layout, field, cell)
    requireThat('every value has a place', place !== undefined, { field, cell })
  })
  for (const text of texts) {
    const changed = csvRecord.rewrite(bytes, layout, (field) =>
      field === layout.fields[0] ? text : undefined,
    )
    if (changed === undefined) continue
    reader.openOne(changed)
    const again = recordOf(reader)
    const expected = [Buffer.from(text).toString('latin1'), ...values.slice(1)]
    // A line of one empty value is blank, and is read as such.
    if (again.fault?.code === 'BLANK_LINE' && text === '') continue
    requireSame(
      'a value is read as it was written',
      again.values.map((value) => value ?? ''),
      expected.map((value) => value ?? ''),
    )
  }
}

function requireScanners(layout: CsvLayout, source: Buffer, { piece, chunk }: Sizes): void {
  const [fast, plain] = [new RecordScanner(layout), new DialectScanner(layout)]
  for (let at = 0; at < source.length; at += piece) {
    const bytes = source.subarray(at, at + piece)
    for (let from = 0; from !== -1 && from < bytes.length;) {
      const min = from + chunk
      const end = fast.cut(bytes, from, min)
      requireSame('both scanners cut here', plain.cut(bytes, from, min), end)
      requireSame('both scanners count the same', counts(plain), counts(fast))
      from = end
    }
  }
  requireSame('both scanners end so', plain.finish(), fast.finish())
  requireSame('both scanners count the same', counts(plain), counts(fast))
}

const counts = ({ records, lines, recordBytes, oversizeLine, openQuoteLine }: Scanner) => ({
  records,
  lines,
  recordBytes,
  oversizeLine,
  openQuoteLine,
})
