/** A consumer stops in the middle of a transaction, and others go on. */
import { join } from 'node:path'
import pg from 'pg'
import { expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { startLading } from '../support/lading.ts'
import { startProxy } from '../support/proxy.ts'
import { numbers, query, Fixture } from '../support/fixture.ts'
import { EventLog } from '../support/wrappers.ts'

const model = join(import.meta.dirname, '../support/model.ts')
/** The transaction of a batch is one query, which is shown up to its 1,024th byte. What prepares the table waits, too, at times. */
const writing = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lading'
  AND state = 'active' AND wait_event = 'ClientRead' AND query LIKE '%INSERT INTO lading.load %'`

/** What prepares the table stands at its first statement with the name of it. */
const preparing = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lading'
  AND wait_event = 'ClientRead' AND xact_start IS NOT NULL AND query_start < now() - interval '1 s'`

const places = [
  { where: 'in the middle of COPY', begins: 'COPY "numbers"', held: writing },
  { where: 'while it makes the table', begins: 'CREATE TABLE "numbers"', held: preparing },
]

describePostgres('a consumer that is stopped', () => {
  it.for(places)(
    '$where loses its session as soon as its lease has run out, and others load everything while it is stopped',
    async ({ begins, held }) => {
      await using fixture = await Fixture.open('postgres')
      const queue = await fixture.queue()
      await fixture.publish(queue, 100)
      await using proxy = await startProxy(fixture.target.url, {
        stopWithin: (sent) => sent.includes(begins),
      })
      const consume = (to: string) =>
        startLading('consume', '--model', model, '--queue', `${fixture.queueUrl}?lease=3`, '--to', to)
      const stopped = consume(proxy.url)
      const others: ReturnType<typeof consume>[] = []
      try {
        await expect.poll(() => query(fixture.target.url, held), { timeout: 20_000 }).toHaveLength(1)
        stopped.child.kill('SIGSTOP')
        await fixture.publish(queue, 100)
        others.push(consume(fixture.target.url), consume(fixture.target.url))
        await expect.poll(async () => (await fixture.target.ids()).length, { timeout: 30_000 }).toBe(200)
        expect(await query(fixture.target.url, held)).toEqual([])
      } finally {
        stopped.child.kill('SIGKILL')
        for (const other of others) other.child.kill('SIGTERM')
        for (const other of others) expect(await other.ended, other.output()).toBe(0)
      }
      await fixture.expectAllOnce()
    },
  )

  it('holds its messages alone: they are given back for later, and the rest goes on', async () => {
    await using fixture = await Fixture.open('postgres')
    const queue = await fixture.queue()
    const sink = await fixture.sink()
    await sink.prepare(numbers)
    const loadId = await fixture.publish(queue, 100)
    const holder = new pg.Client(fixture.target.url)
    await holder.connect()
    await holder.query(
      `BEGIN; INSERT INTO lading.ledger VALUES ('numbers', '${loadId}/1', '', NULL, 'applied', 0, 0, 0, 0)`,
    )
    const eventLog = new EventLog()
    const running = createConsumer({ queue, sink, model: numbers, onEvent: eventLog.listen }).run({
      untilEmpty: true,
    })
    await expect
      .poll(() => eventLog.of('batch').map(({ retried, rejected }) => [retried, rejected]), {
        timeout: 20_000,
      })
      .toEqual([[1, 0]])
    const others = (await fixture.target.ids()).length
    expect(others).toBeGreaterThan(80)
    expect(eventLog.of('waiting').at(-1)).toMatchObject({
      code: 'SINK_BUSY',
      message: expect.stringContaining('given back'),
    })
    await holder.query('ROLLBACK')
    await holder.end()
    expect(await running).toMatchObject({ loaded: 100, retried: 1, deadMessages: 0, duplicates: 0 })
    await fixture.expectAllOnce()
  })
})
