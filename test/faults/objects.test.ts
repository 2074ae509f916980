/**
 * Objects arrive in a bucket; each is told of three times, in any order, by an SQS that delivers twice and forgets; the
 * consumers are killed, and load into a table without any key.
 */
import { expect, it } from 'vitest'
import { balance, openSink } from '../../src/index.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { query, serverTarget } from '../support/fixture.ts'
import { useArrivals } from '../objects/arrivals.ts'
import { eventBridge, fromS3, type Told, throughSns } from '../objects/messages.ts'
import { EventCounts, randomFrom, RestartedProcess } from '../support/restarted-process.ts'
import { sequence } from '../support/processes/model.ts'

const { sqs, open } = useArrivals()

const consumerCount = 2
const objectCount = Number(process.env['LADING_OBJECTS'] ?? 50)
const kills = Number(process.env['LADING_KILLS'] ?? 4)
const timeoutMs = Math.max(120_000, objectCount * 1_000)

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = items.map((item) => ({ item, at: random() }))
  return order.toSorted((a, b) => a.at - b.at).map(({ item }) => item)
}

describePostgres('PostgreSQL', () => {
  it(
    'objects that are told of three times and out of order are loaded once each, whoever is killed',
    { timeout: 2 * timeoutMs },
    async () => {
      const seed = Number(process.env['LADING_SEED'] ?? Date.now() % 1_000_000)
      const random = randomFrom(seed)
      await using database = await freshDatabase()
      const target = { ...serverTarget(database.url), [Symbol.asyncDispose]: async () => undefined }
      await using arrivals = await open(target, 3)
      await using sink = await openSink(database.url)
      await sink.prepare(sequence)
      const objects: Told[] = []
      let records = 0
      for (let n = 0; n < objectCount; n++) {
        // Mostly small, and now and then one of many chunks.
        const count = Math.floor(random() ** 4 * 3_000)
        const lines = Array.from({ length: count }, (_, line) => `object-${n},${line}\n`)
        objects.push(await arrivals.put(`in/${n % 7}/object ${n}.csv`, `family,n\n${lines.join('')}`))
        records += count
      }
      sqs().turn({
        seed,
        duplicates: 0.05,
        reorder: true,
        expireHandles: 0.02,
        throttle: 0.02,
        fail503: 0.01,
      })
      const ways = [fromS3, eventBridge, (told: Told) => throughSns(fromS3(told))]
      const messages = shuffled(
        objects.flatMap((told) => ways.map((way) => way(told))),
        random,
      )
      // A part before each kill, so that every one of them finds something at work.
      const part = Math.ceil(messages.length / kills)
      const seen = new EventCounts()
      const consumers = Array.from(
        { length: consumerCount },
        () =>
          new RestartedProcess('objects.ts', [arrivals.place, arrivals.queueUrl, database.url], seen.line),
      )
      let killed = 0
      try {
        for (let at = 0; at < messages.length; at += part) {
          const told = messages.slice(at, at + part)
          for (let first = 0; first < told.length; first += 50)
            await arrivals.send(...told.slice(first, first + 50))
          await new Promise((resolve) => setTimeout(resolve, random() * 400))
          const victim = consumers[Math.floor(random() * consumerCount)]
          if ((await victim?.killAtWork(() => arrivals.isEmpty())) === true) killed++
        }
        sqs().turn({})
        await expect.poll(() => arrivals.isEmpty(), { timeout: timeoutMs, interval: 200 }).toBe(true)
        for (const consumer of consumers) consumer.stop('SIGTERM')
        await Promise.all(consumers.map(({ ended }) => ended))
      } finally {
        sqs().turn({})
        for (const consumer of consumers) consumer.stop('SIGKILL')
      }
      const rows = await query<{ family: string; rows: string; distinct: string }>(
        database.url,
        'SELECT family, count(*) AS rows, count(DISTINCT n) AS distinct FROM sequence GROUP BY family',
      )
      const stored = rows.reduce((sum, row) => sum + Number(row.rows), 0)
      const distinct = rows.reduce((sum, row) => sum + Number(row.distinct), 0)
      const report = {
        seed,
        objects: objectCount,
        messages: messages.length,
        kills: killed,
        records,
        stored,
        ...seen,
      }
      console.log(`objects: ${JSON.stringify({ ...report, faults: sqs().faults })}`)
      expect(killed, 'the work was over before any kill').toBeGreaterThan(0)
      expect(seen.redelivered, 'no message was delivered twice: the run shows nothing').toBeGreaterThan(0)
      expect({ stored, distinct }, JSON.stringify(report)).toEqual({ stored: records, distinct: records })
      const receipts = await sink.ledger.receipts({})
      expect(receipts).toHaveLength(objectCount)
      expect(receipts.map((receipt) => balance(receipt))).toEqual(
        receipts.map(() => ({ open: 0, problems: [] })),
      )
      expect(await arrivals.letters()).toEqual([])
      expect(seen.dead).toBe(0)
    },
  )
})
