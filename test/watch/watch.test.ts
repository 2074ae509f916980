/** Watched folders: what arrives is loaded once, whole, and only what was loaded is put aside. */
import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import type { LadingEvent } from '../../src/core/events.ts'
import { watch, type Watched, type WatchOptions } from '../../src/watch/watch.ts'
import { Arrivals } from '../../src/watch/arrivals.ts'
import { putAside, requireAside } from '../../src/watch/aside.ts'
import { FileSource } from '../../src/source/file/file.ts'
import { Fixture } from '../support/fixture.ts'

afterEach(() => void vi.restoreAllMocks())

const csv = (...ids: readonly number[]) => `id,note\n${ids.map((id) => `${id},note of ${id}\n`).join('')}`

class Watching implements AsyncDisposable {
  readonly fixture: Fixture
  readonly inbox: string
  readonly seen: Watched[] = []
  readonly #stop = new AbortController()
  #run: Promise<void> = Promise.resolve()
  #heard = Promise.withResolvers<void>()

  private constructor(fixture: Fixture) {
    this.fixture = fixture
    this.inbox = join(fixture.folder, 'inbox')
  }

  static async start(
    more: Partial<WatchOptions> = {},
    target: 'sqlite' | 'postgres' = 'sqlite',
  ): Promise<Watching> {
    const watching = new Watching(await Fixture.open(target))
    const { fixture, inbox } = watching
    await mkdir(inbox)
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    watching.#run = watch({
      ...fixture.producing(queue, [inbox]),
      sink,
      settleMs: 100,
      done: 'keep',
      failed: 'keep',
      signal: watching.#stop.signal,
      onDecided: () => undefined,
      onWatched: (file) => {
        watching.seen.push(file)
        watching.#heard.resolve()
      },
      ...more,
    })
    watching.#run.catch(() => watching.#heard.resolve())
    return watching
  }

  /** When so many files have come to something. */
  async heard(files: number): Promise<readonly (readonly [string, string])[]> {
    while (this.seen.length < files) {
      this.#heard = Promise.withResolvers()
      await Promise.race([this.#heard.promise, this.#run])
    }
    return this.seen.map(({ source, outcome }) => [source, outcome] as const)
  }

  async put(name: string, content: string): Promise<void> {
    await writeFile(join(this.inbox, name), content)
  }

  ids(): Promise<number[]> {
    return this.fixture.target.ids()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#run
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => undefined)
    await this.fixture[Symbol.asyncDispose]()
  }
}

