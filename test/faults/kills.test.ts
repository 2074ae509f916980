/**
 * Producers and consumers are killed with SIGKILL at random moments while files are loaded into a table
 * without any key. What is in the table at the end is compared with the files, row by row.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { generateSensors } from '../../src/generate/sensors.ts'
import { balance, openQueue, openSink } from '../../src/index.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { randomFrom, EventCounts, RestartedProcess } from '../support/restarted-process.ts'

const recordsPerFile = 40_000
const consumerCount = 3

interface Stored {
  readonly rows: number
  readonly distinct: number
  readonly sum: number
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-kills-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function killedLoad(target: string, kills: number, read: () => Promise<Stored>): Promise<void> {
  const seed = Number(process.env['LADING_SEED'] ?? Date.now() % 1_000_000)
  const random = randomFrom(seed)
  await generateSensors({
    sensors: 80,
    records: recordsPerFile,
    intervalSeconds: 1,
    start: '2021-01-01',
    timezone: 'UTC',
    directory: join(folder, 'data'),
    seed,
  })
  const files = (await readdir(join(folder, 'data'))).map((name) => join(folder, 'data', name))
  const queueUrl = `embedded:${join(folder, 'queue.db')}?lease=1s`
  await (await openSink(target))[Symbol.asyncDispose]()
  const seen = new EventCounts()
  const consumers = Array.from(
    { length: consumerCount },
    () => new RestartedProcess('consumer.ts', ['readings', queueUrl, target], seen.line),
  )
  let producer: RestartedProcess | undefined
  let killed = 0
  let loadedFiles = 0
  let over = false

  const killer = async () => {
    while (killed < kills && !over) {
      await new Promise((resolve) => setTimeout(resolve, random() * 200))
      const processes = [...consumers, ...(producer === undefined ? [] : [producer])]
      if (processes[Math.floor(random() * processes.length)]?.kill() === true) killed++
    }
  }
  const killing = killer()
  try {
    // As many files as it takes until every kill has found a load at work.
    for (const file of files) {
      producer = new RestartedProcess('producer.ts', [file, queueUrl, join(folder, 'state.db')])
      await producer.ended
      expect(producer.failure).toBeUndefined()
      loadedFiles++
      if (killed >= kills) break
    }
    producer = undefined
    await killing
    await using queue = await openQueue(queueUrl)
    const isEmpty = async () => {
      for (const { failure } of consumers) expect(failure).toBeUndefined()
      const { ready, inFlight } = await queue.depth()
      return ready === 0 && inFlight === 0
    }
    await expect.poll(isEmpty, { timeout: 120_000, interval: 100 }).toBe(true)
    for (const consumer of consumers) consumer.stop('SIGTERM')
    await Promise.all(consumers.map(({ ended }) => ended))
  } finally {
    over = true
    for (const each of [...consumers, ...(producer === undefined ? [] : [producer])]) each.stop('SIGKILL')
  }

  const records = loadedFiles * recordsPerFile
  const stored = await read()
  const report = { seed, kills: killed, files: loadedFiles, records, ...seen, ...stored }
  console.log(`kills: ${JSON.stringify(report)}`)
  expect(killed, 'fewer kills than asked for').toBeGreaterThanOrEqual(kills)
  expect(seen.redelivered, 'no message was delivered twice: the run shows nothing').toBeGreaterThan(0)
  if (kills >= 100)
    expect(seen.duplicates, 'the ledger was never asked: the run shows nothing').toBeGreaterThan(0)
  expect(stored, JSON.stringify(report)).toMatchObject({ rows: records, distinct: records })
  await using sink = await openSink(target)
  const receipts = await sink.ledger.receipts({})
  expect(receipts).toHaveLength(loadedFiles)
  expect(receipts.map((receipt) => [receipt.records, receipt.loaded, balance(receipt)])).toEqual(
    receipts.map(() => [recordsPerFile, recordsPerFile, { open: 0, problems: [] }]),
  )
  expect(seen.dead).toBe(0)
}

const sums = 'count(*) AS rows, sum(value) AS sum'

describePostgres('PostgreSQL', () => {
  it(
    'a hundred kills of producers and consumers lose nothing and double nothing',
    { timeout: 300_000 },
    async () => {
      await using database = await freshDatabase()
      await killedLoad(database.url, 100, async () => {
        const client = new pg.Client(database.url)
        await client.connect()
        const { rows } = await client.query(
          `SELECT ${sums}, count(DISTINCT (sensor_id, record_time)) AS distinct FROM readings`,
        )
        await client.end()
        return { rows: Number(rows[0].rows), distinct: Number(rows[0].distinct), sum: Number(rows[0].sum) }
      })
    },
  )
})

it('thirty kills lose nothing and double nothing in SQLite', { timeout: 300_000 }, async () => {
  const path = join(folder, 'target.db')
  await killedLoad(`sqlite:${path}`, 30, async () => {
    using file = new SqliteFile(path)
    return file.get<Stored>(
      `SELECT ${sums}, (SELECT count(*) FROM (SELECT DISTINCT sensor_id, record_time FROM readings)) AS "distinct" FROM readings`,
    ) as Stored
  })
})
