import { appendFile, copyFile, mkdir, readFile, rename, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import { LadingError } from '../../src/core/errors.ts'
import { load } from '../../src/load/load.ts'
import { produce } from '../../src/producer/produce.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { numbers, Fixture } from '../support/fixture.ts'
import { knownByEach } from '../support/known.ts'
import { untouched, EventLog, wrapQueue, wrapSink } from '../support/wrappers.ts'

const consume = async (fixture: Fixture, queue: Queue) =>
  createConsumer({ queue, sink: await fixture.sink(), model: numbers }).run({ untilEmpty: true })

/** The queue, with something that happens before or after its n-th window. */
function around(
  queue: Queue,
  before: (window: number) => Promise<void>,
  after: (window: number) => Promise<void> = async () => undefined,
): Queue {
  let window = 0
  return wrapQueue(queue, untouched, {
    publish: async (...args) => {
      await before(++window)
      await queue.publish(...args)
      await after(window)
    },
  })
}

/** 20,000 numbers in chunks of 1 KiB: some windows of 256 messages. */
const chunkBytes = 1024
const count = 40_000

describe('the identity of a load', () => {
  it('does not change with the place or the compression level of the day, and does with name, content and pipeline', async () => {
    await using fixture = await Fixture.open()
    const queue = await fixture.queue()
    const path = await fixture.file(10, 'a.csv')
    const others = join(fixture.folder, 'elsewhere')
    await mkdir(others)
    await copyFile(path, join(others, 'a.csv'))
    await copyFile(path, join(others, 'b.csv'))
    await writeFile(join(fixture.folder, 'changed.csv'), 'x')
    const idOf = async (file: string, pipeline?: string) =>
      (await produce(fixture.producing(queue, [file], pipeline === undefined ? {} : { pipeline })))[0]?.loadId
    const id = await idOf(path)
    expect(await idOf(join(others, 'a.csv'))).toBe(id)
    expect(await idOf(`${others}/../a.csv`)).toBe(id)
    const different = [await idOf(join(others, 'b.csv')), await idOf(path, 'another')]
    await appendFile(path, '11,eleven\n')
    different.push(await idOf(path))
    expect(new Set([id, ...different]).size).toBe(4)
  })
})

describe('a file that changes', () => {
  it.each([
    ['grew', (path: string) => appendFile(path, '999999,late\n')],
    ['was cut', (path: string) => truncate(path, 300_000)],
    [
      'was written over',
      async (path: string) => writeFile(path, (await readFile(path, 'utf8')).replaceAll('note', 'nota')),
    ],
    ['was replaced by another of the same size and time', async (path: string) => replaced(path)],
  ])(
    'while it was published (it %s) ends with SOURCE_CHANGED, and nothing that was not planned is published',
    async (_, change) => {
      await using fixture = await Fixture.open()
      const queue = await fixture.queue()
      const path = await fixture.file(count)
      const original = await readFile(path)
      const changing = around(
        queue,
        async () => undefined,
        async (window) => (window === 1 ? change(path) : undefined),
      )
      await expect(produce(fixture.producing(changing, [path], { chunkBytes }))).rejects.toMatchObject({
        code: 'SOURCE_CHANGED',
        exitCode: 4,
      })
      for (const { body } of await queue.peek(100_000))
        expect(original.includes(Buffer.from(body))).toBe(true)
      // What it was comes back, and the load goes on where it stopped.
      await writeFile(path, original)
      await produce(fixture.producing(queue, [path], { chunkBytes }))
      await consume(fixture, queue)
      await fixture.expectAllOnce()
    },
  )

  it('between its plan and its publishing publishes nothing', async () => {
    await using fixture = await Fixture.open()
    const queue = await fixture.queue()
    const path = await fixture.file(count)
    const onEvent = ({ type }: { type: string }) => {
      if (type === 'planned') changing = appendFile(path, '999999,late\n')
    }
    let changing: Promise<void> = Promise.resolve()
    // The ledger is asked between the two.
    const known = knownByEach(async () => (await changing, undefined))
    await expect(produce(fixture.producing(queue, [path], { onEvent, known }))).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      exitCode: 4,
    })
    expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })
})

async function replaced(path: string): Promise<void> {
  const other = `${path}.other`
  await writeFile(other, (await readFile(path, 'utf8')).replaceAll('note of 3', 'nota of 3'))
  const time = new Date('2026-01-01')
  await utimes(other, time, time)
  await rename(other, path)
}

