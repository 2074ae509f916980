/** Files go into tables and views of SQLite that exist, without a model, and no value is changed. */
import { DatabaseSync } from 'node:sqlite'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openSink } from '../../src/sink/registry.ts'
import { expectError, Folder } from '../cli/run.ts'

interface Reject {
  readonly line: number
  readonly column?: string
  readonly code: string
}

async function folderOf(sql: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<Folder> {
  const folder = await Folder.make(files)
  const database = new DatabaseSync(folder.at('lading.db'))
  database.exec(sql)
  database.close()
  return folder
}

const rejectsOf = async (folder: Folder): Promise<unknown[]> =>
  (await folder.json<Reject[]>('rejects', 'list'))
    .map(({ line, column = '', code }) => [line, column, code])
    .toSorted(([a], [b]) => Number(a) - Number(b))

describe.concurrent('a file into a table of SQLite that exists, without a model', () => {
  it('STRICT or not, keeps each value as the file has it, and refuses what the affinity of a column would change', async () => {
    const columns = {
      n: 'INTEGER',
      big: 'UNSIGNED BIG INT',
      r: 'DOUBLE PRECISION',
      t: 'VARCHAR(2)',
      none: '',
      b: 'BLOB',
      d: 'DECIMAL(10,2)',
      day: 'DATETIME',
      yes: 'BOOLEAN',
      s: 'STRING',
    }
    const good = [
      '7',
      '-9223372036854775808',
      '1.5',
      '007',
      '1.0',
      '1e3',
      '1.50',
      '2024-01-01 10:00',
      'true',
      'A-1',
    ]
    const other = ['0', '9007199254740993', '1e300', 'long', '', 'x', '123456789012345', '2024', 'F', '12']
    const bad: readonly (readonly [at: number, value: string, code: string])[] = [
      [0, '1.5', 'BAD_INTEGER'],
      [1, '9223372036854775808', 'OUT_OF_RANGE'],
      [2, 'x', 'BAD_NUMBER'],
      [6, '12345678901234.567', 'PRECISION_LOST'],
      [6, '92233720368547758080', 'PRECISION_LOST'],
      [7, '007', 'PRECISION_LOST'],
      [8, 'maybe', 'BAD_BOOLEAN'],
      [9, '1.50', 'PRECISION_LOST'],
      [9, ' 7', 'PRECISION_LOST'],
      [9, '1e3', 'PRECISION_LOST'],
    ]
    const names = Object.keys(columns)
    const rows = [good, other, ...bad.map(([at, value]) => good.with(at, value))]
    await using folder = await folderOf(
      `CREATE TABLE things (${names.map((name) => `${name} ${columns[name as 'n']}`).join(', ')})`,
      { 'things.csv': [names, ...rows].map((row) => `${row.join(',')}\n`).join('') },
    )
    const run = await folder.lading('load', 'things.csv')
    expect([run.code, run.out], run.err).toEqual([3, expect.stringContaining('this run loaded 2 records\n')])
    expect(await rejectsOf(folder)).toEqual(bad.map(([at, , code], index) => [index + 4, names[at], code]))
    const stored = folder.sql<{ row: string }>(
      `SELECT concat_ws('|', ${names.map((name) => `typeof(${name}) || ' ' || ${name}`).join(', ')}) AS row FROM things`,
    )
    expect(stored.map(({ row }) => row)).toEqual([
      'integer 7|integer -9223372036854775808|real 1.5|text 007|text 1.0|text 1e3|real 1.5|text 2024-01-01 10:00|integer 1|text A-1',
      'integer 0|integer 9007199254740993|real 1.0e+300|text long|text x|integer 123456789012345|integer 2024|integer 0|integer 12',
    ])
  })

  it('gives what the file does not have its default, its rowid and what the table computes', async () => {
    await using folder = await folderOf(
      `CREATE TABLE items (id INTEGER PRIMARY KEY, price REAL NOT NULL, twice REAL AS (price * 2), made TEXT NOT NULL DEFAULT 'now');
       CREATE TABLE codes (code TEXT PRIMARY KEY, note TEXT) STRICT, WITHOUT ROWID`,
      { 'items.csv': 'Price (EUR)\n1.5\n', 'codes.csv': 'note\nx\n', 'both.csv': 'price,twice\n1,2\n' },
    )
    expect((await folder.lading('load', 'items.csv')).code).toBe(0)
    expect(folder.sql('SELECT * FROM items')).toEqual([{ id: 1, price: 1.5, twice: 3, made: 'now' }])
    expectError(
      await folder.lading('load', 'codes.csv'),
      'SCHEMA_MISMATCH',
      78,
      'column code (TEXT) needs a value',
    )
    const both = ['load', 'both.csv', '--table', 'items']
    expectError(
      await folder.lading(...both),
      'SCHEMA_MISMATCH',
      78,
      'field twice is column twice, which the table computes',
    )
    expect((await folder.lading(...both, '--ignore-extra')).code).toBe(0)
  })

  it('reads numbers as they are written, in DECIMAL columns too', async () => {
    await using folder = await folderOf('CREATE TABLE prices (price DECIMAL(10,2), rate REAL)', {
      'prices.csv': 'price;rate\n1.234,50;0,5\n2,5;1\n',
    })
    const run = await folder.lading('load', 'prices.csv', '--decimal', ',', '--thousands', '.')
    expect(run.code, run.err).toBe(0)
    expect(folder.sql('SELECT * FROM prices')).toEqual([
      { price: 1234.5, rate: 0.5 },
      { price: 2.5, rate: 1 },
    ])
  })

  it('stores dates as ISO 8601 has them where it is stated how they are written, and as they are otherwise', async () => {
    await using folder = await folderOf('CREATE TABLE visits (day DATE, at DATETIME, who TEXT)', {
      'visits.csv': 'day,at,who\n31/12/2024,31/12/2024 10:00,Ann\nsoon,,Bob\n',
      'others.csv': 'day,at,who\n31/12/2025,then,Cid\n',
    })
    const written = ['day=DD/MM/YYYY', 'at=DD/MM/YYYY HH:mm', 'who=DD/MM/YYYY']
    const run = await folder.lading(
      'load',
      'visits.csv',
      ...written.flatMap((each) => ['--date-format', each]),
    )
    expect(run.code, run.err).toBe(3)
    expect(run.err).toContain('what is stated of who has no effect in column who (text)')
    expect(run.err).not.toMatch(/stated of (day|at)/)
    expect(await rejectsOf(folder)).toEqual([[3, 'day', 'BAD_DATE']])
    expect(await folder.lading('load', 'others.csv', '--table', 'visits')).toMatchObject({ code: 0 })
    expect(folder.sql('SELECT * FROM visits')).toEqual([
      { day: '2024-12-31', at: '2024-12-31 10:00:00', who: 'Ann' },
      { day: '31/12/2025', at: 'then', who: 'Cid' },
    ])
  })

  it('updates or leaves rows by the unique index that decides, over expressions and parts of the rows too', async () => {
    await using folder = await folderOf(
      `CREATE TABLE people (email TEXT, name TEXT); CREATE UNIQUE INDEX mail ON people (lower(email));
       INSERT INTO people VALUES ('Ada@x', 'old');
       CREATE TABLE seats (seat INTEGER, gone TEXT, name TEXT); CREATE UNIQUE INDEX taken ON seats ("seat") WHERE gone IS NULL;
       INSERT INTO seats VALUES (1, NULL, 'old')`,
      {
        'people.csv': 'email,name\nada@x,new\nbob@x,1\nBOB@x,2\n',
        'seats.csv': 'seat,gone,name\n1,,new\n2,,a\n2,2024,left\n2,,b\n',
      },
    )
    const people = await folder.lading('load', 'people.csv', '--on-conflict', 'update')
    expect(people.code, people.err).toBe(0)
    expect(folder.sql("SELECT email || ' ' || name AS row FROM people")).toEqual([
      { row: 'ada@x new' },
      { row: 'BOB@x 2' },
    ])
    const seats = await folder.lading(
      'load',
      'seats.csv',
      '--on-conflict',
      'skip',
      '--key',
      'seat',
      '--consumers',
      '2',
    )
    expect(seats.code, seats.err).toBe(0)
    expect(folder.sql("SELECT seat || ' ' || name AS row FROM seats")).toEqual([
      { row: '1 old' },
      { row: '2 a' },
      { row: '2 left' },
    ])
  })

  it('a view takes rows by its trigger, which leaves some out and refuses one, each of them a reject', async () => {
    await using folder = await folderOf(
      `CREATE TABLE stored (id INTEGER PRIMARY KEY, note TEXT); CREATE VIEW items AS SELECT id, note FROM stored;
       CREATE TRIGGER take INSTEAD OF INSERT ON items BEGIN
         SELECT RAISE(IGNORE) WHERE new.note = 'none'; SELECT RAISE(ABORT, 'no') WHERE new.note = 'no';
         INSERT INTO stored VALUES (new.id, upper(new.note)); END;
       CREATE VIEW readable AS SELECT id FROM stored`,
      { 'items.csv': 'id,note\n1,a\n2,none\n3,b\n4,no\n1,c\n6,e\n', 'readable.csv': 'id\n1\n' },
    )
    const run = await folder.lading('load', 'items.csv')
    expect([run.code, run.out], run.err).toEqual([3, expect.stringContaining('this run loaded 3 records\n')])
    expect(folder.sql('SELECT * FROM stored')).toEqual([
      { id: 1, note: 'A' },
      { id: 3, note: 'B' },
      { id: 6, note: 'E' },
    ])
    expect(await rejectsOf(folder)).toEqual([
      [3, '', 'TRIGGER_RAISED'],
      [5, '', 'TRIGGER_RAISED'],
      [6, '', 'CONSTRAINT_UNIQUE'],
    ])
    expectError(
      await folder.lading('load', 'readable.csv'),
      'SCHEMA_MISMATCH',
      78,
      'a view without an INSTEAD OF INSERT trigger',
    )
  })

  it('has dead letters that are replayed without a model', async () => {
    const sql = 'CREATE TABLE items (id INTEGER, "Note" TEXT)'
    const files = { 'items.csv': 'id,note\n1,x\n' }
    await using first = await folderOf(sql, files)
    const { receipts } = await first.json<{ receipts: { loadId: string }[] }>('load', 'items.csv')
    await using folder = await folderOf(sql, files)
    // The same file has the same load, wherever it goes.
    const run = await folder.lading('load', 'items.csv', '--set-aside', `${receipts[0]?.loadId}/0`)
    expect([run.code, run.out], run.err).toEqual([3, expect.stringContaining('1 record in dead letters')])
    const replayed = await folder.lading('dead', 'replay')
    expect(replayed.out, replayed.err).toBe('1: loaded 1, rejected 0, skipped 0\n')
    expect(folder.sql('SELECT * FROM items')).toEqual([{ id: 1, Note: 'x' }])
  })

  it('whose name differs in case alone is found, and tables of SQLite and of the ledger are refused', async () => {
    const csv = 'a,b\n1,2\n'
    await using folder = await folderOf('CREATE TABLE nn (a INTEGER, b INTEGER CHECK (b < 9)) STRICT', {
      'nn.csv': `${csv}3,9\n`,
      'sqlite_stat1.csv': csv,
    })
    const run = await folder.lading('load', 'nn.csv', '--table', 'NN', '--allow-rejects')
    expect(run.code, run.err).toBe(0)
    expect(run.err).toContain('table NN is nn, whose name differs in case alone')
    expect(folder.rows('nn')).toBe(1)
    await folder.write(
      'nn.ts',
      `import { bigint, defineModel } from 'lading'
export default defineModel({ table: 'NN', columns: { a: bigint(), b: bigint() } })`,
    )
    const written = await folder.lading('load', 'nn.csv', '--model', './nn.ts', '--again', '--allow-rejects')
    expect(written.code, written.err).toBe(0)
    expect(folder.rows('nn')).toBe(2)
    expectError(
      await folder.lading('load', 'sqlite_stat1.csv'),
      'USAGE',
      64,
      'table sqlite_stat1 belongs to SQLite itself: name another one with --table',
    )
    expectError(
      await folder.lading('load', 'nn.csv', '--table', 'nos.nn'),
      'SCHEMA_MISMATCH',
      78,
      'a SQLite file has no schema nos, only main',
    )
    expectError(
      await folder.lading('load', 'nn.csv', '--table', 'nos.fresh'),
      'SCHEMA_MISMATCH',
      78,
      'a SQLite file has no schema nos, only main',
    )
    expect(folder.rows('nn')).toBe(2)
    const main = await folder.lading('load', 'nn.csv', '--table', 'main.nn', '--again', '--allow-rejects')
    expect(main.code, main.err).toBe(0)
    await using sink = await openSink(`sqlite:${folder.at('lading.db')}`)
    for (const table of ['sqlite_x', 'LADING_MADE', 'lading_migration', 'lading_reject'])
      await expect(sink.table?.({ table })).rejects.toThrow(`table ${table} belongs to`)
  })

  it('fills its columns in their order from a file without a header, whatever single values are', async () => {
    await using folder = await folderOf('CREATE TABLE t (id INTEGER, n REAL)', {
      't.csv': '1;1,5\n2;2,5\nx;3,5\n',
    })
    const run = await folder.lading('load', 't.csv', '--no-header')
    expect(run.code, run.err).toBe(3)
    expect(run.out).toContain('t.csv:3: BAD_INTEGER in id')
    expect(folder.sql('SELECT * FROM t')).toEqual([
      { id: 1, n: 1.5 },
      { id: 2, n: 2.5 },
    ])
  })

  it('takes records without a header whose lines end with a delimiter, by the order of its columns', async () => {
    await using folder = await folderOf('CREATE TABLE region (id INTEGER, name TEXT, note TEXT)', {
      'empty-notes.csv': '3,east,\n4,here,\n',
      'region.tbl': '0|north|cold |\n1|south||\n2|west|wet|\n',
    })
    const run = await folder.lading('load', 'region.tbl')
    expect(run.code, run.err).toBe(0)
    expect(folder.sql('SELECT * FROM region ORDER BY id')).toEqual([
      { id: 0, name: 'north', note: 'cold ' },
      { id: 1, name: 'south', note: null },
      { id: 2, name: 'west', note: 'wet' },
    ])
    const noted = await folder.lading('load', 'empty-notes.csv', '--table', 'region')
    expect(noted.code, noted.err).toBe(0)
    expect(folder.sql('SELECT name, note FROM region WHERE id > 2')).toEqual([
      { name: 'east', note: null },
      { name: 'here', note: null },
    ])
    const made = await folder.lading('load', 'region.tbl', '--table', 'fresh')
    expect(made.code, made.err).toBe(0)
    expect(folder.sql('SELECT column_1, column_3 FROM fresh WHERE column_1 = 2')).toEqual([
      { column_1: 2, column_3: 'wet' },
    ])
  })

  it('takes nothing from an empty file of its name, and no other table is made', async () => {
    await using folder = await folderOf('CREATE TABLE orders (id INTEGER)', {
      'orders.csv': '',
      'day.csv': '',
    })
    const run = await folder.lading('load', 'orders.csv')
    expect(run.code, run.err).toBe(0)
    expect(run.out).toContain('this run loaded 0 records')
    expect(folder.sql("SELECT name FROM sqlite_schema WHERE name IN ('orders', 'records')")).toEqual([
      { name: 'orders' },
    ])
    // Nothing says what it is of.
    expect((await folder.lading('load', 'day.csv')).err).toContain('HEADER_MISMATCH: day.csv has neither')
    expect((await folder.lading('load', 'day.csv', '--model', 'records')).code).toBe(0)
  })

  it(
    String.raw`takes \N without quotes for no value, and says so; NULL in a column of texts is a text, and is asked about`,
    async () => {
      await using folder = await folderOf('CREATE TABLE t (id INTEGER, name TEXT, at DATE)', {
        't.csv': 'id,name,at\n1,\\N,2024-02-29\n\\N,x,\\N\n3,"\\N",\n',
        'more.csv': 'id,name\n4,null\n5,y\n6,NULL\n',
      })
      const run = await folder.lading('load', 't.csv')
      expect([run.code, run.err]).toEqual([0, expect.stringContaining(String.raw`no value: \N, because`)])
      expect(folder.sql('SELECT id, name, at FROM t ORDER BY rowid')).toEqual([
        { id: 1, name: null, at: '2024-02-29' },
        { id: null, name: 'x', at: null },
        { id: 3, name: null, at: null },
      ])
      const more = await folder.lading('load', 'more.csv', '--table', 't')
      expect(more.err).toContain('line 2: a cell null, which often means no value')
      expect(more.err).toContain('or --null null,NULL (no value)')
      expect(folder.sql('SELECT name FROM t WHERE id IN (4, 6)')).toEqual([
        { name: 'null' },
        { name: 'NULL' },
      ])
      const again = await folder.lading('load', 'more.csv', '--table', 't', '--again', '--null', 'null,NULL')
      expect(again.err).not.toContain('which often means')
      expect(folder.sql('SELECT count(*) AS n FROM t WHERE name IS NULL')).toEqual([{ n: 4 }])
    },
  )

  it('records that name their fields otherwise than the table are rejected all the same where a column lacks its value', async () => {
    const columns = '"Id" INTEGER, "Kind" TEXT, "Extra" TEXT NOT NULL, n INTEGER DEFAULT 7'
    await using folder = await folderOf(`CREATE TABLE events (${columns})`, {
      'a.ndjson': '{"id":1,"kind":"a"}\n{"id":2,"kind":"b"}\n',
    })
    expect((await folder.lading('load', 'a.ndjson', '--table', 'events')).code).toBe(3)
    expect(await rejectsOf(folder)).toEqual([
      [1, 'Extra', 'CONSTRAINT_NOT_NULL'],
      [2, 'Extra', 'CONSTRAINT_NOT_NULL'],
    ])
  })

  it('names its table by the file or by an option, and several files fill the same columns', async () => {
    await using folder = await folderOf(
      'CREATE TABLE order_lines (id INTEGER, note TEXT); CREATE TABLE "Order Lines" (id INTEGER); CREATE TABLE "a.b" (id INTEGER)',
      {
        'OrderLines.csv.gz': gzipSync('id,note\n1,x\n'),
        'Order Lines.csv': 'id\n2\n',
        'in/1.csv': 'id,note\n3,x\n',
        'in/2.csv': 'note,id\nx,4\n',
        'in/3.csv': 'id,Note\n5,x\n',
      },
    )
    for (const paths of [
      ['OrderLines.csv.gz'],
      ['Order Lines.csv'],
      ['in/1.csv', 'in/2.csv', '--table', 'order_lines'],
    ])
      expect((await folder.lading('load', ...paths)).code, paths.join(' ')).toBe(0)
    const quoted = await folder.run(['load', '-', '--table', '"a.b"'], { stdin: 'id\n6\n' })
    expect(quoted.code, quoted.err).toBe(0)
    expect(
      folder.sql('SELECT id FROM order_lines UNION SELECT id FROM "Order Lines" UNION SELECT id FROM "a.b"'),
    ).toEqual([1, 2, 3, 4, 6].map((id) => ({ id })))
    expectError(
      await folder.lading('load', 'in'),
      'USAGE',
      64,
      'there are 3 files: name the table with --table',
    )
    expectError(
      await folder.lading('load', 'in', '--table', 'order_lines'),
      'HEADER_MISMATCH',
      65,
      'the fields of in/3.csv fill other columns of table order_lines than those of in/1.csv',
    )
    for (const dry of [['--dry-run'], []])
      expectError(
        await folder.lading('load', 'in', '--table', 'new_lines', ...dry),
        'HEADER_MISMATCH',
        65,
        'the fields of in/3.csv fill other columns of table new_lines than those of in/1.csv',
      )
    expect(folder.sql("SELECT name FROM sqlite_schema WHERE name = 'new_lines'")).toEqual([])
    expectError(
      await folder.run(['load', '-'], { stdin: 'id\n1\n' }),
      'USAGE',
      64,
      'standard input names no table',
    )
    await folder.write('.csv', 'id\n1\n')
    expectError(await folder.lading('load', '.csv'), 'USAGE', 64, '.csv names no table: name it with --table')
    for (const option of ['--table', '--key', '--on-conflict'])
      expectError(
        await folder.lading('load', 'in/1.csv', '--model', 'records', option, 'skip'),
        'USAGE',
        64,
        `${option} and --model do not go together`,
      )
    expectError(
      await folder.lading('load', 'in/1.csv', '--table', 'a.b.c'),
      'USAGE',
      64,
      '--table is a name such as',
    )
  })
})
