/** What holds of a file in any store; called for each of them. */
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { load } from '../../src/load/load.ts'
import { produce } from '../../src/producer/produce.ts'
import { readableEnvelope } from '../../src/queue/envelope.ts'
import type { Outgoing } from '../../src/queue/queue.ts'
import { sourceOf } from '../../src/source/registry.ts'
import { Fixture, numbers } from '../support/fixture.ts'
import { readFile } from 'node:fs/promises'
import { untouched, wrapQueue } from '../support/wrappers.ts'

export type Trouble = 'cut' | 'half' | 'busy' | undefined

export interface StoreUnderTest {
  put(path: string, body: Buffer): Promise<void>
  remove(path: string): Promise<void>
  /** Of a file, or of the folder ''. */
  url(path: string): string
  /** Asked before each answer; `from` is the first byte of the range that is asked for. */
  trouble(what: (from: number | undefined) => Trouble): void
}

const chunkBytes = 64 * 1024
/** Several megabytes, so that a file has several ranges. */
const count = 80_000

export function storeContract(name: string, store: () => StoreUnderTest): void {
  afterEach(() => store().trouble(() => undefined))

  async function bench() {
    const fixture = await Fixture.open()
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    const published: Outgoing[] = []
    const noting = wrapQueue(queue, untouched, {
      publish: async (messages, options) => {
        published.push(...messages)
        await made.onPublish()
        await queue.publish(messages, options)
      },
    })
    const producing = (...paths: readonly string[]) => fixture.producing(noting, paths, { chunkBytes })
    const made = {
      fixture,
      sink,
      /** Awaited before messages are in the queue. */
      onPublish: async (): Promise<void> => undefined,
      put: async (path: string, records = count, pack: (bytes: Buffer) => Buffer = (bytes) => bytes) => {
        await store().put(path, pack(await readFile(await fixture.file(records))))
        return store().url(path)
      },
      produce: (options: object, ...paths: readonly string[]) =>
        produce({ ...producing(...paths), ...options }),
      load: (options: object, ...paths: readonly string[]) =>
        load({ ...producing(...paths), sink, ...options }),
      consume: (options: object) =>
        createConsumer({ queue, sink, model: numbers, ...options }).run({ untilEmpty: true }),
      paths: () => new Set(published.map(({ headers }) => readableEnvelope(headers)?.reference?.path)),
      [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
    }
    return made
  }

  describe(`files in ${name}`, () => {
    it('are loaded once: plain ones by reference, compressed ones as bytes', async () => {
      await using all = await bench()
      const plain = await all.put('plain.csv')
      await all.load({}, plain, await all.put('packed.csv.gz', 1_000, gzipSync))
      await all.load({}, plain)
      await all.fixture.expectAllOnce()
      expect(all.paths()).toEqual(new Set([plain, undefined]))
    })

    it('are read in pieces of any size, and in ranges in any order', async () => {
      await using all = await bench()
      const source = sourceOf({ path: await all.put('plain.csv'), name: 'plain.csv' })
      const pieces: Buffer[] = []
      for await (const piece of source.bytes()) pieces.push(Buffer.from(piece))
      const whole = Buffer.concat(pieces)
      expect([pieces.length > 1, whole.length]).toEqual([true, await source.size()])
      await using ranges = await source.ranges()
      for (const [at, bytes] of [
        [0, 4],
        [whole.length - 3, 10],
        [whole.length, 10],
        [100, 1_100_000],
        [1_100_100, 500_000],
        [50, 100],
      ] as const) {
        const into = Buffer.alloc(bytes)
        let read = 0
        for (let more = -1; more !== 0 && read < bytes; read += more)
          more = (await ranges?.read(into.subarray(read), at + read)) ?? 0
        expect(into.subarray(0, read).equals(whole.subarray(at, at + bytes))).toBe(true)
      }
    })

    it('are loaded although connections break off and the server is too busy now and then', async () => {
      await using all = await bench()
      const url = await all.put('plain.csv')
      let asked = 0
      store().trouble(() => (['cut', undefined, 'half', 'busy', undefined] as const)[asked++ % 5])
      await all.load({}, url)
      await all.fixture.expectAllOnce()
    })

    it('that are replaced while they are planned are refused before anything is published', async () => {
      await using all = await bench()
      const url = await all.put('plain.csv')
      const other = await readFile(await all.fixture.file(count))
      let isReplaced = false
      store().trouble((from = 0) => {
        if (from === 0 || isReplaced) return undefined
        isReplaced = true
        void store().put('plain.csv', other)
        return 'busy'
      })
      await expect(all.load({}, url)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
      expect(all.paths()).toEqual(new Set())
    })

    it('that are replaced after they were published by reference end their load as SOURCE_CHANGED, with nothing loaded but what was planned', async () => {
      await using all = await bench()
      const url = await all.put('plain.csv')
      const old = await readFile(`${all.fixture.folder}/numbers-0.csv`)
      all.onPublish = () => store().put('plain.csv', Buffer.from('id,note\n0,other\n'))
      await expect(all.load({}, url)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
      all.onPublish = async () => undefined
      expect(all.paths()).toEqual(new Set([url]))
      expect(await all.fixture.target.ids()).toEqual([])
      await store().put('plain.csv', old)
      await all.load({ fresh: true }, url)
      await all.fixture.expectAllOnce()
    })

    it('that are replaced before consumers elsewhere read them make dead letters, and load when they are back', async () => {
      await using all = await bench()
      const url = await all.put('plain.csv')
      const old = await readFile(`${all.fixture.folder}/numbers-0.csv`)
      await all.produce({ carry: 'reference', root: store().url('') }, url)
      expect(all.paths()).toEqual(new Set(['plain.csv']))
      await store().put('plain.csv', Buffer.from('id,note\n0,other\n'))
      const dead = await all.consume({ root: store().url('') })
      expect(dead.deadMessages).toBeGreaterThan(0)
      await store().put('plain.csv', old)
      await all.load({ fresh: true }, url)
      await all.fixture.expectAllOnce()
    })

    it('are read by a consumer below its own root alone', async () => {
      await using all = await bench()
      const url = await all.put('in/plain.csv', 1_000)
      const root = store().url('in')
      await all.produce({ carry: 'reference', root }, url)
      expect(await all.consume({ root: store().url('other') })).toMatchObject({ loaded: 0, deadMessages: 1 })
      await expect(
        all.produce({ carry: 'reference', root: store().url('other'), again: true }, url),
      ).rejects.toMatchObject({ code: 'USAGE' })
    })

    it('that are not there are told by their URL', async () => {
      await using all = await bench()
      const url = store().url('nothing.csv')
      const missing = { code: 'SOURCE_MISSING', message: expect.stringContaining(url) }
      await expect(all.load({}, url)).rejects.toMatchObject(missing)
    })

    it('that are empty are loads without a record', async () => {
      await using all = await bench()
      await store().put('empty.csv', Buffer.alloc(0))
      const { receipts } = await all.load({}, store().url('empty.csv'))
      expect(receipts).toMatchObject([{ records: 0, loaded: 0 }])
    })
  })
}
