import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultDialect } from '../../../src/format/csv/dialect.ts'
import { csvReader } from '../../../src/format/csv/choose.ts'
import { cellText, CsvReader, unescape } from '../../../src/format/csv/read.ts'
import { adversarialText, bytesOf, count, legalText, readAll, readCells } from './helpers.ts'
import { csvParse, rawRecords } from './oracle.ts'

const runs = { numRuns: 3000 }

/** After csv-spectrum: the cases that CSV readers get wrong. */
const corpus: Record<string, [text: string, records: string[][]]> = {
  simple: [
    'a,b,c\n1,2,3\n',
    [
      ['a', 'b', 'c'],
      ['1', '2', '3'],
    ],
  ],
  CRLF: [
    'a,b,c\r\n1,2,3\r\n',
    [
      ['a', 'b', 'c'],
      ['1', '2', '3'],
    ],
  ],
  'CRLF and LF mixed': [
    'a,b\r\n1,2\n3,4\r\n',
    [
      ['a', 'b'],
      ['1', '2'],
      ['3', '4'],
    ],
  ],
  'no last newline': [
    'a,b\n1,2',
    [
      ['a', 'b'],
      ['1', '2'],
    ],
  ],
  'comma in quotes': [
    'first,address\nJohn,"120 any st.\t, apt, 4"\n',
    [
      ['first', 'address'],
      ['John', '120 any st.\t, apt, 4'],
    ],
  ],
  'empty cells': [
    'a,b,c\n1,"",""\n,,\n2,3,\n',
    [
      ['a', 'b', 'c'],
      ['1', '', ''],
      ['', '', ''],
      ['2', '3', ''],
    ],
  ],
  'empty last cell without newline': ['a,', [['a', '']]],
  'escaped quotes': [
    'a,b\n1,"ha ""ha"" ha"\n"""",""""""\n',
    [
      ['a', 'b'],
      ['1', 'ha "ha" ha'],
      ['"', '""'],
    ],
  ],
  JSON: [
    'key,val\n1,"{""type"": ""Point"", ""c"": [1.0, ""\n""]}"\n',
    [
      ['key', 'val'],
      ['1', '{"type": "Point", "c": [1.0, "\n"]}'],
    ],
  ],
  'newlines in quotes': [
    'a,b\n1,"once\nupon\n\na time"\n',
    [
      ['a', 'b'],
      ['1', 'once\nupon\n\na time'],
    ],
  ],
  'CRLF in quotes': [
    'a,b\r\n1,"once\r\nupon"\r\n',
    [
      ['a', 'b'],
      ['1', 'once\r\nupon'],
    ],
  ],
  'quotes and newlines': [
    'a,b\n1,"ha \n""ha"" \nha"\n3,4\n',
    [
      ['a', 'b'],
      ['1', 'ha \n"ha" \nha'],
      ['3', '4'],
    ],
  ],
  'quoted last cell without newline': ['a,"b"', [['a', 'b']]],
  utf8: [
    'a,b\n1,ʤ\n"日本語",😀\n',
    [
      ['a', 'b'],
      ['1', 'ʤ'],
      ['日本語', '😀'],
    ],
  ],
  'blank lines': ['a\n\n\r\nb\n', [['a'], [''], [''], ['b']]],
  'spaces are data': [' a , "b\n', [[' a ', ' "b']]],
  'a CR alone is data': ['a\rb,\rc\r\r\n', [['a\rb', '\rc\r']]],
  empty: ['', []],
}

for (const [name, [text, records]] of Object.entries(corpus)) {
  it(`corpus: ${name}`, () => {
    expect(readCells(bytesOf(text))).toEqual(records)
    expect(csvParse(text)).toEqual(records)
  })
}

