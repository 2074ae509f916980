import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  boolean,
  bytea,
  custom,
  date,
  integer,
  json,
  numeric,
  text,
  timestamptz,
  uuid,
} from '../../src/model/columns.ts'
import { defineModel, modelOf } from '../../src/model/model.ts'
import { modelOfTable } from '../../src/model/of-table.ts'
import { duckdb as address } from '../../src/sink/duckdb/address.ts'
import { DuckdbSink, openDuckdb as openDuckdbUrl } from '../../src/sink/duckdb/duckdb.ts'
import { sinkError } from '../../src/sink/duckdb/errors.ts'
import { sqlSinkContract } from '../contract/sink/sink.ts'
import { allRejects, applied, batchOf, duplicate, encode, numbers, write } from '../contract/sink/target.ts'
import { queryDuckdb } from '../support/duckdb.ts'
import { type DuckdbTarget, openDuckdb } from './duckdb-target.ts'

sqlSinkContract('DuckDB', openDuckdb)

const holder = join(import.meta.dirname, '..', 'support', 'processes', 'duckdb-holder.ts')

const items = {
  table: 'items',
  columns: { id: integer().notNull(), note: text() },
  primaryKey: ['id'],
} as const
const model = defineModel(items)

const codes = async (sink: DuckdbSink) => (await allRejects(sink)).map(({ record, code }) => [record, code])