describe('a producer that ends in the middle', () => {
  it.each([1, 2, 3])('because window %d fails goes on with the rest only', async (failing) => {
    await using fixture = await Fixture.open()
    const queue = await fixture.queue()
    const path = await fixture.file(count)
    const broken = around(queue, async (window) => {
      if (window >= failing) throw new LadingError('QUEUE_CORRUPT', 'says the test')
    })
    await expect(produce(fixture.producing(broken, [path], { chunkBytes }))).rejects.toMatchObject({
      code: 'QUEUE_CORRUPT',
    })
    const { ready } = await queue.depth()
    expect(ready).toBe((failing - 1) * 256)
    const [rest] = await produce(fixture.producing(queue, [path], { chunkBytes }))
    expect(rest?.published).toBe((rest?.chunks ?? 0) - ready)
    await consume(fixture, queue)
    await fixture.expectAllOnce()
  })

  it('between a window and the note of it publishes that window twice, which the ledger absorbs', async () => {
    await using fixture = await Fixture.open()
    const queue = await fixture.queue()
    const path = await fixture.file(count)
    const dying = around(
      queue,
      async () => undefined,
      async (window) => {
        if (window === 2) throw new LadingError('QUEUE_CORRUPT', 'the queue has it, and nobody knows')
        if (window > 2) throw new LadingError('QUEUE_CORRUPT', 'dead')
      },
    )
    await expect(produce(fixture.producing(dying, [path], { chunkBytes }))).rejects.toMatchObject({
      code: 'QUEUE_CORRUPT',
    })
    await produce(fixture.producing(queue, [path], { chunkBytes }))
    const tally = await consume(fixture, queue)
    expect(tally.duplicates).toBeGreaterThanOrEqual(256)
    await fixture.expectAllOnce()
  })

  it('because it is told to goes on later', async () => {
    await using fixture = await Fixture.open()
    const queue = await fixture.queue()
    const path = await fixture.file(count)
    const stop = new AbortController()
    const stopping = around(queue, async (window) => (window === 2 ? stop.abort() : undefined))
    await expect(
      produce(fixture.producing(stopping, [path], { chunkBytes, signal: stop.signal })),
    ).rejects.toMatchObject({
      code: 'ABORTED',
      exitCode: 75,
    })
    await produce(fixture.producing(queue, [path], { chunkBytes }))
    expect(await consume(fixture, queue)).toMatchObject({ duplicates: 0, loaded: count })
    await fixture.expectAllOnce()
  })

  it('keeps to the plan that it began with, whatever chunk size it is given afterwards', async () => {
    await using fixture = await Fixture.open()
    const queue = await fixture.queue()
    const path = await fixture.file(count)
    const broken = around(queue, async (window) => {
      if (window > 1) throw new LadingError('QUEUE_CORRUPT', 'says the test')
    })
    await expect(produce(fixture.producing(broken, [path], { chunkBytes }))).rejects.toThrow()
    const [rest] = await produce(fixture.producing(queue, [path], { chunkBytes: 100_000 }))
    expect(rest?.chunks).toBeGreaterThan(500)
    expect(await consume(fixture, queue)).toMatchObject({ deadMessages: 0, duplicates: 0 })
    await fixture.expectAllOnce()
  })
})

it('a plan that was lost is made again, and another chunk size is refused instead of loading records twice', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const path = await fixture.file(count)
  await produce(fixture.producing(queue, [path], { chunkBytes }))
  await createConsumer({ queue, sink, model: numbers, batch: { bytes: 1, messages: 1 } }).run({ batches: 5 })
  const lost = {
    statePath: join(fixture.folder, 'another.db'),
    known: knownByEach((id) => sink.ledger.progress(id)),
  }
  await expect(
    produce(fixture.producing(queue, [path], { ...lost, chunkBytes: 5_000 })),
  ).rejects.toMatchObject({ code: 'PLAN_CHANGED' })
  await consume(fixture, queue)
  await fixture.expectAllOnce()
})

it('two plans of one load in one queue load it once, and the second is kept as dead letters', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const path = await fixture.file(count)
  await produce(fixture.producing(queue, [path], { chunkBytes }))
  await produce(
    fixture.producing(queue, [path], { chunkBytes: 50_000, statePath: join(fixture.folder, 'another.db') }),
  )
  const { deadMessages } = await consume(fixture, queue)
  const letters = await sink.ledger.deadLetters({ limit: 1_000 })
  expect(letters.length).toBe(deadMessages)
  expect(new Set(letters.map(({ code }) => code))).toEqual(new Set(['PLAN_MISMATCH']))
  await fixture.expectAllOnce()
})

