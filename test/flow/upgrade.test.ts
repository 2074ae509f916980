/** A rolling upgrade from 0.1.0: what it published and half consumed is finished by this build. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as current from '../../src/index.ts'
import type { Queue } from '../../src/queue/queue.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { buildRelease, type Release } from '../support/release.ts'
import { Workshop } from '../support/workshop.ts'

/** What these tests call of a release, in the form that 0.1.0 and this build share. */
type Lading = Pick<
  typeof current,
  'bigint' | 'createConsumer' | 'defineModel' | 'LadingError' | 'openQueue' | 'openSink' | 'produce' | 'text'
>

let release: Release<Lading>
beforeAll(async () => {
  release = await buildRelease<Lading>('aea8e43ea841aa89e3cdc159c023938602f9c8c9')
})
afterAll(() => release?.[Symbol.dispose]())

const perChunk = 10
/** The model of the workshop's files, as the release itself defines it. */
const numbersOf = ({ bigint, defineModel, text }: Lading) =>
  defineModel({ table: 'numbers', columns: { id: bigint().notNull(), note: text() } })

interface Place {
  readonly workshop: Workshop
  readonly queueUrl: string
}

/** Does `work` with the queue and the sink as one release opens them. */
async function as<T>(
  lading: Lading,
  { workshop, queueUrl }: Place,
  work: (queue: Queue, sink: Sink) => Promise<T>,
): Promise<T> {
  await using queue = await lading.openQueue(queueUrl)
  await using sink = await lading.openSink(workshop.target.url)
  return await work(queue, sink)
}

const publish = (lading: Lading, place: Place, path: string, more: Partial<current.ProduceOptions> = {}) =>
  as(lading, place, (queue) =>
    lading.produce({
      ...place.workshop.producing(queue, [path], { chunkBytes: perChunk * 15 }),
      model: numbersOf(lading),
      ...more,
    }),
  )

const consume = (lading: Lading, place: Place, run: current.RunOptions) =>
  as(lading, place, (queue, sink) =>
    lading
      .createConsumer({
        queue,
        sink,
        model: numbersOf(lading),
        root: place.workshop.folder,
        batch: { messages: 50 },
      })
      .run(run),
  )

function finishing(queueUrl: (workshop: Workshop) => string, target: 'sqlite' | 'postgres'): void {
  it('what it published and half consumed is finished by this build, nothing lost or doubled', async () => {
    await using workshop = await Workshop.open(target)
    const place = { workshop, queueUrl: queueUrl(workshop) }
    const half = await workshop.file(1_500)
    const untouched = await workshop.file(50)
    const interrupted = await workshop.file(4_000)
    await publish(release.face, place, half)
    await consume(release.face, place, { batches: 1 })
    const loaded = (await workshop.target.ids()).length
    expect([loaded > 0, loaded < 1_500]).toEqual([true, true])
    await publish(release.face, place, untouched)
    let windows = 0
    const room = async () => {
      if (++windows === 2) throw new release.face.LadingError('ABORTED', 'after the first window')
    }
    const left = publish(release.face, place, interrupted, { room })
    await expect(left).rejects.toMatchObject({ code: 'ABORTED' })

    await publish(current, place, interrupted)
    await publish(current, place, half)
    await consume(current, place, { untilEmpty: true })
    await workshop.expectAllOnce()
  })

  it('once this build has prepared its ledger, it refuses that in plain words and changes nothing', async () => {
    await using workshop = await Workshop.open(target)
    const place = { workshop, queueUrl: queueUrl(workshop) }
    await publish(release.face, place, await workshop.file(50))
    await consume(release.face, place, { batches: 1 })
    await as(current, place, (_, sink) => sink.prepare(numbersOf(current)))
    await expect(consume(release.face, place, { untilEmpty: true })).rejects.toMatchObject({
      code: 'LEDGER_NEWER',
    })
    await consume(current, place, { untilEmpty: true })
    await workshop.expectAllOnce()
  })
}

function reading(queueUrl: (workshop: Workshop) => string): void {
  it.each(['bytes', 'reference'] as const)(
    'a chunk of CSV that this build publishes as %s is read by a consumer of 0.1.0',
    async (carry) => {
      await using workshop = await Workshop.open()
      const place = { workshop, queueUrl: queueUrl(workshop) }
      await publish(current, place, await workshop.file(100), { carry, root: workshop.folder })
      await consume(release.face, place, { untilEmpty: true })
      await workshop.expectAllOnce()
    },
  )
}

describe('0.1.0 over the embedded queue', () => {
  const queueUrl = (workshop: Workshop) => workshop.queueUrl
  describe('into SQLite', () => finishing(queueUrl, 'sqlite'))
  describePostgres('into PostgreSQL', () => finishing(queueUrl, 'postgres'))
  reading(queueUrl)
})

describeRabbit('0.1.0 over RabbitMQ', () => {
  describe('into SQLite', () => finishing(freshQueueUrl, 'sqlite'))
  describePostgres('into PostgreSQL', () => finishing(freshQueueUrl, 'postgres'))
  reading(freshQueueUrl)
})
