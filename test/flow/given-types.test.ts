/**
 * Files into a table that exists, whose columns have types: values are read in the one way in which they can be read, or
 * the file is refused with each way, and what no way reads costs its record alone.
 */
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { expectError, Folder, wordsOf } from '../cli/run.ts'

interface Reject {
  readonly line: number
  readonly code: string
}

/** As Lading itself makes them. */
const table = `CREATE TABLE "t" (
  "id" INTEGER,
  "n" TEXT /* numeric */,
  "p" TEXT /* numeric(12,2) */,
  "i" INTEGER,
  "d" TEXT /* date */,
  "ts" TEXT /* timestamp */
) STRICT`

const repeated = (count: number, lineOf: (n: number) => string): string[] =>
  Array.from({ length: count }, (_, index) => lineOf(index + 1))

function makeTable(folder: Folder): void {
  const database = new DatabaseSync(folder.at('lading.db'))
  database.exec(table)
  database.close()
}

async function loaded(
  lines: readonly string[] | Readonly<Record<string, readonly string[]>>,
  column: string,
  ...options: string[]
) {
  const files = Array.isArray(lines)
    ? { 'f.csv': lines as readonly string[] }
    : (lines as Readonly<Record<string, readonly string[]>>)
  const folder = await Folder.make(
    Object.fromEntries(Object.entries(files).map(([name, each]) => [name, `${each.join('\n')}\n`])),
  )
  await using _ = folder
  makeTable(folder)
  const run = await folder.lading('load', ...Object.keys(files), '--table', 't', ...options)
  const asked = /error SOURCE_UNDECIDED: .*/.exec(run.err)?.[0]
  if (asked !== undefined) return { asked: optionsOf(asked) }
  const rejects = (await folder.json<Reject[]>('rejects', 'list')).map(({ line, code }) => `${line} ${code}`)
  const values = folder.sql(`SELECT ${column} AS v FROM t ORDER BY id, rowid`)
  return { values: values.map(({ v }) => v), ...(rejects.length > 0 && { rejects }) }
}

const valuesOf = (found: Awaited<ReturnType<typeof loaded>>) => ('values' in found ? found.values : found)

