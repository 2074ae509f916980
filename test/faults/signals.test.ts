import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { produce } from '../../src/producer/produce.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { type Lading, startLading } from '../support/lading.ts'
import { numbers, query, Workshop } from '../support/workshop.ts'

const model = join(import.meta.dirname, '../support/model.ts')

const consume = (workshop: Workshop, ...more: string[]): Lading =>
  startLading(
    'consume',
    '--model',
    model,
    '--queue',
    `${workshop.queueUrl}?lease=2`,
    '--to',
    workshop.target.url,
    ...more,
  )

async function published(workshop: Workshop, count: number): Promise<Queue> {
  const queue = await workshop.queue(2)
  await produce(workshop.producing(queue, [await workshop.file(count)], { chunkBytes: 512 }))
  return queue
}

describePostgres('a consumer process and its signals', () => {
  it('SIGTERM in the middle of a load ends it with exit code 0, and nothing is lost', async () => {
    await using workshop = await Workshop.open('postgres')
    const queue = await published(workshop, 100_000)
    const { ready } = await queue.depth()
    await (await workshop.sink()).prepare(numbers)
    const lading = consume(workshop, '--batch-messages', '100')
    await expect
      .poll(() => workshop.target.ids().then(({ length }) => length), { timeout: 20_000, interval: 20 })
      .toBeGreaterThan(0)
    const started = performance.now()
    lading.child.kill('SIGTERM')
    expect(await lading.ended, lading.output()).toBe(0)
    expect(performance.now() - started).toBeLessThan(25_000)
    const depth = await queue.depth()
    expect(depth).toMatchObject({ inFlight: 0, dead: 0 })
    expect(depth.ready).toBeGreaterThan(0)
    expect(depth.ready).toBeLessThan(ready)
    await createConsumer({ queue, sink: await workshop.sink(), model: numbers }).run({ untilEmpty: true })
    await workshop.expectAllOnce()
  })

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)(
    'a second %s ends a consumer that is held by the database at once, with exit code %d',
    async (signal, code) => {
      await using workshop = await Workshop.open('postgres')
      const queue = await published(workshop, 2_000)
      const sink = await workshop.sink()
      await sink.prepare(numbers)
      await workshop.target
        .execute(`CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NULL; END';
      CREATE TRIGGER hang BEFORE INSERT ON numbers FOR EACH STATEMENT EXECUTE FUNCTION hang()`)
      const lading = consume(workshop)
      const held = () =>
        query<{ pid: number }>(
          workshop.target.url,
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
      await workshop.target.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()",
      )
      await workshop.target.execute('DROP TRIGGER hang ON numbers')
      const tally = await createConsumer({ queue, sink, model: numbers }).run({ untilEmpty: true })
      expect(tally.redelivered).toBeGreaterThan(0)
      await workshop.expectAllOnce()
    },
  )
})
