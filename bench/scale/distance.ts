/** What a distance to the database costs, foretold from a run beside it, and measured through a proxy that delays. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { sensorData } from '../data.ts'
import { consumeCommand, ladingCommand, stateOf } from '../lading.ts'
import { recordsBrin } from '../models/records-brin.ts'
import { userModel } from '../models.ts'
import { resetTable } from '../postgres.ts'
import { measure } from '../process.ts'
import { distant } from './proxy.ts'

export interface Distance {
  readonly roundTripMs: number
  readonly seconds: number
  /** From the run beside the database: its time, and a round trip for each turn. */
  readonly foretold: number
  /** Round trips for each batch. */
  readonly perBatch: number
}

export interface Distances {
  readonly records: number
  readonly batches: number
  readonly distances: readonly Distance[]
  /** Bytes of the write-ahead log for each record, of the run beside the database. */
  readonly walOfRecord: number
}

const [records, batches] = [40_000, 200]
const roundTrips = [0, 5, 20]

interface Run {
  readonly seconds: number
  readonly turns: number
  readonly wal: number
}

/** One consumer, a chunk in each batch: the least of the rounds, which take turns. */
export async function distances(temporary: string, url: string, rounds: number): Promise<Distances> {
  const model = userModel('records-brin', temporary)
  const { folder: data } = await sensorData(temporary, { records, sensors: batches })
  const runs = new Map<number, Run>()
  let idle = 0
  for (let round = 0; round < rounds; round++) {
    for (const roundTripMs of roundTrips) {
      const run = await runOnce({ temporary, url, model, data, roundTripMs })
      const least = runs.get(roundTripMs)
      if (least === undefined || run.seconds < least.seconds) runs.set(roundTripMs, run)
    }
    idle = (await runOnce({ temporary, url, model, data: undefined, roundTripMs: 0 })).turns
  }
  const near = runs.get(0) as Run
  return {
    records,
    batches,
    walOfRecord: near.wal / records,
    distances: [...runs].map(([roundTripMs, { seconds, turns }]) => ({
      roundTripMs,
      seconds,
      foretold: near.seconds + (near.turns * roundTripMs) / 1000,
      perBatch: (turns - idle) / batches,
    })),
  }
}

interface Where {
  readonly temporary: string
  readonly url: string
  readonly model: string
  /** Undefined for a queue in which nothing waits. */
  readonly data: string | undefined
  readonly roundTripMs: number
}

let made = 0

async function runOnce({ temporary, url, model, data, roundTripMs }: Where): Promise<Run> {
  const folder = join(temporary, `distance-${made++}`)
  mkdirSync(folder)
  const queue = `embedded:${join(folder, 'queue.db')}`
  await resetTable(url, recordsBrin)
  if (data !== undefined)
    await measure(
      [ladingCommand('producer', ['produce', data, '--model', model, '--queue', queue, ...stateOf(folder)])],
      folder,
    )
  await using proxy = await distant(url, roundTripMs)
  const before = await written(url)
  const command = consumeCommand({ model, target: proxy.url, queue }, '--batch-messages', '1')
  const { seconds } = await measure([command], folder)
  return { seconds, turns: proxy.turns(), wal: (await written(url)) - before }
}

/** Bytes of the write-ahead log so far. */
async function written(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ bytes: number }>(
      "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS bytes",
    )
    return rows[0]?.bytes ?? 0
  } finally {
    await client.end()
  }
}