/** Each `--option value`, in the order in which they are offered. */
const optionsOf = (error: string): string[] =>
  Array.from(error.matchAll(/(--[a-z][^()]*?) \(/g), ([, option = '']) => option)

describe.concurrent('a file into columns that have types', () => {
  it.each<
    [
      what: string,
      column: string,
      lines: readonly string[],
      values: readonly unknown[],
      rejects?: readonly string[],
    ]
  >([
    [
      'the last record of a file of 1 KiB says what the points of the others are',
      'n',
      ['id;n', ...repeated(110, (id) => `${id};1.234`), '111;2.345,50'],
      [...repeated(110, () => '1234'), '2345.50'],
    ],
    [
      'the first date stands behind many records without one',
      'd',
      ['id;d', ...repeated(500, (id) => `${id};`), '501;31/12/2026'],
      [...repeated(500, () => '').map(() => null), '2026-12-31'],
    ],
    [
      'between points the day comes first, where it can',
      'd',
      ['id;d', '1;01.02.2026', '2;03.04.2026'],
      ['2026-02-01', '2026-04-03'],
    ],
    [
      'between points the month comes first, where it must',
      'd',
      ['id;d', '1;01.02.2026', '2;03.31.2026'],
      ['2026-01-02', '2026-03-31'],
    ],
    [
      'days of Excel, and what is no date',
      'd',
      ['id,d', '1,46082', '2,46113', '3,x'],
      ['2026-03-01', '2026-04-01'],
      ['4 BAD_DATE'],
    ],
    [
      'dates among timestamps, even if they are more',
      'ts',
      ['id,ts', '1,2026-03-14', '2,2026-03-14 10:00', '3,2026-03-15'],
      ['2026-03-14T00:00:00.000000', '2026-03-14T10:00:00.000000', '2026-03-15T00:00:00.000000'],
    ],
    [
      'a text among decimal commas',
      'n',
      ['id;n', '1;1,50', '2;2,75', '3;x'],
      ['1.50', '2.75'],
      ['4 BAD_NUMBER'],
    ],
    [
      'a day that does not exist',
      'd',
      ['id,d', '1,31/12/2026', '2,30/12/2026', '3,31/02/2026'],
      ['2026-12-31', '2026-12-30'],
      ['4 BAD_DATE'],
    ],
    [
      'no day, and no date',
      'd',
      ['id,d', '1,31/12/2026', '2,00/00/0000', '3,unbekannt'],
      ['2026-12-31'],
      ['3 BAD_DATE', '4 BAD_DATE'],
    ],
    [
      'an amount among decimal commas',
      'n',
      ['id;n', '1;1,50', '2;2,75 EUR', '3;3,00'],
      ['1.50', '3.00'],
      ['3 BAD_NUMBER'],
    ],
    [
      'one decimal point among many decimal commas',
      'n',
      ['id;n', '1;1,50', '2;2,75', '3;12.50'],
      ['1.50', '2.75'],
      ['4 BAD_NUMBER'],
    ],
    [
      'one decimal comma among many decimal points',
      'n',
      ['id;n', '1;1.50', '2;2.75', '3;12,50'],
      ['1.50', '2.75'],
      ['4 BAD_NUMBER'],
    ],
    [
      'one date in another form',
      'd',
      ['id,d', '1,31/12/2026', '2,2026-12-30', '3,29/12/2026'],
      ['2026-12-31', '2026-12-29'],
      ['3 BAD_DATE'],
    ],
    [
      'one month first among days first',
      'd',
      ['id,d', '1,31/12/2026', '2,30/12/2026', '3,12/29/2026'],
      ['2026-12-31', '2026-12-30'],
      ['4 BAD_DATE'],
    ],
    [
      'hours, days and months of one digit, even if they are more',
      'ts',
      [
        'id,ts',
        '1,2024-01-05 9:30',
        '2,2024-01-05 10:30:15',
        '3,2024-1-5 8:00',
        '4,2024-1-5',
        '5,2024-1-5T7:15:00.5',
      ],
      ['09:30:00.000000', '10:30:15.000000', '08:00:00.000000', '00:00:00.000000', '07:15:00.500000'].map(
        (time) => `2024-01-05T${time}`,
      ),
    ],
    ['days without signs', 'd', ['id,d', '1,20260301', '2,20260302'], ['2026-03-01', '2026-03-02']],
    [
      'a day without signs that does not exist',
      'd',
      ['id,d', '1,20260301', '2,20260230', '3,20260302'],
      ['2026-03-01', '2026-03-02'],
      ['3 BAD_DATE'],
    ],
    [
      'times without signs',
      'ts',
      ['id,ts', '1,20260301', '2,20260302'],
      ['2026-03-01T00:00:00.000000', '2026-03-02T00:00:00.000000'],
    ],
    [
      'midnights are days, and other times of day are none',
      'd',
      [
        'id,d',
        '1,2026-02-01 00:00:00',
        '2,2026-02-02T00:00',
        '3,2026-02-03',
        '4,2026-02-04 00:00:00.000',
        '5,2026-02-05 00:00:01',
      ],
      ['2026-02-01', '2026-02-02', '2026-02-03', '2026-02-04'],
      ['6 PRECISION_LOST'],
    ],
    [
      'points between thousands of whole numbers, beside decimal commas',
      'i',
      ['id;i;n', '1;1.234;0,5', '2;12;1,25'],
      [1234, 12],
    ],
    ['points before three decimals, between commas', 'n', ['id,n', '1,1.234', '2,2.500'], ['1.234', '2.500']],
    [
      'points before three decimals, where one has four',
      'n',
      ['id;n', '1;1.234', '2;0.500'],
      ['1.234', '0.500'],
    ],
    [
      'times of day without signs',
      'ts',
      ['id,ts', '1,20260301123005', '2,20260302000000'],
      ['2026-03-01T12:30:05.000000', '2026-03-02T00:00:00.000000'],
    ],
    ['commas before three digits, beside decimal points', 'n', ['id;n;p', '1;1,234;0.5'], ['1234']],
    ['commas before three digits, beside decimal commas', 'n', ['id;n;p', '1;1,234;0,5'], ['1.234']],
    [
      'a comma before three digits, beside a point before an exponent',
      'n',
      ['id;n', '1;1,234', '2;1.5e3'],
      ['1234', '1500'],
    ],
    ['a decimal point in a column of whole numbers', 'i', ['id,i', '1,1', '2,1.234'], [1], ['3 BAD_INTEGER']],
  ])('%s', async (_, column, lines, values, rejects) => {
    const found = await loaded(lines, column)
    expect(found).toEqual({ values, ...(rejects && { rejects }) })
  })

  it('what is stated to be no value says nothing of the others', async () => {
    const lines = ['id;n', '1;1.234', '2;12.50', '3;5,5', '4;2.345,50']
    const found = await loaded(lines, 'n', '--null', '12.50')
    expect(found).toEqual({ values: ['1234', null, '5.5', '2345.50'] })
  })

  it('each file by its own delimiter', async () => {
    const files = { 'us.csv': ['id,n', '1,1.234', '2,2.500'], 'de.csv': ['id;n', '3;3,5', '4;10,25'] }
    expect(await loaded(files, 'n')).toEqual({ values: ['1.234', '2.500', '3.5', '10.25'] })
    const months = { 'may.csv': ['id;n', '1;1.234', '2;2.500'], 'june.csv': ['id;n', '3;3,5', '4;10,25'] }
    expect(await loaded(months, 'n')).toEqual({ values: ['1234', '2500', '3.5', '10.25'] })
  })

  it('a new table by what is stated of all fields, and otherwise of one', async () => {
    await using folder = await Folder.make({
      'f.csv': 'id;weight;pieces;price\n1;1.500;2.000;1.234,50\n',
      'g.csv': 'id;n\n1;2.50\n2;3,5\n',
    })
    const all = ['--decimal', ',', '--thousands', '.']
    const run = await folder.lading('load', 'f.csv', ...all, '--decimal', 'weight=.')
    expect(run.code, run.err).toBe(0)
    expect(folder.sql('SELECT * FROM f')).toEqual([
      { id: 1, weight: '1.500', pieces: 2000, price: '1234.50' },
    ])
    // What is stated has answered it.
    const mixed = await folder.lading('load', 'g.csv', '--decimal', ',')
    expect(mixed.err).toContain('column n: text')
    expect(mixed.err).not.toContain('--columns')
  })

  it.each([
    ['alone', ['1;1.234,50 €', '2;13,50 €'], [], ['1234.50', '13.50'], '--money'],
    ['among others', ['1;1,50', '2;2,75 EUR', '3;3'], ['1.50', '3'], ['1.50', '2.75', '3'], '--money'],
    ['of whole numbers', ['1;$5.00', '2;(7.25)', '3;1.5'], ['1.5'], ['5.00', '-7.25', '1.5'], '--money'],
    ['that may be thousands', ['1;$1,234', '2;7'], ['7'], ['1234', '7'], '--money --thousands n=,'],
  ])(
    'amounts %s cost their records, and the option that is told loads these',
    async (_, lines, first, all, option) => {
      await using folder = await Folder.make({ 'f.csv': `id;n\n${lines.join('\n')}\n` })
      makeTable(folder)
      const run = await folder.lading('load', 'f.csv', '--table', 't')
      expect(run.err).toContain(`the records with amounts of money are rejected or ${option} (`)
      const values = () => folder.sql('SELECT n FROM t ORDER BY id').map(({ n }) => n)
      expect(values()).toEqual(first)
      await folder.lading('rejects', 'replay', ...wordsOf(`lading ${option}`))
      expect(values()).toEqual(all)
    },
  )

  it('an option for amounts leaves signs as they are, those of the same field and of others', async () => {
    const lines = ['1;1.234,50;3.125', '2;7,10;€5', '3;1.234;€ 1.250', '4;2.500 €;1.5']
    await using folder = await Folder.make({
      'f.csv': `id;n;p\n${lines.join('\n')}\n`.replaceAll('3.125', '3.12'),
    })
    const expected = [
      { n: '1234.50', p: '3.12' },
      { n: '7.10', p: '5' },
      { n: '1234', p: '1.25' },
      { n: '2500', p: '1.5' },
    ]
    const rows = () => folder.sql('SELECT n, p FROM t ORDER BY id')
    makeTable(folder)
    await folder.lading('load', 'f.csv', '--table', 't')
    expect(rows()).toEqual(expected.slice(0, 1))
    await folder.lading('rejects', 'replay', '--money')
    expect(rows()).toEqual(expected)
    await folder.lading('load', 'f.csv', '--table', 't', '--money', '--again')
    expect(rows()).toEqual(expected.flatMap((row) => [row, row]))
  })

  it('a mix of currencies is no number, unless options say which one is meant', async () => {
    await using folder = await Folder.make({ 'f.csv': 'id,n,p\n1,€ 5,1.5\n2,6,2\n3,$ 7,3\n' })
    const asked =
      'line 4: "$ 7" (another currency): --money \'€\' (records with other currencies are rejected)'
    const load = (...args: string[]) => folder.lading('load', 'f.csv', ...args)
    const typed = ['--columns', 'n:numeric']
    const values = (name: string) => folder.sql(`SELECT n FROM ${name} ORDER BY id`).map(({ n }) => n)
    for (const [name, ...options] of [['a'], ['b', '--money']] as [string, ...string[]][]) {
      expect((await load('--table', name, ...options)).err).toContain(
        'n is text because of line 4: "$ 7" (another currency): it stays text or --columns n:numeric --money',
      )
      expect(values(name)).toEqual(['€ 5', '6', '$ 7'])
    }
    expectError(await load('--table', 'c', ...typed, '--money'), 'SOURCE_UNDECIDED', 65, asked)
    makeTable(folder)
    expect((await load('--table', 't', '--dry-run')).err).toContain("are rejected or --money '€' (records")
    for (const more of [[], ['--decimal', '.'], ['--decimal', 'n=.']])
      expectError(await load('--table', 't', '--money', ...more), 'SOURCE_UNDECIDED', 65, asked)

    expect((await load('--table', 't', '--money', '€')).code).toBe(3)
    expect((await load('--table', 'd', ...typed, '--money', '€')).code).toBe(3)
    expect([values('t'), values('d')]).toEqual([
      ['5', '6'],
      ['5', '6'],
    ])
    expect((await folder.lading('rejects', 'show', '1')).out).toContain(
      'is not a number written like € 1234.5',
    )
    await folder.lading('rejects', 'replay', '--money', '$')
    expect([values('t'), values('d')]).toEqual([
      ['5', '6', '7'],
      ['5', '6', '7'],
    ])
    expect((await load('--table', 'e', ...typed, '--money', 'any')).code).toBe(0)
    expect(values('e')).toEqual(['5', '6', '7'])
  })

  it('an option that a new table is told of is of its field, and others keep their decimal points', async () => {
    const file = 'id;a;b\n1;5,00 €;1.5\n2;1.234,50 €;3.125\n3;7,5;2.250\n'
    await using folder = await Folder.make({ 'f.csv': file, 'g.csv': file })
    const { err } = await folder.lading('load', 'f.csv')
    const [option = ''] = /--money [^(]*(?= \()/.exec(err) ?? []
    expect(option).toBe('--money --decimal a=, --thousands a=.')
    await folder.lading('load', 'g.csv', ...wordsOf(`lading ${option}`))
    expect(folder.sql('SELECT a, b FROM g ORDER BY id')).toEqual([
      { a: '5.00', b: '1.5' },
      { a: '1234.50', b: '3.125' },
      { a: '7.5', b: '2.250' },
    ])
  })

  it('a new table for files of several delimiters has texts where their signs differ', async () => {
    await using folder = await Folder.make({
      'in/us.csv': 'id,b\n1,1.234\n2,2.500\n',
      'in/de.csv': 'id;b\n3;3,5\n4;10,25\n',
    })
    const run = await folder.lading('load', 'in', '--table', 't')
    expect([run.code, run.err], run.out).toEqual([
      0,
      expect.stringContaining('unless each kind is loaded alone'),
    ])
    expect(folder.sql('SELECT b FROM t ORDER BY id').map(({ b }) => b)).toEqual([
      '1.234',
      '2.500',
      '3,5',
      '10,25',
    ])
  })

  it.each<
    [what: string, column: string, lines: readonly string[], ...answers: readonly (readonly unknown[])[]]
  >([
    [
      'points beside decimal commas',
      'n',
      ['id;p;n', '1;12,50;1.200', '2;3,00;10.000'],
      ['1.200', '10.000'],
      ['1200', '10000'],
    ],
    [
      'points in a file with semicolons',
      'n',
      ['id;n', '1;1.234', '2;2.500'],
      ['1.234', '2.500'],
      ['1234', '2500'],
    ],
    ['commas', 'n', ['id;n', '1;1,234'], ['1234'], ['1.234']],
    ['commas in a column of whole numbers', 'i', ['id;i', '1;1,234'], [1234]],
    ['points in a column of whole numbers', 'i', ['id;i', '1;1.234', '2;7'], [1234, 7], [7]],
    ['days and months', 'd', ['id,d', '1,01/02/2026'], ['2026-02-01'], ['2026-01-02']],
    [
      'days and months, of which some say one order, and some the other',
      'd',
      ['id,d', '1,01/02/2026', '2,31/01/2026', '3,12/31/2026'],
      ['2026-02-01', '2026-01-31'],
      ['2026-01-02', '2026-12-31'],
    ],
    [
      'points and commas of which some may be either',
      'n',
      ['id;n', '1;1.234', '2;1,5', '3;2,5', '4;1.5'],
      ['1.234', '1.5'],
      ['1234', '1.5', '2.5'],
    ],
    [
      'a point and a comma before three digits',
      'n',
      ['id;n', '1;1.234', '2;5,678'],
      ['1.234', '5678'],
      ['1234', '5.678'],
    ],
    ['commas of a number and of an amount', 'n', ['id;n', '1;1,234', '2;$2,345'], ['1234'], ['1.234']],
    [
      'a point and a comma, and a record that is too short',
      'n',
      ['id;n', '1;1.50', '2;2,75', '3', '4;7'],
      ['1.50', '7'],
      ['2.75', '7'],
    ],
    ['two forms of dates', 'd', ['id,d', '1,31/12/2026', '2,30.12.2026'], ['2026-12-31'], ['2026-12-30']],
    [
      'a date and a count',
      'ts',
      ['id,ts', '1,1767225600', '2,31/12/2026'],
      ['2026-01-01T00:00:00.000000'],
      ['2026-12-31T00:00:00.000000'],
    ],
    [
      'counts of different units',
      'ts',
      ['id,ts', '1,1767225600', '2,1767225600000'],
      [],
      ['2026-01-01T00:00:00.000000'],
      ['1970-01-21T10:53:45.600000', '2026-01-01T00:00:00.000000'],
      ['1970-01-01T00:29:27.225600', '1970-01-21T10:53:45.600000'],
    ],
  ])('is asked: %s', async (_, column, lines, ...answers) => {
    const { asked = [] } = await loaded(lines, column)
    const found = []
    for (const option of asked)
      found.push(valuesOf(await loaded(lines, column, ...wordsOf(`lading ${option}`))))
    expect(found).toEqual(answers)
  })
})
