/** Where the server takes no LOAD DATA LOCAL, rows go in by INSERT and are as exact. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeMariadb } from '../../tooling/servers/mariadb-database.ts'
import { type MariadbServer, startMariadb, withoutFsync } from '../../tooling/servers/mariadb.ts'
import { conflicts } from '../contract/sink/conflict.ts'
import { types } from '../contract/sink/types.ts'
import { allRejects, applied, numbers as ids, write } from '../contract/sink/target.ts'
import { bigint, boolean, integer, numeric, timestamptz } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { Connection } from '../../src/sink/mysql/connection.ts'
import { numbers } from '../support/model.ts'
import { openMysql } from './mysql-target.ts'

describeMariadb('MariaDB without LOAD DATA LOCAL', () => {
  let server: MariadbServer
  beforeAll(async () => {
    // A server that would list no warning, and takes what its clients say for another character set.
    server = await startMariadb({
      ...withoutFsync,
      'local-infile': '0',
      'max-error-count': '0',
      'max-allowed-packet': '1M',
      'skip-character-set-client-handshake': '1',
      'character-set-server': 'latin1',
    })
  })
  afterAll(() => server.stop())
  const open = () => openMysql(server.url)

  describe('conflicts', () => conflicts(open))
  describe('types', () => types(open))

  it('a row that is refused, or would be changed, never costs a good one', async () => {
    await using target = await open()
    await target.query(
      'CREATE TABLE checked (id bigint PRIMARY KEY, exact numeric(65,30), small int NOT NULL CHECK (small > 0), at timestamp(6) NOT NULL, lamp bit(1))',
    )
    const model = defineModel({
      table: 'checked',
      columns: {
        id: bigint().notNull(),
        exact: numeric(),
        small: integer(),
        at: timestamptz(),
        lamp: boolean(),
      },
      primaryKey: ['id'],
    })
    await using sink = target.open()
    await sink.prepare(model)
    const at = '2024-01-01T00:00:00Z'
    const fine = Array.from({ length: 50 }, (_, n) => [String(n), '1', '1', at])
    const refused = [
      ['100', '1', '0', at],
      ['101', `0.${'1'.repeat(31)}`, '1', at],
      ['102', '1', undefined, at],
      ['1', '1', '1', at],
      ['103', '1', '1', undefined],
    ]
    const records = [...fine.slice(0, 25), ...refused, ...fine.slice(25)].map((record, n) => [
      ...record,
      String(n % 2),
    ])
    expect(await write(sink, model, [{ key: 'one', records }])).toEqual([applied(50, 5)])
    expect(await ids(target, 'checked')).toEqual(fine.map(([id]) => Number(id)))
    const lit = await target.query('SELECT sum(lamp) AS lit FROM checked WHERE id < 25')
    expect(lit.map(({ lit: n }) => Number(n))).toEqual([12])
    expect((await allRejects(sink)).map(({ record, code }) => [record, code])).toEqual([
      [25, 'CONSTRAINT_CHECK'],
      [26, 'VALUE_REFUSED'],
      [27, 'CONSTRAINT_NOT_NULL'],
      [28, 'CONSTRAINT_UNIQUE'],
      [29, 'VALUE_REFUSED'],
    ])
  })

  it('is said once', async () => {
    await using target = await open()
    await using sink = target.open()
    const why = 'the server does not allow LOAD DATA LOCAL (local_infile)'
    expect(await sink.prepare(numbers)).toMatchObject({ inserts: why })
    expect((await sink.prepare(numbers)).inserts).toBeUndefined()
  })

  it('is noticed when it is switched off in the middle of a load', async () => {
    await using target = await open()
    await target.query('SET GLOBAL local_infile = 1')
    try {
      await using sink = target.open()
      expect((await sink.prepare(numbers)).inserts).toBeUndefined()
      await write(sink, numbers, [{ key: 'by LOAD DATA', records: [['1', 'one']] }])
      await target.query('SET GLOBAL local_infile = 0')
      const verdicts = await write(sink, numbers, [
        { key: 'by INSERT', records: [['2', "tab\t, line\n, \\N and it's"]] },
      ])
      expect(verdicts).toEqual([applied(1)])
      expect(await target.rows('numbers')).toEqual([
        { id: 1, note: 'one' },
        { id: 2, note: "tab\t, line\n, \\N and it's" },
      ])
    } finally {
      await target.query('SET GLOBAL local_infile = 0')
    }
  })

  it('settings by which a server would hide a conflict, a CHECK or a row change nothing', async () => {
    await using target = await open()
    const settings = {
      local_infile: 1,
      old_mode: "'NO_DUP_KEY_WARNINGS_WITH_IGNORE'",
      check_constraint_checks: 0,
      sql_select_limit: 1,
      sql_big_selects: 0,
      max_join_size: 1,
    }
    for (const [name, value] of Object.entries(settings)) await target.query(`SET GLOBAL ${name} = ${value}`)
    try {
      await target.query('CREATE TABLE checked (id bigint PRIMARY KEY, small int CHECK (small > 0))')
      const model = defineModel({
        table: 'checked',
        columns: { id: bigint().notNull(), small: integer() },
        primaryKey: ['id'],
        onConflict: 'update',
      })
      await using sink = target.open()
      await sink.prepare(model)
      const records = [
        ['1', '1'],
        ['2', '0'],
        ['1', '2'],
        ['3', '3'],
      ]
      expect(await write(sink, model, [{ key: 'one', records }])).toEqual([applied(3, 1)])
      expect(await target.rows('checked')).toEqual([
        { id: 1, small: 2 },
        { id: 3, small: 3 },
      ])
      expect((await allRejects(sink)).map(({ record, code }) => [record, code])).toEqual([
        [1, 'CONSTRAINT_CHECK'],
      ])
    } finally {
      for (const name of Object.keys(settings)) await target.query(`SET GLOBAL ${name} = DEFAULT`)
      await target.query('SET GLOBAL local_infile = 0')
    }
  })

  it('a server that ends sessions as they begin is unavailable', async () => {
    await using target = await open()
    const user = `u${target.url.slice(-20)}`
    await target.query(`CREATE USER '${user}'@'%' IDENTIFIED BY 'pw'; GRANT ALL ON * TO '${user}'@'%'`)
    const url = Object.assign(new URL(target.url), { username: user, password: 'pw' }).href
    await using connection = new Connection(url)
    try {
      await target.query("SET GLOBAL init_connect = 'SELECT * FROM nowhere.nothing'")
      const asked = connection.use((session) => session.query('SELECT 1 AS one'))
      await expect(asked).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE' })
    } finally {
      await target.query(`SET GLOBAL init_connect = ''; DROP USER '${user}'@'%'`)
    }
  })

  it('a record that is longer than a statement may be stops the load, which says what to do', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(numbers)
    // As long as may be, and together in more than one statement.
    const records = [0, 1, 2].map((n) => [`${n + 10}`, 'x'.repeat(600_000)])
    expect(await write(sink, numbers, [{ key: 'wide', records }])).toEqual([applied(3)])
    await target.query('DELETE FROM numbers')
    const long = write(sink, numbers, [{ key: 'long', records: [['1', 'x'.repeat(1 << 20)]] }])
    await expect(long).rejects.toMatchObject({
      code: 'SINK_REFUSED',
      message: expect.stringContaining('SET GLOBAL max_allowed_packet = 2097152'),
    })
    expect(await target.rows('numbers')).toEqual([])
  })
})
