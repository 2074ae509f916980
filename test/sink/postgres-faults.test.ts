/** What the PostgreSQL sink does when sessions, locks, passwords and servers fail. */
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { describe, expect, it } from 'vitest'
import { transaction } from '../../src/driver/postgres/transaction.ts'
import { integer, text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { PostgresSink } from '../../src/sink/postgres/postgres.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { freePort } from '../../tooling/servers/engine.ts'
import { startPostgres } from '../../tooling/servers/postgres.ts'
import {
  applied,
  batchOf,
  duplicate,
  entries,
  letterOf,
  loadOf,
  numbers,
  write,
} from '../contract/sink/target.ts'
import { openPostgres, type PostgresTarget } from './postgres-target.ts'

const model = defineModel({
  table: 'items',
  columns: { id: integer().notNull(), note: text() },
  primaryKey: ['id'],
})
const records = [1, 2, 3].map((id) => [`${id}`, 'x'])
const secret = 'CANARY-é%2F"'

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds()));
}

const sessions = "pg_stat_activity WHERE datname = current_database() AND application_name = 'lading'"

/**
 * A session that holds what the statements lock. Not the one that watches: within a transaction that sees no
 * news.
 */
async function holding(target: PostgresTarget, sql: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: target.url, application_name: 'lading' })
  await client.connect()
  await client.query(`BEGIN; ${sql}`)
  return client
}

async function waiting(target: PostgresTarget): Promise<boolean> {
  const rows = await target.query(`SELECT FROM ${sessions} AND wait_event_type = 'Lock'`)
  return rows.length > 0
}

