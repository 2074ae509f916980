/**
 * Connections to PostgreSQL that fall silent without a sign, and a server that says nothing because it is at
 * work.
 */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import { load } from '../../src/load/load.ts'
import { bigint, text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { PostgresSink } from '../../src/sink/postgres/postgres.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { startProxy } from '../support/proxy.ts'
import { numbers, Fixture } from '../support/fixture.ts'
import { EventLog } from '../support/wrappers.ts'

const silentMs = 500

/** A consumer of small batches that goes through a proxy, some way into its work. */
async function atWork(fixture: Fixture, url: string, giveBackAfterMs: number) {
  // A batch whose COMMIT is under way holds its rows until its lease is over.
  const queue = await fixture.queue(10)
  await fixture.publish(queue, 20_000, 100)
  const sink = new PostgresSink(url, { silentMs })
  const eventLog = new EventLog()
  const stop = new AbortController()
  const options = {
    queue,
    sink,
    model: numbers,
    prefetch: 20,
    batch: { messages: 1 },
    giveBackAfterMs,
    onEvent: eventLog.listen,
  }
  const running = createConsumer(options)
    .run({ signal: stop.signal })
    .finally(() => sink[Symbol.asyncDispose]())
  running.catch(() => undefined)
  await expect.poll(() => eventLog.of('batch').length, { timeout: 20_000, interval: 1 }).toBeGreaterThan(5)
  return { queue, eventLog, stop, running }
}

const isEmpty = async ({ queue }: Awaited<ReturnType<typeof atWork>>) => {
  const { ready, inFlight } = await queue.depth()
  return ready + (inFlight ?? 0) === 0
}

describePostgres('a connection to PostgreSQL that falls silent', () => {
  it('is given up when the server does not work on what was sent, which is said, and the consumer goes on', async () => {
    await using fixture = await Fixture.open('postgres')
    await using proxy = await startProxy(fixture.target.url)
    const work = await atWork(fixture, proxy.url, 30_000)
    proxy.forget()
    await expect.poll(() => isEmpty(work), { timeout: 30_000 }).toBe(true)
    const message = expect.stringMatching(/^PostgreSQL: no answer for \d+ s: the server waits/)
    expect(work.eventLog.of('waiting')[0]).toMatchObject({ code: 'SINK_UNAVAILABLE', message })
    work.stop.abort()
    expect(await work.running).toMatchObject({ deadMessages: 0, retried: 0 })
    await fixture.expectAllOnce()
  })

  it('costs nobody else a message: what is in hand is given back, others load it, and the consumer goes on when the database answers', async () => {
    await using fixture = await Fixture.open('postgres')
    await using proxy = await startProxy(fixture.target.url)
    const work = await atWork(fixture, proxy.url, 1)
    proxy.blackHole(true)
    await createConsumer({ queue: work.queue, sink: await fixture.sink(), model: numbers }).run({
      untilEmpty: true,
    })
    await fixture.expectAllOnce()
    expect(work.eventLog.of('held').at(-1)?.messages).toBe(0)
    expect(work.eventLog.of('waiting').some(({ message }) => message.includes('given back'))).toBe(true)
    proxy.blackHole(false)
    proxy.reset()
    await fixture.publish(work.queue, 100)
    await expect.poll(() => isEmpty(work), { timeout: 30_000 }).toBe(true)
    work.stop.abort()
    expect(await work.running).toMatchObject({ deadMessages: 0 })
    await fixture.expectAllOnce()
  })

  it('counts for no load at work: the load whose session it was builds the indexes at its end', async () => {
    await using fixture = await Fixture.open('postgres')
    await using proxy = await startProxy(fixture.target.url)
    await using sink = new PostgresSink(proxy.url, { silentMs })
    const keyed = defineModel({
      table: 'numbers',
      columns: { id: bigint().notNull(), note: text() },
      primaryKey: ['id'],
    })
    const states: string[] = []
    let batches = 0
    const onEvent = (event: LadingEvent) => {
      if (event.type === 'batch' && ++batches === 3) proxy.forget()
      if (event.type === 'indexes') states.push(event.state)
    }
    const loading = { queue: await fixture.queue(), sink, model: keyed, onEvent, batch: { messages: 1 } }
    const files = {
      paths: [await fixture.file(5_000)],
      statePath: join(fixture.folder, 'producer.db'),
      chunkBytes: 2_000,
    }
    await load({ ...loading, ...files, deferIndexes: 'always' })
    expect(states).toEqual(expect.arrayContaining(['deferred', 'built']))
    expect(states).not.toContain('left')
    await fixture.expectAllOnce()
  })

  it('is kept as long as the server is at work, however long it says nothing', async () => {
    await using fixture = await Fixture.open('postgres')
    await fixture.target.execute(`CREATE TABLE numbers (id bigint NOT NULL, note text);
      CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN NULL; END';
      CREATE TRIGGER dawdle BEFORE INSERT ON numbers EXECUTE FUNCTION dawdle()`)
    await expectOneSession(fixture, fixture.target.url, 100, 100)
  })

  it('is kept as long as what is sent arrives, however slowly', async () => {
    await using fixture = await Fixture.open('postgres')
    await using proxy = await startProxy(fixture.target.url, { slowMs: 100 })
    await expectOneSession(fixture, proxy.url, 40_000, 400)
  })
})

/**
 * That as many records are written with one session, which says nothing for many times as long as it takes to
 * be asked for.
 */
async function expectOneSession(
  fixture: Fixture,
  url: string,
  records: number,
  silent: number,
): Promise<void> {
  const queue = await fixture.queue()
  await fixture.publish(queue, records, records)
  const eventLog = new EventLog()
  await using sink = new PostgresSink(url, { silentMs: silent })
  await createConsumer({ queue, sink, model: numbers, onEvent: eventLog.listen }).run({ untilEmpty: true })
  expect(eventLog.of('waiting')).toEqual([])
  expect(eventLog.of('batch')).toMatchObject([{ loaded: records }])
  expect(eventLog.of('batch')[0]?.writeMs).toBeGreaterThan(3 * silent)
  await fixture.expectAllOnce()
}
