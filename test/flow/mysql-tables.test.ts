/** Files go into tables of MariaDB, those that exist and those that are made, without a model, and no value is changed. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { load, openQueue, openSink, records } from '../../src/index.ts'
import { describeMariadb } from '../../tooling/servers/mariadb-database.ts'
import { Folder } from '../cli/run.ts'
import type { Row } from '../contract/sink/target.ts'
import { type MysqlTarget, openMysql } from '../sink/mysql-target.ts'
import { byKey, expectedReadings } from './known-rows.ts'

interface Reject {
  readonly line: number
  readonly column?: string
  readonly code: string
}

const rejectsOf = async (folder: Folder, { url }: MysqlTarget): Promise<unknown[]> =>
  (await folder.json<Reject[]>('rejects', 'list', '--to', url))
    .map(({ line, column = '', code }) => [line, column, code])
    .toSorted(([a], [b]) => Number(a) - Number(b))

const csv = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => `${row.map((cell) => (/[,"]/.test(cell) ? `"${cell}"` : cell)).join(',')}\n`).join('')

/** By column: its type, two values that it keeps, and some that it would change, each with the code of its reject. */
const columns: Readonly<Record<string, readonly [string, string, string, Readonly<Record<string, string>>]>> =
  {
    tiny: ['tinyint', '-128', '127', { '1.5': 'BAD_INTEGER', '128': 'VALUE_REFUSED' }],
    small: ['smallint', '-32768', '32767', { '32768': 'VALUE_REFUSED' }],
    middle: ['mediumint', '-8388608', '8388607', { '8388608': 'VALUE_REFUSED' }],
    whole: ['int', '0', '-2147483648', { '2147483648': 'OUT_OF_RANGE' }],
    positive: ['int unsigned', '0', '4294967295', { '-1': 'VALUE_REFUSED', '4294967296': 'VALUE_REFUSED' }],
    large: ['bigint unsigned', '18446744073709551615', '7', { '18446744073709551616': 'VALUE_REFUSED' }],
    money: ['decimal(5,2)', '999.99', '-0.50', { '1.005': 'PRECISION_LOST', '1000': 'OUT_OF_RANGE' }],
    rounded: ['double(10,2)', '0.25', '-99999999.99', { '0.125': 'PRECISION_LOST' }],
    accurate: ['double', '1e+300', '0.1', { NaN: 'BAD_NUMBER' }],
    single: ['float', '0.1', '8388.5', { '16777217': 'PRECISION_LOST' }],
    flag: ['tinyint(1)', '1', '0', { '2': 'BAD_BOOLEAN' }],
    lamp: ['bit(1)', '1', '0', { x: 'BAD_BOOLEAN' }],
    moment: [
      'datetime',
      '2024-02-29 10:00:00',
      '9999-12-31 23:59:59',
      { '2024-02-29 10:00:00.5': 'PRECISION_LOST', '0000-00-00 00:00:00': 'BAD_TIMESTAMP' },
    ],
    instant: [
      'timestamp(3) NULL',
      '2024-02-29 10:00:00.125Z',
      '2024-02-29T12:00:00+02:00',
      {
        '2024-02-29 10:00:00.1255Z': 'PRECISION_LOST',
        '2024-02-29 10:00:00': 'ZONE_MISSING',
        '2050-01-01 00:00:00Z': 'VALUE_REFUSED',
      },
    ],
    exact: [
      'datetime(6)',
      '2024-02-29 10:00:00.123456',
      '9999-12-31 23:59:59.000001',
      { x: 'BAD_TIMESTAMP' },
    ],
    clock: ['time', '24:00:00', '00:00:01', { '10:00:00.25': 'PRECISION_LOST' }],
    year: [
      'year',
      '2024',
      '1901',
      { '24': 'VALUE_REFUSED', '0024': 'VALUE_REFUSED', '0000': 'VALUE_REFUSED', '1900': 'VALUE_REFUSED' },
    ],
    fixed: ['char(3)', 'abc', ' a', { 'ab ': 'VALUE_REFUSED', abcd: 'TOO_LONG' }],
    latin: ['varchar(3) character set latin1', 'äöü', 'a  ', { ж: 'VALUE_REFUSED', 'a   ': 'TOO_LONG' }],
    longer: ['mediumtext', 'x'.repeat(300), '', {}],
    short: ['tinytext', 'x'.repeat(255), '', { ['ä'.repeat(128)]: 'VALUE_REFUSED' }],
    state: ["enum('open','it''s','1')", 'open', '1', { '2': 'BAD_ENUM', OPEN: 'BAD_ENUM' }],
    sign: ["enum('\\','\\n')", '\\', '\\n', { '\\\\': 'BAD_ENUM' }],
    tags: ["set('a','b')", 'a,b', 'b', { 'a,c': 'VALUE_REFUSED', '1': 'VALUE_REFUSED' }],
    two: ['binary(2)', '\\xab00', '\\x0001', { '\\xab': 'VALUE_REFUSED' }],
    some: ['varbinary(2)', '\\x61', '\\x62', { '\\x000102': 'VALUE_REFUSED', x: 'BAD_BYTES' }],
    bytes1: ['tinyblob', '\\x61', '\\x62', { x: 'BAD_BYTES' }],
    bytes2: ['blob', '\\x61', '\\x62', { x: 'BAD_BYTES' }],
    bytes3: ['mediumblob', '\\x61', '\\x62', { x: 'BAD_BYTES' }],
    bytes4: ['longblob', '\\x61', '\\x62', { x: 'BAD_BYTES' }],
    document: ['json', '{"a": 1e400}', '[]', { '{': 'BAD_JSON' }],
    old: ['inet4', '127.0.0.1', '255.255.255.255', { '::1': 'VALUE_REFUSED' }],
    address: ['inet6', '::1', '2001:db8::ff00:42:8329', { 'x:y': 'VALUE_REFUSED' }],
    name: [
      'uuid',
      '0189d9f5-7c3a-7cc0-9d47-3a2b1c0d9e8f',
      '7d444840-9dc0-11d1-b245-5ffdce74fad2',
      { x: 'BAD_UUID' },
    ],
  }

