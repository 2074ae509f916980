import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { expectError, Folder } from './run.ts'

const orders = `Order ID,Customer,Price,Placed,Zip
1,Ann,1.10,31/12/2024,01067
2,Bob,19.99,01/02/2024,10115
3,Ann,0.50,02/02/2024,49170
`

describe.concurrent('a file without a model', () => {
  it('is inspected without a database, and the command that it proposes loads it', async () => {
    await using folder = await Folder.make({ 'orders.csv': orders })
    const run = await folder.lading('inspect', 'orders.csv')
    expect(run.code, run.err).toBe(0)
    const lines = run.out.trimEnd().split('\n')
    expect(lines[0]).toBe('orders.csv: 3 records')
    expect(run.out).toMatch(
      /^zip +text not null +0 +all +01067 +49170 +of line 2: "01067" \(a leading zero\)$/m,
    )
    expect(run.out).toMatch(/^customer +text not null +0 +2 +Ann +Bob +Ann \(2\)/m)
    expect(run.out).toContain('key: order_id may identify a record')
    expect(lines.at(-1)).toBe('lading load orders.csv')
    expect((await folder.lines('lading.db')).length, 'no database is made').toBe(0)
    const load = await folder.paste(`${lines.at(-1)} --to sqlite:lading.db`)
    expect(load.code, load.err).toBe(0)
    expect(folder.sql('SELECT order_id, price, placed, zip FROM orders LIMIT 1')).toEqual([
      { order_id: 1, price: '1.10', placed: '2024-12-31', zip: '01067' },
    ])
  })

  it('is inspected as JSON, with all questions and their options', async () => {
    await using folder = await Folder.make({ 'a.csv': 'day,n\n01/02/2024,NA\n03/04/2024,2\n' })
    const [found] = await folder.json<Record<string, unknown>[]>('inspect', 'a.csv')
    expect(found).toMatchObject({
      file: 'a.csv',
      records: 2,
      columns: [
        { name: 'day', type: 'text', isUnique: true, line: 2 },
        { name: 'n', type: 'text', maximum: 'NA' },
      ],
      questions: [
        {
          readings: [{ option: '--date-format day=DD/MM/YYYY' }, { option: '--date-format day=MM/DD/YYYY' }],
        },
        { readings: [{ option: '--null NA', meaning: 'integer' }] },
      ],
      command: 'lading load a.csv --null NA',
    })
  })

  it('says to a person what would be rejected, and what must and what can be answered', async () => {
    await using folder = await Folder.make({
      'a.csv': 'day,n\n01/02/2024,1\n03/04/2024,x\n',
      'b.csv': Buffer.from('name\nM\xfcller\n', 'latin1'),
    })
    const [a, b] = [
      await folder.lading('inspect', 'a.csv', '--columns', 'n:integer'),
      await folder.lading('inspect', 'b.csv'),
    ]
    expect(a.out, a.err).toMatch(/^a\.csv: 2 records, 1 of them would be rejected\n {2}line 3: BAD_INTEGER: /)
    expect(a.out).toMatch(/^can be answered: .*--date-format day=DD\/MM\/YYYY/m)
    expect(b.out, b.err).toMatch(/^must be answered: .*--encoding windows-1252/m)
    const without = await folder.lading('inspect', 'a.csv', '--skip-when', 'n=x')
    expect(without.out, without.err).toMatch(/^lading load a\.csv .*--skip-when n=x/m)
    await folder.write('c.csv', '')
    const init = await folder.lading('init', 'c.csv')
    expectError(init, 'HEADER_MISMATCH', 65, 'c.csv has neither a header nor a record')
  })

  it('that cannot be read is named, and the files beside it are inspected', async () => {
    await using folder = await Folder.make({ 'a.csv': 'a\n1\n', 'b.csv': '', 'c.csv': 'c\n3\n' })
    const run = await folder.lading('inspect', 'a.csv', 'b.csv', 'c.csv')
    expect(run.code).toBe(65)
    expect(run.err).toMatch(/^error HEADER_MISMATCH: b\.csv has neither a header nor a record/)
    expect(run.out).toContain('a.csv: 1 record\n')
    expect(run.out).toContain('c.csv: 1 record\n')
    const json = await folder.lading('inspect', 'b.csv', 'c.csv', '--json')
    expect(json.code).toBe(65)
    expect(JSON.parse(json.out)).toMatchObject([
      { file: 'b.csv', error: { code: 'HEADER_MISMATCH' } },
      { file: 'c.csv', records: 1 },
    ])
  })

  it('whose total has the cells of a record says so, when it is inspected and when it is loaded', async () => {
    await using folder = await Folder.make({ 'a.csv': 'region,n\nNorth,1\nSouth,2\nTotal,3\n' })
    const hint =
      'line 4: the file ends with what looks like a total or a note: it is a record or --footer-lines 1'
    expect((await folder.lading('inspect', 'a.csv')).out).toContain(`can be answered: ${hint}`)
    const load = await folder.lading('load', 'a.csv')
    expect(load.code, load.err).toBe(0)
    expect(load.err).toContain(`a.csv: ${hint}`)
    expect(folder.rows('a')).toBe(3)
  })

  it('that was joined from files with headers names the option that leaves the others out', async () => {
    const csv = 'sensor id,n\n1,0.5\n2,1.5\nsensor id,n\n3,2.5\nsensor id,n\n'
    await using folder = await Folder.make({ 'a.csv': csv })
    const option = "--skip-when 'sensor id=sensor id'"
    const undecided = await folder.lading('load', 'a.csv')
    expectError(undecided, 'SOURCE_UNDECIDED', 65, 'line 4: records that repeat the header', option)
    const load = await folder.lading('load', 'a.csv', '--skip-when', 'sensor id=sensor id')
    expect(load.code, load.err).toBe(0)
    expect(folder.sql('SELECT sum(sensor_id) AS ids, count(*) AS rows FROM a')).toEqual([{ ids: 6, rows: 3 }])
  })

  it('has the types of the records that --skip-when does not leave out', async () => {
    const csv = 'at,n\n2024-01-01,1\nat,n\n2024-01-02,2\n,missing\n'
    await using folder = await Folder.make({ 'a.csv': csv })
    const load = await folder.lading('load', 'a.csv', '--skip-when', 'at=at', '--skip-when', 'at=')
    expect(load.code, load.err).toBe(0)
    expect(load.out).toContain('2 records of the skipped left out on purpose')
    expect(folder.sql('SELECT typeof(n) AS type, count(*) AS n FROM a GROUP BY 1')).toEqual([
      { type: 'integer', n: 2 },
    ])
    const json = '{"n":1}\n{"kind":"end","n":"x"}\n{"n":2}\n'
    await folder.write('b.ndjson', json)
    const objects = await folder.lading('load', 'b.ndjson', '--skip-when', 'kind=end')
    expect(objects.code, objects.err).toBe(0)
    expect(objects.err).toContain('column n: integer')
  })

  it('that is one of many is named with them where all are decided alike', async () => {
    const files = Object.fromEntries(['a', 'b', 'c'].map((name) => [`in/${name}.csv`, 'a;b\n1;2\n3;4\n']))
    await using folder = await Folder.make({ ...files, 'in/d.csv': 'a\tb\n1\t2\n3\t4\n' })
    const load = await folder.lading('load', 'in', '--table', 't')
    expect(load.code, load.err).toBe(0)
    expect(load.err.match(/delimiter: .*/g)).toEqual([
      'delimiter: semicolon, because it gives each of 3 lines 2 cells',
      'delimiter: tab, because it gives each of 3 lines 2 cells',
    ])
    expect(load.err).toMatch(/^a\.csv and 2 more files: delimiter: semicolon/m)
  })

  it('that has several readings is not loaded before one of them is chosen', async () => {
    await using folder = await Folder.make({
      'a.csv': 'day,value\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\nremark,x\n',
    })
    expectError(
      await folder.lading('load', 'a.csv'),
      'SOURCE_UNDECIDED',
      65,
      'line 5: the last record may be a total or a remark',
      '--footer-lines 1',
      '--types text',
    )
    const without = await folder.lading('load', 'a.csv', '--footer-lines', '1')
    expect(without.code, without.err).toBe(0)
    expect(folder.sql('SELECT max(day) AS day, sum(value) AS value FROM a')).toEqual([
      { day: '2024-01-03', value: 6 },
    ])
    const all = await folder.lading('load', 'a.csv', '--types', 'text', '--table', 'b')
    expect(all.code, all.err).toBe(0)
    expect(folder.sql("SELECT day, value FROM b WHERE day = 'remark'")).toEqual([
      { day: 'remark', value: 'x' },
    ])
  })

  it('gets the model that a person would have written, and it loads the file', async () => {
    await using folder = await Folder.make({
      'orders.csv': orders.replaceAll(',', ';'),
      // As `npm init` writes it.
      'package.json': '{"type":"commonjs"}',
    })
    const printed = await folder.lading('init', 'orders.csv', '-o', 'orders.ts')
    expect(printed.code, printed.err).toBe(0)
    expect(printed.err).toContain("lading load orders.csv --model ./orders.ts --delimiter ';'")
    const text = await readFile(folder.at('orders.ts'), 'utf8')
    expect(text).toBe(`import { date, defineModel, integer, numeric, text } from 'lading'

// primaryKey: ['order_id'] is possible: each of its 3 records has a different value in it
export default defineModel({
  table: 'orders',
  columns: {
    order_id: integer().notNull().from('Order ID'),
    customer: text().notNull().from('Customer'),
    price: numeric(12, 2).notNull().from('Price'),
    placed: date().notNull().from('Placed').written({ pattern: 'DD/MM/YYYY' }),
    zip: text().notNull().from('Zip'),
  },
})
`)
    // No project is around it that has lading installed.
    const load = await folder.lading('load', 'orders.csv', '--model', './orders.ts', '--delimiter', ';')
    expect(load.code, load.err).toBe(0)
    expect(folder.sql('SELECT placed FROM orders WHERE order_id = 1')).toEqual([{ placed: '2024-12-31' }])
    expectError(
      await folder.lading('init', 'orders.csv', '-o', 'orders.ts'),
      'OUTPUT_UNWRITABLE',
      73,
      'the file exists already',
    )
    expectError(await folder.lading('init', 'orders.csv', '-o', 'orders'), 'USAGE', 64, 'with .ts or .js')
  })

  it('is proposed no option that changes texts of other columns', async () => {
    await using folder = await Folder.make({
      'a.csv': 'n,country\nNA,DE\n2,NA\n3,FR\n',
      'b.csv': 'n,country\nNULL,DE\n2,NULL\n3,FR\n',
    })
    const found = await folder.json<{ command: string }[]>('inspect', 'a.csv', 'b.csv')
    expect(found.map(({ command }) => command)).toEqual([
      'lading load a.csv',
      'lading load b.csv --null NULL',
    ])
  })

  it('that answers one question by an option is read for all else, and no table that exists gets other types', async () => {
    await using folder = await Folder.make({
      't.csv': 'd,n\n2024-01-31,1.50\n',
      'a.csv': 'd;n\n01/02/2024;2,50\n',
    })
    await folder.lading('load', 't.csv')
    expectError(
      await folder.lading('load', 'a.csv', '--table', 't'),
      'SOURCE_UNDECIDED',
      65,
      '--date-format d=DD/MM/YYYY (day first)',
    )
    const options = ['--table', 't', '--date-format', 'd=DD/MM/YYYY', '--types', 'text']
    const run = await folder.lading('load', 'a.csv', ...options)
    expect(run.code, run.out).toBe(0)
    expect(run.err).toContain('its columns have its types: --types is of a new table')
    expect(folder.sql('SELECT * FROM t')).toEqual([
      { d: '2024-01-31', n: '1.50' },
      { d: '2024-02-01', n: '2.50' },
    ])
  })

  it('has the types that are stated by fields or columns, and refuses others before anything is made', async () => {
    await using folder = await Folder.make({ 'a.csv': 'Order ID,n\n1,2\n' })
    const refuse = async (part: string, ...options: string[]) =>
      expectError(await folder.lading('load', 'a.csv', ...options), 'USAGE', 64, part)
    await refuse('--columns id:text: there is no field id (Order ID, n)', '--columns', 'id:text')
    await refuse('the new table: --key and one or more of order_id, n', '--on-conflict', 'update')
    expect(await folder.lines('lading.db')).toEqual([])
    const run = await folder.lading('load', 'a.csv', '--columns', 'order_id:text,n:bigint')
    expect(run.code, run.err).toBe(0)
    expect(run.err).toContain('column order_id: text from "Order ID", because --columns says so')
    expect(folder.sql('SELECT order_id FROM a')).toEqual([{ order_id: '1' }])
  })

  it('takes lists in several options, and in quotes a field that has a comma in its name', async () => {
    await using folder = await Folder.make({ 'a.csv': '"flag, ""old""",n,m\nT,1,1\nF,1,2\n' })
    const hinted = (await folder.lading('inspect', 'a.csv')).out
    expect(hinted).toContain(`--columns '"flag, ""old"""':boolean`)
    const options = [
      '--columns',
      '"flag, ""old""":boolean',
      '--columns',
      'm:text',
      '--key',
      'n',
      '--key',
      'm',
    ]
    const run = await folder.lading('load', 'a.csv', ...options)
    expect(run.code, run.err).toBe(0)
    expect(folder.sql('SELECT * FROM a')).toEqual([
      { flag_old: 1, n: 1, m: '1' },
      { flag_old: 0, n: 1, m: '2' },
    ])
  })

  it('gets the model of a table', async () => {
    await using folder = await Folder.make({ 'orders.csv': orders })
    await folder.lading('load', 'orders.csv', '--key', 'order_id')
    const run = await folder.lading('init', '--from-table', 'sqlite:lading.db', '--table', 'orders')
    expect(run.code, run.err).toBe(0)
    expect(run.out).toContain("  primaryKey: ['order_id'],\n")
    expect(run.out).toContain('    price: numeric(12, 2),\n    placed: date(),\n')
  })

  it('has the columns of the file, in their order, and those without gaps take a gap of a later file', async () => {
    await using folder = await Folder.make({
      'years.csv': 'country,2020,2021,name\nit,1,2,a\nde,3,4,b\n',
      // The columns of the table are its names, though two of them are years.
      'more.csv': 'country,2020,2021,name\nfr,,6,\n',
    })
    const run = await folder.lading('load', 'years.csv')
    expect(run.code, run.err).toBe(0)
    expect(run.err).toContain('column _2020: integer, because all 2 values have this form')
    const more = await folder.lading('load', 'more.csv', '--table', 'years')
    expect(more.code, more.err).toBe(0)
    const names = folder.sql("SELECT name FROM pragma_table_info('years') ORDER BY cid")
    expect(names.map(({ name }) => name)).toEqual(['country', '_2020', '_2021', 'name'])
    expect(folder.sql('SELECT * FROM years').at(-1)).toEqual({
      country: 'fr',
      _2020: null,
      _2021: 6,
      name: null,
    })
  })

  it('that holds blank lines alone holds no record: no table is made for it, and one that exists is left as it is', async () => {
    await using folder = await Folder.make({ 'a.csv': 'n\n1\n', 'blank.csv': '\n  \r\n\n', 'empty.csv': '' })
    const none = await folder.lading('load', 'blank.csv')
    expectError(none, 'HEADER_MISMATCH', 65, 'neither a header nor a record')
    await folder.lading('load', 'a.csv')
    for (const file of ['blank.csv', 'empty.csv']) {
      const run = await folder.lading('load', file, '--table', 'a', '--json')
      expect(run.code, run.err).toBe(0)
      expect(JSON.parse(run.out)).toMatchObject({ receipts: [{ records: 0 }] })
    }
  })

  it('is rehearsed: every record is decoded, the first rejects are shown, and nothing is written', async () => {
    await using folder = await Folder.make({ 'orders.csv': orders })
    const dry = await folder.lading('load', 'orders.csv', '--dry-run')
    expect(dry.code, dry.err).toBe(0)
    expect(dry.out).toContain('nothing was written: 3 records would go to table orders')
    expect(folder.rows('orders', 'lading.db'), 'an empty file would have been made').toBe(0)
    expect(await folder.json('load', 'orders.csv', '--dry-run')).toMatchObject([
      { source: 'orders.csv', records: 3, rejected: 0, wouldLoad: 3 },
    ])
    expect((await folder.lading('load', 'orders.csv')).code).toBe(0)
    await folder.write(
      'more.csv',
      `Order ID,Customer,Price,Placed,Zip\n4,Eve,1.005,31/12/2024,1\nx,Kim,1,1/1/1,2\n`,
    )
    const more = await folder.lading('load', 'more.csv', '--table', 'orders', '--dry-run')
    expect(more.code, more.err).toBe(3)
    expect(more.out).toContain('  more.csv:2: PRECISION_LOST in price')
    expect(more.out).toContain('  more.csv:3: BAD_INTEGER in order_id: "x" is not a whole number')
    expect(folder.rows('orders')).toBe(3)
  })
})