it('two producers of one file at once load it once', async () => {
  await using fixture = await Fixture.open()
  const path = await fixture.file(count)
  const queues = [await fixture.queue(), await fixture.queue()] as const
  const produced = await Promise.all(
    queues.map((queue) => produce(fixture.producing(queue, [path], { chunkBytes }))),
  )
  expect(new Set(produced.map(([each]) => each?.loadId)).size).toBe(1)
  await consume(fixture, queues[0])
  await fixture.expectAllOnce()
})

it('two loads of one file at once, each with its own state, load it once', async () => {
  await using fixture = await Fixture.open()
  const path = await fixture.file(count)
  const one = async (state: string) => {
    const queue = await fixture.queue()
    return load({
      ...fixture.producing(queue, [path], { chunkBytes, statePath: join(fixture.folder, state) }),
      sink: await fixture.sink(),
    })
  }
  const results = await Promise.all([one('first.db'), one('second.db')])
  for (const { receipts } of results) expect(receipts).toMatchObject([{ records: count, loaded: count }])
  await fixture.expectAllOnce()
})

it('a second load on purpose that was interrupted goes on, and is not followed by a third', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  const path = await fixture.file(count)
  const [first] = await produce(fixture.producing(queue, [path], { chunkBytes }))
  const broken = around(queue, async (window) => {
    if (window > 1) throw new LadingError('QUEUE_CORRUPT', 'says the test')
  })
  const again = { chunkBytes, again: true }
  await expect(produce(fixture.producing(broken, [path], again))).rejects.toThrow()
  const [second] = await produce(fixture.producing(queue, [path], again))
  expect(second?.loadId).not.toBe(first?.loadId)
  await consume(fixture, queue)
  const receipts = await (await fixture.sink()).ledger.receipts({})
  expect(receipts.map(({ loadId }) => loadId).toSorted()).toEqual([first?.loadId, second?.loadId].toSorted())
  expect(await fixture.target.ids()).toHaveLength(2 * count)
  const [third] = await produce(fixture.producing(queue, [path], again))
  expect([first?.loadId, second?.loadId]).not.toContain(third?.loadId)
})

it('a load waits for a ledger that is away when it asks, instead of giving up', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const paths = [await fixture.file(10), await fixture.file(10)]
  let asked = 0
  const flaky = wrapSink(sink, untouched)
  const away = async <T>(real: () => Promise<T>) => {
    if (++asked % 2 === 1) throw new LadingError('SINK_UNAVAILABLE', 'away, says the test')
    return real()
  }
  const ledger = {
    ...flaky.ledger,
    progress: (id: string) => away(() => sink.ledger.progress(id)),
    receipts: () => away(() => sink.ledger.receipts({})),
  }
  const eventLog = new EventLog()
  const result = await load({
    ...fixture.producing(queue, paths, { onEvent: eventLog.listen }),
    sink: { ...flaky, ledger },
  })
  expect(result.loadedNow).toBe(20)
  // About both files at once, and for the receipts.
  expect(eventLog.of('waiting').length).toBeGreaterThanOrEqual(2)
  expect(asked).toBeGreaterThanOrEqual(4)
  await fixture.expectAllOnce()
})

it('chunks that took effect before are told of, and no others', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  const path = await fixture.file(40)
  const events: LadingEvent[] = []
  const onEvent = (event: LadingEvent) => void events.push(event)
  const planning = { chunkBytes: 150, onEvent }
  const [first] = await produce(
    fixture.producing(queue, [path], { ...planning, known: knownByEach(async () => undefined) }),
  )
  expect(events.map(({ type }) => type)).not.toContain('resuming')
  const known = knownByEach(async (id) => ({
    plan: first?.plan ?? '',
    complete: false,
    keys: new Set([`${id}/0`]),
  }))
  await produce(fixture.producing(queue, [path], { ...planning, known }))
  const resuming = events.find((event) => event.type === 'resuming')
  expect(resuming).toMatchObject({ source: 'numbers-0.csv', records: 40 })
  expect(resuming?.done).toSatisfy((done: number) => done > 0 && done < 40)
})
