/** What stands above the records of a CSV file: lines left out, a `sep=` line, several header rows, names. */
import { expect, it } from 'vitest'
import type { Code } from '../../../src/core/errors.ts'
import { maxRecordBytes } from '../../../src/core/load.ts'
import type { Dialect } from '../../../src/format/csv/dialect.ts'
import { csvSplitter } from '../../../src/format/csv/split.ts'
import type { ExpectedFields } from '../../../src/format/split.ts'

const expected: ExpectedFields = { table: 't', names: ['a', 'b'], isMasked: false, problems: () => [] }

/** The file in pieces; what the splitter knows at its end, and where the first record begins. */
function split(text: string, dialect: Partial<Dialect> = {}, more: Partial<ExpectedFields> = {}, size = 5) {
  const splitter = csvSplitter(dialect)('x.csv', { ...expected, ...more })
  const file = Buffer.from(text)
  let body = -1
  for (let at = 0; at < file.length;) {
    // What the first lines are shows in the first piece.
    const piece = file.subarray(at, at + (at === 0 ? Math.max(size, 12) : size))
    const from = splitter.begin(piece)
    if (splitter.isPastHead && body < 0) body = at + from
    if (splitter.isPastHead) for (let end = from; end >= 0;) end = splitter.cut(end, end)
    at += piece.length
  }
  splitter.finish()
  const { layout, records, lines, leftOut, warnings } = splitter
  return { layout, records, lines, leftOut, warnings, body: body < 0 ? '' : text.slice(body) }
}

const refused = (code: Code, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string })

it('lines above the header are left out and counted, whatever is in them', () => {
  for (const size of [1, 3, 100])
    expect(split('Device "X\n,,,\n\na,b\n1,2\n', { skipLines: 3 }, {}, size)).toMatchObject({
      layout: { fields: ['a', 'b'] },
      records: 1,
      lines: 5,
      leftOut: { preamble: 3, comments: 0 },
      body: '1,2\n',
    })
  expect(split('title\n1,2\n', { skipLines: 1, header: false })).toMatchObject({ records: 1, body: '1,2\n' })
  expect(() => split('a,b\n1,2\n', { skipLines: 3 })).toThrow(
    refused('HEADER_MISMATCH', /^x\.csv:3: the file ends here, and --skip-lines 3/),
  )
  expect(split('', { skipLines: 3 }).records).toBe(0)
})

it('a line `sep=;` names the delimiter, and is neither the header nor a record', () => {
  for (const line of ['sep=;\r\n', 'SEP=;\n', '"sep=;"\r\n', '\ufeffsep=;\n'])
    expect(split(`${line}a;b\n1;2\n`)).toMatchObject({
      layout: { fields: ['a', 'b'], delimiter: ';' },
      records: 1,
      lines: 3,
      leftOut: { preamble: 1 },
    })
  expect(split('sep=;\n1;2\n', { header: false })).toMatchObject({ records: 1, layout: { delimiter: ';' } })
  expect(split('sep=;\na|b\n1|2\n', { delimiter: '|' })).toMatchObject({
    layout: { fields: ['a', 'b'], delimiter: '|' },
    records: 1,
  })
  // It is the first of the lines that are to be left out.
  expect(split('sep=;\na;b\n', { skipLines: 1 }).layout.fields).toEqual(['a', 'b'])
  expect(split('sep=x,b\n1,2\n').layout.fields).toEqual(['sep=x', 'b'])
  expect(split('sep=a\n1=2\n', { delimiter: '=' }).layout.fields).toEqual(['sep', 'a'])
})

it('the names of several header rows are joined by a space', () => {
  const text = 'time,"temp\nair",,x\n[UTC],[degC],y,\n1,2,3,4\n'
  for (const size of [1, 4, 100])
    expect(split(text, { headerRows: 2 }, {}, size)).toMatchObject({
      layout: { fields: ['time [UTC]', 'temp\nair [degC]', 'y', 'x'] },
      records: 1,
      lines: 4,
      body: '1,2,3,4\n',
    })
  expect(() => split('a,b\n', { headerRows: 2 })).toThrow(refused('HEADER_MISMATCH', /has 1 of 2 rows/))
})

it('names that are stated stand in place of the header', () => {
  const names = ['c', 'd']
  expect(split('a,a\n1,2\n', { names })).toMatchObject({ layout: { fields: names }, records: 1 })
  expect(split('1,2\n', { names, header: false })).toMatchObject({ layout: { fields: names }, records: 1 })
})

it('columns without names behind the last one are no columns where they are empty', () => {
  expect(split('A|B|C||\n1|2|3||\n', { delimiter: '|' }).layout).toEqual({
    fields: ['A', 'B', 'C'],
    delimiter: '|',
    quote: '"',
    ragged: 'trim',
  })
  expect(split('a,b,\n', { ragged: 'pad' }).layout).toMatchObject({ fields: ['a', 'b'], ragged: 'pad' })
  expect(() => split('a,,b\n')).toThrow(refused('HEADER_MISMATCH', /column 2 has no name/))
  expect(() => split(',\n')).toThrow(refused('HEADER_MISMATCH', /column 1 has no name/))
})

