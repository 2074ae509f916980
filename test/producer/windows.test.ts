import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import type { ProduceOptions } from '../../src/producer/options.ts'
import { produce, type ProducedLoad } from '../../src/producer/produce.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { Fixture } from '../support/fixture.ts'
import { knownByEach } from '../support/known.ts'
import { untouched, wrapQueue } from '../support/wrappers.ts'

/** Chunks in a window of small ones. */
const window = 256
const count = 40_000
const chunkBytes = 512

/**
 * Some windows of chunks, and a ledger that counts how many of them were looked at, which is before they are
 * read.
 */
class Bench implements AsyncDisposable {
  readonly fixture: Fixture
  readonly queue: Queue
  readonly #path: string
  readonly #plan: string
  readonly chunks: number
  seen = 0

  private constructor(fixture: Fixture, queue: Queue, path: string, { plan, chunks }: ProducedLoad) {
    this.fixture = fixture
    this.queue = queue
    this.#path = path
    this.#plan = plan
    this.chunks = chunks
  }

  static async open(): Promise<Bench> {
    const fixture = await Fixture.open()
    const path = await fixture.file(count)
    const elsewhere = { statePath: join(fixture.folder, 'elsewhere.db'), chunkBytes }
    const queue = await fixture.queue()
    const [load] = await produce(
      fixture.producing(wrapQueue(queue, untouched, { publish: async () => undefined }), [path], elsewhere),
    )
    if (load === undefined) throw new Error('no load was made')
    return new Bench(fixture, queue, path, load)
  }

  produce(publish: Queue['publish'], more: Partial<ProduceOptions> = {}): Promise<readonly ProducedLoad[]> {
    const look = () => ++this.seen < 0
    const keys = Object.assign(new Set<string>(), { has: look })
    const known = knownByEach(async () => ({ plan: this.#plan, complete: false, keys }))
    return produce(
      this.fixture.producing(wrapQueue(this.queue, untouched, { publish }), [this.#path], {
        chunkBytes,
        known,
        ...more,
      }),
    )
  }

  /** What is left to publish, as the state knows it. */
  async rest(): Promise<number | undefined> {
    const [load] = await produce(this.fixture.producing(this.queue, [this.#path], { chunkBytes }))
    return load?.published
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fixture[Symbol.asyncDispose]()
  }
}

it('while the queue takes a window the next one is read, and no more than that', async () => {
  await using bench = await Bench.open()
  const taken = Promise.withResolvers<void>()
  let under = 0
  let most = 0
  const produced = bench.produce(async (messages) => {
    most = Math.max(most, ++under)
    await taken.promise
    await bench.queue.publish(messages)
    under--
  })
  await expect.poll(() => bench.seen, { timeout: 30_000 }).toBe(2 * window)
  await sleep(100)
  expect(bench.seen).toBe(2 * window)
  taken.resolve()
  const [load] = await produced
  expect(load?.published).toBe(bench.chunks)
  expect(most).toBe(1)
  expect((await bench.queue.depth()).ready).toBe(bench.chunks)
  const keys = (await bench.queue.peek(bench.chunks)).map(({ key }) => key)
  expect(keys).toEqual(Array.from({ length: bench.chunks }, (_, n) => `${load?.loadId}/${n}`))
})

it('a window that fails while the next one is read stays unconfirmed, and none follows it', async () => {
  await using bench = await Bench.open()
  let calls = 0
  const produced = bench.produce(async (messages) => {
    if (++calls === 1) return bench.queue.publish(messages)
    await expect.poll(() => bench.seen, { timeout: 30_000 }).toBe(3 * window)
    throw new LadingError('QUEUE_CORRUPT', 'says the test')
  })
  await expect(produced).rejects.toMatchObject({ code: 'QUEUE_CORRUPT' })
  expect(calls).toBe(2)
  expect((await bench.queue.depth()).ready).toBe(window)
  expect(await bench.rest()).toBe(bench.chunks - window)
})

it('a window is published when there is room for it, and its successor waits', async () => {
  await using bench = await Bench.open()
  const asked: number[] = []
  const rooms = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const room = async () => {
    const { ready } = await bench.queue.depth()
    await rooms[asked.push(ready) - 1]?.promise
  }
  const produced = bench.produce((messages) => bench.queue.publish(messages), { room })
  await expect.poll(() => bench.seen, { timeout: 30_000 }).toBe(2 * window)
  expect(asked).toEqual([0])
  rooms[0]?.resolve()
  await expect.poll(() => bench.seen, { timeout: 30_000 }).toBe(3 * window)
  expect(asked).toEqual([0, window])
  expect((await bench.queue.depth()).ready).toBe(window)
  rooms[1]?.resolve()
  await produced
  expect(asked).toEqual(Array.from({ length: Math.ceil(bench.chunks / window) }, (_, n) => n * window))
})

it('a stop does not wait for room, and publishes what was read', async () => {
  await using bench = await Bench.open()
  const stop = new AbortController()
  const room = () => new Promise<void>(() => undefined)
  const produced = bench.produce((messages) => bench.queue.publish(messages), { room, signal: stop.signal })
  await expect.poll(() => bench.seen, { timeout: 30_000 }).toBe(2 * window)
  stop.abort()
  await expect(produced).rejects.toMatchObject({ code: 'ABORTED' })
  expect((await bench.queue.depth()).ready).toBe(2 * window)
  expect(await bench.rest()).toBe(bench.chunks - 2 * window)
})

it('whoever looks for room and fails ends the producer', async () => {
  await using bench = await Bench.open()
  const room = async () => {
    throw new LadingError('QUEUE_MISSING', 'says the test')
  }
  await expect(bench.produce((messages) => bench.queue.publish(messages), { room })).rejects.toMatchObject({
    code: 'QUEUE_MISSING',
  })
  expect(await bench.queue.depth()).toMatchObject({ ready: 0 })
  expect(await bench.rest()).toBe(bench.chunks)
})
