/** Local times depend on the release of the time-zone data, so a load that two of them read says so. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createConsumer, type RunOptions } from '../../src/consumer/consumer.ts'
import { replayLetter as replay } from '../../src/review/letters.ts'
import { replayRejects } from '../../src/review/rejects.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import { integer, timestamptz } from '../../src/model/columns.ts'
import { defineModel, type Model } from '../../src/model/model.ts'
import { zoneRelease } from '../../src/model/zones.ts'
import { produce } from '../../src/producer/produce.ts'
import { Fixture } from '../support/fixture.ts'

const modelIn = (zone: string) =>
  defineModel({ table: 'events', columns: { id: integer().notNull(), at: timestamptz({ zone }) } })
const zoned = modelIn('Africa/Casablanca')

/** A load of four records in four chunks, of which the last is refused. */
async function opened(model: Model) {
  const fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const path = join(fixture.folder, 'events.csv')
  await writeFile(
    path,
    'id,at\n1,2026-11-28 12:00\n2,2026-11-28 12:00\n3,2026-11-28 12:00\nx,2026-11-28 12:00\n',
  )
  await produce({ paths: [path], model, queue, statePath: join(fixture.folder, 'state.db'), chunkBytes: 1 })
  const events: LadingEvent[] = []
  const onEvent = (event: LadingEvent) => events.push(event)
  return {
    sink,
    queue,
    onEvent,
    run: (options: RunOptions = { untilEmpty: true }) =>
      createConsumer({ queue, sink, model, onEvent, batch: { messages: 1 }, prefetch: 1 }).run(options),
    execute: (sql: string) => fixture.target.execute(sql),
    receipt: async () => (await sink.ledger.receipts({}))[0],
    /** What was said since this was called last. */
    said: () => events.splice(0).filter(({ type }) => type === 'warning' || type === 'zones'),
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  }
}

const warning = {
  type: 'warning',
  message: expect.stringContaining(
    `time-zone data 2020a and ${zoneRelease} read local times of one load`,
  ) as string,
}

it('a consumer tells by which time-zone data it reads local times, and keeps it with the load', async () => {
  await using at = await opened(zoned)
  await at.run()
  expect(at.said()).toEqual([{ type: 'zones', release: zoneRelease }])
  expect(await at.receipt()).toMatchObject({ loaded: 3, rejected: 1, zoneRelease })
})

it('a load that a consumer with other time-zone data began is warned of, and so is its replay', async () => {
  await using at = await opened(zoned)
  await at.run({ batches: 1 })
  await at.execute("UPDATE lading_load SET zone_release = '2020a'")
  at.said()
  await at.run()
  expect(at.said()).toEqual([{ type: 'zones', release: zoneRelease }, warning])
  expect(await at.receipt()).toMatchObject({ zoneRelease: '2020a' })
  const [reject] = await at.sink.ledger.rejects({ limit: 1 })
  if (reject === undefined) throw new Error('no reject')
  await replayRejects([{ ...reject, edited: Buffer.from('4,2026-11-28 12:00') }], {
    sink: at.sink,
    model: zoned,
    onEvent: at.onEvent,
  })
  expect(at.said()).toEqual([warning])
})

it('a dead letter that is replayed by other time-zone data is warned of', async () => {
  await using at = await opened(zoned)
  await at.run({ batches: 1 })
  await at.execute("UPDATE lading_load SET zone_release = '2020a'")
  const other = defineModel({ table: 'events', columns: { id: integer().notNull() } })
  await createConsumer({ queue: at.queue, sink: at.sink, model: other }).run({ untilEmpty: true })
  const [letter] = await at.sink.ledger.deadLetters({ limit: 1 })
  if (letter === undefined) throw new Error('no letter')
  at.said()
  expect(await replay(letter, { sink: at.sink, model: zoned, onEvent: at.onEvent })).toMatchObject({
    kind: 'applied',
    loaded: 1,
  })
  expect(at.said()).toEqual([warning])
})

it.each(['UTC', '+01:00'])(
  'nothing of it is said or kept where every column has a fixed offset: %s',
  async (zone) => {
    await using at = await opened(modelIn(zone))
    await at.run()
    expect(at.said()).toEqual([])
    expect(await at.receipt()).not.toHaveProperty('zoneRelease')
  },
)