describe('for any file', () => {
  it('one that keeps to the rules is read without a fault, as csv-parse reads it', () => {
    fc.assert(
      fc.property(legalText, (text) => {
        const records = readAll(bytesOf(text))
        expect(records.map((record) => record.cells)).toEqual(csvParse(text))
        expect(records.filter((record) => record.fault)).toEqual([])
      }),
      runs,
    )
  })

  it('one in which no fault is found is read as csv-parse reads it', () => {
    let compared = 0
    fc.assert(
      fc.property(adversarialText, (text) => {
        const records = readAll(bytesOf(text))
        // At the end of a file csv-parse takes a CR for data, where a chunk may have lost its LF only by
        // being the last.
        if (text.endsWith('\r') || records.some((record) => record.fault)) return
        compared++
        expect(records.map((record) => record.cells)).toEqual(csvParse(text))
      }),
      { numRuns: 20_000 },
    )
    expect(compared).toBeGreaterThan(2000)
  })

  it('a quote within an unquoted cell is a fault, and the cell is kept as csv-parse keeps it', () => {
    const stray = fc.stringMatching(/^[a-c ]{1,3}"[a-c "]{0,3}$/)
    const cells = fc.array(fc.oneof(stray, fc.constantFrom('a', '"b"', '"c\n,"', '')), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(fc.array(cells, { maxLength: 6 }), (lines) => {
        const text = lines.map((line) => `${line.join(',')}\n`).join('')
        const records = readAll(bytesOf(text))
        expect(records.map((record) => record.cells)).toEqual(csvParse(text))
        const isStray = (cell: string) => !cell.startsWith('"') && cell.includes('"')
        expect(records.map((record) => record.fault === 'BAD_QUOTE')).toEqual(
          lines.map((line) => line.some(isStray)),
        )
      }),
      runs,
    )
  })

  it('records, cells, lines and faults are those that the rules give', () => {
    fc.assert(
      fc.property(fc.oneof(adversarialText, legalText), (text) => {
        let line = 0
        const expected = rawRecords(text).map(({ raw, cells }) => {
          const record = { ...judge(raw, cells), line }
          line += count(raw, '\n') + 1
          return record
        })
        expect(readAll(bytesOf(text))).toEqual(expected)
      }),
      { numRuns: 10_000 },
    )
  })
})

function judge(raw: string, cells: string[]) {
  const unclosed = /^"(?:[^"]|"")*$/.test(cells.at(-1) ?? '')
  const lineEnd = !unclosed && raw.endsWith('\r') ? 1 : 0
  const trimmed = cells.map((cell, i) =>
    i === cells.length - 1 ? cell.slice(0, cell.length - lineEnd) : cell,
  )
  const sound = (cell: string) => /^(?:"(?:[^"]|"")*"|[^"]*)$/.test(cell)
  const fault = unclosed ? 'UNCLOSED_QUOTE' : trimmed.every(sound) ? undefined : 'BAD_QUOTE'
  const value = (cell: string, i: number) => {
    if (unclosed && i === cells.length - 1) return cell.slice(1).replaceAll('""', '"')
    return sound(cell) && cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell
  }
  return { cells: trimmed.map(value), fault, raw: raw.slice(0, raw.length - lineEnd) }
}

it('a record is described in full: cells, quoting, range and line', () => {
  const reader = new CsvReader(defaultDialect)
  reader.open(bytesOf('x\n"1\n2",b,"c""d",""\r\ny'))
  expect(reader.next()).toBe(true)
  expect(reader.next()).toBe(true)
  expect(reader).toMatchObject({ count: 4, recordStart: 2, recordEnd: 19, fault: undefined })
  expect([...reader.starts.subarray(0, 4)]).toEqual([3, 8, 11, 18])
  expect([...reader.ends.subarray(0, 4)]).toEqual([6, 9, 15, 18])
  expect([...reader.quoting.subarray(0, 4)]).toEqual([1, 0, 2, 1])
  expect(reader.next()).toBe(true)
  expect(reader).toMatchObject({ count: 1, recordStart: 21, recordEnd: 22 })
  expect(reader.next()).toBe(false)
  expect(reader.next()).toBe(false)
})

