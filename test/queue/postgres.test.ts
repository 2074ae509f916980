/** What a queue in PostgreSQL promises besides what every queue does. */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Queue } from '../../src/queue/queue.ts'
import { examineQueue, openQueue } from '../../src/queue/registry.ts'
import {
  describePostgres,
  dropRole,
  type FreshDatabase,
  freshDatabase,
} from '../../tooling/servers/database.ts'
import { Reader } from '../contract/queue/reader.ts'
import { keysOf } from '../contract/queue/expected.ts'
import { messageOf, messagesOf } from '../contract/queue/messages.ts'

const secret = 'CANARY-pw'
const nowhere = `postgresql://me:${secret}@127.0.0.1:1/db`

describe('the URL of a queue in PostgreSQL', () => {
  it.each([
    `postgresql://me:${secret}@[broken/db?queue=a`,
    `${nowhere}?queue=`,
    `${nowhere}?queue=${'a'.repeat(241)}`,
    `${nowhere}?lease=${secret}`,
    `${nowhere}?lease=0`,
    `${nowhere}?sslmode=verify-full&sslrootcert=/nowhere`,
  ])('is refused in one line that holds no password (%#)', async (url) => {
    const refused = await openQueue(url).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'USAGE', message: expect.stringMatching(/^.+$/) })
    expect(String(refused)).not.toContain(secret)
  })

  it('of a server that is not there is said in one line that holds no password', async () => {
    const refused = await openQueue(nowhere).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    expect(String(refused)).not.toContain(secret)
  })
})

