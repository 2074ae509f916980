import { expect, it } from 'vitest'
import { expectError, Folder, library, pasted } from './run.ts'

const model = `
import { defineModel } from '${library}'
import { bigint, date, numeric, text, timestamp } from '${library}'
export default defineModel({ table: 'orders', columns: {
  code: text(), day: date(), at: timestamp(), amount: numeric(), count: bigint() } })`

const jsonModel = `
import { defineModel } from '${library}'
import { integer, numeric, timestamp } from '${library}'
export default defineModel({ table: 'm', columns: { id: integer(), n: numeric(), at: timestamp() } })`

const priceModel = `
import { defineModel } from '${library}'
import { integer, numeric } from '${library}'
export default defineModel({ table: 'prices', columns: { id: integer(), price: numeric() } })`

const csv = `code;day;at;amount;count
="007";02.01.2021;1609459200500;1.234,50 €;1.200
NA;-;-;(0,5);NA
x,y;31.02.2021;0;1;1
`

it('options say how values are written, and the rest is loaded without a transform', async () => {
  await using folder = await Folder.make({ 'orders.csv': csv, 'model.ts': model })
  const options =
    '--null NA,- --decimal , --thousands . --money € --excel-text --date-format DD.MM.YYYY --date-format at=epoch-ms'
  const load = `load orders.csv --model ./model.ts --delimiter ; ${options}`
  const run = await folder.lading(...load.split(' '))
  expect(run.code, run.err).toBe(3)
  expect(run.out).toContain('orders.csv:4: BAD_DATE in day: not a date')
  const shown = await folder.lading('rejects', 'show', '1')
  expect(shown.out).toContain('"31.02.2021" is not a date written DD.MM.YYYY')
  expect(folder.sql('SELECT * FROM orders ORDER BY count')).toEqual([
    { code: null, day: null, at: null, amount: '-0.5', count: null },
    { code: '007', day: '2021-01-02', at: '2021-01-01T00:00:00.500000', amount: '1234.50', count: 1200 },
  ])
})

it('signs are stated of one field, and the others keep theirs', async () => {
  const file = 'us;de;fr;plain\n1,234.5;1.234,5;1 234,5;1.234\n'
  await using folder = await Folder.make({ 'f.csv': file, 'g.csv': file })
  const texts = ['us=,', 'de=.', 'fr= '].flatMap((each) => ['--thousands', each])
  const stated = [...texts, '--decimal', 'de=,', '--decimal', 'fr=,', '--columns', typed]
  const inspected = await folder.lading('inspect', 'f.csv', ...stated)
  expect((await folder.paste(pasted(inspected.out, 'load'))).err).toContain('column us: numeric written')
  await folder.lading('load', 'g.csv', ...stated)
  const row = { us: '1234.5', de: '1234.5', fr: '1234.5', plain: '1.234' }
  expect([...folder.sql('SELECT * FROM f'), ...folder.sql('SELECT * FROM g')]).toEqual([row, row])
})
const typed = 'us:numeric,de:numeric,fr:numeric,plain:numeric'

it('--money any takes any currency', async () => {
  await using folder = await Folder.make({ 'prices.csv': 'price\n$5.00\n(12.50)\n7 EUR\n' })
  const run = await folder.lading('load', 'prices.csv', '--money', 'any')
  expect(run.code, run.err).toBe(0)
  expect(folder.sql('SELECT price FROM prices ORDER BY 1')).toEqual(
    ['-12.50', '5.00', '7'].map((price) => ({ price: expect.stringMatching(price) })),
  )
})

