/** A sink over a pool of the program's own: borrowed sessions, as they were found. */
import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { expect, it } from 'vitest'
import {
  createConsumer,
  defineModel,
  integer,
  type LadingError,
  load,
  openQueue,
  openSink,
  type SessionPool,
  text,
} from '../../src/index.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { startProxy } from '../support/proxy.ts'

const model = defineModel({
  table: 'items',
  columns: { id: integer().notNull(), note: text() },
  primaryKey: ['id'],
  onConflict: 'update',
})

/** What a program may have set, and what a session may hold. */
const state = `SELECT current_setting('application_name') AS name, current_setting('TimeZone') AS zone, current_setting('DateStyle') AS dates,
  current_setting('bytea_output') AS bytes, coalesce(current_setting('lading.session', true), '') AS ours,
  (SELECT count(*)::int FROM pg_class WHERE relnamespace = pg_my_temp_schema()) AS tables,
  (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks`
const asSet = {
  name: 'mine',
  zone: 'Asia/Tokyo',
  dates: 'German, DMY',
  bytes: 'escape',
  ours: '',
  tables: 0,
  locks: 0,
}

async function opened(max = 2) {
  const database = await freshDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'lading-pool-'))
  const pool = new pg.Pool({
    connectionString: database.url,
    max,
    application_name: 'mine',
    onConnect: async (client) => {
      await client.query(
        "SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German, DMY'; SET bytea_output = 'escape'",
      )
    },
  })
  const path = join(folder, 'items.csv')
  const lines = Array.from({ length: 50_000 }, (_, n) => `${n},note ${n}`)
  await writeFile(path, `id,note\n${lines.join('\n')}\n`)
  return {
    database,
    pool,
    path,
    statePath: join(folder, 'state.db'),
    states: async () => {
      const clients = await Promise.all(Array.from({ length: max }, () => pool.connect()))
      const states = await Promise.all(
        clients.map(async (client) => (await client.query<object>(state)).rows[0]),
      )
      for (const client of clients) client.release()
      return states
    },
    [Symbol.asyncDispose]: async () => {
      // The pool ends before its sessions have: dropping the database may end them first.
      pool.on('error', () => {})
      await pool.end()
      await database.drop()
      await rm(folder, { recursive: true })
    },
  }
}

