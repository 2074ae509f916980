/**
 * Messages go through a FIFO queue whose SQS delivers twice, forgets receipt handles and refuses calls, to consumers that
 * are killed, into a table without any key.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openQueue, openSink } from '../../src/index.ts'
import type { Outgoing } from '../../src/queue/queue.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { type SqsKnobs, type SqsStub, startSqsStub } from '../../tooling/servers/sqs-stub.ts'
import { sqsEnvironment } from '../../tooling/servers/sqs.ts'
import { sequence } from '../support/processes/model.ts'
import { randomFrom, EventCounts, RestartedProcess } from '../support/restarted-process.ts'
import { query } from '../support/fixture.ts'

const consumerCount = 2
const kills = 4

let stub: SqsStub
beforeAll(async () => {
  Object.assign(process.env, sqsEnvironment)
  stub = await startSqsStub()
})
afterAll(() => stub.stop())

const faults: SqsKnobs = {
  duplicates: 0.1,
  reorder: true,
  expireHandles: 0.02,
  throttle: 0.05,
  failEntries: 0.02,
  fail503: 0.01,
}

const event = (family: string, n: number): Outgoing => ({
  key: `${family}/${n}`,
  body: Buffer.from(JSON.stringify({ family, n })),
  headers: { family },
})

interface Stored {
  readonly family: string
  readonly n: number
}

/**
 * Publishes the rounds one after the other and kills consumers meanwhile; returns the rows in the order in
 * which they came.
 */
async function survive(
  queueName: string,
  rounds: readonly (readonly Outgoing[])[],
): Promise<readonly Stored[]> {
  const seed = Number(process.env['LADING_SEED'] ?? Date.now() % 1_000_000)
  const random = randomFrom(seed)
  await using database = await freshDatabase()
  await query(
    database.url,
    'CREATE TABLE sequence (family text NOT NULL, n integer NOT NULL, position bigserial)',
  )
  await using sink = await openSink(database.url)
  await sink.prepare(sequence)
  const url = await stub.createQueue(queueName, { VisibilityTimeout: '3' })
  const seen = new EventCounts()
  const consumers = Array.from(
    { length: consumerCount },
    () => new RestartedProcess('consumer.ts', ['sequence', url, database.url], seen.line),
  )
  try {
    await using queue = await openQueue(url)
    const waiting = async () => {
      const { ready, inFlight = 0 } = await queue.depth()
      return ready + inFlight
    }
    stub.turn({ seed, ...faults })
    for (const [round, messages] of rounds.entries()) {
      await queue.publish(messages)
      for (let kill = 0; kill < kills / rounds.length; kill++)
        // One that was killed is slow to come back, and others may have settled all of the round by then.
        await consumers[Math.floor(random() * consumers.length)]?.killAtWork(
          async () => (await waiting()) === 0,
        )
      expect(
        consumers.map(({ failure }) => failure),
        `round ${round}`,
      ).toEqual(consumers.map(() => undefined))
    }
    stub.turn({})
    await expect.poll(waiting, { timeout: 120_000, interval: 100 }).toBe(0)
    for (const consumer of consumers) consumer.stop('SIGTERM')
    await Promise.all(consumers.map(({ ended }) => ended))
  } finally {
    stub.turn({})
    for (const consumer of consumers) consumer.stop('SIGKILL')
  }
  console.log(
    `sqs: ${JSON.stringify({ seed, queueName, kills, ...seen, calls: stub.calls, faults: stub.faults })}`,
  )
  expect(seen.dead).toBe(0)
  expect(seen.redelivered, 'no message was delivered twice: the run shows nothing').toBeGreaterThan(0)
  return await query<Stored>(database.url, 'SELECT family, n FROM sequence ORDER BY position')
}

describePostgres('PostgreSQL', () => {
  it(
    'the groups of a FIFO queue take effect in their order, each message once, after 4 kills',
    { timeout: 300_000 },
    async () => {
      const families = Array.from({ length: 10 }, (_, f) => `family-${f}`)
      const perRound = 15
      const roundCount = 4
      const rounds = Array.from({ length: roundCount }, (_, round) =>
        Array.from({ length: perRound }, (__, n) =>
          families.map((family) => event(family, round * perRound + n)),
        ).flat(),
      )
      const rows = await survive('families.fifo', rounds)
      const expected = Array.from({ length: roundCount * perRound }, (_, n) => n)
      for (const family of families) {
        expect(
          rows.filter((row) => row.family === family).map(({ n }) => n),
          family,
        ).toEqual(expected)
      }
    },
  )
})
