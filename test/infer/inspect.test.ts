import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { questionText } from '../../src/infer/decision.ts'
import { inspect, type InspectOptions } from '../../src/infer/inspect.ts'
import { shownType } from '../../src/infer/profile/found-type.ts'
import type { Reading } from '../../src/format/reading.ts'
import { namedSources } from '../../src/source/registry.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-inspect-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

async function inspected(text: string | Buffer, stated: Reading = {}, options: InspectOptions = {}) {
  const path = join(folder, 'file.csv')
  await writeFile(path, text)
  const [source] = await namedSources([path], ['csv'])
  if (source === undefined) throw new Error('the file is gone')
  const found = await inspect(source, stated, 'file', options)
  const types = Object.fromEntries(found.proposal.columns.map(({ name, type }) => [name, shownType(type)]))
  return { ...found, types, asked: found.questions.map(questionText) }
}

it('says what every column is, and what its values are', async () => {
  const { types, statistics, key, outcome } = await inspected(
    'Order ID,Customer,Price\n2,Ann,1.50\n10,Bob,\n3,Ann,12.25\n',
  )
  expect(types).toEqual({ order_id: 'integer', customer: 'text', price: 'numeric(12,2)' })
  expect(outcome).toMatchObject({ records: 3, rejected: 0 })
  expect(key).toEqual({
    column: 'order_id',
    because: 'each of its 3 records has a different value in it',
  })
  expect(statistics).toMatchObject([
    { minimum: '2', maximum: '10', isUnique: true, distinct: 3, missing: 0 },
    { minimum: 'Ann', maximum: 'Bob', isUnique: false, frequent: [{ value: 'Ann', records: 2 }], longest: 3 },
    { minimum: '1.50', maximum: '12.25', missing: 1 },
  ])
})

it('a file of several runs of records is profiled to its end, with the right lines', async () => {
  const lines = Array.from({ length: 60_000 }, (_, id) => `${id},"two\nlines"\n`)
  const { types, proposal, outcome } = await inspected(`id,note\n${lines.join('')}x,y\n`)
  expect(types).toEqual({ id: 'text', note: 'text' })
  expect(proposal.columns[0]?.reason).toMatchObject({ because: 'of line 120,002: "x"', line: 120_002 })
  expect(outcome.records).toBe(60_001)
})

it('records inside of other objects are those that a load finds there, each with its line', async () => {
  const beside = JSON.stringify('x'.repeat(5_000_000))
  const rows = '{"id":1},\n{"id":2,"note":"a"},\n{"id":"x"}'
  const inArray = await inspected(`{"n":0,"d":[\n${rows}\n],"rest":${beside}}`, {
    format: 'json',
    records: 'd[]',
  })
  expect(inArray.types).toEqual({ id: 'text', note: 'text' })
  expect(inArray.outcome).toMatchObject({ records: 3, rejected: 0 })
  expect(inArray.proposal.columns[0]?.reason).toMatchObject({ line: 4 })
  const wrapped = ['{"id":1}', '[{"id":2},{"id":3,"note":"a"}]', '{"id":"x"}'].map((Message) =>
    JSON.stringify({ Type: 'Notification', Message }),
  )
  const inEnvelopes = await inspected(`${wrapped.join('\n')}\n`, { format: 'ndjson', unwrap: ['sns'] })
  expect(inEnvelopes.types).toEqual({ id: 'text', note: 'text' })
  expect(inEnvelopes.outcome).toMatchObject({ records: 4, rejected: 0 })
  expect(inEnvelopes.proposal.columns[0]?.reason).toMatchObject({ line: 3 })
})

it('fields of objects are those of all records', async () => {
  const { types, outcome } = await inspected(
    '{"id":1,"day":"2024-01-31"}\n{"id":2,"tags":["a"],"note":"7"}\n{"note":"x","id":9007199254740993}\n',
  )
  expect(types).toEqual({ id: 'bigint', day: 'date', tags: 'json', note: 'text' })
  expect(outcome).toMatchObject({ records: 3, rejected: 0 })
})

it('a string of JSON is no number, and a list of two is none either', async () => {
  const { types } = await inspected('[{"a":"1","b":1},{"a":"2","b":2.5},{"a":null,"b":null}]')
  expect(types).toEqual({ a: 'text', b: 'numeric' })
})

