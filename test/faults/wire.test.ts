/** What networks do to the connection between the consumer and PostgreSQL. */
import { expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { produce } from '../../src/producer/produce.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { type Proxy, startProxy } from '../support/proxy.ts'
import { numbers, query, Fixture } from '../support/fixture.ts'
import { EventLog } from '../support/wrappers.ts'

const isCommit = (sent: Buffer): boolean => sent.includes('COMMIT\0')

async function consumeThrough(proxy: Proxy, fixture: Fixture, count: number, eventLog = new EventLog()) {
  const queue = await fixture.queue()
  await produce(fixture.producing(queue, [await fixture.file(count)], { chunkBytes: 2_000 }))
  const sink = await fixture.sink(proxy.url)
  return await createConsumer({
    queue,
    sink,
    model: numbers,
    batch: { bytes: 1, messages: 1 },
    onEvent: eventLog.listen,
  }).run({
    untilEmpty: true,
  })
}

describePostgres('the wire to PostgreSQL', () => {
  it('ten times the answer to COMMIT is swallowed, and every record takes effect once', async () => {
    await using fixture = await Fixture.open('postgres')
    await (await fixture.sink()).prepare(numbers)
    let commits = 0
    let swallowed = 0
    // Every other, so that each is that of a new batch.
    const swallowReply = (sent: Buffer) =>
      isCommit(sent) && ++commits % 2 === 0 && swallowed < 10 && ++swallowed > 0
    await using proxy = await startProxy(fixture.target.url, { swallowReply })
    const eventLog = new EventLog()
    const tally = await consumeThrough(proxy, fixture, 2_500, eventLog)
    expect(swallowed).toBe(10)
    expect(tally.duplicates).toBeGreaterThanOrEqual(8)
    expect(eventLog.of('waiting').length).toBeGreaterThanOrEqual(8)
    await fixture.expectAllOnce()
  })

  // The first session writes batches, the second asks and tidies the ledger.
  it.for([
    [0, 10],
    [1, 2],
  ] as const)(
    'session %i is reset after every number of bytes that it takes',
    async ([session, leastRounds]) => {
      await using fixture = await Fixture.open('postgres')
      const step = 331
      // Another byte of each step with each run.
      const seed = Number(process.env['LADING_SEED'] ?? Date.now() % 1_000_000)
      let rounds = 0
      for (let met = true; met; rounds++) {
        let sessions = 0
        const resetAfter = () => (sessions++ === session ? 1 + (seed % step) + rounds * step : undefined)
        await using proxy = await startProxy(fixture.target.url, { resetAfter })
        const eventLog = new EventLog()
        expect(await consumeThrough(proxy, fixture, 50, eventLog)).toMatchObject({ deadMessages: 0 })
        met = eventLog.of('waiting').length > 0
      }
      expect(rounds, `seed ${seed}`).toBeGreaterThan(leastRounds)
      await fixture.expectAllOnce()
    },
  )

  it('a session that breaks in each of its batches, at another byte each time', async () => {
    await using fixture = await Fixture.open('postgres')
    await (await fixture.sink()).prepare(numbers)
    let connections = 0
    await using proxy = await startProxy(fixture.target.url, {
      resetAfter: () => 9_000 + 331 * connections++,
    })
    await consumeThrough(proxy, fixture, 3_000)
    expect(connections).toBeGreaterThan(5)
    await fixture.expectAllOnce()
  })

  it('a connection that falls silent ends with the stop, and nothing is lost', async () => {
    await using fixture = await Fixture.open('postgres')
    await using proxy = await startProxy(fixture.target.url)
    const queue = await fixture.queue()
    await produce(fixture.producing(queue, [await fixture.file(20_000)], { chunkBytes: 2_000 }))
    const eventLog = new EventLog()
    const stop = new AbortController()
    const consumer = createConsumer({
      queue,
      sink: await fixture.sink(proxy.url),
      model: numbers,
      graceMs: 500,
      batch: { bytes: 1, messages: 1 },
      onEvent: eventLog.listen,
    })
    const running = consumer.run({ signal: stop.signal })
    await expect.poll(() => eventLog.of('batch').length, { timeout: 20_000, interval: 1 }).toBeGreaterThan(5)
    proxy.blackHole(true)
    const started = performance.now()
    stop.abort()
    await running
    expect(performance.now() - started).toBeLessThan(3_000)
    expect(await queue.depth()).toMatchObject({ inFlight: 0 })
    proxy.blackHole(false)
    proxy.reset()
    await query(fixture.target.url, 'SELECT 1')
    await createConsumer({ queue, sink: await fixture.sink(), model: numbers }).run({ untilEmpty: true })
    await fixture.expectAllOnce()
  })
})