describe('DuckDB', { timeout: 120_000 }, () => {
  it('a file that another process has open is refused by one sentence that names the process', async () => {
    await using target = await openDuckdb()
    const child = fork(holder, [target.path])
    try {
      await once(child, 'message')
      await using sink = new DuckdbSink(target.path)
      await expect(sink.prepare(model)).rejects.toMatchObject({
        code: 'SINK_BUSY',
        message: expect.stringMatching(new RegExp(`open in another process .*${child.pid}.* even to read`)),
      })
      child.kill('SIGKILL')
      await once(child, 'exit')
      await sink.prepare(model)
      expect(await write(sink, model, [{ key: 'a', records: [['1', 'x']] }])).toEqual([applied(1)])
    } finally {
      child.kill('SIGKILL')
    }
  })

  it('sinks of one process share the file, and the last one closes it for others', async () => {
    await using target = await openDuckdb()
    const [one, other] = [
      new DuckdbSink(target.path),
      new DuckdbSink(join(dirname(target.path), '.', 'target.duckdb')),
    ]
    await one.prepare(model)
    await other.prepare(model)
    await one[Symbol.asyncDispose]()
    expect(await write(other, model, [{ key: 'a', records: [['1', 'x']] }])).toEqual([applied(1)])
    await other[Symbol.asyncDispose]()
    const child = fork(holder, [target.path])
    expect(await once(child, 'message')).toEqual(['open', undefined])
    child.kill('SIGKILL')
    await once(child, 'exit')
  })

  it('rows come back as they were, wherever a run of them begins and whatever their columns hold', async () => {
    await using target = await openDuckdb()
    await using sink = new DuckdbSink(target.path)
    const columns = {
      id: integer().notNull(),
      a: numeric(4, 2),
      b: numeric(9, 3),
      c: numeric(18, 0),
      d: numeric(38, 10),
      note: text(),
      yes: boolean(),
      day: date(),
      at: timestamptz(),
      own: uuid(),
      raw: bytea(),
      doc: json(),
    }
    const wide = defineModel({ table: 'wide', columns })
    await sink.prepare(wide)
    const row = (id: number): (string | null)[] => {
      const sign = id % 2 === 0 ? '-' : ''
      const all = [
        `${sign}${1 + (id % 99)}.${id % 10}`,
        `${sign}${id}.125`,
        `${sign}${10n ** 17n + BigInt(id)}`,
        `${sign}${10n ** 27n + BigInt(id)}.0000000001`,
        'ä'.repeat(id % 15),
        `${id % 3 === 0}`,
        '1850-01-02',
        '9999-12-31T23:59:59.999999Z',
        '01234567-89ab-cdef-0123-456789abcdef',
        `\\x00ff${'ab'.repeat(id % 20)}`,
        `{"n": ${id}}`,
      ]
      return [`${id}`, ...all.map((value, index) => ((id + index) % 7 === 0 ? null : value))]
    }
    const part = (key: string, first: number, count: number) => ({
      key,
      records: Array.from({ length: count }, (_, index) => row(first + index)),
    })
    const batch = [part('a', 0, 2051), part('b', 2051, 13), part('c', 2064, 2500)]
    await write(sink, wide, [batch[1] as (typeof batch)[0]])
    expect(await write(sink, wide, batch)).toEqual([applied(2051), duplicate, applied(2500)])
    const rows = await queryDuckdb(
      target.path,
      `SELECT id::VARCHAR, a::VARCHAR, b::VARCHAR, c::VARCHAR, d::VARCHAR, note, yes::VARCHAR, day::VARCHAR,
        strftime("at" AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ'), own::VARCHAR, '\\x' || lower(hex(raw)), doc::VARCHAR FROM wide ORDER BY id`,
    )
    const padded = (value: string | null | undefined, index: number) =>
      index === 1 && typeof value === 'string' ? `${value}0` : value
    for (const [id, found] of rows.entries()) expect(Object.values(found)).toEqual(row(id).map(padded))
    expect(rows).toHaveLength(4564)
  })

  it('a row that only an attempt shows to be refused is found, and costs no other', async () => {
    await using target = await openDuckdb()
    await using sink = new DuckdbSink(target.path)
    await target.query(
      'CREATE TABLE items (id INTEGER PRIMARY KEY, note VARCHAR CHECK (CAST(note AS INTEGER) > 0))',
    )
    await sink.prepare(model)
    const records = Array.from({ length: 40 }, (_, id) => [
      `${id}`,
      id === 7 || id === 30 ? 'x' : id === 12 ? '0' : '1',
    ])
    expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(37, 3)])
    expect(await codes(sink)).toEqual([
      [7, 'CONSTRAINT_CHECK'],
      [12, 'CONSTRAINT_CHECK'],
      [30, 'CONSTRAINT_CHECK'],
    ])
  })

  it('a row for which the expression of a unique index fails is a reject without its value, and costs no other', async () => {
    await using target = await openDuckdb()
    await using sink = new DuckdbSink(target.path)
    await target.query(
      'CREATE TABLE items (id INTEGER PRIMARY KEY, note VARCHAR); CREATE UNIQUE INDEX number ON items ((CAST(note AS INTEGER)))',
    )
    await sink.prepare(model)
    const records = [
      ['1', '5'],
      ['2', "it's secret"],
      ['3', '05'],
      ['4', '6'],
    ]
    expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(2, 2)])
    expect(await codes(sink)).toEqual([
      [1, 'VALUE_REFUSED'],
      [2, 'CONSTRAINT_UNIQUE'],
    ])
    expect(JSON.stringify((await allRejects(sink)).map(({ detail }) => detail))).not.toMatch(/secret|it's/)
  })

  it('an error of DuckDB is told without the values that it quotes', () => {
    const messages = [
      `Conversion Error: Could not convert string 'it's secret' to INT32`,
      `Conversion Error: Could not convert string 'a\nsecret' to INT32\n\nLINE 1: SELECT 'secret'`,
      `Conversion Error: invalid date field format: "secret", expected format is (YYYY-MM-DD)`,
      `Conversion Error: Type VARCHAR with value secret can't be cast because the value is out of range`,
      `Constraint Error: Duplicate key "note: secret" violates unique constraint`,
    ]
    for (const message of messages) {
      const told = sinkError(new Error(message), 'a.duckdb').message
      expect(told).toMatch(/^DuckDB a\.duckdb: \w+ Error: /)
      expect(told).not.toMatch(/secret/)
    }
    expect(sinkError(new Error('IO Error: Can\'t find "a b"\nmore'), 'a').message).toBe(
      'DuckDB a: IO Error: Can\'t find "a b"',
    )
  })

  it('columns that the table computes are known as such, whatever their types', async () => {
    await using target = await openDuckdb()
    await using sink = new DuckdbSink(target.path)
    await target.query(
      `CREATE TABLE items (id INTEGER, plain DECIMAL(10, 2) DEFAULT 1, price DECIMAL(10, 2) GENERATED ALWAYS AS (id * 2),
        "a b" INTEGER[] GENERATED ALWAYS AS ([id, id]), pair STRUCT(p INTEGER, q INTEGER) GENERATED ALWAYS AS ({'p': id, 'q': 3}))`,
    )
    const facts = await sink.table({ table: 'items' })
    expect(facts?.columns.map(({ generated }) => generated)).toEqual([false, false, true, true, true])
  })

  it('a unique index on an expression refuses a row, and two of a batch', async () => {
    await using target = await openDuckdb()
    await using sink = new DuckdbSink(target.path)
    await target.query(
      `CREATE TABLE items (id INTEGER PRIMARY KEY, note VARCHAR); CREATE UNIQUE INDEX lower_note ON items (lower(note)); INSERT INTO items VALUES (0, 'Old')`,
    )
    await sink.prepare(model)
    const records = [
      ['1', 'OLD'],
      ['2', 'new'],
      ['3', 'New'],
      ['4', null],
    ]
    expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(2, 2)])
    expect(await numbers(target, 'items')).toEqual([0, 2, 4])
  })

  it('a unique index on an expression may decide what a record takes the place of', async () => {
    await using target = await openDuckdb()
    await using sink = new DuckdbSink(target.path)
    await target.query(
      `CREATE TABLE items (id INTEGER, note VARCHAR); CREATE UNIQUE INDEX lower_note ON items (lower(note)); INSERT INTO items VALUES (0, 'Old')`,
    )
    const facts = await sink.table({ table: 'items' })
    if (facts === undefined) throw new Error('no table')
    expect(facts.keys).toMatchObject([
      { name: 'lower_note', columns: ['note'], expressions: ['(lower(note))'] },
    ])
    const { model: derived } = modelOfTable(facts, ['id', 'note'], {
      key: ['lower_note'],
      onConflict: 'update',
    })
    if (derived === undefined) throw new Error('no model')
    await sink.prepare(derived)
    const records = [
      ['1', 'OLD'],
      ['2', 'new'],
      ['3', 'New'],
    ]
    expect(await write(sink, derived, [{ key: 'a', records }])).toEqual([applied(3)])
    expect(await target.query('SELECT * FROM items ORDER BY id')).toEqual([
      { id: 1, note: 'OLD' },
      { id: 3, note: 'New' },
    ])
  })

  it('a column that has the name by which rows are numbered is one like others', async () => {
    await using target = await openDuckdb()
    await using sink = new DuckdbSink(target.path)
    await target.query(
      `CREATE TABLE items (id INTEGER PRIMARY KEY, lading_n INTEGER DEFAULT 7, note VARCHAR, CHECK (lading_n > 5 AND note <> 'bad'))`,
    )
    await sink.prepare(model)
    const records = [
      ['1', 'good'],
      ['2', 'bad'],
    ]
    expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(1, 1)])
  })

  it('rows that are encoded into the memory of others have nothing of them', async () => {
    await using target = await openDuckdb()
    await using sink = new DuckdbSink(target.path)
    await sink.prepare(model)
    const before = [
      ['7', 'of a batch before'],
      ['8', 'of it too'],
    ]
    const batch = batchOf(sink, model, [{ key: 'a', records: before }])
    const again = (...notes: readonly (string | null)[]) => {
      batch.rows.clear()
      encode(
        batch.rows,
        model,
        notes.map((note, index) => [`${index + 1}`, note]),
      )
    }
    again(null, 'y')
    again('x', null)
    expect(await sink.write(batch)).toEqual([applied(2)])
    expect(await target.query('SELECT * FROM items ORDER BY id')).toEqual([
      { id: 1, note: 'x' },
      { id: 2, note: null },
    ])
  })

  it('a table that is gone stops the load', async () => {
    await using target = await openDuckdb()
    await using sink = new DuckdbSink(target.path)
    await sink.prepare(model)
    await target.query('DROP TABLE items')
    await sink.prepare()
    const written = (async () => write(sink, model, [{ key: 'a', records: [['1', 'x']] }]))()
    await expect(written).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: 'there is no table items',
    })
  })

  it.for<readonly [string, ReturnType<typeof modelOf>, RegExp]>([
    [
      'CREATE TABLE items (id INTEGER, twice INTEGER GENERATED ALWAYS AS (id * 2))',
      defineModel({ table: 'items', columns: { id: integer(), twice: integer() } }),
      /column twice is computed by the table itself \(leave it out of the model\)/,
    ],
    [
      'CREATE TABLE items (tags VARCHAR[])',
      defineModel({ table: 'items', columns: { tags: custom('VARCHAR[]') } }),
      /column tags is VARCHAR\[\], and Lading writes no nested values/,
    ],
    [
      'CREATE TABLE items (price DECIMAL(10, 2))',
      defineModel({ table: 'items', columns: { price: numeric(12, 2) } }),
      /column price is DECIMAL\(10,2\), the model needs DECIMAL\(12, ?2\) \(write numeric\(10, 2\)\)/,
    ],
    [
      'CREATE TABLE items (tiny TINYINT NOT NULL, tags VARCHAR[] NOT NULL, day DATE NOT NULL, n INTEGER)',
      defineModel({ table: 'items', columns: { n: integer() } }),
      /tiny .*\(give it a DEFAULT, or load without.*tags .*\(give it a DEFAULT\).*day .*\(write day: date\(\)\.notNull\(\), or/s,
    ],
    [
      'CREATE TABLE other (id INTEGER)',
      defineModel({
        table: 'items',
        columns: { id: integer().notNull(), doc: json() },
        primaryKey: ['id'],
        onConflict: 'update',
        version: 'doc',
      }),
      /column doc is json, which is compared as text \(10 would be smaller than 9\), so it cannot be the version/,
    ],
  ])('a table and a model that do not fit are told why: %s', async ([sql, wanted, problem]) => {
    await using target = await openDuckdb()
    await target.query(sql)
    await using sink = new DuckdbSink(target.path)
    await expect(sink.prepare(wanted)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(problem),
    })
  })

  it('numbers go into columns with room for each of them', async () => {
    await using target = await openDuckdb()
    await target.query('CREATE TABLE items (a DECIMAL(12, 4), b VARCHAR)')
    await using sink = new DuckdbSink(target.path)
    const roomy = defineModel({ table: 'items', columns: { a: numeric(8, 2), b: numeric(8, 2) } })
    await sink.prepare(roomy)
    await write(sink, roomy, [{ key: 'a', records: [['123456.78', '-0.5']] }])
    expect(await target.query('SELECT a::VARCHAR AS a, b FROM items')).toEqual([
      { a: '123456.7800', b: '-0.50' },
    ])
  })

  it.for([
    ['ENOSPC', 'SINK_HOLD'],
    ['EACCES', 'SINK_REFUSED'],
    ['EIO', 'SINK_UNAVAILABLE'],
  ])('what the file system says is told by what cures it: %s', ([code, expected]) => {
    const error = Object.assign(new Error('no'), { code, syscall: 'open' })
    expect(sinkError(error, 'a.duckdb')).toMatchObject({ code: expected })
  })

  it('a URL without a path is refused, and what makes the file smaller does', async () => {
    expect(() => openDuckdbUrl('duckdb:')).toThrow(expect.objectContaining({ code: 'USAGE' }))
    await using target = await openDuckdb()
    const path = join(dirname(target.path), "it's.duckdb")
    {
      await using sink = new DuckdbSink(path)
      await sink.prepare(model)
      await write(sink, model, [{ key: 'a', records: [['1', 'x']] }])
    }
    const smaller = join(dirname(target.path), 'smaller.duckdb')
    const statements = /-c "(.*)"$/.exec(address.space?.(path) ?? '')?.[1] ?? ''
    await queryDuckdb(':memory:', statements.replace('smaller.duckdb', smaller))
    expect(await queryDuckdb(smaller, 'SELECT * FROM items')).toEqual([{ id: 1, note: 'x' }])
  })

  it('what a column of an existing table would change or refuse is a reject, and the rest is exact', async () => {
    await using target = await openDuckdb()
    await target.query(
      `CREATE TYPE mood AS ENUM ('good', 'it''s');
       CREATE TABLE items (id TINYINT, small UINTEGER, big UBIGINT, huge HUGEINT, seconds TIMESTAMP_S, mood mood, real FLOAT, price DECIMAL(10, 2),
         short SMALLINT, tiny UTINYINT, middle USMALLINT, vast UHUGEINT, milli TIMESTAMP_MS, nano TIMESTAMP_NS, bits BIT, more INTEGER DEFAULT 7)`,
    )
    await using sink = new DuckdbSink(target.path)
    const facts = await sink.table({ table: 'items' })
    if (facts === undefined) throw new Error('no table')
    const more = ['short', 'tiny', 'middle', 'vast', 'milli', 'nano', 'bits']
    const fields = ['id', 'small', 'big', 'huge', 'seconds', 'mood', 'real', 'price', ...more]
    const { model: derived, problems } = modelOfTable(facts, fields)
    expect(problems).toEqual([])
    if (derived === undefined) throw new Error('no model')
    await sink.prepare(derived)
    const good = [
      '-128',
      '4294967295',
      '18446744073709551615',
      `-${10n ** 37n}`,
      '2024-01-01 00:00:01',
      "it's",
      '0.1',
      '99999999.99',
      '-32768',
      '255',
      '65535',
      `${10n ** 37n}`,
      '2024-01-01 00:00:01.125',
      '2024-01-01 00:00:01.123456',
      '0101',
    ]
    const bad = (index: number, value: string) => good.with(index, value)
    const records = [
      good,
      bad(0, '128'),
      bad(1, '-1'),
      bad(2, '18446744073709551616'),
      bad(4, '2024-01-01 00:00:01.5'),
      bad(8, '32768'),
      bad(9, '256'),
      bad(10, '-1'),
      bad(11, '-1'),
      bad(12, '2024-01-01 00:00:01.1255'),
      bad(14, 'x'),
      good.map(() => null),
    ]
    expect(await write(sink, derived, [{ key: 'a', records }])).toEqual([applied(2, 10)])
    expect((await codes(sink)).every(([, code]) => code === 'VALUE_REFUSED')).toBe(true)
    const [row] = await queryDuckdb(
      target.path,
      'SELECT CAST(COLUMNS(*) AS VARCHAR) FROM items WHERE id IS NOT NULL',
    )
    expect(Object.values(row ?? {})).toEqual([
      ...good.slice(0, 4),
      '2024-01-01 00:00:01',
      ...good.slice(5),
      '7',
    ])
  })

  it('a text of which DuckDB would cut, round or complete the value is a reject', async () => {
    await using target = await openDuckdb()
    await target.query(
      'CREATE TABLE items (big BIGNUM, span INTERVAL, fine TIME_NS, zoned TIME WITH TIME ZONE)',
    )
    await using sink = new DuckdbSink(target.path)
    const facts = await sink.table({ table: 'items' })
    if (facts === undefined) throw new Error('no table')
    const { model: derived } = modelOfTable(facts, ['big', 'span', 'fine', 'zoned'])
    if (derived === undefined) throw new Error('no model')
    await sink.prepare(derived)
    const good = [`-1${'0'.repeat(60)}`, '1 day 00:00:00.000001', '10:00:00.123456789', '10:00:00.123456+02']
    expect(await write(sink, derived, [{ key: 'a', records: [good] }])).toEqual([applied(1)])
    const changed = ['1.5', '1.0000001 seconds', '10:00:00.1234567891', '10:00:00']
    for (const [index, value] of [...changed, '10:00:00.1234567+02'].entries())
      expect(() =>
        write(sink, derived, [{ key: value, records: [good.with(Math.min(index, 3), value)] }]),
      ).toThrow(/VALUE_REFUSED/)
    const rows = await target.query('SELECT CAST(COLUMNS(*) AS VARCHAR) FROM items')
    expect(rows.map((row) => Object.values(row))).toEqual([good])
  })

  it('nested columns are refused by name, unless the file has none of them', async () => {
    await using target = await openDuckdb()
    await target.query('CREATE TABLE items (id INTEGER, tags VARCHAR[], pair STRUCT(a INTEGER, b INTEGER))')
    await using sink = new DuckdbSink(target.path)
    const facts = await sink.table({ table: 'items' })
    if (facts === undefined) throw new Error('no table')
    expect(modelOfTable(facts, ['id', 'tags']).problems).toEqual([
      expect.stringMatching(
        /^field tags is column tags: it is VARCHAR\[\].*\(--ignore-extra leaves it out\)$/,
      ),
    ])
    for (const fields of [['id'], undefined]) {
      const { model: derived } = modelOfTable(facts, fields)
      if (derived === undefined) throw new Error('no model')
      await sink.prepare(derived)
      expect(await write(sink, derived, [{ key: `${fields}`, records: [['1']] }])).toEqual([applied(1)])
    }
  })

  it('text that DuckDB would round into a number is refused when the table is prepared', async () => {
    await using target = await openDuckdb()
    await using sink = new DuckdbSink(target.path)
    const rounding = modelOf({
      ...model,
      columns: defineModel({ table: 'x', columns: { id: custom('integer') } }).columns,
      primaryKey: [],
    })
    await expect(sink.prepare(rounding)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/round.*integer\(\)/),
    })
  })

  it('keys that are compared as text, and a name that hides the number of a row, are refused', async () => {
    await using target = await openDuckdb()
    await using sink = new DuckdbSink(target.path)
    const columns = { id: numeric().notNull() }
    await expect(
      sink.prepare(defineModel({ table: 'a', columns, primaryKey: ['id'] })),
    ).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' })
    const hiding = defineModel({ table: 'b', columns: { rowid: integer() } })
    await expect(sink.prepare(hiding)).rejects.toMatchObject({ message: expect.stringMatching(/rowid/) })
  })

  it('a file that is no database is refused and stays as it is; a folder cannot be opened; a missing folder is made', async () => {
    await using target = await openDuckdb()
    const folder = dirname(target.path)
    await writeFile(join(folder, 'notes.txt'), 'not a database, '.repeat(1000))
    await mkdir(join(folder, 'folder'))
    await using notes = new DuckdbSink(join(folder, 'notes.txt'))
    await expect(notes.prepare()).rejects.toMatchObject({ code: 'SINK_CORRUPT' })
    await using directory = new DuckdbSink(join(folder, 'folder'))
    await expect(directory.prepare()).rejects.toMatchObject({ code: 'SINK_REFUSED' })
    await using made = new DuckdbSink(join(folder, 'a', 'b', 'new.duckdb'))
    await made.prepare(model)
  })

  it.for([
    ['orders.csv', 'x,y\n1,2\n'],
    ['orders.json', '{"x": 1}\n'],
    ['orders.json.gz', '{"x": 1, "y": 2, "z": 3}\n'],
    ['orders.parquet', 'PAR1, and more, PAR1'],
    ['empty.csv', ''],
    ['empty.duckdb', ''],
    ['other.db', `SQLite format 3\0${'\0'.repeat(5000)}`],
  ] as const)(
    '%s, which is another file, is refused at once, not loaded into memory',
    async ([name, content]) => {
      await using target = await openDuckdb()
      const path = join(dirname(target.path), name)
      await writeFile(path, content)
      for (const isGuest of content === '' ? [false] : [false, true]) {
        await using sink = new DuckdbSink(path, { isGuest })
        const message = expect.stringMatching(
          /SQLite database \(--to sqlite:|no DuckDB database|not a valid DuckDB/,
        )
        await expect(sink.prepare()).rejects.toMatchObject({ code: 'SINK_CORRUPT', message })
      }
      expect(await readFile(path, 'utf8')).toBe(content)
    },
  )

  it('a new file is a database whatever its name, and is found again', async () => {
    await using target = await openDuckdb()
    for (const _ of [1, 2]) {
      await using sink = new DuckdbSink(join(dirname(target.path), 'new.csv'))
      await sink.prepare(model)
    }
  })

  describe('after a process was killed that wrote to the file', () => {
    const killed = join(import.meta.dirname, '..', 'support', 'processes', 'duckdb-killed.ts')

    /** Its indexes are on the disk, and what the killed process has written is in the log alone. */
    async function written(): Promise<DuckdbTarget> {
      const target = await openDuckdb()
      {
        await using sink = new DuckdbSink(target.path)
        await sink.prepare(model)
        await target.query('CREATE UNIQUE INDEX items_note ON items (note)')
        expect(await write(sink, model, [{ key: 'a', records: [['1', 'x']] }])).toEqual([applied(1)])
      }
      expect(await once(fork(killed, [target.path]), 'exit')).toEqual([null, 'SIGKILL'])
      return target
    }

    it('the tables that it has just made are there, with the types that they note and the defaults', async () => {
      await using target = await openDuckdb()
      const made = join(import.meta.dirname, '..', 'support', 'processes', 'duckdb-made.ts')
      expect(await once(fork(made, [target.path]), 'exit')).toEqual([null, 'SIGKILL'])
      await target.query('INSERT INTO noted (id) VALUES (1)')
      expect(
        await queryDuckdb(
          target.path,
          "SELECT id, price, code, document->>'a' AS a, hex(bytes) AS bytes FROM noted",
        ),
      ).toEqual([{ id: 1, price: null, code: 'x', a: '1', bytes: '00FF27' }])
      await using sink = new DuckdbSink(target.path)
      await sink.prepare()
      expect(await sink.ledger.receipts({})).toEqual([])
    })

    it('a program that looks at the file takes nothing from the ledger', async () => {
      await using target = await written()
      expect(await queryDuckdb(target.path, 'SELECT count(*)::INTEGER AS n FROM items')).toEqual([{ n: 2 }])
      await using sink = new DuckdbSink(target.path)
      await sink.prepare(model)
      const again = [{ key: 'b', records: [['2', 'y']] }]
      expect(await write(sink, model, again)).toEqual([duplicate])
    })

    it('an index that lacks rows since a program looked at the file is named, and can be made again', async () => {
      await using target = await written()
      await target.query('SELECT count(*) FROM lading_load')
      await using sink = new DuckdbSink(target.path)
      const updating = defineModel({ ...items, onConflict: 'update' })
      await sink.prepare(updating)
      const change = () => write(sink, updating, [{ key: 'c', records: [['2', 'z']] }])
      await expect(change()).rejects.toMatchObject({
        code: 'SCHEMA_MISMATCH',
        message: expect.stringMatching(/an index of the table lacks rows; drop it/),
      })
      await target.query('DROP INDEX items_note; CREATE UNIQUE INDEX items_note ON items (note)')
      expect(await change()).toEqual([applied(1)])
    })

    it('a command that only reads leaves the indexes of the table as they are', async () => {
      await using target = await written()
      {
        await using sink = new DuckdbSink(target.path)
        expect(await sink.ledger.receipts({})).toEqual([])
      }
      const again = queryDuckdb(target.path, "INSERT INTO items VALUES (3, 'y')")
      await expect(again).rejects.toThrow(/Duplicate key/)
    })
  })

  it('a database in memory belongs to its sink', async () => {
    await using one = new DuckdbSink(':memory:')
    await using other = new DuckdbSink(':memory:')
    for (const sink of [one, other]) await sink.prepare(model)
    expect(await write(one, model, [{ key: 'a', records: [['1', 'x']] }])).toEqual([applied(1)])
    expect(await other.isEmpty(model)).toBe(true)
  })
})
