/** A rolling upgrade from 0.1.0: what it published and half consumed is finished by this build. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as current from '../../src/index.ts'
import type { Queue } from '../../src/queue/queue.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { buildRelease, type Release } from '../support/release.ts'
import { Fixture } from '../support/fixture.ts'

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
/** The model of the fixture's files, as the release itself defines it. */
const numbersOf = ({ bigint, defineModel, text }: Lading) =>
  defineModel({ table: 'numbers', columns: { id: bigint().notNull(), note: text() } })

interface Place {
  readonly fixture: Fixture
  readonly queueUrl: string
}

/** Does `work` with the queue and the sink as one release opens them. */
async function as<T>(
  lading: Lading,
  { fixture, queueUrl }: Place,
  work: (queue: Queue, sink: Sink) => Promise<T>,
): Promise<T> {
  await using queue = await lading.openQueue(queueUrl)
  await using sink = await lading.openSink(fixture.target.url)
  return await work(queue, sink)
}

const publish = (lading: Lading, place: Place, path: string, more: Partial<current.ProduceOptions> = {}) =>
  as(lading, place, (queue) =>
    lading.produce({
      ...place.fixture.producing(queue, [path], { chunkBytes: perChunk * 15 }),
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
        root: place.fixture.folder,
        batch: { messages: 50 },
      })
      .run(run),
  )

function finishing(queueUrl: (fixture: Fixture) => string, target: 'sqlite' | 'postgres'): void {
  it('what it published and half consumed is finished by this build, nothing lost or doubled', async () => {
    await using fixture = await Fixture.open(target)
    const place = { fixture, queueUrl: queueUrl(fixture) }
    const half = await fixture.file(1_500)
    const untouched = await fixture.file(50)
    const interrupted = await fixture.file(4_000)
    await publish(release.face, place, half)
    await consume(release.face, place, { batches: 1 })
    const loaded = (await fixture.target.ids()).length
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
    await fixture.expectAllOnce()
  })

  it('once this build has prepared its ledger, it refuses that in plain words and changes nothing', async () => {
    await using fixture = await Fixture.open(target)
    const place = { fixture, queueUrl: queueUrl(fixture) }
    await publish(release.face, place, await fixture.file(50))
    await consume(release.face, place, { batches: 1 })
    await as(current, place, (_, sink) => sink.prepare(numbersOf(current)))
    await expect(consume(release.face, place, { untilEmpty: true })).rejects.toMatchObject({
      code: 'LEDGER_NEWER',
    })
    await consume(current, place, { untilEmpty: true })
    await fixture.expectAllOnce()
  })
}

function reading(queueUrl: (fixture: Fixture) => string): void {
  it.each(['bytes', 'reference'] as const)(
    'a chunk of CSV that this build publishes as %s is read by a consumer of 0.1.0',
    async (carry) => {
      await using fixture = await Fixture.open()
      const place = { fixture, queueUrl: queueUrl(fixture) }
      await publish(current, place, await fixture.file(100), { carry, root: fixture.folder })
      await consume(release.face, place, { untilEmpty: true })
      await fixture.expectAllOnce()
    },
  )
}

describe('0.1.0 over the embedded queue', () => {
  const queueUrl = (fixture: Fixture) => fixture.queueUrl
  describe('into SQLite', () => finishing(queueUrl, 'sqlite'))
  describePostgres('into PostgreSQL', () => finishing(queueUrl, 'postgres'))
  reading(queueUrl)
})

describeRabbit('0.1.0 over RabbitMQ', () => {
  describe('into SQLite', () => finishing(freshQueueUrl, 'sqlite'))
  describePostgres('into PostgreSQL', () => finishing(freshQueueUrl, 'postgres'))
  reading(freshQueueUrl)
})