describePostgres('PostgreSQL sink, faults', () => {
  it('COMMIT that is answered with ROLLBACK is an error', async () => {
    await using target = await openPostgres()
    const { client } = target
    const work = () => client.query('SELECT 1/0').catch(() => undefined)
    await expect(transaction(client, 'BEGIN', work)).rejects.toMatchObject({
      code: 'SINK_FAILED',
      message: expect.stringContaining('ROLLBACK'),
    })
  })

  it('a session that is ended in the middle of COPY leaves nothing, and the next write has a session of its own', async () => {
    await using target = await openPostgres()
    await using sink = target.open()
    await sink.prepare(model)
    for (let round = 0; round < 5; round++) {
      const holder = await holding(target, 'LOCK TABLE items IN EXCLUSIVE MODE')
      const failing = expect(write(sink, model, [{ key: 'a', records }])).rejects.toMatchObject({
        code: 'SINK_UNAVAILABLE',
      })
      await until(() => waiting(target))
      await target.query(`SELECT pg_terminate_backend(pid) FROM ${sessions} AND wait_event_type = 'Lock'`)
      await failing
      await holder.end()
      expect(await entries(target)).toEqual([])
    }
    const retried = [write(sink, model, [{ key: 'a', records }]), write(sink, model, [{ key: 'a', records }])]
    expect(await Promise.all(retried)).toEqual([[applied(3)], [duplicate]])
    expect(await numbers(target, 'items')).toEqual([1, 2, 3])
    await until(async () => (await target.query(`SELECT FROM ${sessions}`)).length === 1)
  })

  it('a session that is ended between two writes costs one attempt at most', async () => {
    await using target = await openPostgres()
    await using sink = target.open()
    const upsert = defineModel({
      table: 'items',
      columns: { id: integer().notNull(), note: text() },
      primaryKey: ['id'],
      onConflict: 'update',
    })
    await sink.prepare(upsert)
    await target.query(`SELECT pg_terminate_backend(pid) FROM ${sessions}`)
    await until(async () => (await target.query(`SELECT FROM ${sessions}`)).length === 0)
    const twice = [
      ['1', 'a'],
      ['1', 'b'],
    ]
    const attempt = () => write(sink, upsert, [{ key: 'a', records: twice }])
    const verdicts = await attempt().catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'SINK_UNAVAILABLE' })
      return attempt()
    })
    expect(verdicts).toMatchObject([{ kind: 'applied' }])
  })

  it('a write that is aborted ends at once, and its batch is written later', async () => {
    await using target = await openPostgres()
    await using sink = target.open()
    await sink.prepare(model)
    const holder = await holding(target, 'LOCK TABLE lading.ledger IN EXCLUSIVE MODE')
    const abort = new AbortController()
    const rows = sink.rows(model)
    const part = {
      key: 'a',
      sha256: '00',
      records: 0,
      rows: 0,
      rejects: [],
      describe: () => expect.unreachable(),
    }
    const batch = { pipeline: 'test', model, parts: [part], rows }
    const failing = expect(sink.write(batch, { signal: abort.signal })).rejects.toMatchObject({
      name: 'LadingError',
    })
    await until(() => waiting(target))
    abort.abort()
    await failing
    await expect(sink.write(batch, { signal: abort.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    await holder.end()
    expect(await sink.write(batch)).toEqual([applied(0)])
  })

  describe.concurrent('locks', () => {
    it('a table that another session keeps locked is busy, nothing is left of the batch, and the session is left alone', async () => {
      await using target = await openPostgres()
      await using sink = target.open()
      await sink.prepare(model)
      const holder = await holding(target, 'LOCK TABLE items IN ACCESS EXCLUSIVE MODE')
      await expect(write(sink, model, [{ key: 'a', records }])).rejects.toMatchObject({ code: 'SINK_BUSY' })
      await holder.query('COMMIT')
      await holder.end()
      expect(await entries(target)).toEqual([])
      expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(3)])
    })

    it('a row that another consumer inserts while ours is merged is merged with it', async () => {
      await using target = await openPostgres()
      await using sink = target.open()
      const columns = { id: integer().notNull(), note: text(), size: integer() }
      const merging = defineModel({ table: 'items', columns, primaryKey: ['id'], onConflict: 'merge' })
      await sink.prepare(merging)
      const other = await holding(target, "INSERT INTO items VALUES (1, 'theirs', 7)")
      const writing = write(sink, merging, [{ key: 'a', records: [['1', 'ours', undefined]] }])
      await until(() => waiting(target))
      await other.query('COMMIT')
      await other.end()
      expect(await writing).toEqual([applied(1)])
      expect(await target.query('SELECT * FROM items')).toEqual([{ id: 1, note: 'ours', size: 7 }])
    })

    it('a consumer that stopped in the middle of COPY is ended by one that waits for its chunk', async () => {
      await using target = await openPostgres()
      await using sink = new PostgresSink(target.url, { stalledMs: 0 })
      await sink.prepare(model)
      const stopped = await stopInCopy(target)
      await expect(write(sink, model, [{ key: 'a', records }])).rejects.toMatchObject({ code: 'SINK_BUSY' })
      expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(3)])
      await stopped.ended
    })

    it('a key that another session holds is waited for once and then left out, and the rest of the batch takes effect', async () => {
      await using target = await openPostgres()
      await using sink = new PostgresSink(target.url, { stalledMs: 600_000 })
      await sink.prepare(model)
      const stopped = await stopInCopy(target)
      const deliveries = ['b', 'a', 'c'].map((key, id) => ({ key, records: [[`${id}`, 'x']] }))
      const attempt = () => sink.write({ ...batchOf(sink, model, deliveries), leaveLocked: true })
      await expect(attempt()).rejects.toMatchObject({ code: 'SINK_BUSY' })
      expect(await attempt()).toEqual([applied(1), { kind: 'locked' }, applied(1)])
      expect(await numbers(target, 'items')).toEqual([0, 2])
      await target.query(`SELECT pg_terminate_backend(pid) FROM ${sessions} AND query LIKE 'COPY items%'`)
      await stopped.ended
      expect(await attempt()).toEqual([duplicate, applied(1), duplicate])
    })

    it('a ledger that is locked as a whole is waited for, and nothing is left out', async () => {
      await using target = await openPostgres()
      await using sink = target.open()
      await sink.prepare(model)
      const holder = await holding(target, 'LOCK TABLE lading.ledger IN EXCLUSIVE MODE')
      const attempt = () =>
        sink.write({ ...batchOf(sink, model, [{ key: 'a', records }]), leaveLocked: true })
      for (let n = 0; n < 2; n++) await expect(attempt()).rejects.toMatchObject({ code: 'SINK_BUSY' })
      await holder.end()
      expect(await attempt()).toEqual([applied(3)])
    })

    it('a consumer that stopped in the middle of COPY is ended by one that buries its chunk', async () => {
      await using target = await openPostgres()
      await using sink = new PostgresSink(target.url, { stalledMs: 0 })
      await sink.prepare(model)
      const stopped = await stopInCopy(target)
      const letter = letterOf({ key: 'a', records, load: loadOf(2, 5) })
      await expect(sink.ledger.bury(letter)).rejects.toMatchObject({ code: 'SINK_BUSY' })
      await sink.ledger.bury(letter)
      expect(await sink.ledger.deadLetters({ limit: 10 })).toMatchObject([{ key: 'a' }])
      await stopped.ended
    })
  })

  it('a fold waits for nobody: a load of which a stopped consumer holds a batch is left for a later one, the others are folded', async () => {
    await using target = await openPostgres()
    await using sink = target.open()
    await sink.prepare(model)
    const [held, free] = [loadOf(1, 1), loadOf(1, 1)]
    for (const [id, load] of [held, free].entries())
      await write(sink, model, [{ key: `${load.id}/0`, records: [[`${id}`, 'x']], load }])
    const holder = await holding(
      target,
      `SELECT pg_advisory_xact_lock_shared(hashtextextended('${held.id}', 0))`,
    )
    const begun = performance.now()
    await sink.ledger.fold([held.id, free.id])
    expect(performance.now() - begun).toBeLessThan(4000)
    const complete = () =>
      Promise.all([held, free].map(async ({ id }) => (await sink.ledger.progress(id))?.complete))
    expect(await complete()).toEqual([false, true])
    await holder.query('COMMIT')
    await holder.end()
    await sink.ledger.fold([held.id, free.id])
    expect(await complete()).toEqual([true, true])
  })

  it('a load at work is not pruned, however old it is', async () => {
    await using target = await openPostgres()
    await using sink = target.open()
    await sink.prepare(model)
    const load = loadOf(1, 1)
    await write(sink, model, [{ key: `${load.id}/0`, records: [['1', 'x']], load }])
    await sink.ledger.fold([load.id])
    const prune = () =>
      sink.ledger.prune?.(
        { what: 'loads', before: new Date(Date.now() + 60_000).toISOString() },
        { limit: 10 },
      )
    const holder = await holding(
      target,
      `SELECT pg_advisory_xact_lock_shared(hashtextextended('${load.id}', 0))`,
    )
    expect(await prune()).toMatchObject({ entries: 0 })
    await holder.end()
    await expect.poll(prune).toMatchObject({ entries: 1 })
  })

  it.for(['application_name=mine', 'application_name='])(
    "sessions are lading's by name, so that a stopped one is found, whatever the URL calls them: %s",
    async (option) => {
      await using target = await openPostgres()
      await using sink = new PostgresSink(`${target.url}?${option}`)
      await sink.prepare(model)
      await sink.ledger.receipts({})
      expect(await target.query(`SELECT FROM ${sessions}`)).toHaveLength(2)
    },
  )

  it('a server that cannot be reached is unavailable, and no message tells the password', async () => {
    const port = await freePort()
    const url = new URL(`postgresql://user@127.0.0.1:${port}/nowhere`)
    url.password = secret
    await using sink = new PostgresSink(url.href)
    const error: unknown = await sink.prepare().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'SINK_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    })
    expect(String(error)).not.toMatch(/CANARY/)
  })

  it.for([
    'postgresql://user:CANARY@[broken/x',
    'postgresql://user:CANARY@127.0.0.1/x?sslmode=require&sslrootcert=/not/there',
    'postgresql://CANARY:CANARY@127.0.0.1:99999/x',
  ])('a broken URL is refused at once, and no message tells the password: %s', (url) => {
    const opening = () => new PostgresSink(url)
    expect(opening).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.not.stringContaining('CANARY') }),
    )
  })

  it('a database that is not there is refused', async () => {
    await using target = await openPostgres()
    const url = new URL(target.url)
    url.pathname = '/not_there'
    await using sink = new PostgresSink(url.href)
    await expect(sink.prepare(model)).rejects.toMatchObject({ code: 'SINK_REFUSED' })
  })

  it('a server that crashes is unavailable; after its restart what was committed is there, and loading goes on', async () => {
    await using server = await startPostgres()
    await using sink = new PostgresSink(server.url)
    await sink.prepare(model)
    expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(3)])
    await server.halt('immediate')
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(write(sink, model, [{ key: 'b', records: [['4', 'x']] }])).rejects.toMatchObject({
        code: 'SINK_UNAVAILABLE',
      })
    }
    await server.start()
    expect(
      await write(sink, model, [
        { key: 'a', records },
        { key: 'b', records: [['4', 'x']] },
      ]),
    ).toEqual([duplicate, applied(1)])
  })

  it('a wrong or missing password is refused, and no message tells it', async ({ skip }) => {
    await using server = await startPostgres()
    skip(server.dataDirectory === '', 'the server runs in a container, whose pg_hba.conf is out of reach')
    await requirePassword(server.url, server.dataDirectory)
    for (const username of ['guest', 'guest_in_clear']) {
      for (const password of [secret, '']) {
        const url = new URL(server.url)
        Object.assign(url, { username, password })
        await using sink = new PostgresSink(url.href)
        const error: unknown = await sink.prepare().catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ code: 'SINK_REFUSED' })
        expect(String(error)).not.toMatch(/CANARY/)
        const missing =
          'the server asks for a password, and none was given: write user:password@ before the host, or set PGPASSWORD'
        if (password === '') expect(String(error)).toContain(missing)
        else expect(String(error)).not.toContain(missing)
      }
    }
  })

  // Without a limit of its own, connecting may take 10 s.
  it(
    'a server that does not answer is given up in the time that is left of the start',
    { timeout: 8_000 },
    async () => {
      await using silent = createServer((socket) => socket.on('error', () => undefined).resume()).listen(
        0,
        '127.0.0.1',
      )
      await once(silent, 'listening')
      await using sink = new PostgresSink(
        `postgresql://127.0.0.1:${(silent.address() as AddressInfo).port}/none`,
      )
      await expect(sink.prepare(model, { connectMs: 1 })).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE' })
    },
  )
})

