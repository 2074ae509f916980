/** A file that has not changed since it was loaded is not read again, and nothing else is different for that. */
import { utimesSync } from 'node:fs'
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import { load } from '../../src/load/load.ts'
import type { LoadOptions } from '../../src/load/options.ts'
import { integer, text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { Account } from '../../src/sink/account.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { FileSource } from '../../src/source/file/file.ts'
import { Fixture, numbers } from '../support/fixture.ts'
import { untouched, wrapQueue } from '../support/wrappers.ts'

/** Names of the files that were read. */
let read: string[] = []

/** The system sets the time of a change, so that the present is what moves. */
const laterBy = (ms: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms })

beforeEach(() => {
  read = []
  // Called on its own file below.
  // oxlint-disable-next-line typescript/unbound-method
  const { whole } = FileSource.prototype
  vi.spyOn(FileSource.prototype, 'whole').mockImplementation(function (this: FileSource) {
    read.push(this.name)
    return whole.call(this)
  })
  laterBy(60_000)
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

interface Opened {
  readonly fixture: Fixture
  readonly queue: Queue
  readonly sink: Sink
}

async function again(
  { fixture, queue, sink }: Opened,
  paths: readonly string[],
  more: Partial<LoadOptions> = {},
) {
  read = []
  const events: LadingEvent[] = []
  const onEvent = (event: LadingEvent) => void events.push(event)
  const result = await load({ ...fixture.producing(queue, paths), sink, onEvent, ...more })
  return { ...result, events, read: [...new Set(read)] }
}

const opened = async (fixture: Fixture): Promise<Opened> => ({
  fixture,
  queue: await fixture.queue(),
  sink: await fixture.sink(),
})

it('a file that has not changed is not read a second time, and the run says the same as one that reads it', async () => {
  await using fixture = await Fixture.open()
  const all = await opened(fixture)
  const paths = [await fixture.file(3), await fixture.file(0, 'empty.csv'), await fixture.file(5)]
  expect(await again(all, paths)).toMatchObject({ loadedNow: 8, read: { length: 3 } })
  const unread = await again(all, paths)
  expect(unread).toMatchObject({ loadedNow: 0, loadsBefore: 3, read: [] })
  const whole = await again(all, paths, { readAll: true })
  expect(whole.read).toHaveLength(3)
  const said = ({ events }: typeof whole) =>
    events.filter(({ type }) => type !== 'planning' && type !== 'held')
  expect(said(unread)).toEqual(said(whole))
  expect([unread.produced, unread.receipts]).toEqual([whole.produced, whole.receipts])
  // What has come since is read, and nothing else.
  const more = await fixture.file(2)
  expect(await again(all, [...paths, more])).toMatchObject({ loadedNow: 2, read: { length: 1 } })
  await fixture.expectAllOnce()
})

it('a file that was written is read, even with its old size and time, and one that was written just now is not trusted', async () => {
  await using fixture = await Fixture.open()
  const all = await opened(fixture)
  const path = await fixture.file(3)
  const atOldTime = () => utimesSync(path, oldTime, oldTime)
  atOldTime()
  const { size, mtimeNs } = await stat(path, { bigint: true })
  for (const length of [1, 0]) expect(await again(all, [path])).toMatchObject({ read: { length } })
  await writeFile(path, (await readFile(path, 'utf8')).replaceAll('note of', 'memo of'))
  atOldTime()
  expect(await stat(path, { bigint: true })).toMatchObject({ size, mtimeNs })
  vi.useRealTimers()
  for (const loadedNow of [3, 0, 0])
    expect(await again(all, [path])).toMatchObject({ loadedNow, read: { length: 1 } })
  laterBy(60_000)
  for (const length of [1, 0]) expect(await again(all, [path])).toMatchObject({ read: { length } })
})

/** In seconds since 1970. */
const oldTime = 1_000_000_000

const other = defineModel({
  table: numbers.table,
  columns: { id: integer().notNull(), note: text().nullIf('nothing') },
})

it('a file is read under another name, with another model, read in another way, into another database, and on purpose', async () => {
  await using fixture = await Fixture.open()
  const all = await opened(fixture)
  const path = await fixture.file(3)
  await again(all, [path])
  expect((await again(all, [path])).read).toEqual([])
  const others: Partial<LoadOptions>[] = [
    { model: other },
    { notation: { nulls: ['nothing'] } },
    { ignoreExtra: true },
    { sink: await fixture.sink(`sqlite:${join(fixture.folder, 'other.db')}`) },
    { again: true },
  ]
  for (const each of others) expect((await again(all, [path], each)).read).toHaveLength(1)
  const renamed = join(fixture.folder, 'renamed.csv')
  await rename(path, renamed)
  expect((await again(all, [renamed], { model: other })).read).toEqual(['renamed.csv'])
})

it('what the state says counts for nothing where the ledger does not have it: the file is read and loaded', async () => {
  await using fixture = await Fixture.open()
  const all = await opened(fixture)
  const paths = [await fixture.file(3), await fixture.file(4), await fixture.file(5)]
  const broken = wrapQueue(all.queue, untouched, {
    publish: async () => {
      throw new LadingError('QUEUE_CORRUPT', 'says the test')
    },
  })
  // Planned, and ended before anything was published.
  await expect(again({ ...all, queue: broken }, paths)).rejects.toMatchObject({ code: 'QUEUE_CORRUPT' })
  expect(await again(all, paths)).toMatchObject({ loadedNow: 12, read: { length: 3 } })
  const { receipts } = await again(all, paths)
  expect(read).toEqual([])
  await fixture.target.execute('DELETE FROM numbers')
  expect(await again(all, paths)).toMatchObject({
    loadedNow: 0,
    emptied: { length: 3 },
    emptiedRecords: 12,
    read: [],
  })
  await all.sink.ledger.forget([receipts[1]?.loadId ?? ''])
  expect(await again(all, paths)).toMatchObject({
    loadedNow: 4,
    read: ['numbers-3.csv'],
    produced: [{ published: 0 }, { published: 1 }, { published: 0 }],
  })
})

it('a file of which more is said than the state keeps is read each time', async () => {
  await using fixture = await Fixture.open()
  const all = await opened(fixture)
  const path = join(fixture.folder, 'noted.csv')
  await writeFile(path, '# a note\nid,note\n1,a\n')
  for (const loadedNow of [1, 0])
    expect(await again(all, [path], { dialect: { comment: '#' } })).toMatchObject({
      loadedNow,
      read: ['noted.csv'],
      leftOut: [{ source: 'noted.csv', leftOut: { comments: 1 } }],
    })
})

it('of very many files the sums are those of their receipts, which are not kept, and each has its event', async () => {
  await using fixture = await Fixture.open()
  const all = await opened(fixture)
  const paths: string[] = []
  for (let n = 0; n < 30; n++) paths.push(await fixture.file(2))
  await writeFile(paths[7] as string, 'id,note\n1000,a\nno number,b\n')
  const keepsLoads = false
  const outcome = ({ events }: { readonly events: readonly LadingEvent[] }) =>
    events
      .filter(({ type }) => type === 'receipt')
      .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  const first = await again(all, paths, { keepsLoads })
  const kept = await again(all, paths)
  for (const result of [first, await again(all, paths, { keepsLoads })]) {
    expect([result.produced, result.receipts, result.files]).toEqual([[], [], 30])
    expect(result.account.totals).toEqual(Account.of(kept.receipts).totals)
    expect(result.account.needy).toMatchObject([{ source: 'numbers-14.csv', rejected: 1 }])
    expect(outcome(result)).toEqual(outcome(kept))
  }
  expect([first.loadedNow, first.loadsBefore, kept.loadsBefore]).toEqual([59, 0, 30])
  expect(kept.before.totals).toMatchObject({ withRejects: 1, openRejects: 1 })
  // One is there twice, and one is new.
  const more = [...paths, join(fixture.folder, '.', 'numbers-0.csv'), await fixture.file(2, 'more.csv')]
  expect(await again(all, more, { keepsLoads })).toMatchObject({
    loadedNow: 2,
    files: 31,
    loadsBefore: 30,
    account: { totals: { loads: 31, records: 62, loaded: 61, rejected: 1, open: 0 } },
  })
})

it('of more files than the ledger is asked about at once, those that are loaded are not asked about again', async () => {
  await using fixture = await Fixture.open()
  const all = await opened(fixture)
  const paths: string[] = []
  for (let n = 0; n < 1_001; n++) paths.push(await fixture.file(1))
  const keepsLoads = false
  expect(await again(all, paths, { keepsLoads })).toMatchObject({ loadedNow: 1_001, loadsBefore: 0 })
  const fold = vi.spyOn(all.sink.ledger, 'fold')
  const totals = { loads: 1_001, loaded: 1_001, open: 0 }
  expect(await again(all, paths, { keepsLoads })).toMatchObject({ loadedNow: 0, account: { totals } })
  expect(fold).not.toHaveBeenCalled()
  const more = [...paths, await fixture.file(1, 'z.csv')]
  expect(await again(all, more, { keepsLoads })).toMatchObject({
    loadedNow: 1,
    account: { totals: { loads: 1_002, loaded: 1_002, open: 0 } },
  })
  expect(new Set(fold.mock.calls.map(([loads]) => loads.length))).toEqual(new Set([1]))
})
