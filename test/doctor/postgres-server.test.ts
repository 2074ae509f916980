/** What the doctor says of a PostgreSQL server itself: its settings, its standbys, its clock, and the way to it. */
import { appendFileSync, chownSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import type { Finding } from '../../src/core/finding.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { zonesFinding } from '../../src/sink/postgres/doctor/server.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { type PostgresServer, startPostgres } from '../../tooling/servers/postgres.ts'
import { certificates } from '../queue/certificates.ts'
import { query } from '../support/fixture.ts'
import { startProxy } from '../support/proxy.ts'
import { levels, named, Place } from './findings.ts'
import { connectStandby } from './standby.ts'

const orders = ['id,status,note', ...Array.from({ length: 10 }, (_, i) => `${i + 1},new,note ${i}`)]

const outOfReach = 'the server runs in a container, whose files are out of reach'

describePostgres('doctor of a PostgreSQL server', () => {
  let server: PostgresServer
  let place: Place

  beforeAll(
    async () => (server = await startPostgres({ settings: { idle_in_transaction_session_timeout: '5s' } })),
  )
  afterAll(() => server.stop())
  beforeEach(() => (place = new Place()))
  afterEach(async () => {
    place[Symbol.dispose]()
    await sql('ALTER SYSTEM RESET ALL')
    await server.restart()
  })

  const sql = <Row>(text: string) => query<Row>(server.url, text)

  async function restartWith(settings: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(settings)) await sql(`ALTER SYSTEM SET ${name} = '${value}'`)
    await server.restart()
  }

  async function reloadWith(name: string, value: string): Promise<void> {
    await sql(`ALTER SYSTEM SET ${name} = '${value}'`)
    await sql('SELECT pg_reload_conf()')
    await expect.poll(() => sql(`SHOW ${name}`)).toEqual([{ [name]: value }])
  }

  it('what it does not keep, and a role or a database with a lower promise', async () => {
    await restartWith({
      fsync: 'off',
      full_page_writes: 'off',
      max_connections: '5',
      superuser_reserved_connections: '1',
      max_wal_senders: '2',
      wal_level: 'logical',
    })
    const queue = `${server.url}?queue=readings`
    await (await openQueue(queue))[Symbol.asyncDispose]()
    await sql("SELECT pg_create_logical_replication_slot('left_behind', 'pgoutput')")
    await sql(
      "ALTER DATABASE postgres SET synchronous_commit = 'off'; CREATE UNLOGGED TABLE orders (id bigint, status text, note text)",
    )
    const found = await place.findings({
      to: server.url,
      paths: [place.file('orders.csv', orders)],
      consumers: 8,
      queue,
    })
    const ofQueue = found.filter(({ about }) => about === 'queue')
    expect(levels(ofQueue, 'warn')).toEqual([
      expect.stringMatching(/^durability: fsync is off/),
      expect.stringMatching(/^durability: full_page_writes is off/),
      expect.stringMatching(/^old snapshot: replication slot left_behind is used by nobody/),
    ])
    expect(named(found, 'fsync')).toMatchObject([{ level: 'warn' }])
    expect(named(found, 'full_page_writes')).toMatchObject([{ level: 'warn' }])
    expect(named(found, 'synchronous_commit')).toMatchObject([
      { level: 'note', cure: 'ALTER DATABASE "postgres" RESET synchronous_commit;' },
    ])
    expect(named(found, 'connections')).toMatchObject([{ level: 'warn' }])
    expect(named(found, 'unlogged')).toMatchObject([
      { level: 'fail', cure: 'ALTER TABLE public.orders SET LOGGED;' },
    ])
    expect(named(found, 'durability').filter(({ about }) => about === 'database')).toEqual([])
    await sql("SELECT pg_drop_replication_slot('left_behind')")
    await sql('DROP TABLE orders; ALTER DATABASE postgres RESET synchronous_commit')
  })

  it.for([
    ['for the role', () => sql("ALTER ROLE postgres SET statement_timeout = '2s'")],
    ['for the database', () => sql("ALTER DATABASE postgres SET statement_timeout = '2s'")],
    [
      'for the role in this database',
      () => sql("ALTER ROLE postgres IN DATABASE postgres SET statement_timeout = '2s'"),
    ],
    [
      'in the file of the server',
      async () => {
        appendFileSync(join(server.dataDirectory, 'postgresql.conf'), "statement_timeout = '2s'\n")
        await sql('SELECT pg_reload_conf()')
        await expect.poll(() => sql('SHOW statement_timeout')).toEqual([{ statement_timeout: '2s' }])
      },
    ],
  ] as const)(
    'a time-out that is set %s is gone with what the doctor says',
    async ([where, set], { skip }) => {
      skip(where === 'in the file of the server' && server.dataDirectory === '', outOfReach)
      await set()
      const timeouts = async () =>
        named(await place.findings({ to: server.url }), 'time-outs').filter(({ detail }) =>
          detail.startsWith('statement_timeout'),
        )
      const [found] = await timeouts()
      expect(found).toMatchObject({ level: 'warn' })
      for (const statement of (found?.cure ?? '').split('; ')) await sql(statement)
      await expect.poll(timeouts).toEqual([])
    },
  )

  it('what a time-out of the URL or of the way in which the server is started needs is no SQL', async () => {
    const url = `${server.url}?options=-c%20idle_session_timeout%3D2s`
    expect(named(await place.findings({ to: url }), 'time-outs').map(({ cure }) => cure)).toEqual(
      expect.arrayContaining([
        'start the server without -c idle_in_transaction_session_timeout',
        'leave idle_session_timeout out of the URL, or out of PGOPTIONS',
      ]),
    )
  })

  it('settings of the log and of memory that make a load slow, and dead rows', async () => {
    await restartWith({
      wal_level: 'minimal',
      max_wal_senders: '0',
      checkpoint_timeout: '30s',
      shared_buffers: '1MB',
    })
    await sql(`CREATE TABLE orders (id bigint PRIMARY KEY, status text, note text) WITH (autovacuum_enabled = off);
      INSERT INTO orders SELECT generate_series(1, 50000); DELETE FROM orders WHERE id > 10000`)
    // Sessions report to the statistics when they are idle.
    await sql('SELECT pg_stat_force_next_flush()')
    await expect
      .poll(() => sql('SELECT n_dead_tup::int FROM pg_stat_user_tables WHERE relname = $$orders$$'))
      .toEqual([{ n_dead_tup: 40_000 }])
    const found = await place.findings({ to: server.url, paths: [place.file('orders.csv', orders)] })
    expect(named(found, 'checkpoint_timeout')).toMatchObject([{ level: 'note' }])
    expect(named(found, 'shared_buffers')).toMatchObject([{ level: 'note' }])
    expect(named(found, 'wal_level')).toMatchObject([{ level: 'ok' }])
    expect(named(found, 'indexes')).toMatchObject([
      { detail: expect.stringMatching(/larger than shared_buffers \(1.0 MiB\)/) },
    ])
    expect(named(found, 'dead rows')).toMatchObject([{ cure: 'VACUUM (ANALYZE) public.orders;' }])
    await sql('DROP TABLE orders')
  })

  it('whether strangers may read along, and that a log for subscribers is larger', async ({ skip }) => {
    skip(server.dataDirectory === '', outOfReach)
    using files = certificates()
    files.authority('server')
    const { uid, gid } = statSync(server.dataDirectory)
    chownSync(files.at('server.key'), uid, gid)
    await restartWith({
      wal_level: 'logical',
      ssl: 'on',
      ssl_cert_file: files.at('server.pem'),
      ssl_key_file: files.at('server.key'),
    })
    const spaces = (found: readonly Finding[]) =>
      named(found, 'space').filter(({ about }) => about === 'database')
    const found = await place.findings({ to: `${server.url}?sslmode=no-verify` })
    expect(named(found, 'encryption')).toMatchObject([
      { level: 'ok', detail: expect.stringContaining('TLS') },
    ])
    expect(named(found, 'wal_level')).toMatchObject([{ level: 'note' }])
    expect(spaces(found)).toHaveLength(1)
    // This address leads here, and by its name it need not.
    const away = await place.findings({ to: server.url.replace('127.0.0.1', '0.0.0.0') })
    expect(named(away, 'encryption')).toMatchObject([{ level: 'warn' }])
    expect(spaces(away)).toEqual([])
  })

  it('whether a failover may lose what was confirmed, and whether a commit waits for ever', async () => {
    const standbys = async () => named(await place.findings({ to: server.url }), 'standbys')
    {
      await using standby = await connectStandby(server.url)
      expect(await standbys()).toMatchObject([
        { level: 'note', detail: expect.stringMatching(/^1 standby of which none is synchronous/) },
      ])
      await reloadWith('synchronous_standby_names', 'ANY 1 (*)')
      expect(await standbys()).toMatchObject([
        { level: 'warn', detail: expect.stringMatching(/of 1 connected none is synchronous: every commit/) },
      ])
      await standby.follow()
      await expect
        .poll(() => sql('SELECT sync_state FROM pg_stat_replication'))
        .toEqual([{ sync_state: 'quorum' }])
      expect(await standbys()).toMatchObject([{ level: 'ok', detail: '1 connected, 1 of them synchronous' }])
      await reloadWith('synchronous_commit', 'remote_write')
      expect(await standbys()).toMatchObject([{ level: 'note' }, { level: 'ok' }])
    }
    await expect
      .poll(standbys)
      .toMatchObject([
        { level: 'warn', detail: expect.stringMatching(/no standby is connected: every commit waits/) },
      ])
  })

  it('a long way to it, and a clock that differs', async () => {
    await using proxy = await startProxy(server.url, { slowMs: 30 })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_605_000 })
    const found = await place.findings({ to: proxy.url }).finally(() => vi.useRealTimers())
    expect(named(found, 'connection')).toMatchObject([
      { level: 'note', detail: expect.stringMatching(/ms a round trip: .*small ones mostly wait/) },
    ])
    expect(named(found, 'clock')).toMatchObject([
      { level: 'note', detail: expect.stringMatching(/^the server's clock is \d{4} s behind/) },
    ])
  })

  it('an encoding that Lading cannot use', async () => {
    await sql("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    const url = new URL('/latin', server.url)
    url.username = 'postgres'
    const found = await place.findings({ to: url.href })
    expect(named(found, 'encoding')).toMatchObject([{ level: 'fail' }])
  })

  it('that it takes no writes: a role that only reads, and a standby', async ({ skip }) => {
    skip(server.dataDirectory === '', outOfReach)
    await sql('ALTER ROLE postgres SET default_transaction_read_only = on')
    expect(named(await place.findings({ to: server.url }), 'read-only')).toMatchObject([
      {
        level: 'fail',
        cure: expect.stringContaining('ALTER ROLE postgres RESET default_transaction_read_only;'),
      },
    ])
    writeFileSync(join(server.dataDirectory, 'standby.signal'), '')
    await server.restart()
    expect(named(await place.findings({ to: server.url }), 'read-only')).toMatchObject([
      { level: 'fail', detail: expect.stringMatching(/^the server is a standby/) },
    ])
  })
})

it('zones whose rules differ between a server and here are named, with both offsets', () => {
  const { level, detail } = zonesFinding(
    new Map([
      ['Africa/Cairo', 120],
      ['America/Nuuk', -180],
      ['Europe/Berlin', 120],
    ]),
  )
  expect(level).toBe('note')
  expect(detail).toContain('Africa/Cairo 2023-07-01: +02:00 there, +03:00 here')
  expect(detail).toContain('America/Nuuk 2024-01-15: -03:00 there, -02:00 here')
  expect(detail).toContain('Asia/Almaty 2024-07-01: unknown there, +05:00 here')
  expect(detail).not.toContain('Berlin')
})
