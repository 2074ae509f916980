import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { produce } from '../../src/producer/produce.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { numbers, Fixture } from '../support/fixture.ts'

describePostgres('messages of another pipeline', () => {
  it('between two batches change nothing of the one that is being written', async () => {
    await using fixture = await Fixture.open('postgres')
    const queue = await fixture.queue()
    const sink = await fixture.sink()
    await sink.prepare(numbers)
    const [first, second] = [await fixture.file(3), await fixture.file(3)]
    const foreign = join(fixture.folder, 'foreign.csv')
    await writeFile(foreign, 'id,note\n77,of another\n')
    await produce(fixture.producing(queue, [first]))
    await produce(fixture.producing(queue, [foreign], { pipeline: 'another' }))
    await produce(fixture.producing(queue, [second]))
    const client = new pg.Client(fixture.target.url)
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
    await fixture.expectAllOnce()
  })
})
