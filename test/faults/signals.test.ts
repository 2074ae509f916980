import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { produce } from '../../src/producer/produce.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { type Lading, startLading } from '../support/lading.ts'
import { numbers, query, Fixture } from '../support/fixture.ts'

const model = join(import.meta.dirname, '../support/model.ts')

const consume = (fixture: Fixture, ...more: string[]): Lading =>
  startLading(
    'consume',
    '--model',
    model,
    '--queue',
    `${fixture.queueUrl}?lease=2`,
    '--to',
    fixture.target.url,
    ...more,
  )

async function published(fixture: Fixture, count: number): Promise<Queue> {
  const queue = await fixture.queue(2)
  await produce(fixture.producing(queue, [await fixture.file(count)], { chunkBytes: 512 }))
  return queue
}

describePostgres('a consumer process and its signals', () => {
  it('SIGTERM in the middle of a load ends it with exit code 0, and nothing is lost', async () => {
    await using fixture = await Fixture.open('postgres')
    const queue = await published(fixture, 100_000)
    const { ready } = await queue.depth()
    await (await fixture.sink()).prepare(numbers)
    const lading = consume(fixture, '--batch-messages', '100')
    await expect
      .poll(() => fixture.target.ids().then(({ length }) => length), { timeout: 20_000, interval: 20 })
      .toBeGreaterThan(0)
    const started = performance.now()
    lading.child.kill('SIGTERM')
    expect(await lading.ended, lading.output()).toBe(0)
    expect(performance.now() - started).toBeLessThan(25_000)
    const depth = await queue.depth()
    expect(depth).toMatchObject({ inFlight: 0, dead: 0 })
    expect(depth.ready).toBeGreaterThan(0)
    expect(depth.ready).toBeLessThan(ready)
    await createConsumer({ queue, sink: await fixture.sink(), model: numbers }).run({ untilEmpty: true })
    await fixture.expectAllOnce()
  })

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)(
    'a second %s ends a consumer that is held by the database at once, with exit code %d',
    async (signal, code) => {
      await using fixture = await Fixture.open('postgres')
      const queue = await published(fixture, 2_000)
      const sink = await fixture.sink()
      await sink.prepare(numbers)
      await fixture.target
        .execute(`CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NULL; END';
      CREATE TRIGGER hang BEFORE INSERT ON numbers FOR EACH STATEMENT EXECUTE FUNCTION hang()`)
      const lading = consume(fixture)
      const held = () =>
        query<{ pid: number }>(
          fixture.target.url,
          "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()",
        )
      await expect.poll(held, { timeout: 20_000 }).toHaveLength(1)
      lading.child.kill(signal)
      const started = performance.now()
      // Two signals that arrive together may be one to the kernel, so the second is repeated until it is
      // seen.
      const again = setInterval(() => lading.child.kill(signal), 20)
      expect(await lading.ended, lading.output()).toBe(code)
      clearInterval(again)
      expect(performance.now() - started).toBeLessThan(5_000)
      await fixture.target.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()",
      )
      await fixture.target.execute('DROP TRIGGER hang ON numbers')
      const tally = await createConsumer({ queue, sink, model: numbers }).run({ untilEmpty: true })
      expect(tally.redelivered).toBeGreaterThan(0)
      await fixture.expectAllOnce()
    },
  )
})
