/**
 * A million records go through a broker that is restarted and killed, whose connections are closed, to
 * consumers that are killed and into a table without any key. What is in the table at the end is compared
 * with the files, row by row.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { generateSensors } from '../../src/generate/sensors.ts'
import { balance, openQueue, openSink } from '../../src/index.ts'
import { describeRabbit } from '../../tooling/servers/broker.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { type RabbitServer, startRabbit } from '../../tooling/servers/rabbitmq.ts'
import { randomFrom, EventCounts, RestartedProcess } from '../support/restarted-process.ts'
import { query } from '../support/fixture.ts'

const files = 25
const recordsPerFile = 40_000
const records = files * recordsPerFile
const consumerCount = 4
/** What happens while each of the files is published and consumed. */
const killsPerFile = 2
const filesWithClosedConnections = 20
/** In order at the one, by SIGKILL at the other. */
const restarts = new Map([
  [8, (broker: RabbitServer) => broker.restart()],
  [16, (broker: RabbitServer) => (broker.kill(), broker.start())],
])

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-broker-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function harm(
  file: number,
  broker: RabbitServer,
  consumers: readonly RestartedProcess[],
  random: () => number,
): Promise<void> {
  for (let kill = 0; kill < killsPerFile; kill++)
    await consumers[Math.floor(random() * consumers.length)]?.killAtWork()
  if (file < filesWithClosedConnections) await broker.closeConnections()
  await restarts.get(file)?.(broker)
}

describePostgres('PostgreSQL', () => {
  describeRabbit('RabbitMQ', () => {
    it(
      'restarts, closed connections and kills lose nothing and double nothing',
      { timeout: 400_000 },
      async () => {
        const seed = Number(process.env['LADING_SEED'] ?? Date.now() % 1_000_000)
        const directory = join(folder, 'data')
        const settings = {
          sensors: files,
          records: recordsPerFile,
          intervalSeconds: 1,
          start: '2021-01-01',
          timezone: 'UTC',
        }
        await generateSensors({ ...settings, directory, seed })
        const paths = (await readdir(directory)).map((name) => join(directory, name))
        await using database = await freshDatabase()
        await using broker = await startRabbit()
        const queueUrl = `${broker.url}?queue=readings`
        await (await openQueue(queueUrl))[Symbol.asyncDispose]()
        const seen = new EventCounts()
        const consumers = Array.from(
          { length: consumerCount },
          () => new RestartedProcess('consumer.ts', ['readings', queueUrl, database.url], seen.line),
        )
        const random = randomFrom(seed)
        try {
          for (const [file, path] of paths.entries()) {
            const producer = new RestartedProcess(
              'producer.ts',
              [path, queueUrl, join(folder, 'state.db')],
              seen.line,
            )
            await harm(file, broker, consumers, random)
            await producer.ended
            expect(producer.failure).toBeUndefined()
          }
          await using queue = await openQueue(queueUrl)
          const waiting = async () => {
            for (const { failure } of consumers) expect(failure).toBeUndefined()
            return (await queue.depth()).ready
          }
          await expect.poll(waiting, { timeout: 120_000, interval: 100 }).toBe(0)
          // What a consumer has in hand and does not write yet goes back to the queue when it is stopped.
          const rows = async () =>
            (await query<{ rows: number }>(database.url, 'SELECT count(*)::int AS rows FROM readings'))[0]
              ?.rows
          await expect.poll(rows, { timeout: 60_000, interval: 500 }).toBe(records)
          for (const consumer of consumers) consumer.stop('SIGTERM')
          await Promise.all(consumers.map(({ ended }) => ended))
          await expect
            .poll(() => queue.depth(), { timeout: 10_000 })
            .toEqual({ ready: 0, inFlight: 0, dead: 0 })
        } finally {
          for (const consumer of consumers) consumer.stop('SIGKILL')
        }

        const [stored] = await query(
          database.url,
          'SELECT count(*)::int AS rows, count(DISTINCT (sensor_id, record_time))::int AS "distinct" FROM readings',
        )
        const report = { seed, kills: files * killsPerFile, ...seen }
        console.log(`broker: ${JSON.stringify({ ...report, ...(stored as object) })}`)
        expect(stored, JSON.stringify(report)).toEqual({ rows: records, distinct: records })
        expect(seen.dead).toBe(0)
        expect(seen.redelivered, 'no message was delivered twice: the run shows nothing').toBeGreaterThan(0)
        expect(seen.waited, 'nobody ever waited for the broker: the run shows nothing').toBeGreaterThan(0)
        await using sink = await openSink(database.url)
        const receipts = await sink.ledger.receipts({})
        expect(receipts.map((receipt) => [receipt.records, receipt.loaded, balance(receipt)])).toEqual(
          paths.map(() => [recordsPerFile, recordsPerFile, { open: 0, problems: [] }]),
        )
      },
    )
  })
})
