import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import { mysql } from '../../src/sink/mysql/address.ts'
import { Connection } from '../../src/sink/mysql/connection.ts'
import { createTable } from '../../src/sink/mysql/ddl.ts'
import { rowError, sinkError } from '../../src/sink/mysql/errors.ts'
import { alone } from '../../src/sink/mysql/ledger-tables.ts'
import type { Session } from '../../src/sink/mysql/session.ts'
import * as column from '../../src/model/columns.ts'
import { btree, defineModel, unique } from '../../src/model/model.ts'
import { startMariadb } from '../../tooling/servers/mariadb.ts'
import { describeMariadb, type FreshMariadb, freshMariadb } from '../../tooling/servers/mariadb-database.ts'
import { certificates } from '../queue/certificates.ts'
import { startProxy } from '../support/proxy.ts'

describeMariadb('a connection to MariaDB', () => {
  let database: FreshMariadb
  beforeAll(async () => {
    database = await freshMariadb()
  })
  afterAll(() => database[Symbol.asyncDispose]())

  it('has the settings that a transaction needs, whatever the server has', async () => {
    await using connection = new Connection(database.url)
    const [row] = await connection.use((session) =>
      session.query(
        'SELECT @@sql_mode AS mode, @@tx_isolation AS level, @@time_zone AS zone, @@autocommit AS auto, @@character_set_client AS charset',
      ),
    )
    expect(row).toMatchObject({ level: 'READ-COMMITTED', zone: '+00:00', charset: 'utf8mb4' })
    expect(String(row?.['mode']).split(',')).toEqual(
      expect.arrayContaining(['STRICT_ALL_TABLES', 'NO_ZERO_DATE', 'NO_AUTO_VALUE_ON_ZERO']),
    )
  })

  it('that is lost while tables are prepared is told as that, and not by what cannot be done after it', async () => {
    await using connection = new Connection(database.url)
    connection.onConnect = (session) => session.limitSilence(60_000)
    const prepared = connection.use((session) =>
      alone(session, async () => {
        session.drop()
        throw new LadingError('SINK_BUSY', 'says the test')
      }),
    )
    await expect(prepared).rejects.toMatchObject({ code: 'SINK_BUSY', message: 'says the test' })
  })

  it('is made again after the server has ended it', async () => {
    await using connection = new Connection(database.url)
    await using other = new Connection(database.url)
    const id = await connection.use(async (session) => session.id)
    await other.use((session) => session.run(`KILL ${id}`))
    const ask = () => connection.use((session) => session.query('SELECT 1 AS one'))
    await ask().catch((error: unknown) => expect(error).toMatchObject({ code: 'SINK_UNAVAILABLE' }))
    expect(await ask()).toEqual([{ one: 1 }])
  })

  it('is made again after its server was killed, and is unavailable meanwhile', async () => {
    await using server = await startMariadb()
    await using own = await freshMariadb(server.url)
    await using connection = new Connection(own.url)
    const ask = () => connection.use((session) => session.query('SELECT 1 AS one'))
    await ask()
    server.kill()
    await expect(ask()).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE' })
    await expect(ask()).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE' })
    await server.start()
    expect(await ask()).toEqual([{ one: 1 }])
  })

  it('is given up when it falls silent, and made again', async () => {
    await using proxy = await startProxy(database.url)
    await using connection = new Connection(proxy.url, { silentMs: 1000 })
    const ask = () => connection.use((session) => session.query('SELECT 1 AS one'))
    await ask()
    proxy.forget()
    await expect(ask()).rejects.toMatchObject({
      code: 'SINK_UNAVAILABLE',
      message: expect.stringContaining('no answer of the database for'),
    })
    expect(await ask()).toEqual([{ one: 1 }])
  })

  it.for<readonly [string, (session: Session) => Promise<unknown>]>([
    ['a query', (session) => session.query('SELECT 1 AS one')],
    [
      'LOAD DATA',
      (session) => session.load("LOAD DATA LOCAL INFILE 'rows' INTO TABLE nowhere", [Buffer.from('1\n')]),
    ],
  ])('does not hold who is told to stop while the server says nothing: %s', async ([, work]) => {
    await using proxy = await startProxy(database.url)
    await using connection = new Connection(proxy.url)
    await connection.use((session) => session.query('SELECT 1 AS one'))
    proxy.blackHole(true)
    const stop = new AbortController()
    const stopped = connection.use((session) => {
      const asked = work(session)
      stop.abort()
      return asked
    }, stop.signal)
    await expect(stopped).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE' })
  })

  it('asks nothing for who is stopped already, and holds nobody while the server accepts and says nothing', async () => {
    await using proxy = await startProxy(database.url)
    await using connection = new Connection(proxy.url)
    const ask = (signal?: AbortSignal, connectMs?: number) =>
      connection.use((session) => session.query('SELECT 1 AS one'), signal, connectMs)
    await expect(ask(AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' })
    proxy.blackHole(true)
    await expect(ask(undefined, 1)).rejects.toMatchObject({
      code: 'SINK_UNAVAILABLE',
      message: expect.stringContaining('says nothing'),
    })
    const stop = new AbortController()
    const stopped = ask(stop.signal)
    setImmediate(() => stop.abort())
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' })
    const later = new AbortController()
    const stopWithin = (sent: Buffer) =>
      sent.includes('SET NAMES') && setImmediate(() => later.abort()) !== null
    await using halting = await startProxy(database.url, { stopWithin })
    await using other = new Connection(halting.url)
    const halted = other.use((session) => session.query('SELECT 1'), later.signal)
    await expect(halted).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE' })
    // What was given up and connects all the same is cut, and the next one is another.
    proxy.blackHole(false)
    expect(await ask()).toEqual([{ one: 1 }])
  })

  it('is not given up while the server is at work for it and has no place for one who asks', async () => {
    const [user, password] = [`u${database.name.slice(-20)}`, 'pw']
    await using administrator = new Connection(database.url)
    const run = (sql: string) => administrator.use((session) => session.run(sql))
    await run(`CREATE USER '${user}'@'%' IDENTIFIED BY '${password}' WITH MAX_USER_CONNECTIONS 1`)
    await run(`GRANT ALL ON "${database.name}".* TO '${user}'@'%'`)
    try {
      const url = Object.assign(new URL(database.url), { username: user, password }).href
      await using connection = new Connection(url, { silentMs: 100 })
      const asked = connection.use((session) => session.query('SELECT SLEEP(0.8) AS slept'))
      expect(await asked).toEqual([{ slept: 0 }])
    } finally {
      await run(`DROP USER '${user}'@'%'`)
    }
  })

  it('is lost once the server does not know it any more, and nobody has told', async () => {
    const { port, hostname } = new URL(database.url)
    const sockets: Socket[] = []
    const silent = createServer((client) => {
      const server = connect(Number(port), hostname)
      sockets.push(client, server)
      client.on('error', () => undefined).pipe(server)
      server.on('error', () => undefined).pipe(client, { end: false })
    })
    await once(silent.listen(0, '127.0.0.1'), 'listening')
    const url = Object.assign(new URL(database.url), { port: (silent.address() as AddressInfo).port })
    await using connection = new Connection(url.href, { silentMs: 100 })
    await using administrator = new Connection(database.url)
    const id = await connection.use(async (session) => session.id)
    await administrator.use((session) => session.run(`KILL ${id}`))
    await expect(connection.use((session) => session.query('SELECT 1'))).rejects.toMatchObject({
      code: 'SINK_UNAVAILABLE',
      message: expect.stringContaining('does not know the session any more'),
    })
    for (const socket of sockets) socket.destroy()
    silent.close()
  })

  it('takes the bytes of LOAD DATA from the program, whatever file is named', async () => {
    await using connection = new Connection(database.url)
    await connection.use(async (session) => {
      await session.run('CREATE TABLE loaded (a int, b varchar(10))')
      const sql = `LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE loaded FIELDS TERMINATED BY ','`
      expect(await session.load(sql, [Buffer.from('1,x\n2,'), Buffer.from('y\n')])).toEqual({
        changed: 2,
        warnings: 0,
        info: 'Records: 2  Deleted: 0  Skipped: 0  Warnings: 0',
      })
      expect(await session.query('SELECT * FROM loaded ORDER BY a')).toEqual([
        { a: 1, b: 'x' },
        { a: 2, b: 'y' },
      ])
    })
  })

  it.for([
    ['another password', { password: 'secret-1' }, 'SINK_REFUSED'],
    ['another database', { pathname: '/nowhere' }, 'SINK_REFUSED'],
    ['a port where nobody listens', { port: '1' }, 'SINK_UNAVAILABLE'],
    ['TLS that the server does not speak', { search: 'ssl-mode=REQUIRED' }, 'SINK_REFUSED'],
  ] as const)('says what is wrong, and no password: %s', async ([, change, code]) => {
    const url = Object.assign(new URL(database.url), change)
    await using connection = new Connection(url.href)
    const error = await connection.use((session) => session.query('SELECT 1')).catch((e: unknown) => e)
    expect(error).toMatchObject({ code, message: expect.not.stringContaining('secret-1') })
  })

  it('is encrypted as the URL says, and refused where the certificate is not trusted', async () => {
    using tls = certificates()
    for (const name of ['ours', 'other']) tls.authority(name)
    tls.certificate('server', 'ours', { alternative: 'DNS:elsewhere.example' })
    await using server = await startMariadb({
      'ssl-cert': tls.at('server.pem'),
      'ssl-key': tls.at('server.key'),
    })
    const cipher = async (search: string) => {
      await using connection = new Connection(`${server.url}/mysql?${search}`)
      const [row] = await connection.use((session) => session.query("SHOW STATUS LIKE 'Ssl_cipher'"))
      return row?.['Value']
    }
    expect(await cipher('')).toBe('')
    expect(await cipher('ssl-mode=REQUIRED')).not.toBe('')
    const ours = `ssl-ca=${tls.at('ours.pem')}`
    expect(await cipher(ours)).not.toBe('')
    for (const search of [
      'ssl-mode=VERIFY_CA',
      `ssl-ca=${tls.at('other.pem')}`,
      `${ours}&ssl-mode=VERIFY_IDENTITY`,
    ])
      await expect(cipher(search)).rejects.toMatchObject({
        code: 'SINK_REFUSED',
        message: expect.stringContaining('ssl-ca=FILE'),
      })
  })

  it.for(['AUTH_SWITCH_PLUGIN_ERROR', 'ENOTDIR'])('is not tried again where that cannot help: %s', (code) => {
    expect(sinkError(Object.assign(new Error('the driver says no'), { code }))).toMatchObject({
      code: 'SINK_REFUSED',
    })
  })

  it.for([
    [126, `Got error '126 "Index is corrupted"' for '/tmp/#sql-update.MAI'`],
    [3, 'Error writing file (Errcode: 28 "No space left on device")'],
    [1005, 'Can\'t create table `a` (errno: 28 "No space left on device")'],
    [1114, "The table 'a' is full"],
  ] as const)('a lack of space is never the fault of a row: error %s', ([errno, text]) => {
    const error = Object.assign(new Error(text), { errno, sqlState: 'HY000' })
    expect(rowError(error, [])).toBeUndefined()
    expect(sinkError(error)).toMatchObject({ code: 'SINK_HOLD' })
  })

  it('a table is made of every type, with its keys, its defaults and what its types do not say', async () => {
    const model = defineModel({
      table: 'everything',
      columns: {
        id: column.text().notNull(),
        other: column.bytea(),
        number: column.integer().default(7),
        large: column.bigint(),
        exact: column.numeric(12, 2),
        any: column.numeric(),
        real: column.doublePrecision(),
        flag: column.boolean().default(true),
        day: column.date(),
        local: column.timestamp(),
        instant: column.timestamptz(),
        clock: column.time(),
        uuid: column.uuid(),
        document: column.json(),
        state: column.enumeration('open', "it's").default('open'),
        short: column.varchar(20),
        wide: column.varchar(5000),
        list: column.array(column.integer()),
        note: column.text().default("it's"),
      },
      primaryKey: ['id'],
      indexes: [btree('note'), unique('other', 'number')],
    })
    await using connection = new Connection(database.url)
    await connection.use(async (session) => {
      await session.run(createTable(model, session.product))
      const [row] = await session.query('SHOW CREATE TABLE everything')
      expect(String(row?.['Create Table'])).toMatchInlineSnapshot(`
        "CREATE TABLE "everything" (
          "id" varchar(700) NOT NULL,
          "other" varbinary(700) DEFAULT NULL,
          "number" int(11) DEFAULT 7,
          "large" bigint(20) DEFAULT NULL,
          "exact" decimal(12,2) DEFAULT NULL,
          "any" decimal(65,30) DEFAULT NULL,
          "real" double DEFAULT NULL,
          "flag" tinyint(1) DEFAULT 1,
          "day" date DEFAULT NULL,
          "local" datetime(6) DEFAULT NULL,
          "instant" datetime(6) DEFAULT NULL COMMENT 'timestamptz (UTC)',
          "clock" time(6) DEFAULT NULL,
          "uuid" char(36) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL COMMENT 'uuid',
          "document" longtext DEFAULT NULL COMMENT 'json',
          "state" varchar(4) DEFAULT 'open' CHECK ("state" in ('open','it\\'s')),
          "short" varchar(20) DEFAULT NULL,
          "wide" longtext DEFAULT NULL,
          "list" longtext DEFAULT NULL,
          "note" longtext DEFAULT 'it\\'s',
          PRIMARY KEY ("id"),
          UNIQUE KEY "other" ("other","number"),
          KEY "note" ("note"(191))
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin"
      `)
    })
  })
})

describe('a URL of MariaDB or MySQL', () => {
  it('has either scheme', () => expect(mysql.schemes).toEqual(['mysql', 'mariadb']))

  it.for([
    ['mysql://me@host', /names no database/],
    ['mysql://me@host/db?sslmode=require', /parameter sslmode/],
    ['mysql://me@host/db?ssl-mode=maybe', /VERIFY_IDENTITY/],
    ['mysql://me@host/db?ssl-ca=/nowhere', /ssl-ca .*ENOENT/],
    ['mysql://me:%E0%A4%A@host/db', /cannot be read/],
    ['mysql://host:99999/db', /cannot be read/],
    ['mysql://me@a%20b/db', /no host has such a name/],
  ] as const)('is refused where it cannot be meant: %s', ([url, message]) => {
    expect(() => new Connection(url)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(message) }),
    )
  })

  it.for([
    ['mysql://me:pw@Host.example/db', 'mysql://host.example/db'],
    ['mariadb://host:3307/d%20b?ssl-mode=REQUIRED', 'mysql://host:3307/d%20b'],
    ['mysql://[::1]/db', 'mysql://[::1]/db'],
    ['mysql://me@localhost/db?socket=/run/mysqld/mysqld.sock', 'mysql://%2Frun%2Fmysqld%2Fmysqld.sock/db'],
  ] as const)('names its database without user, password and options: %s', ([url, place]) => {
    expect(new Connection(url).place).toBe(place)
  })
})