it('text after a closing quote is a fault of that record, and the cell is kept whole', () => {
  expect(readAll(bytesOf('"a"b,c\r\n"d" ,"e"\nf\n'))).toEqual([
    { cells: ['"a"b', 'c'], fault: 'BAD_QUOTE', raw: '"a"b,c', line: 0 },
    { cells: ['"d" ', 'e'], fault: 'BAD_QUOTE', raw: '"d" ,"e"', line: 1 },
    { cells: ['f'], fault: undefined, raw: 'f', line: 2 },
  ])
})

it('a quote that never closes is a fault of the last record', () => {
  expect(readAll(bytesOf('a\n"b,\nc\r'))).toMatchObject([
    { cells: ['a'] },
    { cells: ['b,\nc\r'], fault: 'UNCLOSED_QUOTE', line: 1 },
  ])
})

it('a chunk that ends with a CR and no LF ends with a line end', () => {
  expect(readAll(bytesOf('a,b\r'))).toMatchObject([{ cells: ['a', 'b'], fault: undefined, raw: 'a,b' }])
  expect(readAll(bytesOf('a,"b"\r'))).toMatchObject([{ cells: ['a', 'b'], fault: undefined, raw: 'a,"b"' }])
})

it('a record may have any number of cells', () => {
  const cells = Array.from({ length: 5000 }, (_, i) => (i % 3 ? `${i}` : `"${i}"`))
  const reader = new CsvReader(defaultDialect)
  reader.open(bytesOf(`a\n${cells.join(',')}\nb\n`))
  reader.next()
  reader.next()
  expect(Array.from({ length: reader.count }, (_, i) => cellText(reader, i))).toEqual(
    cells.map((cell) => cell.replaceAll('"', '')),
  )
  expect(reader.next()).toBe(true)
  expect(reader.count).toBe(1)
})

it('doubled quotes are undone in a copy, never in the chunk', () => {
  const chunk = Buffer.from('"a""""b"')
  expect(Buffer.from(unescape(chunk, 1, 7, 34)).toString()).toBe('a""b')
  expect(chunk.toString()).toBe('"a""""b"')
})

describe('a record with another number of cells than the layout has fields', () => {
  const faultOf = (line: string) => {
    const reader = new CsvReader(defaultDialect, ['x', 'b', 'a'])
    reader.open(bytesOf(`1,2,3\n${line}\n`))
    reader.next()
    expect(reader.fault).toBeUndefined()
    reader.next()
    return reader.fault
  }

  it.each([
    ['1,2', { start: 3, end: 3 }],
    ['1,2,3,"4",5', { start: 6, end: 11 }],
    ['""', { start: 2, end: 2 }],
  ])('%s is refused, and the place shown where something is missing or too much', (line, span) => {
    expect(faultOf(line)).toMatchObject({ code: 'COLUMN_COUNT', span })
  })

  it('a line without a character is told from a short one', () => {
    expect(faultOf('')).toMatchObject({ code: 'BLANK_LINE' })
  })
})

describe('a cell that Excel has marked as text', () => {
  const cells = (text: string, trim: boolean) => {
    const reader = csvReader({ delimiter: ',', quote: '"', ...(trim && { trim }) }, ['a', 'b'])
    reader.open(Buffer.from(text))
    reader.next()
    return reader.fault?.code ?? [cellText(reader, 0), cellText(reader, 1)]
  }

  it.each([
    ['="007",1\n', ['="007"', '1']],
    ['1,="007"\n', ['1', '="007"']],
    ['1,="007"\r\n', ['1', '="007"']],
    ['1,="007"', ['1', '="007"']],
    ['="",=""', ['=""', '=""']],
    ['="0,7",1\n', 'BAD_QUOTE'],
    ['="0""7",1\n', 'BAD_QUOTE'],
    ['="007"8,1\n', 'BAD_QUOTE'],
    ['a="007",1\n', 'BAD_QUOTE'],
    ['="007,1\n', 'BAD_QUOTE'],
    ['1,="007', 'BAD_QUOTE'],
  ])('%j', (text, expected) => {
    expect(cells(text, false)).toEqual(expected)
    expect(cells(text, true)).toEqual(expected)
  })
})