it('where no model names the fields, columns without a name get one, and a second name a suffix', () => {
  const named = { namesColumns: true }
  const found = split(',a,a,column_1,a_2,\n1,2,3,4,5,6\n', {}, named)
  expect(found.layout.fields).toEqual(['column_1_2', 'a', 'a_3', 'column_1', 'a_2', 'column_6'])
  expect(found.warnings).toEqual([
    'x.csv: the header has no name of its own for 3 columns, called here: column_1_2, a_3, column_6',
  ])
  expect(split('a,b,\n', { ragged: 'trim' }, named).layout.fields).toEqual(['a', 'b'])
  expect(split('a,b\n', {}, named).warnings).toEqual([])
})

it('comments above the header and at the end are left out and counted', () => {
  for (const size of [1, 4, 100])
    expect(split('# "x\n\na,b\n#\n1,2\n\r\n# y', { comment: '#' }, {}, size)).toMatchObject({
      layout: { fields: ['a', 'b'], comment: '#' },
      records: 1,
      lines: 6,
      leftOut: { preamble: 0, comments: 5 },
    })
  expect(split('# nothing else\n', { comment: '#' })).toMatchObject({ records: 0, body: '' })
})

it('an error of the head names its line, and the option that helps', () => {
  const problems = () => ['no']
  expect(() => split('t\n\na,b\n', { skipLines: 2 }, { problems })).toThrow(
    refused('HEADER_MISMATCH', /^x\.csv:3: /),
  )
  expect(() => split('# x\na,b\n', {}, { problems })).toThrow(refused('HEADER_MISMATCH', /--comment '#'/))
  expect(() => split('a,b\r1,2\r')).toThrow(refused('SOURCE_LINE_ENDS', /--line-end cr/))
  expect(() => split('t\ra,b\r1,2\r', { skipLines: 1 })).toThrow(refused('SOURCE_LINE_ENDS', /--line-end cr/))
  const open = /^x\.csv:2: .*--no-multiline ends quotes with their line, --quote none/
  expect(() => split('a,b\n1,"2\n')).toThrow(refused('UNCLOSED_QUOTE', open))
  expect(() => split('a;b\n', {}, { problems })).toThrow(refused('HEADER_MISMATCH', /--delimiter ';'/))
  expect(() => split('a\tb\n', {}, { problems })).toThrow(refused('HEADER_MISMATCH', /--delimiter '\\t'/))
})

it('a line above the header that does not end is refused before it fills the memory', () => {
  const of = (text: string, bytes: number) => () =>
    split(text.repeat(bytes / text.length), { skipLines: 1 }, {}, 1 << 20)
  expect(of('xxxx', maxRecordBytes)).toThrow(refused('HEADER_MISMATCH', /--skip-lines 1 leaves out more/))
  expect(of('xxxx', maxRecordBytes + 4)).toThrow(refused('RECORD_TOO_LARGE', /^x\.csv:1: .*--skip-lines/))
  expect(of('a,b\r', maxRecordBytes + 4)).toThrow(refused('SOURCE_LINE_ENDS', /--line-end cr/))
})

it('comments are refused where there are more of them than a record may have, which a chunk would have to hold', () => {
  const comments = (bytes: number) => `#${'x'.repeat(1022)}\n`.repeat(bytes / 1024)
  const of = (bytes: number) => () => split(`a,b\n${comments(bytes)}1,2\n`, { comment: '#' }, {}, 1 << 20)
  expect(of(maxRecordBytes)()).toMatchObject({ records: 1, leftOut: { comments: 16 * 1024 } })
  expect(of(maxRecordBytes + (2 << 20))).toThrow(
    refused('RECORD_TOO_LARGE', /comments and empty lines take more than 16 MiB/),
  )
})

it('a first line that may hold a masked value is not repeated in the error, whatever is wrong with it', () => {
  const first = (isMasked: boolean) => () => split('canary,canary\n', {}, { isMasked })
  expect(first(false)).toThrow(refused('HEADER_DUPLICATE', /canary/))
  expect(first(true)).toThrow(refused('HEADER_DUPLICATE', /^x\.csv:1: the header names a column twice$/))
})

it.each<[Partial<Dialect>, RegExp]>([
  [{ delimiter: ';', comment: ';' }, /delimiter and comment are the same character/],
  [{ escape: '"' as '\\' }, /escape must be a backslash/],
  [{ escape: '\\', delimiter: 'n' }, /delimiter must not be "n"/],
  [{ ragged: 'fill' as 'pad' }, /ragged must be trim or pad/],
  [{ comment: '##' }, /comment must be one ASCII character/],
  [{ header: 'yes' as unknown as boolean }, /header must be true or false/],
  [{ skipLines: -1 }, /skipLines must be a whole number of 0 or more/],
  [{ headerRows: 0 }, /headerRows must be a whole number of 1 or more/],
  [{ names: [] }, /names must be/],
  [{ names: ['a', 'a'] }, /names must name no column twice/],
])('the dialect %j is refused', (dialect, message) => {
  expect(() => csvSplitter(dialect)).toThrow(refused('USAGE', message))
})
