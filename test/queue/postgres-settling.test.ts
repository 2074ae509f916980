/** Where the queue lies in the target's database, the transaction of a batch settles its messages. */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createConsumer } from '../../src/index.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { openSink } from '../../src/sink/registry.ts'
import { describePostgres, type FreshDatabase, freshDatabase } from '../../tooling/servers/database.ts'
import { numbers } from '../support/model.ts'
import { startProxy } from '../support/proxy.ts'

describePostgres('a queue in the database of its target', () => {
  let database: FreshDatabase
  let client: pg.Client
  const query = async (sql: string) => (await client.query(sql)).rows
  const idsIn = async () =>
    (await query('SELECT id::int FROM numbers ORDER BY id')).map(({ id }) => Number(id))

  beforeEach(async () => {
    database = await freshDatabase()
    client = new pg.Client(database.url)
    await client.connect()
    await using sink = await openSink(database.url)
    await sink.prepare(numbers)
  })

  afterEach(async () => {
    await client.end()
    await database.drop()
  })

  /** Publishes the bodies, and consumes until nothing is left. */
  async function consume(bodies: readonly string[], { queueUrl = database.url, target = database.url } = {}) {
    await using queue = await openQueue(`${queueUrl}?lease=2s`)
    await queue.publish(bodies.map((body) => ({ key: randomUUID(), body: Buffer.from(body), headers: {} })))
    await using sink = await openSink(target)
    const tally = await createConsumer({ queue, sink, model: numbers }).run({ untilEmpty: true })
    return { tally, depth: await queue.depth() }
  }

  /** Notes the transactions that load, and those that settle. */
  const noteTransactions = `CREATE TABLE noted (what text, xid xid8);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO noted VALUES (TG_TABLE_NAME, pg_current_xact_id()); RETURN NULL; END $$;
    CREATE TRIGGER note AFTER INSERT ON numbers FOR EACH STATEMENT EXECUTE FUNCTION note();
    CREATE TRIGGER note AFTER DELETE ON lading_queue.message FOR EACH STATEMENT EXECUTE FUNCTION note()`
  const noted = async (what: string) =>
    (await query(`SELECT DISTINCT xid::text FROM noted WHERE what = '${what}' ORDER BY xid`)).map(
      ({ xid }) => xid,
    )

  const records = (count: number, first = 1) =>
    Array.from({ length: count }, (_, n) => JSON.stringify({ id: String(first + n), note: 'x' }))

  it('is settled by the transaction that loads, and by no other', async () => {
    await consume([])
    await query(noteTransactions)
    const { tally, depth } = await consume(records(500))
    expect(tally).toMatchObject({ messages: 500, loaded: 500 })
    expect(depth).toEqual({ ready: 0, inFlight: 0, dead: 0 })
    expect(await idsIn()).toHaveLength(500)
    const settling = await noted('message')
    expect(settling.length).toBeGreaterThan(0)
    expect(settling).toEqual(await noted('numbers'))
  })

  it('is settled by the transaction of a batch that has to be looked at closely', async () => {
    await consume([])
    await query('ALTER TABLE numbers ADD CHECK (id <> 7)')
    await query(noteTransactions)
    const { tally, depth } = await consume([...records(20), ...records(3, 6)])
    expect(tally).toMatchObject({ messages: 23, loaded: 21, rejected: 2 })
    expect(depth).toMatchObject({ ready: 0, inFlight: 0 })
    expect(await noted('message')).toEqual(expect.arrayContaining(await noted('numbers')))
  })

  it('keeps what is settled when its commit is not heard of: every record is there once', async () => {
    let swallowed = 0
    const isCommit = (sent: Buffer) => sent.includes('\nCOMMIT\0')
    await using proxy = await startProxy(database.url, {
      swallowReply: (sent) => isCommit(sent) && swallowed++ % 2 === 0,
    })
    const { depth } = await consume(records(300), { target: proxy.url })
    expect(depth).toMatchObject({ ready: 0, inFlight: 0 })
    expect(await idsIn()).toEqual(Array.from({ length: 300 }, (_, n) => n + 1))
  })

  it('settles a message that becomes a dead letter behind its letter, and the others of its batch', async () => {
    const { tally, depth } = await consume([...records(5), 'no JSON at all', ...records(5, 6)])
    expect(tally).toMatchObject({ loaded: 10, deadMessages: 1 })
    expect(depth).toMatchObject({ ready: 0, inFlight: 0 })
    expect(await query('SELECT code FROM lading.dead_letter')).toHaveLength(1)
  })

  it('keeps its messages where the transaction fails', async () => {
    await consume([])
    await query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'not now' USING ERRCODE = 'lock_not_available'; END $$;
      CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON lading.ledger DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`)
    await using queue = await openQueue(`${database.url}?lease=60s`)
    await queue.publish(
      records(3).map((body, n) => ({ key: String(n), body: Buffer.from(body), headers: {} })),
    )
    await using sink = await openSink(database.url)
    const stop = new AbortController()
    const onEvent = ({ type }: { readonly type: string }) => type === 'waiting' && stop.abort()
    await createConsumer({ queue, sink, model: numbers, onEvent }).run({ signal: stop.signal })
    expect(await queue.depth()).toEqual({ ready: 3, inFlight: 0, dead: 0 })
    expect(await idsIn()).toEqual([])
  })

  it('is settled by itself where its user is another one, or its database, or its options, which may set a role', async () => {
    await using other = await freshDatabase()
    await using sink = await openSink(database.url)
    await using beside = await openQueue(database.url)
    await using elsewhere = await openQueue(other.url)
    expect(beside.settling?.by).toBe(sink.settles)
    expect(elsewhere.settling?.by).not.toBe(sink.settles)
    await using asOther = await openSink(`${database.url}?options=-c%20role%3Dpg_monitor`)
    expect(beside.settling?.by).not.toBe(asOther.settles)
    const { depth } = await consume(records(50), { queueUrl: other.url })
    expect(depth).toMatchObject({ ready: 0, inFlight: 0 })
    expect(await idsIn()).toHaveLength(50)
  })
})