it.each([
  [['--thousands', '.'], "thousands: '.' needs decimal: ','"],
  [['--thousands', '_'], "Not '.', ',', ' ' or \"'\"."],
  [['--decimal', ',', '--thousands', 'amount=.'], "amount: thousands: '.' needs decimal: ','"],
  [['--thousands', 'amount=.', '--thousands', 'amount=,'], 'Give one for a field'],
  [['--date-format', 'dd.mm.yyyy'], 'the letter d means nothing in a pattern'],
  [['--date-format', 'at=YYYY'], "the pattern 'YYYY': a date needs"],
  [['--date-format', 'DD.MM.YYYY', '--date-format', 'YYYY-MM-DD'], 'Give one for all fields'],
  [['--decimal', ';'], "Not ',' or '.'"],
  [['--money', 'a.csv'], 'Not a currency such as €, EUR or Fr., or any'],
])('%j is refused: %s', async (options, problem) => {
  await using folder = await Folder.make({ 'orders.csv': csv })
  const run = await folder.lading('load', 'orders.csv', ...options)
  expectError(run, 'USAGE', 64, problem)
})

it('an option for a field that nothing reads is refused with the nearest one, before anything is made', async () => {
  const files = {
    'in/a.csv': 'id;price\n1;1,5\n',
    'in/b.csv': 'id\n2\n',
    'm.ndjson': '{"id":1}\n{"id":2,"p":"1,5"}\n',
  }
  await using folder = await Folder.make({ ...files, 'model.ts': priceModel })
  const refused = async (part: string, ...args: string[]) =>
    expectError(await folder.lading(...args), 'USAGE', 64, part)
  const none = '--decimal prise=…: there is no field prise; did you mean price? (id, price)'
  await refused(none, 'load', 'in/a.csv', '--table', 't', '--decimal', 'prise=,')
  await refused(
    '--date-format when=…: there is no field when (id, p)',
    'load',
    'm.ndjson',
    '--date-format',
    'when=epoch-s',
  )
  await refused(none, 'inspect', 'in/a.csv', '--decimal', 'prise=,')
  const ofModel = ['--model', './model.ts', '--decimal', 'prise=,']
  await refused(none, 'load', 'in/a.csv', ...ofModel)
  await refused(none, 'load', 'inbox', '--watch', ...ofModel)
  await refused(none, 'produce', 'in/a.csv', ...ofModel, '--queue', 'embedded:q.db')
  expect(await folder.lines('lading.db')).toEqual([])

  const load = async (...args: string[]) => {
    const run = await folder.lading('load', ...args, '--decimal', 'price=,')
    expect([run.code, run.err], run.err).toEqual([0, expect.not.stringContaining('no field')])
  }
  await load('in/a.csv', '--table', 't')
  // The table has a column for it, and other files have it.
  await load('in/b.csv', '--table', 't')
  await refused('there is no field prise', 'load', 'in/b.csv', '--table', 't', '--decimal', 'prise=,')
  await load('in', '--model', './model.ts', '--delimiter', ';')
  expect(folder.sql('SELECT price FROM t ORDER BY id')).toEqual([{ price: '1.5' }, { price: null }])
})

it('options that a first run lacked are in the replay that the second one prints, and load its rejects', async () => {
  const odd =
    'code;day;at;amount;count\nA;03.01.2026;x;1,5;n/v\nB;2026-01-14;x;2.5;1\nC;04.01.2026;x;3,5;k.A.\n'
  await using folder = await Folder.make({ 'odd.csv': odd })
  const columns = 'day:date,amount:numeric,count:integer'
  const load = (...more: string[]) => folder.lading('load', 'odd.csv', '--columns', columns, ...more)
  const first = await load('--decimal', ',', '--date-format', 'DD.MM.YYYY')
  expect([first.code, folder.rows('odd')], first.err).toEqual([3, 0])
  const formats = ['--date-format', 'DD.MM.YYYY', '--null', 'n/v,k.A.']
  const second = await load('--decimal', 'amount=,', '--null', 'none', ...formats)
  const replay = pasted(second.out, 'rejects replay')
  for (const option of ['--decimal amount=,', '--date-format DD.MM.YYYY', '--null none --null n/v,k.A.'])
    expect(replay).toContain(option)
  expect((await folder.paste(replay)).out).toContain('of 3 rejects: loaded 2, skipped 0, still rejected 1')
  const mistyped = await folder.lading('rejects', 'replay', '--decimal', 'amout=.')
  expectError(mistyped, 'USAGE', 64, 'there is no field amout; did you mean amount?')
  const again = await folder.lading('rejects', 'replay', '--decimal', '.', '--date-format', 'day=YYYY-MM-DD')
  expect(again).toMatchObject({ code: 0, out: expect.stringMatching(/^\d: loaded/) })
  expect(folder.sql('SELECT code, day, amount, count FROM odd ORDER BY code')).toEqual([
    { code: 'A', day: '2026-01-03', amount: '1.5', count: null },
    { code: 'B', day: '2026-01-14', amount: '2.5', count: 1 },
    { code: 'C', day: '2026-01-04', amount: '3.5', count: null },
  ])
})

