/** A sink over a pool of the program's own: borrowed sessions, as they were found. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { expect, it } from 'vitest'
import {
  createConsumer,
  defineModel,
  integer,
  load,
  openQueue,
  openSink,
  type SessionPool,
  text,
} from '../../src/index.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'

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

  it('needs a pool of two, and one of pg', async () => {
    await using small = await opened(1)
    await expect(openSink(small.pool)).rejects.toMatchObject({ code: 'USAGE' })
    await expect(openSink({} as SessionPool)).rejects.toMatchObject({ code: 'USAGE' })
  })
})
