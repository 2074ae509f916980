/** A consumer stops in the middle of a transaction of MariaDB, and others go on. */
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { describeMariadb } from '../../tooling/servers/mariadb-database.ts'
import { Fixture, numbers } from '../support/fixture.ts'
import { startLading } from '../support/lading.ts'
import { mariadbTarget, queryMariadb } from '../support/mariadb.ts'
import { startProxy } from '../support/proxy.ts'
import { EventLog } from '../support/wrappers.ts'

const model = join(import.meta.dirname, '../support/model.ts')
const writing = `SELECT trx_id FROM information_schema.innodb_trx trx JOIN information_schema.processlist session ON session.id = trx_mysql_thread_id
  WHERE db = DATABASE() AND trx_rows_locked > 0`
const preparing = "SELECT 1 AS held FROM DUAL WHERE IS_USED_LOCK(concat('lading/', DATABASE())) IS NOT NULL"

describeMariadb('a consumer that is stopped in a transaction of MariaDB', () => {
  it.each([
    ['between two statements', 'LOAD DATA', writing],
    ['within LOAD DATA', 'note of 5\n', writing],
    ['while it makes the table', 'CREATE TABLE "numbers"', preparing],
  ])(
    'loses its session as soon as its lease has run out, and others load everything while it is stopped: %s',
    async (_, text, held) => {
      await using fixture = await Fixture.open(await mariadbTarget())
      const queue = await fixture.queue()
      await fixture.publish(queue, 100)
      await using proxy = await startProxy(fixture.target.url, { stopWithin: (sent) => sent.includes(text) })
      const consume = (to: string) =>
        startLading('consume', '--model', model, '--queue', `${fixture.queueUrl}?lease=3`, '--to', to)
      const stopped = consume(proxy.url)
      const others: ReturnType<typeof consume>[] = []
      try {
        // InnoDB shows the transactions of before as long as it is asked again within 100 ms.
        const often = { timeout: 20_000, interval: 250 }
        await expect.poll(() => queryMariadb(fixture.target.url, held), often).toHaveLength(1)
        stopped.child.kill('SIGSTOP')
        await fixture.publish(queue, 100)
        others.push(consume(fixture.target.url))
        await expect.poll(async () => (await fixture.target.ids()).length, { timeout: 30_000 }).toBe(200)
      } finally {
        stopped.child.kill('SIGKILL')
        for (const other of others) other.child.kill('SIGTERM')
        for (const other of others) expect(await other.ended, other.output()).toBe(0)
      }
      await fixture.expectAllOnce()
    },
  )

  it('holds its messages alone: they are given back for later, and the rest goes on', async () => {
    await using fixture = await Fixture.open(await mariadbTarget())
    const queue = await fixture.queue()
    const sink = await fixture.sink()
    await sink.prepare(numbers)
    const loadId = await fixture.publish(queue, 100)
    const holder = await createConnection(fixture.target.url)
    await holder.query('START TRANSACTION')
    await holder.query(
      "INSERT INTO lading_ledger (pipeline, `key`, sha256, outcome, records, loaded, rejected, skipped) VALUES ('numbers', ?, '', 'applied', 0, 0, 0, 0)",
      [`${loadId}/1`],
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
    expect((await fixture.target.ids()).length).toBeGreaterThan(80)
    await holder.query('ROLLBACK')
    await holder.end()
    expect(await running).toMatchObject({ loaded: 100, retried: 1, deadMessages: 0, duplicates: 0 })
    await fixture.expectAllOnce()
  })
})