/** A session that calls itself lading's, holds the chunk's key and a COPY, and never sends a byte again. */
async function stopInCopy(target: PostgresTarget): Promise<{ readonly ended: Promise<unknown> }> {
  const client = new pg.Client({ connectionString: target.url, application_name: 'lading' })
  const ended = new Promise((resolve) => client.once('error', resolve))
  await client.connect()
  await client.query(
    `BEGIN; INSERT INTO lading.ledger VALUES ('test', 'a', '\\x00', NULL, 'applied', 0, 0, 0, 0)`,
  )
  client.query(copyFrom('COPY items FROM STDIN')).on('error', () => undefined)
  await until(
    async () =>
      (await target.query(`SELECT FROM ${sessions} AND wait_event = 'ClientRead' AND query LIKE 'COPY%'`))
        .length > 0,
  )
  return { ended }
}

async function requirePassword(url: string, folder: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(
    "CREATE ROLE guest LOGIN PASSWORD 'another'; CREATE ROLE guest_in_clear LOGIN PASSWORD 'another'",
  )
  const file = join(folder, 'pg_hba.conf')
  await writeFile(
    file,
    `host all guest_in_clear all password\nhost all guest 127.0.0.1/32 scram-sha-256\n${await readFile(file, 'utf8')}`,
  )
  await client.query('SELECT pg_reload_conf()')
  await until(
    async () =>
      (await client.query("SELECT FROM pg_hba_file_rules WHERE user_name = '{guest}'")).rows.length > 0,
  )
  const guest = new URL(url)
  guest.username = 'guest'
  // The rules are shown from the file; that they hold shows only when a connection is refused.
  await until(async () => {
    const attempt = new pg.Client({ connectionString: guest.href })
    attempt.on('error', () => undefined)
    const connected = await attempt.connect().then(
      () => true,
      () => false,
    )
    await attempt.end().catch(() => undefined)
    return !connected
  })
  await client.end()
}
