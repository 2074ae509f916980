/** The database goes away, in every way that a database does. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { load } from '../../src/load/load.ts'
import { produce } from '../../src/producer/produce.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { type PostgresServer, startPostgres } from '../../tooling/servers/postgres.ts'
import { numbers, query, serverTarget, Fixture } from '../support/fixture.ts'
import { EventLog } from '../support/wrappers.ts'

const chunkBytes = 4 * 1024

describePostgres('a load outlives its database', () => {
  let server: PostgresServer
  let n = 0
  let url: string
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    await query(server.url, `CREATE DATABASE outage${++n}`)
    url = server.url.replace(/postgres$/, `outage${n}`)
  })

  /**
   * Publishes, starts consuming in small batches, and calls `disturb` as often as `times`, each time after
   * some more batches.
   */
  async function disturbed(
    records: number,
    times: number,
    disturb: (round: number, eventLog: EventLog) => Promise<void>,
  ): Promise<EventLog> {
    await using fixture = await Fixture.open(serverTarget(url))
    const queue = await fixture.queue()
    await produce(fixture.producing(queue, [await fixture.file(records)], { chunkBytes }))
    const eventLog = new EventLog()
    const consumer = createConsumer({
      queue,
      sink: await fixture.sink(),
      model: numbers,
      batch: { bytes: 1, messages: 1 },
      onEvent: eventLog.listen,
    })
    let ended = false
    const running = consumer.run({ untilEmpty: true }).finally(() => (ended = true))
    for (let round = 0; round < times; round++) {
      const seen = eventLog.of('batch').length
      await expect
        .poll(() => eventLog.of('batch').length, { timeout: 20_000, interval: 1 })
        .toBeGreaterThan(seen + 5)
      await disturb(round, eventLog)
    }
    // Else the test would show nothing.
    expect(ended).toBe(false)
    expect(await running).toMatchObject({ deadMessages: 0, rejected: 0 })
    await fixture.expectAllOnce()
    return eventLog
  }

  it('restarted five times, by crash and in order', async () => {
    const eventLog = await disturbed(50_000, 5, (round) =>
      server.restart(round % 2 === 0 ? 'immediate' : 'fast'),
    )
    expect(eventLog.of('waiting').length).toBeGreaterThanOrEqual(5)
    expect(eventLog.of('resumed').length).toBeGreaterThanOrEqual(5)
  })

  it('its session terminated again and again', async () => {
    const sql =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lading' AND state <> 'idle'"
    // A session that ended between two statements is opened again without a word: only a statement that
    // failed shows something.
    const untilMet = async (_: number, eventLog: EventLog) => {
      const met = eventLog.of('waiting').length
      const waits = () => query(url, sql).then(() => eventLog.of('waiting').length)
      await expect.poll(waits, { timeout: 20_000, interval: 1 }).toBeGreaterThan(met)
    }
    await disturbed(50_000, 10, untilMet)
  })

  it('killed with kill -9', async () => {
    await disturbed(7_500, 1, async () => {
      server.kill()
      await server.start()
    })
  })

  it('down at the start and down for a while in the middle, which is said and waited for', async () => {
    await using fixture = await Fixture.open(serverTarget(url))
    const queue = await fixture.queue()
    const paths = [await fixture.file(5_000), await fixture.file(5_000)]
    const eventLog = new EventLog()
    await server.halt('fast')
    const refused = eventLog.next('waiting')
    const running = load({
      ...fixture.producing(queue, paths, { chunkBytes, onEvent: eventLog.listen }),
      sink: await fixture.sink(),
      batch: { bytes: 1, messages: 1 },
    })
    await refused
    await server.start()
    await expect.poll(() => eventLog.of('batch').length, { timeout: 20_000, interval: 1 }).toBeGreaterThan(3)
    await server.halt('immediate')
    const before = eventLog.of('waiting').length
    await expect.poll(() => eventLog.of('waiting').length, { timeout: 20_000 }).toBeGreaterThan(before + 3)
    expect(eventLog.of('waiting').every(({ code }) => code === 'SINK_UNAVAILABLE')).toBe(true)
    const written = eventLog.of('batch').length
    await server.start()
    const { receipts, loadedNow } = await running
    expect(eventLog.of('batch').length).toBeGreaterThan(written)
    expect(eventLog.events.findLastIndex(({ type }) => type === 'resumed')).toBeGreaterThan(0)
    expect(loadedNow).toBe(10_000)
    expect(receipts).toHaveLength(2)
    await fixture.expectAllOnce()
  })

  it('down at the start for longer than the consumer will wait', async () => {
    await using fixture = await Fixture.open(serverTarget(url))
    const queue = await fixture.queue()
    await fixture.publish(queue, 100)
    const { ready } = await queue.depth()
    await server.halt('fast')
    try {
      const sink = await fixture.sink()
      const running = createConsumer({ queue, sink, model: numbers, startTimeoutMs: 300 }).run({
        untilEmpty: true,
      })
      await expect(running).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE', exitCode: 69 })
      await expect(
        load({ ...fixture.producing(queue, [await fixture.file(1)]), sink, startTimeoutMs: 300 }),
      ).rejects.toMatchObject({
        exitCode: 69,
      })
      expect(await queue.depth()).toEqual({ ready, inFlight: 0, dead: 0 })
    } finally {
      await server.start()
    }
  })

  it('its table dropped in the middle stops it without a dead letter, and a new run finishes', async () => {
    await using fixture = await Fixture.open(serverTarget(url))
    const queue = await fixture.queue()
    await produce(fixture.producing(queue, [await fixture.file(12_500)], { chunkBytes }))
    const eventLog = new EventLog()
    const sink = await fixture.sink()
    const running = createConsumer({
      queue,
      sink,
      model: numbers,
      batch: { bytes: 1, messages: 1 },
      onEvent: eventLog.listen,
    }).run({
      untilEmpty: true,
    })
    running.catch(() => undefined)
    await expect.poll(() => eventLog.of('batch').length, { timeout: 20_000, interval: 1 }).toBeGreaterThan(3)
    // Kept under another name: what took effect stays in effect.
    await query(url, 'ALTER TABLE numbers RENAME TO away')
    await expect(running).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH', exitCode: 78 })
    expect(await sink.ledger.deadLetters({ limit: 10 })).toEqual([])
    const depth = await queue.depth()
    expect(depth).toMatchObject({ inFlight: 0, dead: 0 })
    expect(depth.ready).toBeGreaterThan(0)
    await query(url, 'ALTER TABLE away RENAME TO numbers')
    await createConsumer({ queue, sink: await fixture.sink(), model: numbers }).run({ untilEmpty: true })
    await fixture.expectAllOnce()
  })

  it('its database gone in the middle is waited for, and when it is back the load goes on', async () => {
    await using fixture = await Fixture.open(serverTarget(url))
    const queue = await fixture.queue()
    await produce(fixture.producing(queue, [await fixture.file(12_500)], { chunkBytes }))
    const eventLog = new EventLog()
    const running = createConsumer({
      queue,
      sink: await fixture.sink(),
      model: numbers,
      batch: { bytes: 1, messages: 1 },
      onEvent: eventLog.listen,
    }).run({ untilEmpty: true })
    running.catch(() => undefined)
    await expect.poll(() => eventLog.of('batch').length, { timeout: 20_000, interval: 1 }).toBeGreaterThan(3)
    const name = `outage${n}`
    await query(server.url, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
    await query(
      server.url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
    )
    const gone = async () => {
      await query(server.url, `ALTER DATABASE ${name} RENAME TO gone`)
      return true
    }
    await expect.poll(() => gone().catch(() => false), { timeout: 10_000 }).toBe(true)
    const away = () => eventLog.of('waiting').some(({ message }) => message.includes('does not exist'))
    await expect.poll(away, { timeout: 20_000 }).toBe(true)
    await query(server.url, `ALTER DATABASE gone RENAME TO ${name}`)
    await query(server.url, `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
    expect(await running).toMatchObject({ deadMessages: 0 })
    await fixture.expectAllOnce()
  })
})
