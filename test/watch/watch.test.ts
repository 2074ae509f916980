/** Watched folders: what arrives is loaded once, whole, and only what was loaded is put aside. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { appendFile, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { SqliteFile } from '../../src/core/sqlite.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import { plannedReceipts } from '../../src/cli/run/planned.ts'
import { balance } from '../../src/sink/receipt.ts'
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
  #stop = new AbortController()
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
    await mkdir(watching.inbox)
    await watching.startAgain(more)
    return watching
  }

  async startAgain(more: Partial<WatchOptions> = {}): Promise<void> {
    const { fixture, inbox } = this
    this.#stop = new AbortController()
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    this.#run = watch({
      ...fixture.producing(queue, [inbox]),
      sink,
      settleMs: 100,
      done: 'keep',
      failed: 'keep',
      signal: this.#stop.signal,
      onDecided: () => undefined,
      onWatched: (file) => {
        this.seen.push(file)
        this.#heard.resolve()
      },
      ...more,
    })
    this.#run.catch(() => this.#heard.resolve())
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

it.each([
  ['as the first is planned', 'planned'],
  ['as records are written', 'batch'],
])('files that a stop has cut off %s are loaded to their end by the next start', async (_when, moment) => {
  const halfway = Promise.withResolvers<void>()
  const onEvent = ({ type }: LadingEvent) => {
    if (type !== moment) return
    void watching.stop()
    halfway.resolve()
  }
  const small = { chunkBytes: 500, batch: { messages: 5 } }
  await using watching = await Watching.start({ onEvent, ...small, graceMs: 0 })
  const ids = Array.from({ length: 5_000 }, (_, id) => id)
  await watching.put('large.csv', csv(...ids))
  await watching.put('next.csv', csv(5_000))
  await halfway.promise
  await watching.stop()
  expect(watching.seen).toEqual([])
  await watching.startAgain(small)
  expect(new Map(await watching.heard(2))).toEqual(
    new Map([
      ['large.csv', 'loaded'],
      ['next.csv', 'loaded'],
    ]),
  )
  expect(await watching.ids()).toEqual([...ids, 5_000])
})

it.each([
  ['whose bytes are read once more', Array.from({ length: 30_000 }, (_, id) => `${id},x`)],
  ['with a reject', ['1,x', 'much,x']],
])(
  'a file %s and that is replaced while it is loaded is loaded anew, and never as it was',
  async (_, lines) => {
    const batch = Promise.withResolvers<void>()
    const onEvent = ({ type }: LadingEvent) => {
      if (type !== 'batch') return
      writeFileSync(join(watching.inbox, 'a.csv'), csv(7_001, 7_002))
      batch.resolve()
    }
    await using watching = await Watching.start({ onEvent, chunkBytes: 500, batch: { messages: 5 } })
    await watching.put('a.csv', `id,note\n${lines.join('\n')}\n`)
    await batch.promise
    expect(await watching.heard(1)).toEqual([['a.csv', 'loaded']])
    expect((await watching.ids()).slice(-2)).toEqual([7_001, 7_002])
  },
)

it.each([
  ['before it is planned', 'found', { outcome: 'refused', isOpen: false }],
  ['before anything of it is published', 'planned', { outcome: 'refused', isOpen: false }],
  ['when a part of it is published', 'window', { outcome: 'refused', isOpen: true }],
  ['when it is loaded, with a reject', 'receipt', { outcome: 'rejects', isOpen: false }],
])(
  'a file that goes away %s is told of, and is open only where a part was published',
  async (_when, moment, { outcome, isOpen }) => {
    const onEvent = ({ type }: LadingEvent) => {
      if (type === moment) rmSync(join(watching.inbox, 'a.csv'), { force: true })
    }
    // More than two windows: the last one is read after the first is published.
    await using watching = await Watching.start({ onEvent, chunkBytes: 250 })
    const lines = Array.from({ length: 30_000 }, (_, id) => `${id},x`)
    await watching.put('a.csv', `id,note\n${lines.join('\n')}\nmuch,x\n`)
    await watching.heard(1)
    expect(watching.seen).toMatchObject([{ source: 'a.csv', outcome, isGone: true }])
    await watching.stop()
    const { ledger, place } = await watching.fixture.sink()
    const arrived = await ledger.receipts({})
    const state = join(watching.fixture.folder, 'producer.db')
    const planned = await plannedReceipts(
      { id: undefined, state, place },
      new Set(arrived.map(({ loadId }) => loadId)),
    )
    expect([...arrived, ...planned].some((receipt) => balance(receipt).open > 0)).toBe(isOpen)
  },
)

it('records whose message the queue has lost are told, and their file is no loaded one', async () => {
  await using watching = await Watching.start({ chunkBytes: 500 })
  using file = new SqliteFile(watching.fixture.queueUrl.slice('embedded:'.length))
  file.exec(
    'CREATE TRIGGER loses AFTER INSERT ON body WHEN NEW.id = 2 BEGIN DELETE FROM message WHERE id = NEW.id; END',
  )
  await watching.put('a.csv', csv(...Array.from({ length: 200 }, (_, id) => id)))
  await watching.heard(1)
  expect(watching.seen).toMatchObject([
    { outcome: 'rejects', reason: expect.stringMatching(/^\d+ records without a verdict$/) },
  ])
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
  const moved = { ...now, path: join(to.move, 'one.csv') }
  const stamp = new FileSource(moved.path, 'one.csv').stamp()?.text ?? ''
  expect(putAside({ ...moved, stamp }, 'delete')).toBe('')
  expect(await readdir(to.move)).toEqual([])
})

it.each<[string, (path: string) => void, readonly string[]]>([
  ['another one has come', (path) => renameSync(`${path}.new`, path), ['one.csv']],
  ['it is gone', rmSync, ['one.csv.new']],
])('where %s after the last look, nothing is put aside', async (_, happen, left) => {
  await using fixture = await Fixture.open()
  const inbox = join(fixture.folder, 'in')
  await mkdir(inbox)
  const path = join(inbox, 'one.csv')
  await writeFile(path, csv(1))
  await writeFile(`${path}.new`, csv(2))
  const stamp = new FileSource(path, 'one.csv').stamp()
  vi.spyOn(FileSource.prototype, 'stamp').mockImplementationOnce(() => {
    happen(path)
    return stamp
  })
  const to = { move: join(fixture.folder, 'done') }
  expect(putAside({ path, name: 'one.csv', stamp: stamp?.text ?? '' }, to)).toBeUndefined()
  expect(await readdir(inbox)).toEqual(left)
  expect(await readdir(to.move)).toEqual([])
})

it('a file that cannot be put aside stops what watches, with the file', async () => {
  await using fixture = await Fixture.open()
  const path = await fixture.file(1, 'one.csv')
  const file = { path, name: 'one.csv', stamp: new FileSource(path, 'one.csv').stamp()?.text ?? '' }
  expect(() => putAside(file, { move: join(path, 'done') })).toThrow(
    expect.objectContaining({
      code: 'OUTPUT_UNWRITABLE',
      message: expect.stringMatching(/one\.csv cannot be put aside: E/),
    }),
  )
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
  expect(() => requireAside({ move: '/dev' }, [inbox])).toThrow('lies on another file system')
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

it('a pattern may match nothing yet, or what is not written to its end; what is named must be there', async () => {
  await using fixture = await Fixture.open()
  const inbox = join(fixture.folder, 'in')
  const names = async (path: string) =>
    (await new Arrivals([path], { settleMs: 0 }).look()).map(({ name }) => name)
  expect(await names(join(inbox, '*'))).toEqual([])
  await expect(names(inbox)).rejects.toMatchObject({ code: 'SOURCE_MISSING' })
  await mkdir(inbox)
  expect(await names(inbox)).toEqual([])
  await writeFile(join(inbox, 'a.csv'), csv(1))
  await writeFile(join(inbox, 'b.csv.part'), csv(2))
  await writeFile(join(inbox, 'c.csv~'), csv(3))
  await symlink(join(inbox, 'nowhere'), join(inbox, 'd.csv'))
  expect(await names(join(inbox, '*'))).toEqual(['a.csv'])
  expect(await names(inbox)).toEqual(['a.csv'])
  // It goes away while the folder is looked at.
  vi.spyOn(FileSource.prototype, 'stamp').mockImplementationOnce(() => undefined)
  expect(await names(inbox)).toEqual([])
})

it('files that are no data files as they are, are said, also where nothing else lies, and hidden ones are not', async () => {
  await using fixture = await Fixture.open()
  const inbox = join(fixture.folder, 'in')
  await mkdir(inbox)
  const told: string[] = []
  const arrivals = new Arrivals([inbox], { settleMs: 0, onLeft: (message) => told.push(message) })
  for (const name of ['a.csv.xz', 'b.ndjson', '.c.csv', 'd.txt']) await writeFile(join(inbox, name), '')
  expect(await arrivals.look()).toEqual([])
  expect(told).toEqual([expect.stringMatching(/b\.ndjson$/), expect.stringMatching(/a\.csv\.xz$/)])
})

it('a file that is not loaded, because it is no data file as it is, is a warning of the run', async () => {
  const warnings: string[] = []
  const onEvent = (event: LadingEvent) => void (event.type === 'warning' && warnings.push(event.message))
  await using watching = await Watching.start({ onEvent })
  await watching.put('b.csv.xz', '')
  await watching.put('a.csv', csv(1))
  expect(await watching.heard(1)).toEqual([['a.csv', 'loaded']])
  expect([...new Set(warnings)]).toEqual([expect.stringMatching(/b\.csv\.xz$/)])
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
