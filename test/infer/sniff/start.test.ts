/** Where a table begins below lines that have its delimiters, too. */
import { expect, it } from 'vitest'
import { readInferred, sniffed } from '../../support/inferred.ts'

it.each([
  [
    'labels with values',
    'Made on:,02/12/2022,,\nMade by:,Ann,Lee,\nname,town,age,since\nBob,Ulm,69,2016-01-10\nCid,Rome,60,2016-12-27\n',
    ['name', 'town', 'age', 'since'],
    2,
  ],
  [
    'a title, and rows of delimiters alone',
    'Run 7,01/03/2021\n96-well,\n,\n,\nwell,size\nA1,34\nA2,36\nA3,35\n',
    ['well', 'size'],
    3,
  ],
  [
    'more labels than records',
    '"Account:";"DE99 / A";\n\n"From:";"01.01.2018";\n"To:";"31.01.2018";\n"Sum:";"5,01 EUR";\n\n"day";"text";"kind";"sum";\n"16.01.2018";"REWE";"debit";"-15,37";\n',
    ['day', 'text', 'kind', 'sum'],
    1,
  ],
  [
    'labels, and empty lines on both sides of a header without the last delimiter',
    '\n\nAccount:,Plus\nBalance:,13490.75\n\nday,kind,amount\n\n\n06 May 2020,MST,34.65,\n05 May 2020,ITR,7.50,\n04 May 2020,ITR,8.50,\n03 May 2020,AWL,9.50,\n',
    ['day', 'kind', 'amount'],
    4,
  ],
])('are left out: %s', async (_, text, fields, records) => {
  const read = await readInferred(Buffer.from(text))
  // Empty lines are left out as the reading says.
  const empty = read.sniffed.dialect?.blankLines === 'skip' ? 2 : 0
  expect([read.fields, read.sniffed.questions, read.rejects]).toEqual([fields, [], empty])
  expect(read.records).toHaveLength(records)
  expect(read.sniffed.decisions).toContainEqual(expect.objectContaining({ about: 'preamble' }))
})

it.each([
  ['a header that is repeated', 'name,in,out\na,1,\nb,2,\n,,\nname,in,out\nc,3,5\nd,4,6\n', 6],
  ['texts above a record of empty cells', 'a,b\nfoo,bar\n,\nword,text\n1,2\n3,4\n5,6\n', 6],
  ['labels, and a row that is wider', 'a:,1\nb:,2\nc:,3\nd:,4\n', 4],
  ['a header with a colon', 'name:,town\nBob,Ulm\nCid,Rome\n', 2],
  ['labels alone', 'name:,Ann,\ntown:,Ulm,\nage:,7,\n', 2],
])('no record below the header is one of them: %s', async (_, text, records) => {
  const read = await readInferred(Buffer.from(text))
  expect([read.records.length, read.rejects]).toEqual([records, 0])
})

it('three rows of names and more are asked about where the last one is full: those above may be notes', async () => {
  const bytes = Buffer.from(
    'kept,,for,us\n,in,this,form\nname,town,age,since\nBob,Ulm,69,2016-01-10\nCid,Rome,60,2016-12-27\n',
  )
  const [question, ...others] = sniffed(bytes).questions
  expect([question?.line, others]).toEqual([3, []])
  expect(question?.readings.map(({ option }) => option)).toEqual([
    '--header-rows 3',
    '--skip-lines 2',
    '--types text',
  ])
  const joined = await readInferred(bytes, { dialect: { headerRows: 3 } })
  const alone = await readInferred(bytes, { dialect: { skipLines: 2 } })
  expect([joined.fields[3], alone.fields[3]]).toEqual(['us form since', 'since'])
  for (const { records, sniffed: found } of [joined, alone])
    expect([records.length, found.questions]).toEqual([2, []])
})

it('comments that describe the columns are left out, also where one has as many words as a record has cells', async () => {
  const bytes = Buffer.from(
    '# 1 NUMBER  Number of the source\n# 2 FLUX brightness  \n# 3 ERROR\n# 4 X\n# 5 FLAG  \n' +
      '1 0.025 0.039 1.67 0.271 0\n2 5.727 0.206 2.62 2.521 0\n3 88.31 0.593 5.94 4.714 0\n',
  )
  const read = await readInferred(bytes)
  expect(read.sniffed).toMatchObject({ dialect: { header: false, skipLines: 5 }, questions: [] })
  expect([read.records.length, read.rejects]).toEqual([3, 0])
  expect(read.sniffed.decisions).toContainEqual(expect.objectContaining({ about: 'header', chosen: 'none' }))
})

it('more notes below the names than a header has rows are asked about', async () => {
  const bytes = Buffer.from(
    '"",X.A,X.A_FLAGS\n"",Price of one ounce,\nunit,USD,\nfactor,one,\nlast update,2018-10-02 13:40:39,\n' +
      '1950-01,34.73,\n1950-02,34.72,none\n'.repeat(8),
  )
  expect(sniffed(bytes).questions).toMatchObject([
    {
      line: 5,
      readings: [{ option: '--header-rows 5' }, { option: '--skip-lines 4' }, { option: '--types text' }],
    },
  ])
  const { records, sniffed: found } = await readInferred(bytes, { dialect: { headerRows: 5 } })
  expect([records[0], found.questions]).toEqual([['1950-01', '34.73', ''], []])
})