it('numbers of JSON have the signs of JSON, and texts those that are stated', async () => {
  const lines = [
    '{"id":1,"n":1.234,"at":1700000000.5}',
    '{"id":2,"n":"1.234,5","at":"1700000001"}',
    '{"id":3,"n":2500}',
  ]
  await using folder = await Folder.make({ 'm.ndjson': `${lines.join('\n')}\n`, 'model.ts': jsonModel })
  const stated = ['--decimal', ',', '--thousands', '.', '--null', '2500', '--date-format', 'at=epoch-s']
  const run = await folder.lading('load', 'm.ndjson', '--model', './model.ts', ...stated)
  expect(run.code, run.err).toBe(0)
  expect(folder.sql('SELECT n, at FROM m ORDER BY id')).toEqual([
    { n: '1.234', at: '2023-11-14T22:13:20.500000' },
    { n: '1234.5', at: '2023-11-14T22:13:21.000000' },
    { n: null, at: null },
  ])
})

it('numbers of JSON stay numbers of a new table, whatever signs are stated, and a load that was begun goes on', async () => {
  const lines = ['{"n":1.234,"k":1.5,"t":"1.234,5"}', '{"n":"2.500,5","k":2.25,"t":"7"}', '{"k":3,"t":"1"}']
  await using folder = await Folder.make({ 'm.ndjson': `${lines.join('\n')}\n` })
  const stated = ['--decimal', ',', '--thousands', '.']
  const load = (...more: string[]) => folder.lading('load', 'm.ndjson', ...stated, ...more)
  await load('--table', 'a', '--limit', '1')
  const rest = await load('--table', 'a')
  expect(rest.code, rest.err).toBe(0)
  const types = (await load('--table', 'b', '--columns', 'n:numeric,t:numeric')).err
  expect(types).toContain('column k: numeric, because all 3 values have this form')
  expect(folder.sql('SELECT n, k, t FROM a ORDER BY k')).toEqual([
    { n: '1.234', k: '1.5', t: '1.234,5' },
    { n: '2.500,5', k: '2.25', t: '7' },
    { n: null, k: '3', t: '1' },
  ])
  expect(folder.sql('SELECT n, k, t FROM b ORDER BY k')).toEqual([
    { n: '1.234', k: '1.5', t: '1234.5' },
    { n: '2500.5', k: '2.25', t: '7' },
    { n: null, k: '3', t: '1' },
  ])
})

it('records are left out by an option, and the receipt says how many', async () => {
  await using folder = await Folder.make({ 'orders.csv': csv, 'model.ts': model })
  const load = 'load orders.csv --model ./model.ts --delimiter ; --skip-when code=NA --skip-when count=1'
  const run = await folder.lading(...load.split(' '), '--skip-when', 'count=1.200')
  expect(run.code, run.err).toBe(0)
  expect(run.out).toContain('3 records of the skipped left out on purpose')
  const [receipt] = await folder.json<{ skipped: number; filtered: number }[]>('verify')
  expect(receipt).toMatchObject({ skipped: 3, filtered: 3 })
  expectError(await folder.lading('load', 'orders.csv', '--skip-when', 'code'), 'USAGE', 64, 'Not FIELD=TEXT')
})
