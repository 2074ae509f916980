import { afterEach, beforeEach, expect, it } from 'vitest'
import { defineModel, integer, text } from '../../src/index.ts'
import { startMariadb } from '../../tooling/servers/mariadb.ts'
import { describeMariadb } from '../../tooling/servers/mariadb-database.ts'
import { certificates } from '../queue/certificates.ts'
import { openMysql } from '../sink/mysql-target.ts'
import { levels, named, Place } from './findings.ts'

let place: Place

beforeEach(() => (place = new Place()))
afterEach(() => place[Symbol.dispose]())

describeMariadb('what the doctor finds of MariaDB', () => {
  it('a server that is as it should be stands in no way, and nothing is left behind', async () => {
    await using target = await openMysql()
    const orders = place.file('orders.csv', ['id,note', '1,x', '2,y'])
    const found = await place.findings({ paths: [orders], to: target.url })
    expect([...levels(found, 'fail'), ...levels(found, 'warn')]).toEqual([])
    expect(await target.query('SHOW TABLES')).toEqual([])
  })

  it('a table whose engine has no transactions, and a key that folds texts, are told with what mends them', async () => {
    await using target = await openMysql()
    await target.query(
      'CREATE TABLE orders (id varchar(10) COLLATE utf8mb4_general_ci PRIMARY KEY, note text) ENGINE=MyISAM',
    )
    const orders = place.file('orders.csv', ['id,note', 'a,x', 'A,y'])
    const found = await place.findings({ paths: [orders], to: target.url })
    expect(named(found, 'table')).toMatchObject([
      { level: 'fail', detail: expect.stringMatching(/engine is MyISAM.*ENGINE=InnoDB/) },
    ])
    expect(named(found, 'collation')).toMatchObject([
      { level: 'warn', detail: expect.stringMatching(/ id /) },
    ])
  })

  it('a user without rights is told the GRANT that gives them', async () => {
    await using target = await openMysql()
    const name = target.url.split('_').at(-1)?.slice(0, 20) ?? ''
    await target.query(`CREATE TABLE orders (id int PRIMARY KEY, note varchar(9));
      CREATE USER '${name}'@'%' IDENTIFIED BY 'pw'; GRANT SELECT ON * TO '${name}'@'%'`)
    try {
      const url = Object.assign(new URL(target.url), { username: name, password: 'pw' }).href
      const orders = place.file('orders.csv', ['id,note', '1,x'])
      const found = await place.findings({ paths: [orders], to: url })
      const cures = named(found, 'rights').map(({ cure }) => cure)
      expect(cures).toEqual([
        expect.stringMatching(/^GRANT CREATE TEMPORARY TABLES ON `lading_test_/),
        expect.stringMatching(/^GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, .* ON `lading_test_/),
        expect.stringMatching(/^GRANT INSERT ON `orders` TO /),
      ])
    } finally {
      await target.query(`DROP USER '${name}'@'%'`)
    }
  })

  it('a server that is not strict, loses commits or takes small statements alone is told with the setting that mends it', async () => {
    using tls = certificates()
    tls.authority('ours')
    tls.certificate('server', 'ours')
    await using server = await startMariadb({
      'ssl-cert': tls.at('server.pem'),
      'ssl-key': tls.at('server.key'),
      'lower-case-table-names': '1',
      'innodb-doublewrite': '0',
      'sync-binlog': '0',
      'server-id': '1',
      'sql-mode': '',
      'innodb-flush-log-at-trx-commit': '2',
      'max-allowed-packet': '1M',
      'local-infile': '0',
      'log-bin': 'log',
      'binlog-format': 'STATEMENT',
    })
    await using target = await openMysql(server.url)
    const found = await place.findings({ to: target.url })
    for (const [what, level] of [
      ['sql_mode', 'note'],
      ['innodb_flush_log_at_trx_commit', 'warn'],
      ['max_allowed_packet', 'warn'],
      ['local_infile', 'warn'],
      ['binlog_format', 'fail'],
    ] as const)
      expect(named(found, what), what).toMatchObject([{ level, cure: expect.stringMatching(/^SET GLOBAL /) }])
    expect(named(found, 'innodb_doublewrite')).toMatchObject([{ level: 'warn' }])
    expect(named(found, 'encryption')[0]?.detail).toBe('the connection stays on this machine')
    // What can be told only of such a server, too.
    await target.query('SET GLOBAL read_only = 1; CREATE TABLE orders (id int PRIMARY KEY)')
    const url = `${target.url}?ssl-mode=REQUIRED`
    const told = await place.findings({ to: url, table: { table: 'ORDERS' } })
    expect(named(told, 'read-only')).toMatchObject([{ level: 'fail', cure: 'SET GLOBAL read_only = 0;' }])
    expect(named(told, 'encryption')[0]?.detail).toBe('the connection is encrypted (TLS)')
    expect(named(told, 'table')).toMatchObject([{ level: 'ok' }])
  })

  it('a ledger is told with the loads that are open, and one of a newer version with what reads it', async () => {
    await using target = await openMysql()
    {
      await using sink = target.open()
      await sink.prepare()
    }
    const told = async () => named(await place.findings({ to: target.url }), 'ledger')
    expect(await told()).toMatchObject([
      { level: 'ok', detail: expect.stringMatching(/^version \d+, every load is complete$/) },
    ])
    await target.query(
      "INSERT INTO lading_load (id, pipeline, source, sha256, bytes, plan, chunks, records) VALUES (uuid(), 'p', 's', '', 1, '', 1, 1)",
    )
    expect(await told()).toMatchObject([
      { level: 'warn', detail: '1 load is not complete: at work, or interrupted', cure: 'lading verify' },
    ])
    await target.query('INSERT INTO lading_migration VALUES (99)')
    expect(await told()).toMatchObject([
      { level: 'fail', detail: expect.stringMatching(/^LEDGER_NEWER: it has version 99/) },
    ])
  })

  it('a table without a model or a key is told with what its rows go without', async () => {
    await using target = await openMysql()
    await target.query(
      `CREATE TABLE bare (id int, note text) ENGINE=MyISAM;
       CREATE TRIGGER counts BEFORE INSERT ON bare FOR EACH ROW SET @n = coalesce(@n, 0) + 1`,
    )
    const found = await place.findings({ to: target.url, table: { table: 'bare' } })
    expect(named(found, 'engine')).toMatchObject([
      { level: 'fail', cure: 'ALTER TABLE `bare` ENGINE=InnoDB;' },
    ])
    expect(named(found, 'triggers')).toMatchObject([
      { level: 'note', detail: expect.stringMatching(/^counts: /) },
    ])
    expect(named(found, 'key')).toMatchObject([{ level: 'note' }])
    expect(named(found, 'collation')).toEqual([])
  })

  it('a column that the table lacks is told with what adds it, and keeps no other finding back', async () => {
    await using target = await openMysql()
    await target.query('CREATE TABLE orders (id int PRIMARY KEY)')
    const model = defineModel({ table: 'orders', columns: { id: integer(), note: text() } })
    const orders = place.file('orders.csv', ['id,note', '1,x'])
    const found = await place.findings({ paths: [orders], model, to: target.url })
    expect(named(found, 'rights').at(-1)).toMatchObject({ about: 'table', level: 'note' })
    expect(named(found, 'table')).toMatchObject([
      { level: 'fail', detail: expect.stringMatching(/no column note \(ALTER TABLE `orders` ADD COLUMN/) },
    ])
  })

  it('a server that cannot be reached is one finding, without the password', async () => {
    const found = await place.findings({ to: 'mysql://me:secret-1@127.0.0.1:1/db' })
    expect(named(found, 'connection')).toMatchObject([
      { level: 'fail', detail: expect.stringMatching(/^SINK_UNAVAILABLE/) },
    ])
    expect(JSON.stringify(found)).not.toContain('secret-1')
  })
})