describePostgres('a sink over a pool', () => {
  it('loads beside the queries of the program, in two sessions at most, and leaves them as they were', async () => {
    await using at = await opened()
    const { pool, path, statePath } = at
    let most = 0
    pool.on('acquire', () => (most = Math.max(most, pool.totalCount)))
    let isLoading = true
    const query = async () => {
      let answers = 0
      for (; isLoading; answers++) expect((await pool.query(state)).rows).toEqual([asSet])
      return answers
    }
    const asking = query()
    {
      await using queue = await openQueue('memory:')
      await using sink = await openSink(pool)
      const { account } = await load({ paths: [path], model, queue, sink, statePath, chunkBytes: 50_000 })
      expect(account.totals.loaded).toBe(50_000)
      isLoading = false
    }
    expect(await asking).toBeGreaterThan(10)
    expect(most).toBe(2)
    expect(await at.states()).toEqual([asSet, asSet])
    expect(pool.ended).toBe(false)
    expect((await pool.query('SELECT count(*)::int FROM items')).rows).toEqual([{ count: 50_000 }])
  })

  it('has the rows of a client that is stopped rolled back, and its session replaced', async () => {
    await using at = await opened()
    await using queue = await openQueue('memory:')
    await using sink = await openSink(at.pool)
    await sink.prepare(model)
    const other = new pg.Client({ connectionString: at.database.url })
    await other.connect()
    await other.query('BEGIN; LOCK TABLE items')
    const stop = new AbortController()
    await queue.publish([{ key: 'm', body: Buffer.from('{"id":1}'), headers: {} }])
    const consumer = createConsumer({ model, queue, sink, graceMs: 0 })
    const running = consumer.run({ signal: stop.signal })
    const waiting =
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    await expect.poll(async () => (await other.query(waiting)).rowCount, { timeout: 20_000 }).toBe(1)
    stop.abort()
    await running
    await other.query('ROLLBACK')
    await other.end()
    expect((await at.pool.query('SELECT * FROM items')).rows).toEqual([])
    expect(await createConsumer({ model, queue, sink }).run({ untilEmpty: true })).toMatchObject({
      loaded: 1,
    })
  })

  it('ends its session before the sink is closed, so that no error of it can reach the pool later', async () => {
    await using at = await opened()
    {
      await using sink = await openSink(at.pool)
      await sink.prepare(model)
    }
    const sessions =
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    expect((await at.pool.query(sessions)).rowCount).toBe(0)
    expect(at.pool.totalCount).toBe(1)
  })

  it('gives up on a pool that gives it no session, and leaves it to those who wait behind', async () => {
    await using at = await opened()
    const held = await Promise.all([at.pool.connect(), at.pool.connect()])
    await using sink = await openSink(at.pool)
    await expect(sink.prepare(model, { connectMs: 1 })).rejects.toMatchObject({
      code: 'SINK_UNAVAILABLE',
      message: 'the pool had no session free for 1 s',
    })
    const next = at.pool.query('SELECT 1 AS one')
    for (const client of held) client.release()
    expect((await next).rows).toEqual([{ one: 1 }])
    expect(await at.states()).toEqual([asSet, asSet])
  })

  it('gives up on a session that is never made, and on what becomes of it later', async () => {
    await using silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
    const sockets: Socket[] = []
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const pool = new pg.Pool({ host: '127.0.0.1', port, max: 2 })
    await using sink = await openSink(pool)
    await expect(sink.prepare(model, { connectMs: 1 })).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE' })
    for (const socket of sockets) socket.destroy()
    await expect.poll(() => pool.totalCount).toBe(0)
    await pool.end()
  })

  it('gives back a session that the server has ended between two uses', async () => {
    await using at = await opened()
    await using sink = await openSink(at.pool)
    const other = new pg.Client({ connectionString: at.database.url })
    await other.connect()
    // The pool has two.
    for (let round = 0; round < 3; round++) {
      await sink.prepare(model)
      const ended =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
      await other.query(ended)
      await expect.poll(async () => (await other.query(ended)).rowCount).toBe(0)
    }
    await other.end()
    expect(at.pool.totalCount).toBe(0)
  })

  it.for([
    ['is borrowed', 'current_setting(name, true)', 'SINK_UNAVAILABLE'],
    ['is given back', 'set_config(name, coalesce', undefined],
  ] as const)('a session that breaks as it %s is none of the pool any more', async ([, statement, code]) => {
    await using database = await freshDatabase()
    {
      await using made = await openSink(database.url)
      await made.prepare()
    }
    const swallowReply = (sent: Buffer) => sent.includes(statement)
    await using proxy = await startProxy(database.url, { swallowReply })
    const pool = new pg.Pool({ connectionString: proxy.url, max: 2 })
    {
      await using sink = await openSink(pool)
      const asked = await sink.ledger.receipts({}).catch((error: LadingError) => error.code)
      expect(asked).toEqual(code ?? [])
      await expect.poll(() => pool.totalCount).toBe(0)
    }
    await pool.end()
  })

  it('a stop while a session is borrowed ends it, and the pool has its place again', async () => {
    await using database = await freshDatabase()
    const stop = new AbortController()
    const stopWithin = (sent: Buffer) => {
      const isAsked = sent.includes('current_setting(name, true)')
      if (isAsked) stop.abort()
      return isAsked
    }
    await using proxy = await startProxy(database.url, { stopWithin })
    const pool = new pg.Pool({ connectionString: proxy.url, max: 2 })
    {
      await using sink = await openSink(pool)
      await expect(sink.prepare(model, { signal: stop.signal })).rejects.toMatchObject({
        code: 'SINK_UNAVAILABLE',
      })
      await expect.poll(() => pool.totalCount).toBe(0)
    }
    await pool.end()
  })

  it('refuses sessions of pg-native, and gives back the one that it looked at', async () => {
    /** As that of pg-native, which has no connection of its own to speak of. */
    class Native extends EventEmitter {
      readonly _queryable = true
      connect(done: () => void): void {
        done()
      }
      end(done?: () => void): void {
        done?.()
      }
    }
    const pool = new pg.Pool({ Client: Native as unknown as typeof pg.Client, max: 2 })
    await using sink = await openSink(pool)
    await expect(sink.prepare(model)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('pg-native'),
    })
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1])
    await pool.end()
  })

  it('needs a pool of two, and one of pg', async () => {
    await using small = await opened(1)
    await expect(openSink(small.pool)).rejects.toMatchObject({ code: 'USAGE' })
    await expect(openSink({} as SessionPool)).rejects.toMatchObject({ code: 'USAGE' })
  })
})