describePostgres('a queue in PostgreSQL', () => {
  let database: FreshDatabase
  let client: pg.Client
  const query = async (sql: string, values: readonly unknown[] = []) =>
    (await client.query(sql, [...values])).rows
  const urlOf = (name: string, user = '', lease = 60) => {
    const url = new URL(database.url)
    if (user !== '') url.username = user
    return `${url.href}?queue=${name}&lease=${lease}s`
  }

  beforeAll(async () => {
    database = await freshDatabase()
    client = new pg.Client(database.url)
    await client.connect()
  })

  afterAll(async () => {
    await client.end()
    await database.drop()
  })

  /** A queue of its own, which holds nothing. */
  async function fresh(): Promise<Queue & { readonly name: string }> {
    const name = randomUUID()
    return Object.assign(await openQueue(urlOf(name)), { name })
  }

  it('that is not there is not made without leave, nor its tables', async () => {
    await using other = await freshDatabase()
    const refused = openQueue(`${other.url}?queue=none`, { create: false })
    await expect(refused).rejects.toMatchObject({ code: 'QUEUE_MISSING' })
    const another = new pg.Client(other.url)
    await another.connect()
    const { rows } = await another.query("SELECT FROM pg_namespace WHERE nspname LIKE 'lading%'")
    await another.end()
    expect(rows).toEqual([])
    await using _ = await fresh()
    await expect(openQueue(urlOf('another'), { create: false })).rejects.toMatchObject({
      code: 'QUEUE_MISSING',
    })
  })

  it('is one for all names that are equal, and another one for each other name', async () => {
    await using queue = await fresh()
    await using same = await openQueue(urlOf(queue.name))
    await using other = await fresh()
    expect(same.id).toBe(queue.id)
    expect(other.id).not.toBe(queue.id)
    await queue.publish([messageOf('a', 1)])
    expect(await other.depth()).toMatchObject({ ready: 0 })
    expect(keysOf(await same.peek(5))).toEqual(['a/1'])
  })

  it('that a newer version has made is left alone', async () => {
    await using queue = await fresh()
    await query('INSERT INTO lading_queue.migration VALUES (99)')
    try {
      await expect(openQueue(urlOf(queue.name))).rejects.toMatchObject({ code: 'QUEUE_NEWER' })
    } finally {
      await query('DELETE FROM lading_queue.migration WHERE version = 99')
    }
  })

  it('that was removed takes nothing that would never come, and is told to who waits', async () => {
    await using queue = await fresh()
    const reader = new Reader(queue)
    expect(await reader.next()).toEqual([])
    const [removed] = await query('DELETE FROM lading_queue.queue WHERE name = $1 RETURNING id', [queue.name])
    const missing = expect.objectContaining({
      code: 'QUEUE_MISSING',
      message: `queue ${queue.name}: it was removed`,
    })
    await expect(queue.publish([messageOf('a', 1)])).rejects.toThrow(missing)
    await expect(new Reader(queue).next()).rejects.toThrow(missing)
    expect(await query('SELECT FROM lading_queue.message WHERE queue = $1', [removed?.id])).toEqual([])
  })

  it('delivers what a slow transaction published with an earlier number', async () => {
    await using queue = await fresh()
    await query('BEGIN')
    await query('SELECT lading_queue.publish($1, $2, $3)', [queue.name, '{}', 'slow'])
    await queue.publish(messagesOf('a', 0, 30))
    const reader = new Reader(queue)
    await reader.take(30)
    await query('COMMIT')
    expect((await reader.takeOne()).key).toBe('slow')
    await reader.stop()
  })

  it('takes messages of other programs in their own transaction, with or without key and headers', async () => {
    await using queue = await fresh()
    await query('BEGIN')
    await query('SELECT lading_queue.publish($1, $2)', [queue.name, 'never'])
    await query('ROLLBACK')
    await query('SELECT lading_queue.publish($1, $2)', [queue.name, '{"id": 1}'])
    await query('SELECT lading_queue.publish($1, $2, $3, $4)', [queue.name, 'zwei', 'k', { a: 'b', n: 5 }])
    await query('SELECT lading_queue.publish($1, $2, $3)', [queue.name, 'three', ''])
    const [first, second, third] = await queue.peek(9)
    expect(String(first?.body)).toBe('{"id": 1}')
    expect(first).toMatchObject({ key: expect.stringMatching(/^[\da-f-]{36}$/), headers: {} })
    expect(second).toMatchObject({ key: 'k', headers: { a: 'b', n: '5' } })
    expect(third).toMatchObject({ key: expect.stringMatching(/^[\da-f-]{36}$/) })
    await expect(query("SELECT lading_queue.publish('nowhere', '{}')")).rejects.toThrow(
      'there is no queue nowhere',
    )
  })

  it('reports headers that are none, and delivers the message', async () => {
    await using queue = await fresh()
    await query(
      `INSERT INTO lading_queue.message (queue, key, headers, body, bytes)
       SELECT id, 'x', '{"a"', 'body', 4 FROM lading_queue.queue WHERE name = $1`,
      [queue.name],
    )
    expect(await queue.peek(1)).toMatchObject([{ key: 'x', headers: {}, fault: { code: 'BAD_ENVELOPE' } }])
  })

  it('has about 12 MiB in hand, and counts what a reference leads to', async () => {
    await using queue = await fresh()
    const body = Buffer.alloc(4 * 1024 * 1024)
    await queue.publish(Array.from({ length: 4 }, (_, n) => ({ key: `b${n}`, body, headers: {} })))
    const weight = 4 * 1024 * 1024
    const referring = { body: Buffer.alloc(0), headers: {}, weight }
    await queue.publish(Array.from({ length: 4 }, (_, n) => ({ ...referring, key: `r${n}` })))
    const reader = new Reader(queue)
    const taken = await reader.takeAvailable()
    expect(keysOf(taken)).toEqual(['b0', 'b1', 'b2'])
    for (const delivery of taken) await delivery.settle({ kind: 'done' })
    expect(keysOf(await reader.takeAvailable())).toEqual(['b3', 'r0', 'r1'])
    await reader.stop()
  })

  it('begins with one message, and takes nothing beside one that may kill its consumers', async () => {
    await using queue = await fresh()
    await queue.publish(messagesOf('a', 0, 50))
    const reader = new Reader(queue)
    expect(await reader.next()).toHaveLength(1)
    await reader.stop()
    await query('UPDATE lading_queue.message SET attempt = 6 WHERE key = $1', ['a/5'])
    const again = new Reader(queue)
    const taken = await again.takeAvailable()
    expect(taken.find(({ key }) => key === 'a/5')?.attempt).toBe(7)
    expect(taken.length).toBeLessThan(25)
    for (const delivery of taken) await delivery.settle({ kind: 'done' })
    await again.drain(49 - taken.length)
    await again.stop()
  })

  it('commits durably what is published, whatever the database lowers synchronous_commit to', async () => {
    await using queue = await fresh()
    await query(`CREATE TABLE noted (what text, how text);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO noted VALUES (TG_OP, current_setting('synchronous_commit')); RETURN NULL; END $$;
      CREATE TRIGGER note AFTER INSERT ON lading_queue.message EXECUTE FUNCTION note();
      DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$`)
    try {
      await using lowered = await openQueue(urlOf(queue.name))
      await lowered.publish([messageOf('a', 1)])
      expect(await query('SELECT how FROM noted')).toEqual([{ how: 'on' }])
    } finally {
      await query('DROP TRIGGER note ON lading_queue.message; DROP FUNCTION note(); DROP TABLE noted')
      await query(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET synchronous_commit', current_database()); END $$",
      )
    }
  })

  it('holds a producer while the disk of the server is full, and says that it was removed', async () => {
    await using queue = await fresh()
    await query(`CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
      CREATE TRIGGER fill BEFORE INSERT ON lading_queue.message EXECUTE FUNCTION fill()`)
    await expect(queue.publish([messageOf('a', 1)])).rejects.toMatchObject({ code: 'QUEUE_HOLD' })
    await query('DROP TRIGGER fill ON lading_queue.message; DROP FUNCTION fill()')
    await queue.publish([messageOf('a', 1)])
    await query('ALTER TABLE lading_queue.message RENAME TO gone')
    await expect(queue.depth()).rejects.toMatchObject({ code: 'QUEUE_MISSING' })
    await query('ALTER TABLE lading_queue.gone RENAME TO message')
  })

  it('goes on when its sessions are ended', async () => {
    await using queue = await fresh()
    await queue.publish(messagesOf('a', 0, 3))
    const reader = new Reader(queue)
    await reader.take(3)
    await reader.stop()
    await query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lading'",
    )
    const publish = () => queue.publish([messageOf('a', 3)])
    await publish().catch(publish)
    const depth = () => queue.depth()
    expect(await depth().catch(depth)).toEqual({ ready: 1, inFlight: 3, dead: 0 })
  })

  it('tells the age of its oldest message', async () => {
    await using queue = await fresh()
    expect(await queue.oldest?.()).toBeUndefined()
    await queue.publish([messageOf('a', 1)])
    await query("UPDATE lading_queue.message SET published_at = now() - interval '1 hour' WHERE key = 'a/1'")
    expect(await queue.oldest?.()).toBeGreaterThanOrEqual(3_600_000)
  })

  it('says what right a role lacks, and lets one publish that may do nothing else', async () => {
    await using queue = await fresh()
    const role = `producer_${randomUUID().slice(0, 8)}`
    await query(`CREATE ROLE ${role} LOGIN`)
    try {
      const url = urlOf(queue.name, role)
      await expect(openQueue(url)).rejects.toMatchObject({
        code: 'QUEUE_REFUSED',
        message: expect.stringContaining(`GRANT USAGE ON SCHEMA lading_queue TO ${role}; GRANT SELECT,`),
      })
      await query(`GRANT USAGE ON SCHEMA lading_queue TO ${role};
        GRANT SELECT ON lading_queue.queue, lading_queue.migration TO ${role}; GRANT INSERT ON lading_queue.message TO ${role}`)
      await using producer = await openQueue(url)
      await producer.publish([messageOf('a', 1)])
      await expect(new Reader(producer).next()).rejects.toMatchObject({
        code: 'QUEUE_REFUSED',
        message: expect.stringContaining(`DELETE ON ALL TABLES IN SCHEMA lading_queue TO ${role} allows it`),
      })
      expect(await queue.depth()).toMatchObject({ ready: 1 })
      // The function tells the number of the message.
      const publish = `BEGIN; SET LOCAL ROLE ${role}; SELECT lading_queue.publish('${queue.name}', '{}'); COMMIT`
      await expect(query(publish)).rejects.toMatchObject({ code: '42501' })
      await query(`ROLLBACK; GRANT SELECT (id) ON lading_queue.message TO ${role}`)
      await query(publish)
      expect(await queue.depth()).toMatchObject({ ready: 2 })
    } finally {
      await query(`DROP OWNED BY ${role}`)
      await dropRole(role)
    }
  })

  it('is examined: what is there, what waits, rights, bloat and old snapshots', async () => {
    const found = async (url: string, create = true) => {
      const findings: string[] = []
      for await (const { level, what } of await examineQueue(url, { create }))
        findings.push(`${level} ${what}`)
      return findings
    }
    await using queue = await fresh()
    await queue.publish([messageOf('a', 1)])
    expect(await found(urlOf(queue.name))).toEqual([
      'ok durability',
      'note queue',
      'ok rights',
      expect.stringMatching(/^ok bloat$/),
    ])
    expect(await found(urlOf('none'))).toEqual(['ok durability', 'note queue', 'ok rights'])
    expect(await found(urlOf('none'), false)).toContain('fail queue')
    expect(await found(urlOf(queue.name, '', 1))).toContain('warn lease')
    expect(await found(nowhere)).toEqual(['fail connection'])
  })
})