it.for(['sqlite', 'postgres'] as const)(
  'a file that grows is loaded once, whole, and unfinished and hidden names are left alone until they are renamed: %s',
  async (target) => {
    await using watching = await Watching.start({ settleMs: 1_000 }, target)
    const { inbox } = watching
    await watching.put('unfinished.csv.part', csv(100))
    await watching.put('.hidden.csv', csv(101))
    await watching.put('grows.csv', csv(1))
    // Faster than the file can stand still.
    for (let id = 2; id <= 40; id++) {
      await appendFile(join(inbox, 'grows.csv'), `${id},x\n`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(await watching.heard(1)).toEqual([['grows.csv', 'loaded']])
    expect(await watching.ids()).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
    await rename(join(inbox, 'unfinished.csv.part'), join(inbox, 'finished.csv'))
    expect((await watching.heard(2))[1]).toEqual(['finished.csv', 'loaded'])
    // New content under an old name is a load of its own.
    await rm(join(inbox, 'finished.csv'))
    await watching.put('finished.csv', csv(102, 103))
    await watching.heard(3)
    expect((await watching.ids()).slice(40)).toEqual([100, 102, 103])
  },
)

it('one file at fault keeps no other out, is told once, and is loaded when it was mended', async () => {
  await using watching = await Watching.start()
  for (let n = 0; n < 6; n++) await watching.put(`good-${n}.csv`, csv(n))
  await watching.put('bad.csv', 'id,note\n"1,x\n')
  await watching.put('rejects.csv', 'id,note\n7,x\nmuch,x\n')
  await watching.heard(8)
  const told = new Map(
    watching.seen.map(({ source, outcome, reason }) => [source, [outcome, reason?.split(':')[0]]]),
  )
  expect(told.get('bad.csv')).toEqual(['refused', 'UNCLOSED_QUOTE'])
  expect(told.get('rejects.csv')).toEqual(['rejects', '1 record rejected'])
  expect(await watching.ids()).toEqual([0, 1, 2, 3, 4, 5, 7])
  await watching.put('bad.csv', csv(8))
  expect((await watching.heard(9))[8]).toEqual(['bad.csv', 'loaded'])
  await watching.stop()
  expect(watching.seen).toHaveLength(9)
})

it('a stop lets the load under way end, and begins no other', async () => {
  let isBegun: () => void = () => undefined
  const begun = new Promise<void>((resolve) => (isBegun = resolve))
  const onEvent = ({ type }: LadingEvent) => type === 'batch' && isBegun()
  await using watching = await Watching.start({ onEvent, chunkBytes: 500, batch: { messages: 5 } })
  const ids = Array.from({ length: 5_000 }, (_, id) => id)
  await watching.put('large.csv', csv(...ids))
  await begun
  await watching.put('next.csv', csv(5_000))
  await watching.stop()
  expect(watching.seen.map(({ source, outcome }) => [source, outcome])).toEqual([['large.csv', 'loaded']])
  expect(await watching.ids()).toEqual(ids)
})

it('what is loaded is moved, nothing is replaced by it, and what has rejects goes elsewhere', async () => {
  await using fixture = await Fixture.open()
  const [done, failed] = [join(fixture.folder, 'done'), join(fixture.folder, 'failed')]
  await mkdir(done)
  await writeFile(join(done, 'a.csv'), 'an older one')
  await using watching = await Watching.start({ done: { move: done }, failed: { move: failed } })
  await watching.put('a.csv', csv(1))
  await watching.put('b.csv', 'id,note\n2,x\nmuch,x\n')
  await watching.heard(2)
  expect(await readdir(watching.inbox)).toEqual([])
  expect((await readdir(done)).sort()).toEqual(['a.csv', 'a.csv.1'])
  expect(await readFile(join(done, 'a.csv'), 'utf8')).toBe('an older one')
  expect(await readFile(join(done, 'a.csv.1'), 'utf8')).toBe(csv(1))
  expect(await readdir(failed)).toEqual(['b.csv'])
})

it('only the file that was loaded is moved or deleted: one that took its place stays', async () => {
  await using fixture = await Fixture.open()
  const path = await fixture.file(1, 'one.csv')
  const stampOf = () => new FileSource(path, 'one.csv').stamp()?.text ?? ''
  const loaded = { path, name: 'one.csv', stamp: stampOf() }
  await writeFile(path, csv(2))
  const to = { move: join(fixture.folder, 'done') }
  for (const aside of ['delete', to] as const) expect(putAside(loaded, aside)).toBeUndefined()
  expect(await readFile(path, 'utf8')).toBe(csv(2))
  const now = { ...loaded, stamp: stampOf() }
  expect(putAside(now, to)).toBe(join(to.move, 'one.csv'))
  expect(putAside(now, 'delete')).toBeUndefined()
})

it('no folder is taken in which the files would be found again', async () => {
  await using fixture = await Fixture.open()
  const inbox = join(fixture.folder, 'in')
  await mkdir(inbox)
  const below = { move: join(inbox, 'done') }
  for (const path of [inbox, join(inbox, '**/*.csv'), join(inbox, '*/x.csv')])
    expect(() => requireAside(below, [path])).toThrow('would be found again')
  expect(() => requireAside({ move: inbox }, [join(inbox, '*.csv')])).toThrow('would be found again')
  requireAside(below, [join(inbox, '*.csv')])
  requireAside({ move: join(fixture.folder, 'done') }, [inbox])
})

it('a folder that cannot be made is said before anything is loaded', async () => {
  await using fixture = await Fixture.open()
  const file = join(fixture.folder, 'file')
  await writeFile(file, '')
  for (const move of [file, join(file, 'done')])
    expect(() => requireAside({ move }, [fixture.folder])).toThrow(
      expect.objectContaining({
        code: 'OUTPUT_UNWRITABLE',
        message: expect.stringContaining('cannot be made: ENOTDIR'),
      }),
    )
})

it('files that are dealt with are not read again, however often the folder is looked at', async () => {
  await using fixture = await Fixture.open()
  const inbox = join(fixture.folder, 'in')
  await mkdir(inbox)
  for (let n = 0; n < 50; n++) await writeFile(join(inbox, `${n}.csv`), csv(n))
  // Called on its own file below.
  // oxlint-disable-next-line typescript/unbound-method
  const { whole } = FileSource.prototype
  let reads = 0
  vi.spyOn(FileSource.prototype, 'whole').mockImplementation(function (this: FileSource) {
    reads++
    return whole.call(this)
  })
  const arrivals = new Arrivals([inbox], { settleMs: 0 })
  const files = await arrivals.look()
  expect(files).toHaveLength(50)
  for (const file of files) arrivals.end(file, 'over')
  for (let n = 0; n < 5; n++) expect(await arrivals.look()).toEqual([])
  await writeFile(join(inbox, '7.csv'), csv(7, 70))
  expect((await arrivals.look()).map(({ name }) => name)).toEqual(['7.csv'])
  expect(reads).toBe(0)
})
