import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { produce } from '../../src/producer/produce.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { numbers, Workshop } from '../support/workshop.ts'

describePostgres('messages of another pipeline', () => {
  it('between two batches change nothing of the one that is being written', async () => {
    await using workshop = await Workshop.open('postgres')
    const queue = await workshop.queue()
    const sink = await workshop.sink()
    await sink.prepare(numbers)
    const [first, second] = [await workshop.file(3), await workshop.file(3)]
    const foreign = join(workshop.folder, 'foreign.csv')
    await writeFile(foreign, 'id,note\n77,of another\n')
    await produce(workshop.producing(queue, [first]))
    await produce(workshop.producing(queue, [foreign], { pipeline: 'another' }))
    await produce(workshop.producing(queue, [second]))
    const client = new pg.Client(workshop.target.url)
    await client.connect()
    await client.query('BEGIN; LOCK TABLE lading.load IN ACCESS EXCLUSIVE MODE')
    const running = createConsumer({ queue, model: numbers, sink, batch: { messages: 1 } }).run({
      batches: 2,
    })
    // The first batch waits for the lock, the foreign message was given back, and the third is in hand.
    await expect.poll(() => queue.depth(), { timeout: 10_000 }).toMatchObject({ ready: 1, inFlight: 2 })
    await client.query('COMMIT')
    await client.end()
    expect(await running).toMatchObject({ loaded: 6, duplicates: 0 })
    await workshop.expectAllOnce()
  })
})