it('a row of units, a total and comments are asked about where they turn typed columns to text', async () => {
  const records = '2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n'
  expect((await inspected(`day,value\n${records}Total,6\n`)).asked).toEqual([
    expect.stringMatching(/--footer-lines 1 .* or --types text/),
  ])
  const told = await inspected(`day,value\n${records}Total,6\n`, { footerLines: 0 })
  expect(told.asked, 'an answer is not asked for again').toEqual([])
  expect((await inspected(`day,value\n${records}remark,x\n`)).asked).toEqual([
    'the last record may be a total or a remark: without it, day is date, value is integer: --footer-lines 1 (it is not a record) or --types text (it is a record)',
  ])
  expect((await inspected(`day,value\n2024-01-01,1\n# a,b\n2024-01-03,3\n`)).asked).toContainEqual(
    expect.stringMatching(/begins with #, like a comment, .*--comment '#' .* or --types text/),
  )
  expect((await inspected(`day,value\n${records}Total,6\n`, {}, { types: 'text' })).asked).toEqual([])
  expect((await inspected(`day,value\n${records}A-17,6\n`)).asked, 'one odd value is one').toEqual([])
})

it('stated notations decide what is a number and what is a date, and what is none', async () => {
  const text = 'part;price;day\n1.10;1.234,50;01.02.2024\n1.9;0,5;03.04.2024\n'
  const notation = { decimal: ',', thousands: '.', pattern: 'DD.MM.YYYY' } as const
  const { types, reading, statistics } = await inspected(text, { notation })
  expect(types).toEqual({ part: 'numeric', price: 'numeric', day: 'date' })
  expect(reading.notations).toEqual({
    price: { decimal: ',', thousands: '.' },
    day: { pattern: 'DD.MM.YYYY' },
  })
  expect(statistics[2]).toMatchObject({ minimum: '2024-02-01', maximum: '2024-04-03' })
})

it('a point is no decimal sign where other columns have decimal commas', async () => {
  const { types, proposal } = await inspected('name;count;price\na;10;0,25\nb;1.200;1.234,50\n')
  expect(types).toEqual({ name: 'text', count: 'text', price: 'numeric(12,2)' })
  expect(proposal.columns[1]?.question?.readings.map(({ option }) => option)).toEqual([
    '--decimal count=, --thousands count=.',
    '--decimal count=.',
  ])
})

it.each([
  ['points between semicolons', 'a;n\nx;1.200\ny;2.500\n', 'text'],
  ['of which one has another number of decimals', 'a;n\nx;1.200\ny;2.5\n', 'numeric'],
  ['beside a column with decimal points', 'b;n\n0.5;1.200\n0.2;2.500\n', 'numeric(12,3)'],
  ['points between commas', 'a,n\nx,1.200\ny,2.500\n', 'numeric(12,3)'],
  ['numbers of companies', 'a,n\nx,552 100 554\ny,501 234 567\n', 'text'],
  ['versions', 'a,n\nx,1.103.250\ny,1.200.300\n', 'text'],
  ['groups of which some number has but two', 'a,n\nx,552 100 554\ny,501 234\n', 'integer'],
  ['groups before decimals', 'a;n\nx;1.103.250,00\ny;1.200.300,50\n', 'numeric(12,2)'],
  ['groups of another sign', "a,n\nx,1'103'250\ny,1'200'300\n", 'integer'],
])('whether signs group or not: %s', async (_, text, type) => {
  const { types, proposal } = await inspected(text)
  expect(types).toMatchObject({ n: type })
  expect(proposal.columns[1]?.question === undefined).toBe(type !== 'text')
})

it('groups of numbers are a number where its type is stated', async () => {
  const text = 'a,n\nx,552 100 554\ny,501 234 567\n'
  const { proposal } = await inspected(text)
  expect(proposal.columns[1]?.question?.readings.map(({ option }) => option)).toEqual(['--columns n:bigint'])
  const { types, statistics } = await inspected(text, {}, { columns: { n: 'bigint' } })
  expect([types['n'], statistics[1]?.minimum]).toEqual(['bigint', '501234567'])
})

it('a stated type takes the form of most values, and what can be read in two ways is asked', async () => {
  const mixed = 'd;n;m\n31/12/2026;1,50;1.5\n31/02/2026;x;1,5\n30/12/2026;2,75;2,5\n29/12/2026;3,00;4\n'
  const columns = { d: 'date', n: 'numeric', m: 'numeric' }
  const { reading, outcome, asked } = await inspected(mixed, {}, { columns })
  expect(asked).toEqual([])
  expect(reading.notations).toEqual({
    d: { pattern: 'DD/MM/YYYY' },
    n: { decimal: ',' },
    m: { decimal: ',' },
  })
  expect(outcome.rejects.map(({ line, code }) => [line, code])).toEqual([
    [2, 'BAD_NUMBER'],
    [3, 'BAD_DATE'],
  ])
  const stated = await inspected(
    mixed,
    { notation: { decimal: ',' }, notations: { m: { decimal: '.' } } },
    { columns },
  )
  expect(stated.reading.notations).toMatchObject({ n: { decimal: ',' }, m: { decimal: '.' } })
  expect(stated.outcome.rejects.map(({ line }) => line)).toEqual([3, 4])
  const unclear = await inspected('d\n01/02/2026\n', {}, { columns: { d: 'date' } })
  expect(unclear.asked).toEqual([
    'd, because of line 2: "01/02/2026" (a date in another form): --date-format d=DD/MM/YYYY (day first) or --date-format d=MM/DD/YYYY (month first)',
  ])
})

it('types are stated by field, and their notation is found', async () => {
  const { types, reading, statistics } = await inspected(
    'id,at,day\n1,1609459200000,01/02/2024\n2,1609459201500,31/12/2024\n',
    {},
    { columns: { id: 'bigint', at: 'timestamptz' } },
  )
  expect(types).toEqual({ id: 'bigint', at: 'timestamptz', day: 'date' })
  expect(reading.notations).toEqual({ at: { epoch: 'ms' }, day: { pattern: 'DD/MM/YYYY' } })
  expect(statistics[1]).toMatchObject({ maximum: '2021-01-01T00:00:01.500000Z' })
})

it('columns of a file without a header are named by their number', async () => {
  const { types, outcome } = await inspected('1,2024-01-01\n2,2024-01-02\n3,2024-01-03\n')
  expect(types).toEqual({ column_1: 'integer', column_2: 'date' })
  expect(outcome).toMatchObject({ records: 3, rejected: 0 })
})

it('a new table has the columns in the order of the file, also those whose names are numbers', async () => {
  const { model } = await inspected('country,2020,2021\nFR,1.5,2.5\nDE,3.5,4.5\n')
  expect(model.columns.map(({ name }) => name)).toEqual(['country', '_2020', '_2021'])
})

it('null markers that are stated and empty cells in quotes are no values of the same column', async () => {
  const { types, outcome } = await inspected('"id","n"\n"1",""\n"2","NA"\n"3","7"\n', {
    notation: { nulls: ['NA'] },
  })
  expect(types).toEqual({ id: 'integer', n: 'integer' })
  expect(outcome).toMatchObject({ records: 3, rejected: 0 })
})

it('a key is named by a column or its field, and another name is refused with the names that there are', async () => {
  const { model } = await inspected('Order ID,n\n1,2\n', {}, { key: ['Order ID'] })
  expect(model.primaryKey).toEqual(['order_id'])
  await expect(inspected('Order ID,n\n1,2\n', {}, { key: ['id'] })).rejects.toThrow(
    '--key id is no column of the new table: order_id, n',
  )
})

it('a remark of several lines at the end is left out with all of them', async () => {
  const { asked } = await inspected('n,d\n1,2024-01-01\n2,2024-01-02\n3,2024-01-03\n"Totals\nand more",x\n')
  expect(asked.join()).toContain('--footer-lines 2')
})

it('a first record with numbers or dates among its values is no row of units', async () => {
  const { asked } = await inspected(
    'a,b,c,d\nx,y,2024-01-01,z\n1,2,2024-01-02,3\n4,5,2024-01-03,6\n7,8,2024-01-04,9\n',
  )
  expect(asked).toEqual([])
})

it('fields of objects stand in the order of the file, numbers and later ones too', async () => {
  const text = '{"name":"a","2020":1,"2019":2}\n{"note":{"7":1},"name":"b","\\u0031":3}\n'
  const { proposal } = await inspected(text, { format: 'ndjson' })
  expect(proposal.columns.map(({ field }) => field)).toEqual(['name', '2020', '2019', 'note', '1'])
})
