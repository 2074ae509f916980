/** Tables whose lines have different numbers of cells: no record is lost, and none is taken for the header. */
import { expect, it } from 'vitest'
import { readInferred, sniffed } from '../../support/inferred.ts'

const read = async (lines: readonly string[]) => {
  const { fields, records, rejects } = await readInferred(Buffer.from(`${lines.join('\n')}\n`))
  return { fields, records: records.map((cells) => cells.join('|')), rejects }
}

it.each([
  ['some lines', ['1 307 2', '2 307 3 ', '3 307 4', '4 308 5']],
  ['most lines', ['1 307 2 ', '2 307 3 ', '3 307 4', '4 308 5 ']],
])('numbers with blanks between them are columns, though %s end with a blank', async (_, lines) => {
  expect(await read(lines)).toEqual({
    fields: ['column_1', 'column_2', 'column_3'],
    records: ['1|307|2', '2|307|3', '3|307|4', '4|308|5'],
    rejects: 0,
  })
})

it.each([
  ['a header', ['a b c ', '1 307 2', '2 307 3', '3 308 4']],
  ['a header of commas', ['a,b,c,', '1,307,2', '2,307,3', '3,308,4']],
])('%s that ends with a delimiter costs no record', async (_, lines) => {
  expect(await read(lines)).toEqual({
    fields: ['a', 'b', 'c'],
    records: ['1|307|2', '2|307|3', '3|308|4'],
    rejects: 0,
  })
})

const releases = [
  '1,Ash,2001-05-01,2003-05-01',
  '2,Birch,2003-05-01',
  '3,Cedar,2005-05-01,2007-05-01,2009-05-01',
  '4,Elm,2007-05-01,2009-05-01',
  '5,Fir,2009-05-01,2011-05-01,2013-05-01,2015-05-01',
]

it.each([
  ['of all lengths', 'nr,name,from,to,more,most', releases],
  ['much shorter than it', 'a,b,c,d,e,f,g,h', ['x,1', 'y,2', 'z,3,4', 'x,2', 'y,3,5,6,7,8,9,0']],
  ['of one kind', 'a,b,c,d', ['1,2,3']],
])('a header that names every cell of records %s makes them a table', async (_, header, lines) => {
  const { fields, records, rejects } = await read([header, ...lines])
  const padded = lines.map((line) => [...line.split(','), ...Array<string>(8).fill('')])
  expect({ fields, rejects }).toEqual({ fields: header.split(','), rejects: 0 })
  expect(records).toEqual(padded.map((cells) => cells.slice(0, fields.length).join('|')))
})

it.each([
  ['texts in which commas stand', ['apples,pears,plums', 'some, few', 'none', '12 plums,13 pears'], 1],
  ['texts without a value', ['apples,pears,plums', 'few,none', 'some', 'many,more'], 1],
])('%s are none', async (_, lines, columns) => {
  expect((await read(lines)).fields).toHaveLength(columns)
})

it('such a header above texts is asked about, and the option makes a table of them', async () => {
  const lines = [
    'name,city,note,more,most',
    'Ann,Rome,x',
    'Bob,Ulm,y',
    'Cid,Bonn,z',
    'Dan,Linz',
    'Eve,Graz,k,l',
  ]
  const bytes = Buffer.from(`${[...lines, 'Flo,Ulm,k,l,m', 'Gus,Rome'].join('\n')}\n`)
  const { questions } = sniffed(bytes)
  expect(questions[0]?.readings[0]?.option).toBe('--delimiter ,')
  const { fields, records, rejects } = await readInferred(bytes, { dialect: { delimiter: ',' } })
  expect({ fields, rejects }).toEqual({ fields: lines[0]?.split(','), rejects: 0 })
  expect(records).toHaveLength(7)
})

it.each([
  [
    'longer than most',
    [
      'd,a,b,c,e,f',
      'x0,1,,,,',
      'x1,1,21,,',
      'x2,2,22,,',
      'x3,3,23,,',
      'x4,4,24,,',
      'y1,,5,1,2,3',
      'y2,,6,1,2,4',
    ],
    ['x0|1||||', 'x1|1|21|||', 'x2|2|22|||', 'x3|3|23|||', 'x4|4|24|||', 'y1||5|1|2|3', 'y2||6|1|2|4'],
  ],
  [
    'without the delimiter at the end that most have',
    ['nr\tchange\tsecs', '1\t-\t12.5', '2\t0.5\t23.5\t', '3\t0.25\t34.5\t', '4\t0.1\t45.5\t'],
    ['1|-|12.5', '2|0.5|23.5', '3|0.25|34.5', '4|0.1|45.5'],
  ],
  [
    'longer than most, beside one that is too long',
    ['d,a,b,c', 'x0,1,5,7', 'x1,1,21', 'x2,2,22', 'x3,3,23', 'y1,2,5,1,2,3'],
    ['x0|1|5|7', 'x1|1|21|', 'x2|2|22|', 'x3|3|23|'],
  ],
])('a first record %s does not hide the header', async (_, lines, records) => {
  const found = await read(lines)
  expect(found.fields).toEqual((lines[0] as string).split(/[,\t]/))
  expect(found.records).toEqual(records)
  expect(found.rejects).toBe(lines.length - 1 - records.length)
})

it('commas in texts without quotes make no column of their own: records as long as the header say how many there are', async () => {
  const long = ['1,A,Harbour of X, North', '3,C,Harbour of Y, South', '4,D,Pilots, West', '5,E,Maps, East']
  expect(await read(['nr,token,office', ...long, '2,B,Lights', '6,F,Tides'])).toEqual({
    fields: ['nr', 'token', 'office'],
    records: ['2|B|Lights', '6|F|Tides'],
    rejects: 4,
  })
})

it.each([
  ['names of rows', ['"a","b"', '"x",5,6', '"y",7,8', '"z",9,0'], ['column_1', 'a', 'b']],
  ['a column without a name', ['a,b', '1,5,6', '2,7,8', '3,9,0', '4,1,2', '5,2'], ['a', 'b', 'column_3']],
])('a header that hardly any record fits lacks a name: %s', async (_, lines, fields) => {
  expect((await read(lines)).fields).toEqual(fields)
})
