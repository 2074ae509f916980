/**
 * Producers, consumers and the server of the queue are killed with SIGKILL at random moments while files are loaded
 * into a table without any key. How many rows are in the table at the end, and how many different ones, is compared with
 * the files.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { expect } from 'vitest'
import { generateSensors } from '../../src/generate/sensors.ts'
import { balance, openQueue, openSink } from '../../src/index.ts'
import { randomFrom, EventCounts, RestartedProcess } from '../support/restarted-process.ts'

const recordsPerFile = 40_000
/** Messages; a file has about 180. */
const mostBacklog = 60

/** What the table `readings` holds. */
export interface Stored {
  readonly rows: number
  readonly distinct: number
}

/** What a query for columns `rows` and `distinct` returned. */
export const storedOf = (row: object | undefined): Stored => {
  const { rows, distinct } = row as Record<keyof Stored, unknown>
  return { rows: Number(rows), distinct: Number(distinct) }
}

/** Enough for as many kills as `LADING_KILLS` asks for. */
export const killsTimeout = Math.max(900_000, Number(process.env['LADING_KILLS'] ?? 0) * 18_000)

export interface KilledLoad {
  /** For the files and the state of the producer; the caller removes it. */
  readonly folder: string
  /** With a lease of about a second, where the queue has leases: a killed consumer keeps its messages so long. */
  readonly queueUrl: string
  readonly target: string
  /** `LADING_KILLS` in the environment is another number. */
  readonly kills: number
  /** Processes that consume; 3 by default. */
  readonly consumers?: number | undefined
  read(): Promise<Stored>
  /** Kills the server of the queue and starts it again; resolves when it accepts connections. */
  readonly server?: (() => Promise<void>) | undefined
  /** Variables of the processes, besides those of this one. */
  readonly env?: NodeJS.ProcessEnv | undefined
}

/** Loads files until every kill has found something at work, waits for quiet, and compares the table with the files. */
export async function killedLoad(options: KilledLoad): Promise<void> {
  const { folder, queueUrl, target, server, env, consumers: consumerCount = 3 } = options
  const kills = Number(process.env['LADING_KILLS'] ?? options.kills)
  const seed = Number(process.env['LADING_SEED'] ?? Date.now() % 1_000_000)
  const random = randomFrom(seed)
  await (await openSink(target))[Symbol.asyncDispose]()
  const seen = new EventCounts()
  const consumers = Array.from(
    { length: consumerCount },
    () => new RestartedProcess('consumer.ts', ['readings', queueUrl, target], seen.line, env),
  )
  let producer: RestartedProcess | undefined
  let killed = 0
  let servers = 0
  let loadedFiles = 0
  let over = false

  const killer = async () => {
    while (killed < kills && !over) {
      const processes = [...consumers, ...(producer === undefined ? [] : [producer])]
      // On a busy machine, where starting takes seconds, nothing would ever be done between two kills. A consumer that
      // waits for messages is still starting, by its silence.
      const pauseMs = Math.min(3_000, Math.max(200, ...processes.map(({ startMs }) => startMs)))
      await new Promise((resolve) => setTimeout(resolve, random() * pauseMs))
      const victim = Math.floor(random() * (processes.length + (server === undefined ? 0 : 0.2)))
      if (victim === processes.length) {
        // It is always at work, and processes only now and then: most kills would be its own.
        if (servers * 10 > killed) continue
        await server?.()
        servers++
        killed++
      } else if (processes[victim]?.kill() === true) killed++
    }
  }
  const killing = killer()
  try {
    // As many files as it takes until every kill has found a load at work.
    for await (const file of filesIn(folder, seed)) {
      producer = new RestartedProcess(
        'producer.ts',
        [file, queueUrl, join(folder, 'state.db')],
        undefined,
        env,
      )
      await producer.ended
      expect(producer.failure).toBeUndefined()
      loadedFiles++
      if (killed >= kills) break
      // Otherwise consumers that are slower than the producer have a backlog at the end that no kill is spent on.
      await expect
        .poll(() => backlogOf(queueUrl), { timeout: 120_000, interval: 50 })
        .toBeLessThan(mostBacklog)
    }
    producer = undefined
    await killing
    const left = async () => {
      for (const { failure } of consumers) expect(failure).toBeUndefined()
      return await backlogOf(queueUrl)
    }
    await expect.poll(left, { timeout: 120_000, interval: 100 }).toBe(0)
    for (const consumer of consumers) consumer.stop('SIGTERM')
    await Promise.all(consumers.map(({ ended }) => ended))
  } finally {
    over = true
    for (const each of [...consumers, ...(producer === undefined ? [] : [producer])]) each.stop('SIGKILL')
  }

  const records = loadedFiles * recordsPerFile
  const stored = await options.read()
  const report = { seed, kills: killed, servers, files: loadedFiles, records, ...seen, ...stored }
  console.log(`kills: ${JSON.stringify(report)}`)
  expect(killed, 'fewer kills than asked for').toBeGreaterThanOrEqual(kills)
  expect(seen.redelivered, 'no message was delivered twice: the run shows nothing').toBeGreaterThan(0)
  if (server !== undefined && kills >= 100) expect(servers, 'the server was never killed').toBeGreaterThan(0)
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

/** Without end: how many it takes depends on the machine. */
async function* filesIn(folder: string, seed: number): AsyncGenerator<string> {
  for (let round = 0; ; round++) {
    const directory = join(folder, `data-${round}`)
    await generateSensors({
      sensors: 10,
      records: recordsPerFile,
      intervalSeconds: 1,
      // No two rounds have a row in common, whatever the names of their sensors.
      start: `${2021 + round}-01-01`,
      timezone: 'UTC',
      directory,
      seed: seed + round,
    })
    for (const name of await readdir(directory)) yield join(directory, name)
  }
}

/** Messages that are not settled; more than any number while the server of the queue is down. */
async function backlogOf(url: string): Promise<number> {
  try {
    await using queue = await openQueue(url)
    const { ready, inFlight = 0 } = await queue.depth()
    return ready + inFlight
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/** What PostgreSQL has at the end. */
export async function readPostgres(url: string): Promise<Stored> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const { rows } = await client.query(
      'SELECT count(*) AS rows, count(DISTINCT (sensor_id, record_time)) AS distinct FROM readings',
    )
    return storedOf(rows[0])
  } finally {
    await client.end()
  }
}
