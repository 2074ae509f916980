/** Files that sniffers are known to misread, and what is right for each. */
import { describe, expect, it } from 'vitest'
import { headBytes, sniff } from '../../../src/infer/sniff/sniff.ts'
import { integer } from '../../../src/model/columns.ts'
import type { Reading } from '../../../src/format/reading.ts'
import type { StatedDialect } from '../../../src/format/registry.ts'
import { readInferred, sniffed } from '../../support/inferred.ts'

const dialect = (text: string) => sniffed(Buffer.from(text)).dialect
const fields = (text: string) => sniffed(Buffer.from(text)).fields
/** Lines without whose answer nothing is loaded. */
const about = (text: string) =>
  sniffed(Buffer.from(text))
    .questions.filter(({ otherwise }) => otherwise === undefined)
    .map(({ line }) => line)

describe('delimiter', () => {
  it.each([
    ['decimal commas below a header of one column', 'price\n1,5\n2,25\n12,50\n', ['price']],
    ['decimal commas beside semicolons', 'name;price\nx;1,5\ny;2,5\n', ['name', 'price']],
    ['decimal commas in every column', '1,5;2,5\n1,6;2,6\n', ['column_1', 'column_2']],
    ['dates alone', 'day\n2021-01-01\n2021-01-02\n', ['day']],
    ['times alone', 'at\n12:30\n12:45\n', ['at']],
    ['dates with times alone', 'at\n2021-01-01 12:30\n2021-01-02 12:45\n', ['at']],
    ['two columns and few lines', 'a,b\n1,2\n', ['a', 'b']],
    ['one column with a quoted comma', 'place\n"Ulm, Germany"\nRome\n', ['place']],
    ['a semicolon before a comma', 'a;b,c\nd;e,f\n', ['a;b', 'c']],
    ['prose', 'note\nHello, world\nGood, bad, ugly\nnothing\n', ['note']],
    ['names of people', 'name\nAnn Lee\nBob Ray\n', ['name']],
    ['a line Total that is too short', 'a,b\n1,2\n3,4\n5,6\nTotal\n', ['a', 'b']],
    ['rows that are too long and too short', 'a,b,c\n1,2,3\n4,5\n6,7,8,9\n1,2,3\n', ['a', 'b', 'c']],
    [
      'comments among few records',
      '## by the logger\nsite,temp\nA,1.5\n# cable swapped, ok\nB,2.5\n\n# end\n',
      ['site', 'temp'],
    ],
    ['colons', 'root:x:0:0:/root\nann:x:1000:1000:/home/ann\n', 5],
    ['spaces with quotes', 'id name size\n1 "a b" 2.5\n2 c 3.5\n', ['id', 'name', 'size']],
    ['pipes', 'id|name\n1|a,b\n2|c,d\n', ['id', 'name']],
    ['a line sep=', 'sep=|\r\na|b\r\n1|2\r\n', ['a', 'b']],
    ['semicolons with prose', 'id;note\n1;Hello, you\n2;No, no, no\n', ['id', 'note']],
  ])('%s', (_, text, expected) => {
    if (typeof expected === 'number') expect(fields(text)).toHaveLength(expected)
    else expect(fields(text)).toEqual(expected)
  })
})

