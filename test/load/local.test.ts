import { writeFileSync } from 'node:fs'
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { load } from '../../src/load/load.ts'
import type { LoadOptions } from '../../src/load/options.ts'
import { produce } from '../../src/producer/produce.ts'
import { readableEnvelope } from '../../src/queue/envelope.ts'
import type { Outgoing, Queue } from '../../src/queue/queue.ts'
import { balance } from '../../src/sink/receipt.ts'
import { Fixture, numbers } from '../support/fixture.ts'
import { EventLog, untouched, wrapQueue } from '../support/wrappers.ts'

/** Enough for a file that is not kept in memory after it was planned. */
const count = 20_000
const chunkBytes = 16_384

async function bench() {
  const fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const published: Outgoing[] = []
  const noting = (to: Queue, over: Partial<Queue> = {}) =>
    wrapQueue(to, untouched, {
      publish: async (messages, options) => {
        published.push(...messages)
        await to.publish(messages, options)
      },
      ...over,
    })
  return {
    fixture,
    queue,
    sink,
    published,
    noting,
    load: (paths: readonly string[], more: Partial<LoadOptions> = {}) =>
      load({ ...fixture.producing(noting(queue), paths, { chunkBytes }), sink, ...more }),
    receipts: () => sink.ledger.receipts({}),
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  }
}

const pathsIn = (messages: readonly Outgoing[]) =>
  messages.map(({ headers, body }) => [readableEnvelope(headers)?.reference?.path, body.length > 0])

describe.runIf(process.platform !== 'win32')('the bytes of a load through a queue of this machine', () => {
  it('stay in their file, wherever it lies; a small one and standard input travel', async () => {
    await using all = await bench()
    const large = await all.fixture.file(count, 'large.csv')
    const small = await all.fixture.file(5, 'small.csv')
    const stdin = (async function* () {
      yield await readFile(await all.fixture.file(count, 'piped.csv'))
    })()
    const folder = join(all.fixture.folder, 'root')
    await mkdir(folder)
    const { receipts } = await all.load([large, small, '-'], { stdin, root: folder })
    expect(receipts.map((each) => balance(each).open)).toEqual([0, 0, 0])
    await all.fixture.expectAllOnce()
    const paths = pathsIn(all.published)
    expect(paths.filter(([path]) => path === large).length).toBeGreaterThan(10)
    expect(paths.every(([path, isThere]) => (path === large) !== isThere)).toBe(true)
  })

  it('travel where they are told to, and where other machines may take them', async () => {
    await using all = await bench()
    const path = await all.fixture.file(count)
    await all.load([path], { carry: 'bytes' })
    const shared = all.noting(all.queue, { traits: { ...all.queue.traits, isLocal: undefined } })
    await all.load([await all.fixture.file(count)], { queue: shared })
    expect(pathsIn(all.published).every(([name, isThere]) => name === undefined && isThere)).toBe(true)
    await all.fixture.expectAllOnce()
  })

  it('are those that were planned: of a file that grows meanwhile, and then the load ends with SOURCE_CHANGED', async () => {
    await using all = await bench()
    const path = await all.fixture.file(count)
    let windows = 0
    const growing = all.noting(all.queue, {
      publish: async (messages, options) => {
        all.published.push(...messages)
        await all.queue.publish(messages, options)
        if (++windows === 1) await appendFile(path, '999999,late\n')
      },
    })
    const loaded = all.load([path], { queue: growing, chunkBytes: 500 })
    await expect(loaded).rejects.toMatchObject({ code: 'SOURCE_CHANGED', exitCode: 4 })
    // From the change on, what is published was proved first.
    expect(new Set(pathsIn(all.published).map(([name]) => name))).toEqual(new Set([path, undefined]))
    const ids = await all.fixture.target.ids()
    expect(ids.length).toBe(new Set(ids).size)
    expect(ids.every((id) => id <= count)).toBe(true)
  })

  it.each([
    ['is written over', (path: string, text: string) => writeFileSync(path, text.replaceAll('note', 'nota'))],
    ['is cut', (path: string, text: string) => writeFileSync(path, text.slice(0, text.length >> 1))],
  ])(
    'are not loaded from a file that %s before they are read; the others are, and the same load goes on when it is back',
    async (_, change) => {
      await using all = await bench()
      const path = await all.fixture.file(count, 'a.csv')
      const other = await all.fixture.file(count, 'b.csv')
      const original = await readFile(path, 'utf8')
      const events = new EventLog()
      const published = new Set<string>()
      let begin = () => {}
      const isPublished = new Promise<void>((resolve) => (begin = resolve))
      const onEvent: LoadOptions['onEvent'] = (event) => {
        events.listen(event)
        if (event.type !== 'published' || published.add(event.source).size < 2) return
        change(path, original)
        begin()
      }
      const waiting = wrapQueue(all.queue, async (method, real) => {
        if (method === 'deliveries') await isPublished
        return await real()
      })
      const loaded = all.load([path, other], { queue: waiting, onEvent })
      await expect(loaded).rejects.toMatchObject({
        code: 'SOURCE_CHANGED',
        exitCode: 4,
        message: expect.stringContaining('a.csv changed while it was loaded'),
      })
      expect(events.of('warning').map(({ message }) => message)).toEqual([
        'one of 2 files is at fault; loaded completely: b.csv; loaded in part: a.csv',
      ])
      await writeFile(path, original)
      await all.load([path, other])
      const receipts = await all.receipts()
      expect(receipts.map((each) => balance(each))).toEqual([
        { open: 0, problems: [] },
        { open: 0, problems: [] },
      ])
      await all.fixture.expectAllOnce()
    },
  )

  it('are read by another consumer only below its root', async () => {
    await using all = await bench()
    const inside = join(all.fixture.folder, 'inside')
    await mkdir(inside)
    const near = await all.fixture.file(count, 'inside/near.csv')
    const far = await all.fixture.file(count, 'far.csv')
    await produce(all.fixture.producing(all.queue, [near, far], { chunkBytes, carry: 'local' }))
    await createConsumer({ queue: all.queue, sink: all.sink, model: numbers, root: inside }).run({
      untilEmpty: true,
    })
    const letters = await all.sink.ledger.deadLetters({ limit: 1_000 })
    expect(new Set(letters.map(({ code, detail }) => `${code} ${detail}`))).toEqual(
      new Set([`REFERENCE_REFUSED ${JSON.stringify(far)} lies outside the root`]),
    )
    const [receipt, ...others] = await all.receipts()
    expect(others).toEqual([])
    expect(receipt).toMatchObject({ source: 'near.csv', loaded: count })
  })

  it('are not looked for outside the root of another consumer', async () => {
    await using all = await bench()
    const far = await all.fixture.file(count, 'far.csv')
    await produce(all.fixture.producing(all.queue, [far], { chunkBytes, carry: 'local' }))
    await rm(far)
    const root = join(all.fixture.folder, 'inside')
    await mkdir(root)
    await createConsumer({ queue: all.queue, sink: all.sink, model: numbers, root }).run({ untilEmpty: true })
    const letters = await all.sink.ledger.deadLetters({ limit: 1_000 })
    expect(new Set(letters.map(({ code }) => code))).toEqual(new Set(['REFERENCE_REFUSED']))
  })
})
