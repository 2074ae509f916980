/** A consumer stops in the middle of a transaction, and others go on. */
import { join } from 'node:path'
import pg from 'pg'
import { expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { startLading } from '../support/lading.ts'
import { startProxy } from '../support/proxy.ts'
import { numbers, query, Workshop } from '../support/workshop.ts'
import { Witness } from '../support/wrappers.ts'

const model = join(import.meta.dirname, '../support/model.ts')
const held = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lading'
  AND state = 'active' AND wait_event = 'ClientRead'`

describePostgres('a consumer that is stopped in the middle of COPY', () => {
  it('loses its session as soon as its lease has run out, and others load everything while it is stopped', async () => {
    await using workshop = await Workshop.open('postgres')
    const queue = await workshop.queue()
    await workshop.publish(queue, 100)
    await using proxy = await startProxy(workshop.target.url, {
      stopWithin: (sent) => sent.includes('COPY "numbers"'),
    })
    const consume = (to: string) =>
      startLading('consume', '--model', model, '--queue', `${workshop.queueUrl}?lease=3`, '--to', to)
    const stopped = consume(proxy.url)
    const others: ReturnType<typeof consume>[] = []
    try {
      await expect.poll(() => query(workshop.target.url, held), { timeout: 20_000 }).toHaveLength(1)
      stopped.child.kill('SIGSTOP')
      await workshop.publish(queue, 100)
      others.push(consume(workshop.target.url), consume(workshop.target.url))
      await expect.poll(async () => (await workshop.target.ids()).length, { timeout: 30_000 }).toBe(200)
      expect(await query(workshop.target.url, held)).toEqual([])
    } finally {
      stopped.child.kill('SIGKILL')
      for (const other of others) other.child.kill('SIGTERM')
      for (const other of others) expect(await other.ended, other.output()).toBe(0)
    }
    await workshop.expectAllOnce()
  })

  it('holds its messages alone: they are given back for later, and the rest goes on', async () => {
    await using workshop = await Workshop.open('postgres')
    const queue = await workshop.queue()
    const sink = await workshop.sink()
    await sink.prepare(numbers)
    const loadId = await workshop.publish(queue, 100)
    const holder = new pg.Client(workshop.target.url)
    await holder.connect()
    await holder.query(
      `BEGIN; INSERT INTO lading.ledger VALUES ('numbers', '${loadId}/1', '', NULL, 'applied', 0, 0, 0, 0)`,
    )
    const witness = new Witness()
    const running = createConsumer({ queue, sink, model: numbers, onEvent: witness.listen }).run({
      untilEmpty: true,
    })
    await expect
      .poll(() => witness.of('batch').map(({ retried, rejected }) => [retried, rejected]), {
        timeout: 20_000,
      })
      .toEqual([[1, 0]])
    const others = (await workshop.target.ids()).length
    expect(others).toBeGreaterThan(80)
    expect(witness.of('waiting').at(-1)).toMatchObject({
      code: 'SINK_BUSY',
      message: expect.stringContaining('given back'),
    })
    await holder.query('ROLLBACK')
    await holder.end()
    expect(await running).toMatchObject({ loaded: 100, retried: 1, dead: 0, duplicates: 0 })
    await workshop.expectAllOnce()
  })
})