describe('header', () => {
  it.each([
    ['years', 'country,2020,2021\nDE,83.1,83.2\nFR,67.3,67.5\n', true],
    ['an empty name beside numbers', ',2020,2021\nDE,83.1,83.2\nFR,67.3,67.5\n', true],
    ['texts alone', 'name,city\nAnn,Rome\nBob,Ulm\n', true],
    ['one line of names', 'name,city\n', true],
    ['one line of values', '1,2024-01-01\n', false],
    ['numbers alone', '1,2\n3,4\n5,6\n', false],
    ['values of every kind', '1,Ann,2024-01-01\n2,Bob,2024-01-02\n3,Cid,2024-01-03\n', false],
    ['a missing value in the first record', 'id,size\n1,NA\n2,5\n3,6\n', true],
    ['texts that come again', 'Ann,Rome\nBob,Rome\nCid,Ulm\nAnn,Ulm\n', false],
    ['codes', 'sku\nA-17\nB-18\n', true],
  ])('%s', (_, text, expected) => {
    expect(dialect(text)?.header).toBe(expected)
  })

  it('rows of groups above the names belong to it', () => {
    const text = ',2020,,2021,\nid,qty,price,qty,price\n1,2,3.5,4,5.5\n2,3,4.5,5,6.5\n3,3,4.5,5,6.5\n'
    expect(dialect(text)?.headerRows).toBe(2)
    expect(fields(text)).toEqual(['id', '2020 qty', 'price', '2021 qty', 'price_2'])
  })

  it('is as wide as its names where those are stated', async () => {
    const bytes = Buffer.from('1,Ann\n2,Bob,\n3,Cid\n')
    const read = await readInferred(bytes, { dialect: { names: ['id', 'name'] } })
    expect([read.fields, read.records, read.rejects]).toEqual([
      ['id', 'name'],
      [
        ['1', 'Ann'],
        ['3', 'Cid'],
      ],
      1,
    ])
  })

  it('that stands twice is left out once', () => {
    expect(dialect('a,b\na,b\n1,2\n3,4\n')?.skipLines).toBe(1)
  })

  it.each([
    ['narrower', 'id,name\n1,a,x\n2,b,y\n3,c,z\n', ['id', 'name', 'column_3']],
    ['of R, which numbers rows', '"a","b"\n"1",5,6\n"2",7,8\n', ['column_1', 'a', 'b']],
    ['with an empty cell too many', 'id,,name\n1,a\n2,b\n', ['id', 'name']],
    ['with a stray quote', '"id,name\n1,a\n2,"b, c"\n', ['id', 'name']],
    ['with another delimiter', 'id;name;n\n1,a,2\n2,b,3\n', ['id', 'name', 'n']],
    ['with names twice and none', 'a,a,,b\n1,2,3,x\n4,5,6,y\n', ['a', 'a_2', 'column_3', 'b']],
  ])('%s', (_, text, expected) => {
    expect(fields(text)).toEqual(expected)
  })
})