const names = Object.keys(columns)
const plain = [1, 2].map((at) => names.map((name) => (columns[name] as readonly string[])[at] as string))

describeMariadb('a file into a table of MariaDB', () => {
  it('that exists keeps each value as the file has it, and refuses what the column would round, cut or fill up', async () => {
    await using target = await openMysql()
    const bad = names.flatMap((name, at) =>
      Object.entries((columns[name] as (typeof columns)[string])[3]).map(([value, code]) => ({
        name,
        at,
        value,
        code,
      })),
    )
    const declared = names.map((name) => `${name} ${columns[name]?.[0]}`)
    await target.query(
      `CREATE TABLE things (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, ${declared.join(', ')},
         twice bigint GENERATED ALWAYS AS (whole * 2) STORED, made timestamp DEFAULT current_timestamp)`,
    )
    const rows = [...plain, ...bad.map(({ at, value }) => (plain[0] as string[]).with(at, value))]
    const quoted = rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(','))
    await using folder = await Folder.make({ 'things.csv': `${[names.join(), ...quoted].join('\n')}\n` })
    const run = await folder.lading('load', 'things.csv', '--to', target.url)
    expect(await rejectsOf(folder, target)).toEqual(
      bad.map(({ name, code }, index) => [index + 4, name, code]),
    )
    expect([run.code, run.out], run.err).toEqual([3, expect.stringContaining('this run loaded 2 records\n')])
    const stored = await target.query(`SELECT *, hex(two) AS two, lamp + 0 AS lamp FROM things ORDER BY id`)
    expect(stored.map(({ twice }) => Number(twice))).toEqual([0, -4294967296])
    const shown = ({ moment, instant, year, ...row }: Row) =>
      names.map((name) => String({ moment, instant, year, ...row }[name]))
    const [first = {}, second = {}] = stored
    const differing = (row: Row, given: readonly string[] = []) =>
      Object.fromEntries(
        names.flatMap((name, at) => (shown(row)[at] === given[at] ? [] : [[name, shown(row)[at]]])),
      )
    const bytes = ['some', 'bytes1', 'bytes2', 'bytes3', 'bytes4']
    const allBytes = (value: string) => Object.fromEntries(bytes.map((name) => [name, value]))
    expect(differing(first, plain[0])).toEqual({
      ...allBytes('a'),
      instant: '2024-02-29 10:00:00.125',
      two: 'AB00',
    })
    expect(differing(second, plain[1])).toEqual({
      ...allBytes('b'),
      instant: '2024-02-29 10:00:00.000',
      two: '0001',
    })
  })

  it('takes objects that lack a column of a type that is not written, and rejects those that have it', async () => {
    await using target = await openMysql()
    await target.query('CREATE TABLE items (id int PRIMARY KEY, more bit(8), "Some Text" text)')
    await using folder = await Folder.make({
      'items.ndjson':
        '{"id":1,"some_text":"a"}\n{"id":2,"some_text":"b","more":1}\n{"id":3,"some_text":"c"}\n',
    })
    const run = await folder.lading('load', 'items.ndjson', '--to', target.url)
    expect(run.code, run.err).toBe(3)
    expect(await rejectsOf(folder, target)).toEqual([[2, '', 'EXTRA_FIELD']])
    expect(await target.query('SELECT id, more, "Some Text" AS text FROM items ORDER BY id')).toEqual([
      { id: 1, more: null, text: 'a' },
      { id: 3, more: null, text: 'c' },
    ])
  })

  it('that is made has the types that its records need, and a second file of it finds them again', async () => {
    await using target = await openMysql()
    const header = ['id', 'at', 'day', 'price', 'open', 'ref', 'note']
    const row = (id: string) => [
      id,
      '2024-03-31T02:30:00+02:00',
      '2024-02-29',
      '12.50',
      'true',
      '01234567-89ab-cdef-0123-456789abcdef',
      `n"${id}`,
    ]
    await using folder = await Folder.make({
      'orders-1.csv': csv([header, row('1'), row('2')]).replaceAll('n"', 'n'),
      'orders-2.csv': csv([header, row('3')]).replaceAll('n"', 'n'),
    })
    for (const file of ['orders-1.csv', 'orders-2.csv']) {
      const run = await folder.lading('load', file, '--table', 'orders', '--key', 'id', '--to', target.url)
      expect(run.code, run.err).toBe(0)
    }
    const types = await target.query(
      "SELECT column_name AS name, column_type AS type, column_comment AS note FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'orders' ORDER BY ordinal_position",
    )
    expect(types.map(({ name, type, note }) => `${name} ${type} ${note}`.trim())).toEqual([
      'id int(11)',
      'at datetime(6) timestamptz (UTC)',
      'day date',
      'price decimal(12,2)',
      'open tinyint(1)',
      'ref char(36) uuid',
      'note longtext',
    ])
    expect(await target.query('SELECT id, at FROM orders ORDER BY id')).toEqual(
      [1, 2, 3].map((id) => ({ id, at: '2024-03-31 00:30:00.000000' })),
    )
  })

  it.for([
    [
      'MyISAM',
      'CREATE TABLE items (id int PRIMARY KEY) ENGINE=MyISAM',
      /engine is MyISAM.*ALTER TABLE `items` ENGINE=InnoDB/,
    ],
    ['a view', 'CREATE VIEW items AS SELECT 1 AS id', /it is a view/],
    ['a geometry', 'CREATE TABLE items (id point)', /column id: it is point/],
    ['a sequence', 'CREATE SEQUENCE items', /does not fit table items/],
  ] as const)('that cannot hold its rows is refused with one sentence: %s', async ([, sql, problem]) => {
    await using target = await openMysql()
    await target.query(sql)
    await using folder = await Folder.make({ 'items.csv': 'id\n1\n' })
    const run = await folder.lading('load', 'items.csv', '--to', target.url)
    expect([run.code, run.err]).toEqual([78, expect.stringMatching(problem)])
  })

  it('is loaded, corrected and looked at by a user with the rights that the page states', async () => {
    await using target = await openMysql()
    const user = `'u${target.url.slice(-20)}'@'%'`
    const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'mysql.md'), 'utf8')
    const grants = Array.from(page.matchAll(/^GRANT .* ON shop\.\* TO .*;$/gm), ([grant]) =>
      grant.replace('shop.*', '*').replace("loader@'%'", user),
    )
    expect(grants).toHaveLength(3)
    await target.query(`CREATE USER ${user} IDENTIFIED BY 'pw'; ${grants.join(' ')}`)
    try {
      const url = Object.assign(new URL(target.url), {
        username: `u${target.url.slice(-20)}`,
        password: 'pw',
      })
      await using folder = await Folder.make({ 'a.csv': 'id,note\n1,x\n2,y\n', 'b.csv': 'id,note\n2,z\n' })
      for (const more of [['a.csv'], ['b.csv', '--on-conflict', 'update']]) {
        const run = await folder.lading('load', ...more, '--table', 'items', '--key', 'id', '--to', url.href)
        expect(run.code, run.err).toBe(0)
      }
      expect(await target.query('SELECT note FROM items ORDER BY id')).toEqual([{ note: 'x' }, { note: 'z' }])
      await target.query(
        'CREATE TABLE kinds (id INT PRIMARY KEY); INSERT INTO kinds VALUES (2); DELETE FROM items WHERE id = 1; ALTER TABLE items ADD FOREIGN KEY (id) REFERENCES kinds (id)',
      )
      const replaced = await folder.lading('load', 'b.csv', '--replace', '--table', 'items', '--to', url.href)
      expect(replaced.out, replaced.err).toContain('replaced 1 row of table items by 1')
      expect((await folder.lading('verify', '--to', url.href)).code).toBe(0)
    } finally {
      await target.query(`DROP USER ${user}`)
    }
  })

  it('the ten files give exactly the fifty known rows, and nothing the second time', async () => {
    await using target = await openMysql()
    const folder = await mkdtemp(join(tmpdir(), 'lading-records-'))
    try {
      const expected = await expectedReadings()
      for (const loadedNow of [50, 0]) {
        await using queue = await openQueue(`embedded:${join(folder, 'queue.db')}`)
        await using sink = await openSink(target.url)
        const paths = [join(import.meta.dirname, '..', 'fixtures', 'records')]
        const result = await load({ paths, model: records, queue, sink, statePath: join(folder, 'state.db') })
        expect(result.loadedNow).toBe(loadedNow)
        const rows = await target.query('SELECT * FROM records')
        const readings = rows.map(({ record_time, sensor_id, value }) => ({
          instant: Date.parse(`${String(record_time).replace(' ', 'T')}Z`),
          sensor: String(sensor_id),
          value: Number(value),
        }))
        expect(readings.sort(byKey)).toEqual(expected)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
