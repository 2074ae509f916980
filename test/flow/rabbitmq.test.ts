/**
 * The case that both replaced systems agree on, as the first of them runs it: two producers, a broker,
 * sixteen consumers.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openQueue } from '../../src/index.ts'
import { fixtures, Folder, type Run } from '../cli/run.ts'
import { query } from '../support/fixture.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { byKey, expectedReadings, expectRecordsIndexes, type Reading } from './known-rows.ts'

const consumerCount = 16

async function readingsIn(url: string): Promise<Reading[]> {
  const rows = await query<{ record_time: Date; sensor_id: string; value: number }>(
    url,
    'SELECT * FROM records',
  )
  return rows
    .map((row) => ({ instant: row.record_time.getTime(), sensor: row.sensor_id, value: row.value }))
    .sort(byKey)
}

describePostgres('PostgreSQL', () => {
  describeRabbit('RabbitMQ', () => {
    it(
      'two producers and sixteen consumer processes give exactly the fifty known rows',
      { timeout: 120_000 },
      async () => {
        await using database = await freshDatabase()
        await using folder = await Folder.make()
        const queueUrl = freshQueueUrl()
        const env = { LADING_QUEUE: queueUrl, LADING_TO: database.url }
        const consumers = Array.from({ length: consumerCount }, () =>
          folder.start(['consume', '--allow-rejects'], env),
        )
        const failures: string[] = []
        const ended = consumers.map(
          (consumer) =>
            new Promise<number | null>((resolve) => {
              consumer.stderr.on('data', (data) => failures.push(String(data)))
              consumer.stdin.end()
              consumer.once('close', resolve)
            }),
        )
        await using queue = await openQueue(queueUrl)
        // Both publish all of it, each with a state of its own: what comes twice must count once.
        const produce = (name: string): Promise<Run> =>
          folder.run(['produce', join(fixtures, 'records'), '--state', join(name, 'producer.db')], { env })
        await Promise.all(['one', 'two'].map((name) => mkdir(folder.at(name))))
        const produced = await Promise.all(['one', 'two'].map(produce))
        expect(produced.map(({ code, out }) => [code, out.trim()])).toEqual([
          [0, 'published 10 of 10 files with 50 records'],
          [0, 'published 10 of 10 files with 50 records'],
        ])
        await expect
          .poll(async () => (await readingsIn(database.url)).length, { timeout: 60_000, interval: 200 })
          .toBe(50)
        await expect.poll(async () => (await queue.depth()).ready, { timeout: 20_000 }).toBe(0)
        for (const consumer of consumers) consumer.kill('SIGTERM')
        expect(await Promise.all(ended), failures.join('')).toEqual(consumers.map(() => 0))
        // A second copy that a consumer held and had not begun went back to the queue.
        expect((await folder.run(['consume', '--until-empty'], { env })).code).toBe(0)
        expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
        expect(await readingsIn(database.url)).toEqual(await expectedReadings())
        await expectRecordsIndexes(database.url)
        const { loads } = JSON.parse((await folder.run(['status', '--json'], { env })).out) as {
          loads: { open: number; loaded: number }[]
        }
        expect(loads.map(({ loaded, open }) => [loaded, open])).toEqual(
          Array.from({ length: 10 }, () => [5, 0]),
        )
        expect((await folder.run(['verify'], { env })).code).toBe(0)
      },
    )
  })
})