describe('lines that begin with #', () => {
  const logged = '# a\n# b\n# c\n# d\n'

  it.each([
    ['above one record', '# site 7\n# v2\n2026-03-01,20.5\n', 2, [['2026-03-01', '20.5']]],
    [
      'more than the records',
      `${logged}1,20.5\n2,21.5\n`,
      4,
      [
        ['1', '20.5'],
        ['2', '21.5'],
      ],
    ],
    [
      'with a header below them',
      `${logged}x,y,z\n1,2,3\n4,5\n6,7,8\n`,
      4,
      [
        ['1', '2', '3'],
        ['6', '7', '8'],
      ],
    ],
    [
      'between most records',
      'a,b\n# x\n1,2\n# y\n3,4\n# z\n# z\n',
      undefined,
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    ['above one text', '# note\n# note\nname\nAnn\nBob\n', 2, [['Ann'], ['Bob']]],
  ])('%s', async (_, text, skipLines, records) => {
    const read = await readInferred(Buffer.from(text))
    expect(read.sniffed.dialect?.skipLines).toBe(skipLines)
    expect(read.records).toEqual(records)
    expect(about(text)).toEqual([])
  })

  it('are records where their own cells make them so', async () => {
    const { records } = await readInferred(Buffer.from('x,n\n#1,5\n#2,6\n#3,7\nrest,8\n'))
    expect(records).toHaveLength(4)
  })

  it.each([
    [
      'tags',
      '#a,1\n#c,3\nd,4\n',
      [['d', '4']],
      [
        ['#a', '1'],
        ['#c', '3'],
        ['d', '4'],
      ],
    ],
    [
      'records that are commented out',
      '# a,1\n# c,3\nd,4\n',
      [['d', '4']],
      [
        ['# a', '1'],
        ['# c', '3'],
        ['d', '4'],
      ],
    ],
    ['colours', '#fff\n#000\nred\nblue\n', [['blue']], [['#000'], ['red'], ['blue']]],
  ])('with the cells of a record, above a table without a header: %s', async (_, text, without, all) => {
    expect(sniffed(Buffer.from(text)).questions).toMatchObject([
      { line: 1, readings: [{ option: "--comment '#'" }, { option: '--skip-lines 0' }] },
    ])
    const read = async (stated: StatedDialect) => {
      const found = await readInferred(Buffer.from(text), { dialect: stated })
      expect(found.sniffed.questions.every(({ otherwise }) => otherwise !== undefined)).toBe(true)
      return found.records
    }
    expect(await read({ comment: '#' })).toEqual(without)
    expect(await read({ skipLines: 0 })).toEqual(all)
  })

  it('name the fields of a log, also with another delimiter', () => {
    const log = '#Version: 1.0\n#Fields: date time sc-bytes\n2026-03-01\t01:02:03\t10\n'
    expect(fields(log)).toEqual(['date', 'time', 'sc-bytes'])
  })
})

describe('a table among more lines of another kind', () => {
  const notes = 'Note one\nNote two\nNote three\nNote four\n'
  const from = 'from:;="01.01.2026"\nto:;="31.01.2026"\nkind:;="all"\nno:;="7"\ncurrency:;="CHF"\n'

  it.each([
    [
      'notes below an empty line',
      `a,b\n1,2\n3,4\n\n${notes}`,
      ',',
      1,
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    [
      'notes right below',
      `a,b\n1,2\n3,4\n${notes}`,
      ',',
      1,
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    [
      'texts alone',
      `name,city\nAnn,Rome\nBob,Ulm\n\n${notes}`,
      ',',
      1,
      [
        ['Ann', 'Rome'],
        ['Bob', 'Ulm'],
      ],
    ],
    [
      'a report',
      `"a","b"\n"x","1"\n"y","2"\n\n\n"Report"\n"(c) us, all"\n"Secret"\n"By:  Ann"\n`,
      ',',
      1,
      [
        ['x', '1'],
        ['y', '2'],
      ],
    ],
    [
      'names and values above',
      `${from}\nday;text;in;out\n31.01.2026;Pay;50;\n30.01.2026;Rent;;-15\n\nNo receipt.\n`,
      ';',
      7,
      [
        ['31.01.2026', 'Pay', '50', ''],
        ['30.01.2026', 'Rent', '', '-15'],
      ],
    ],
    [
      'texts in two columns right below two titles',
      'All people\nof 2026\nname;city\nAnn;Rome\nBob;Ulm\n',
      ';',
      3,
      [
        ['Ann', 'Rome'],
        ['Bob', 'Ulm'],
      ],
    ],
    [
      'texts in two columns right below a title',
      'All people\nname;city\nAnn;Rome\nBob;Ulm\n',
      ';',
      2,
      [
        ['Ann', 'Rome'],
        ['Bob', 'Ulm'],
      ],
    ],
  ])('is asked about: %s', async (_, text, delimiter, line, records) => {
    expect(about(text)).toEqual([line])
    const [question] = sniffed(Buffer.from(text)).questions
    const [table, texts] = question?.readings.map(({ option }) => option) ?? []
    expect([table, texts]).toEqual([
      `--delimiter ${delimiter === ',' ? ',' : `'${delimiter}'`}`,
      "--delimiter '\\t'",
    ])
    const read = await readInferred(Buffer.from(text), { dialect: { delimiter } })
    expect(read).toMatchObject({ records, sniffed: { dialect: { header: true } } })
    expect(read.sniffed.questions.every(({ otherwise }) => otherwise !== undefined)).toBe(true)
    const lines = await readInferred(Buffer.from(text), { dialect: { delimiter: '\t' } })
    expect(lines.fields).toHaveLength(1)
    expect(lines.sniffed.questions).toEqual([])
  })

  it('is asked about alone where another one is smaller', () => {
    const text = `a,b\n1,2\n3,4\n5,6\n7,8\n\n${notes}x;y\n1;2\n3;4\n5;6\n`
    expect(sniffed(Buffer.from(text)).questions).toMatchObject([
      { line: 1, readings: [{ option: '--delimiter ,' }, {}] },
    ])
  })

  it('is one where it names the columns of the table that it goes to', () => {
    const { type } = integer().spec
    const column = { type, shown: 'integer', notNull: false, hasDefault: false, generated: false }
    const goal = { columns: ['a', 'b'].map((name) => ({ ...column, name })) }
    const found = sniff(Buffer.from(`a,b\n1,2\n3,4\n${notes}`), undefined, {}, { goal })
    expect(found).toMatchObject({ fields: ['a', 'b'], dialect: { delimiter: ',' } })
    expect(found.questions.every(({ otherwise }) => otherwise !== undefined)).toBe(true)
  })

  it('is asked about with its own lines, whatever is left out above', () => {
    const stated = { dialect: { skipLines: 2 } }
    const skipped = sniffed(Buffer.from(`x,y\nz\na,b\n1,2\n3,4\n${notes}`), stated)
    expect(skipped.questions).toMatchObject([{ line: 3, about: expect.stringContaining('lines 3 to 5') }])
  })

  it.each([
    ['a comma', 'Sales in March\nregion,amount\nNorth,12.5\nSouth,13.5\n', 'North,12.5'],
    ['a semicolon', 'Sales in March\nday;amount\n2026-03-01;12,5\n2026-03-02;13,5\n', '2026-03-01;12,5'],
  ])('is found right below a title where names stand above values: %s', async (_, text, record) => {
    const read = await readInferred(Buffer.from(text))
    expect(read.sniffed).toMatchObject({ questions: [], dialect: { header: true } })
    expect(read.records[0]).toEqual(record.split(/[,;](?!5$)/))
  })

  it.each([
    ['names of people', 'name\nMiller, Ann\nSmith, Bob\nJones, Carl\n'],
    ['names of people, the first of one part', 'name\nMadonna\nDoe, John\nRoe, Jane\n'],
    ['notes, the first of one part', 'note\nDone\nCall back, urgent\nSent mail, waiting\nNo answer, retry\n'],
    ['notes, two of one part', 'comment\ngood\nfine\nbad, too slow\nok, 5 of 10\nok, but not now\n'],
    ['prose', 'note\nHello, world\nGood, bad, ugly\nnothing\n\nYes, sir\nNo, madam\nso\n'],
    ['a few lines of many', `note\n${'word\n'.repeat(9)}\nx,1\ny,2\n`],
    ['numbers with decimal commas', 'price\n1,5\n2,5\n\nall\nin\neuros\nor so\n'],
  ])('is none in %s', (_, text) => {
    expect(about(text)).toEqual([])
    expect(fields(text)).toHaveLength(1)
  })
})

describe('backslashes', () => {
  it.each([
    [
      'before a line end',
      '1\tAda\tline\\\nbreak\n2\tBob\tx\n',
      [
        ['1', 'Ada', 'line\nbreak'],
        ['2', 'Bob', 'x'],
      ],
    ],
    [
      'before tabs',
      'n\tp\n1\ta\\\tb\\\\\n2\tc\n',
      [
        ['1', 'a\tb\\'],
        ['2', 'c'],
      ],
    ],
    [
      'before commas',
      'n,p\n1,a\\,b\n2,c\n3,\\N\n',
      [
        ['1', 'a,b'],
        ['2', 'c'],
        ['3', ''],
      ],
    ],
  ])('escape where every line has as many cells then: %s', async (_, text, records) => {
    const read = await readInferred(Buffer.from(text))
    expect(read.records).toEqual(records)
    expect(read.sniffed.questions).toEqual([])
  })

  it.each([
    [
      'at the end of paths',
      'a,b,c\nx,C:\\a\\,5\ny,C:\\b\\,6\n',
      [
        ['x', 'C:\\a\\', '5'],
        ['y', 'C:\\b\\', '6'],
      ],
    ],
    [
      'beside a broken line',
      'a,b,c\nx,C:\\a\\,5\ny,C:\\b\\,6\nz\n',
      [
        ['x', 'C:\\a\\', '5'],
        ['y', 'C:\\b\\', '6'],
      ],
    ],
  ])('do not where the lines agree without: %s', async (_, text, records) => {
    expect((await readInferred(Buffer.from(text))).records).toEqual(records)
    expect(about(text)).toEqual([])
  })

  it.each<[string, string, readonly [string, Reading, string][]]>([
    [
      'beside cells without a value',
      '1\t\\N\tAda\\tB\n2\tx\tBob\n',
      [
        ["--escape '\\'", { dialect: { escape: '\\' } }, 'Ada\tB'],
        ["--null '\\N'", { notation: { nulls: ['\\N'] } }, 'Ada\\tB'],
      ],
    ],
    [
      'before a delimiter and a letter',
      'n,p,q\n1,x,C:\\temp\n2,a\\,b,y\n',
      [
        ["--escape '\\'", { dialect: { escape: '\\' } }, 'C:\temp'],
        ['--escape none', { dialect: { escape: '' } }, 'C:\\temp'],
      ],
    ],
  ])('are asked about %s', async (_, text, answers) => {
    const [question] = sniffed(Buffer.from(text)).questions
    expect(question?.readings.map(({ option }) => option)).toEqual(answers.map(([option]) => option))
    for (const [, stated, cell] of answers) {
      const { records, sniffed: found } = await readInferred(Buffer.from(text), stated)
      expect(records[0]?.[2]).toBe(cell)
      expect(found.questions.every(({ otherwise }) => otherwise !== undefined)).toBe(true)
    }
  })
})

describe('the suffix .tsv', () => {
  it.each([
    ['cells with commas', 'name\tday\nDoe, John\t1,5\nRoe, Jane\t2,5\n', ['name', 'day']],
    ['quotes within cells', 'id\tnote\n1\t5" pipe\n2\t"quoted"\n3\t6" and 7"\n', ['id', 'note']],
    ['one column of texts', 'name\nDoe, John\nRoe, Jane\n', ['name']],
  ])('says that tabs stand between cells: %s', (_, text, expected) => {
    const found = sniffed(Buffer.from(text), {}, 'tsv')
    expect([found.fields, found.questions]).toEqual([expected, []])
  })

  it('is asked about where another delimiter splits the lines, and no tab', () => {
    const bytes = Buffer.from('last, first\nDoe, John\nRoe, Jane\n')
    const [question] = sniffed(bytes, {}, 'tsv').questions
    expect(question?.readings.map(({ option }) => option)).toEqual(['--format tsv', '--delimiter ,'])
    expect(sniffed(bytes, { format: 'tsv' }, 'tsv')).toMatchObject({ fields: ['last, first'], questions: [] })
    const stated = sniffed(bytes, { dialect: { delimiter: ',' } }, 'tsv')
    expect(stated).toMatchObject({ fields: ['last', 'first'], questions: [] })
    expect(sniffed(bytes, { format: 'csv' }, 'tsv').questions).toEqual([])
  })
})

describe('without a header', () => {
  it.each([
    ['a short record', '1,2\n1,2,3\n4,5,6\n7,8,9\n', 1],
    ['two long ones', '1,2,3,4\n1,2,3,4\n1,2,3\n4,5,6\n7,8,9\n', 2],
    ['a record cut off', 'da\n1,Ada,2.5\n2,Bob,3.5\n', 1],
    ['a title', 'Readings\n1,2,3\n4,5,6\n', 1],
  ])('what stands above the records is rejected: %s', async (_, text, lines) => {
    const read = await readInferred(Buffer.from(text))
    expect(read).toMatchObject({
      rejects: lines,
      sniffed: { questions: [{ line: 1, otherwise: 'it is rejected' }] },
    })
    const [question] = read.sniffed.questions
    expect(question?.readings).toMatchObject([{ option: `--skip-lines ${lines}` }])
    const without = await readInferred(Buffer.from(text), { dialect: { skipLines: lines } })
    expect(without).toMatchObject({ rejects: 0, records: read.records, sniffed: { questions: [] } })
  })

  it('a record of empty cells above them is one', async () => {
    expect((await readInferred(Buffer.from(',,\n1,2,3\n4,5,6\n'))).records).toHaveLength(3)
  })
})

it('records that are short almost all are padded, and a few of them are not', () => {
  expect(dialect('a,b,c\n1,2\n3,4\n5,6\n7,8,9\n')?.ragged).toBe('pad')
  expect(dialect('a,b,c\n1,2\n3,4,5\n6,7,8\n')?.ragged).toBeUndefined()
})

describe('quotes', () => {
  it.each([
    ['an unclosed one', 'a,b\n1,"x\n2,"y, z"\n3,w\n4,v\n', '"'],
    ['the apostrophe', "a,b\n1,'x, y'\n2,'z'\n", "'"],
    ['apostrophes that are none', "a,b\n'tis,1\nO'Neil,2\n", '"'],
    ['inches', 'size,n\n3",1\n5",2\n', ''],
  ])('%s', (_, text, quote) => {
    expect(dialect(text)?.quote).toBe(quote)
  })

  it('one that is never closed is asked about in a file that is not seen as a whole', () => {
    const rows = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, row) => `${from + row},word,"a, b"\n`).join('')
    const bytes = (line: string) => Buffer.from(`id,name,note\n${rows(0, 50)}${line}${rows(50, 80_000)}`)
    const open = bytes('x,"open,y\n')
    expect(sniffed(open).questions).toMatchObject([
      { line: 52, readings: [{ option: '--no-multiline' }, { option: '--multiline' }] },
    ])
    for (const multiline of [true, false])
      expect(sniffed(open, { dialect: { multiline } }).questions).toEqual([])
    expect(sniffed(bytes('x,"two\nlines",y\n')).questions).toEqual([])
    const cut = `id,name\n${'1,word\n'.repeat(37_000)}2,"${'long\n'.repeat(200_000)}"\n`
    expect(sniffed(Buffer.from(cut)).questions).toEqual([])
  })

  it('both ways to escape in one file are read as backslashes', () => {
    const { quote, escape } = dialect('a,b\n1,"a \\"b\\" c"\n2,"a ""b"" c"\n3,d\n') ?? {}
    expect({ quote, escape }).toEqual({ quote: '"', escape: '\\' })
  })

  it('one that first comes far down is still one', () => {
    const rows = Array.from({ length: 30_000 }, (_, row) => `${row},word\n`).join('')
    expect(dialect(`id,name\n${rows}30000,"a, b"\n`)).toMatchObject({ delimiter: ',', quote: '"' })
  })
})

describe('line ends and encodings', () => {
  it('CR LF and LF may be mixed', () => {
    expect(fields('a,b\r\n1,2\n3,4\r\n')).toEqual(['a', 'b'])
  })
  it('CR alone is found, and a CR within a cell is none', () => {
    expect(sniffed(Buffer.from('a,b\r1,2\r')).lineEnd).toBe('cr')
    expect(sniffed(Buffer.from('a,b\n1,x\ry\n')).lineEnd).toBeUndefined()
  })
  it('CR CR LF ends a line once', async () => {
    const read = await readInferred(Buffer.from('a,b\r\r\n1,"x\r\ny"\r\r\n2,z\r\r\n'))
    expect(read).toMatchObject({
      fields: ['a', 'b'],
      records: [
        ['1', 'x\r\ny'],
        ['2', 'z'],
      ],
      rejects: 0,
    })
  })
  it('UTF-16 is found with a mark and without', () => {
    const text = 'name,city\nAnn,Rome\nBob,Zürich\n'
    expect(sniffed(Buffer.from(text, 'utf16le')).encoding).toBe('utf-16le')
    expect(sniffed(Buffer.from(`\ufeff${text}`, 'utf16le').swap16()).encoding).toBe('utf-16be')
    expect(sniffed(Buffer.from(`\ufeff${text}`, 'utf16le')).fields).toEqual(['name', 'city'])
    // Where it begins with another alphabet, the rest shows it.
    const other = Buffer.from(`имя,city\n${'Ann,Rome\n'.repeat(9)}`, 'utf16le')
    expect(sniffed(other).encoding).toBe('utf-16le')
    expect(sniffed(Buffer.from(other).swap16()).encoding).toBe('utf-16be')
  })
  it('other bytes are asked about, with one word as Windows-1252 has it', () => {
    const [question] = sniffed(Buffer.from('name;city\nAnn;Bonn\nTim;Köln\n', 'latin1')).questions
    expect(question).toMatchObject({ line: 3, readings: [{ meaning: 'reads "Köln"' }, {}] })
  })
  it('a character that the end of the head cuts is none of them', () => {
    const row = `1,${'ä'.repeat(50)}\n`
    const bytes = Buffer.from(`id,x\n${row.repeat((headBytes * 2) / row.length)}`)
    expect(sniffed(bytes).questions).toEqual([])
    expect(sniffed(bytes.subarray(1)).questions).toEqual([])
  })
})

describe('what is asked', () => {
  it.each([
    [
      'comments of a small file',
      '## by the logger\nsite,temp\nA,1.5\n# cable swapped, ok\nB,2.5\n\n# end\n',
      [4],
    ],
    ['units', 'time,temp\n[UTC],[degC]\n2024-01-01,1.5\n2024-01-02,1.6\n', [2]],
    [
      'units beside an empty cell, though another column has a text',
      'day;n;share\n;number;%\n31.12.2021;83;100,0\n31.12.2022;84;...\n',
      [2],
    ],
    ['a total that is no date', 'day,n,price\n2024-01-01,1,2.5\n2024-01-02,2,3.5\nTotal,,6\n', [4]],
    ['nothing of a total that could be a record', 'item,n,price\na,1,2.5\nb,2,3.5\nTotal,,6\n', []],
    ['comments that look like records', 'site,temp\nA,1.5\n# cable swapped, ok\nB,2.5\nC,2.5\n', [3]],
    ['a single year as a name', 'country,2020\nDE,83.1\nFR,67.3\n', [1]],
    [
      'nothing of a first record with another date than those below',
      "x y z,id\n15.03.2018 21:06:17,O'Neil\n16.03.2018,7\n17.03.2018,8\n",
      [],
    ],
    ['nothing of a plain file', 'id,val\nA,n.d.\nB,2\nC,3\nD,4\n', []],
    ['nothing of a footer that is no record', 'a,b\n1,2\n3,4\nEnd of data\n', []],
  ])('%s', (_, text, lines) => {
    expect(about(text)).toEqual(lines)
  })

  it('names below others: a title above them may have as many cells', () => {
    const titled = Buffer.from('Report, Q1 2024\nid,amount\n1,2.50\n2,3.50\n')
    const [asked] = sniffed(titled).questions
    expect(asked?.readings.map(({ option }) => option)).toEqual([
      '--header-rows 2',
      '--skip-lines 1',
      '--types text',
    ])
    const { questions, fields: names } = sniffed(titled, { dialect: { skipLines: 1 } })
    expect([questions, names]).toEqual([[], ['id', 'amount']])
  })

  it('a line that begins as a total does where it lacks a value that all records have', () => {
    const items = (record: string) =>
      sniffed(Buffer.from(`item,n,price\na,1,2.5\n${record}\nc,3,4.5\nTotal of all,,10.5\n`)).questions
    const footer = { line: 5, readings: [{ option: '--footer-lines 1' }], otherwise: 'it is a record' }
    expect(items('b,2,3.5')).toMatchObject([footer])
    expect(items('b,,3.5')).toEqual([])
  })

  it('a footer as a whole, with a short row between its notes, but no short record above a total', () => {
    const records = 'a,b,c\n1,2,3\n4,5,6\n7,8,9\n1,2,3\n4,5,6\n'
    const asked = (rows: string) =>
      sniffed(Buffer.from(records + rows)).questions.flatMap(({ readings }) => readings[0]?.option ?? [])
    expect(asked('Source: a survey\nlink,http://example.org\nOctober 2009\n')).toEqual(['--footer-lines 3'])
    expect(asked('1,2\nTotal,\n')).toEqual(['--footer-lines 1'])
    expect(asked('1,2\n3,4\nNote\n')).toEqual(['--footer-lines 1'])
  })

  it('nothing that was stated', () => {
    const bytes = Buffer.from('time,temp\n[UTC],[degC]\n2024-01-01,1.5\n2024-01-02,1.6\n')
    expect(sniffed(bytes, { dialect: { headerRows: 2 } }).questions).toEqual([])
    const logged = Buffer.from('# by the logger\nsite,temp\nA,1.5\n# cable swapped, ok\nB,2.5\n')
    const { questions, dialect: found } = sniffed(logged, { dialect: { comment: '#' } })
    expect([questions, found?.skipLines]).toEqual([[], undefined])
    const total = Buffer.from('day,n,price\n2024-01-01,1,2.5\n2024-01-02,2,3.5\nTotal,,6\n')
    expect(sniffed(total, { footerLines: 1 }).questions).toEqual([])
  })
})

it('JSON is known by how it begins', () => {
  expect(sniffed(Buffer.from('{"a":1}\n{"a":2}\n')).format).toBe('ndjson')
  expect(sniffed(Buffer.from('[{"a":1}]')).format).toBe('json')
  expect(sniffed(Buffer.from('[\n  {"a":1}\n]')).format).toBe('json')
  expect(sniffed(Buffer.from('[UTC],[degC]\n1,2\n')).format).toBe('csv')
})
