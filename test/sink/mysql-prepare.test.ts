/** What MariaDB's catalogue says against a model before a row is written, and what may be made again. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  boolean,
  type Column,
  custom,
  enumeration,
  integer,
  interval,
  numeric,
  text,
} from '../../src/model/columns.ts'
import { defineModel, type ModelOptions } from '../../src/model/model.ts'
import { mysql } from '../../src/sink/mysql/address.ts'
import { MysqlSink } from '../../src/sink/mysql/mysql.ts'
import { describeMariadb } from '../../tooling/servers/mariadb-database.ts'
import { applied, loadOf, write } from '../contract/sink/target.ts'
import { type MysqlTarget, openMysql } from './mysql-target.ts'

type Columns = Readonly<Record<string, Column>>

const model = (columns: Columns, more: Partial<ModelOptions<Columns>> = {}) =>
  defineModel({ table: 'items', columns, ...more })
const id = integer().notNull()

describeMariadb('a table of MariaDB and a model', () => {
  let target: MysqlTarget
  beforeAll(async () => {
    target = await openMysql()
  })
  afterAll(() => target[Symbol.asyncDispose]())

  it.for<readonly [string, ReturnType<typeof model>, RegExp]>([
    [
      'CREATE TABLE items (id inet6)',
      model({ id: integer() }),
      /column id is inet6, the model says integer \(INT\).*write custom\('inet6'\)/,
    ],
    ["CREATE TABLE items (id enum('a','b'))", model({ id: integer() }), /write enumeration\('a', 'b'\)/],
    ["CREATE TABLE items (id enum('a'))", model({ id: enumeration('a', 'b') }), /column id is enum\('a'\)/],
    [
      'CREATE TABLE items (id int, twice int AS (id * 2))',
      model({ id: integer(), twice: integer() }),
      /column twice is computed by the table itself \(leave it out of the model\)/,
    ],
    ['CREATE SEQUENCE items', model({ start_value: integer() }), /it is not an ordinary table/],
    [
      'CREATE TABLE other (id int)',
      model({ span: interval().notNull() }, { primaryKey: ['span'] }),
      /column span is custom, which is kept and compared as text, so it cannot be part of the primaryKey/,
    ],
    [
      'CREATE TABLE other (id int)',
      model({ id, span: interval() }, { primaryKey: ['id'], onConflict: 'update', version: 'span' }),
      /column span is custom, which is kept and compared as text, so it cannot be the version/,
    ],
    [
      'CREATE TABLE other (id int)',
      model({ id }, { schema: 'nowhere' }),
      /table nowhere.items: the server has no database nowhere, only .*lading_test_/,
    ],
  ])('that do not fit are told why: %s', async ([sql, wanted, problem]) => {
    await target.query(sql)
    try {
      await using sink = target.open()
      await expect(sink.prepare(wanted)).rejects.toMatchObject({
        code: 'SCHEMA_MISMATCH',
        message: expect.stringMatching(problem),
      })
    } finally {
      await target.query(sql.replace(/^CREATE (\w+ \w+).*/, 'DROP $1'))
    }
  })

  it('that fit by their members, and in a database that is named, take rows', async () => {
    await using own = await openMysql()
    await own.query("CREATE TABLE items (id int PRIMARY KEY, state enum('open','shut'), code inet4)")
    await using sink = own.open()
    const schema = new URL(own.url).pathname.slice(1)
    const fitting = model({ id, state: enumeration('shut', 'open'), code: custom('inet4') }, { schema })
    const made = model({ id, lamp: boolean() }, { schema, table: 'made' })
    for (const each of [fitting, made]) await sink.prepare(each)
    expect(await write(sink, fitting, [{ key: 'a', records: [['1', 'shut', '127.0.0.1']] }])).toEqual([
      applied(1),
    ])
    expect(await write(sink, made, [{ key: 'b', records: [['1', 'true']] }])).toEqual([applied(1)])
  })

  it('a table of the ledger is nobody else’s, and one that is not there is not empty', async () => {
    await using sink = target.open()
    await sink.prepare()
    await expect(sink.table?.({ table: 'lading_load' })).rejects.toThrow('belongs to the ledger')
    expect(await sink.isEmpty(model({ id }))).toBe(false)
  })

  it('an empty table of another model stays as it is while somebody uses it, or where our user may not drop it', async () => {
    await using own = await openMysql()
    await using sink = own.open()
    await sink.prepare(model({ id }))
    const wider = model({ id, note: text() })
    await own.query('BEGIN; SELECT * FROM items')
    await expect(sink.prepare(wider)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' })
    await own.query('COMMIT')
    const user = `'u${own.url.slice(-20)}'@'%'`
    await own.query(
      `CREATE USER ${user} IDENTIFIED BY 'pw'; GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, LOCK TABLES ON * TO ${user}`,
    )
    try {
      const login = { username: `u${own.url.slice(-20)}`, password: 'pw' }
      await using other = new MysqlSink(Object.assign(new URL(own.url), login).href)
      await expect(other.prepare(wider)).rejects.toMatchObject({
        code: 'SINK_REFUSED',
        message: expect.stringContaining('DROP'),
      })
    } finally {
      await own.query(`DROP USER ${user}`)
    }
    expect((await sink.prepare(wider)).remade).toBe(true)
  })

  it('what gives back the space of the ledger names tables that are there', async () => {
    await using sink = target.open()
    await sink.prepare()
    const [, statement = ''] = /: (OPTIMIZE TABLE .*)$/.exec(mysql.space?.(target.url) ?? '') ?? []
    const told = await target.query(statement)
    expect(told.filter(({ Msg_type }) => Msg_type === 'Error')).toEqual([])
    expect(told.length).toBeGreaterThan(3)
  })

  it('a number that is exact keeps its digits, and a load that began without a layout has it from the next batch', async () => {
    await using own = await openMysql()
    await using sink = own.open()
    const exact = model({ id, price: numeric(8, 2) })
    await sink.prepare(exact)
    const load = loadOf(2, 2)
    const layout = { fields: ['id', 'price'], delimiter: ';', quote: "'" }
    await write(sink, exact, [{ key: `${load.id}/0`, records: [['1', '1.5']], load }])
    const rejects = [
      {
        source: 'a',
        record: 1,
        line: 2,
        byte: 2,
        code: 'BAD_NUMBER',
        detail: '',
        raw: Buffer.from('x'),
      } as const,
    ]
    await write(sink, exact, [{ key: `${load.id}/1`, records: [], rejects, load, layout }])
    expect((await sink.ledger.rejects({ limit: 1 }))[0]).toMatchObject({ layout })
  })
})
