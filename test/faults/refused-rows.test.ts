/**
 * Consumers are killed with SIGKILL while they look for the rows that a trigger refuses: exactly those are
 * rejects, each once.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { produce } from '../../src/producer/produce.ts'
import { balance } from '../../src/sink/receipt.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { readings } from '../support/processes/model.ts'
import { randomFrom, RestartedProcess } from '../support/restarted-process.ts'
import { query, Fixture } from '../support/fixture.ts'

const records = 12_000
/** One of 2,000 is refused, by an error of a table that is not there. */
const isBad = (n: number): boolean => n % 2_000 === 7
const trigger = `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO nowhere VALUES (1); RETURN new; END $$;
  CREATE TRIGGER refuse BEFORE INSERT ON readings FOR EACH ROW WHEN (new.value::int % 2000 = 7) EXECUTE FUNCTION refuse()`

describePostgres('rows that a trigger refuses', () => {
  it(
    'are the same rejects, and cost the same rows nothing, however often consumers are killed',
    { timeout: 120_000 },
    async () => {
      await using fixture = await Fixture.open('postgres')
      const { url } = fixture.target
      const [queue, sink] = [await fixture.queue(), await fixture.sink()]
      await sink.prepare(readings)
      await fixture.target.execute(trigger)
      const path = join(fixture.folder, 'readings.csv')
      const lines = Array.from({ length: records }, (_, n) => `2021-01-01T00:00:00Z,${n},${n}\n`)
      await writeFile(path, `record_time,sensor_id,value\n${lines.join('')}`)
      await produce(fixture.producing(queue, [path], { model: readings, chunkBytes: 8 * 1024 }))
      const random = randomFrom(Number(process.env['LADING_SEED'] ?? Date.now() % 1_000_000))
      const consumers = [1, 2].map(
        () => new RestartedProcess('consumer.ts', ['readings', `${fixture.queueUrl}?lease=1s`, url]),
      )
      let kills = 0
      let over = false
      const killing = (async () => {
        while (!over) {
          await new Promise((resolve) => setTimeout(resolve, random() * 100))
          if (consumers[Math.floor(random() * 2)]?.kill() === true) kills++
        }
      })()
      const progress = async () => {
        for (const { failure } of consumers) expect(failure).toBeUndefined()
        if (kills >= 4) over = true
        const { ready, inFlight } = await queue.depth()
        return kills >= 3 && ready === 0 && inFlight === 0
      }
      try {
        await expect.poll(progress, { timeout: 100_000, interval: 50 }).toBe(true)
      } finally {
        over = true
        await killing
        for (const consumer of consumers) consumer.stop('SIGKILL')
      }
      const all = Array.from({ length: records }, (_, n) => n)
      const rows = await query<{ n: number }>(url, 'SELECT value::int AS n FROM readings ORDER BY 1')
      expect(rows.map(({ n }) => n)).toEqual(all.filter((n) => !isBad(n)))
      const rejects = await sink.ledger.rejects({ limit: 100 })
      expect(rejects.map(({ line }) => line).toSorted((a, b) => a - b)).toEqual(
        all.filter(isBad).map((n) => n + 2),
      )
      const [receipt] = await sink.ledger.receipts({})
      expect(receipt).toMatchObject({ records, loaded: records - 6, rejected: 6, rejectRows: 6, dead: 0 })
      if (receipt) expect(balance(receipt)).toEqual({ open: 0, problems: [] })
    },
  )
})
