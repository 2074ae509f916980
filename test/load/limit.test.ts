/** The first records of a file, and later the rest: each is loaded once, however the limits follow each other. */
import { writeFileSync } from 'node:fs'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { LadingEvent } from '../../src/core/events.ts'
import { load } from '../../src/load/load.ts'
import type { LoadOptions, LoadResult } from '../../src/load/options.ts'
import { planSource } from '../../src/producer/plan.ts'

import { FileSource } from '../../src/source/file/file.ts'
import { Fixture, numbers } from '../support/fixture.ts'
import { Folder } from '../cli/run.ts'
import { untouched, wrapQueue } from '../support/wrappers.ts'

const rowOf = (id: number, pad: number) => ({ id, note: 'n'.repeat((id * pad) % 40) })

const written = {
  csv: (n: number, pad: number) =>
    `id,note\n${rows(n, pad)
      .map(({ id, note }) => `${id},"${note}\n"\n`)
      .join('')}`,
  ndjson: (n: number, pad: number) =>
    rows(n, pad)
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(''),
  json: (n: number, pad: number) =>
    `[${rows(n, pad)
      .map((row) => JSON.stringify(row))
      .join(',\n ')}\n]\n`,
}
const rows = (n: number, pad: number) => Array.from({ length: n }, (_, index) => rowOf(index + 1, pad))

it('any sequence of limits, and then none, loads each record of any format once', async () => {
  const files = fc.record({
    format: fc.constantFrom<keyof typeof written>('csv', 'ndjson', 'json'),
    isPacked: fc.boolean(),
    records: fc.integer({ min: 0, max: 300 }),
    pad: fc.integer({ min: 1, max: 40 }),
    limits: fc.array(fc.integer({ min: 1, max: 320 }), { maxLength: 3 }),
    chunkBytes: fc.constantFrom(100, 2_000, 1_000_000),
  })
  const isRight = async ({
    format,
    isPacked,
    records,
    pad,
    limits,
    chunkBytes,
  }: typeof files extends fc.Arbitrary<infer File> ? File : never) => {
    await using fixture = await Fixture.open()
    const [queue, sink] = [await fixture.queue(), await fixture.sink()]
    const path = join(fixture.folder, `all.${format}${isPacked ? '.gz' : ''}`)
    const text = written[format](records, pad)
    await writeFile(path, isPacked ? gzipSync(text) : text)
    const step = (limit?: number) =>
      load({ ...fixture.producing(queue, [path], { chunkBytes, limit }), sink } satisfies LoadOptions)
    let most = 0
    for (const limit of limits) {
      const { account, withheld } = await step(limit)
      const { loaded, open } = account.totals
      // Of a load that was begun, whole chunks are loaded; the first limit is exact.
      if (most === 0) expect(loaded).toBe(Math.min(limit, records))
      expect(loaded).toBeGreaterThanOrEqual(Math.min(Math.max(limit, most), records))
      expect([open, withheld]).toEqual([records - loaded, records - loaded])
      most = loaded
    }
    const { account, withheld, loadedNow } = await step()
    expect([account.isComplete, withheld, loadedNow]).toEqual([true, 0, records - most])
    expect(await fixture.target.ids()).toEqual(rows(records, pad).map(({ id }) => id))
    expect((await step()).loadedNow).toBe(0)
  }
  await fc.assert(fc.asyncProperty(files, isRight), { numRuns: 15 })
})

it('a limit beyond the end of a file changes nothing of its plan, and one within it begins another chunk', async () => {
  await using fixture = await Fixture.open()
  const source = new FileSource(await fixture.file(5), 'five.csv')
  const plan = (limit?: number) =>
    planSource(source, { model: numbers, chunkBytes: 1_000, limit }, () => undefined)
  const whole = await plan()
  expect(await plan(5)).toEqual(whole)
  expect(await plan(6)).toEqual(whole)
  expect(await plan(4)).toMatchObject({ chunks: 2, records: 5, sha256: whole.sha256 })
})

it('a limit that ends within a chunk of a load that was begun says how far the chunk goes', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const path = await fixture.file(50)
  const told: string[] = []
  const onEvent = (event: LadingEvent) => void (event.type === 'warning' && told.push(event.message))
  const step = (limit: number) => load({ ...fixture.producing(queue, [path], { limit, onEvent }), sink })
  expect(await step(20)).toMatchObject({ loadedNow: 20 })
  expect(told).toEqual([])
  expect(await step(30)).toMatchObject({ loadedNow: 30 })
  expect(told).toEqual([expect.stringMatching(/goes on by whole chunks, so up to record 50 and not 30$/)])
})

it('a limited load goes on after the state was lost: the same limit, and then none', async () => {
  await using fixture = await Fixture.open('postgres')
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const path = await fixture.file(50)
  const step = (state: string, limit?: number) =>
    load({ ...fixture.producing(queue, [path], { limit, statePath: join(fixture.folder, state) }), sink })
  await step('first.db', 20)
  await expect(step('second.db')).rejects.toMatchObject({ code: 'PLAN_CHANGED' })
  // A refused plan does not stand in the way of the right one.
  await step('second.db', 20)
  await step('second.db')
  await fixture.expectAllOnce()
})

it('a limited load of a file that grows is finished by --append, which then loads what was added', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const path = await fixture.file(50)
  const step = (options: Pick<LoadOptions, 'limit' | 'append'>) =>
    load({ ...fixture.producing(queue, [path]), ...options, sink })
  await step({ limit: 20 })
  await appendFile(path, '51,added\n')
  expect(await step({ append: true })).toMatchObject({ loadedNow: 31 })
  expect(await step({ append: true })).toMatchObject({ loadedNow: 0 })
  expect(await fixture.target.ids()).toEqual(Array.from({ length: 51 }, (_, index) => index + 1))
})

it.each([
  ['of the names of the columns', { id: 0, note: 'a' }, { extra: 1 }],
  ['of other names', { userId: 0, 'Some Note': 'a' }, { 'Extra Field': 1 }],
])('a load into a table that it makes goes on with the same command: JSON %s', async (_, usual, late) => {
  const lines = Array.from({ length: 40 }, (_each, n) =>
    JSON.stringify(n < 30 ? usual : { ...usual, ...late }),
  )
  await using folder = await Folder.make({ 'all.ndjson': `${lines.join('\n')}\n` })
  const args = ['load', 'all.ndjson', '--table', 'made']
  expect(await folder.run([...args, '--limit', '10'])).toMatchObject({ code: 0 })
  expect(await folder.run(args)).toMatchObject({ code: 0 })
  const again = await folder.run(args)
  expect(again.err).toContain('is loaded already')
  expect(again.err).not.toContain('another reading')
  expect(folder.sql('SELECT count(*) AS n FROM made')).toEqual([{ n: 40 }])
})

it.each([
  ['decimals', ['--decimal', ',', '--thousands', '.'], '"1.234,5"'],
  ['money in text', ['--money'], '"$1,234.5"'],
  ['decimals beside dates', ['--decimal', ','], '"1,5",31.01.2024'],
  ['dates', ['--date-format', 'DD.MM.YYYY'], '01.02.2024'],
])(
  'a load into a table that it makes goes on with the same command: %s that options state',
  async (_, options, value) => {
    const lines = Array.from({ length: 40 }, (_each, n) => `${n},${value}\n`)
    await using folder = await Folder.make({
      'all.csv': `id,v${value.includes('",') ? ',day' : ''}\n${lines.join('')}`,
    })
    const args = ['load', 'all.csv', '--table', 'made', ...options]
    expect(await folder.run([...args, '--limit', '10'])).toMatchObject({ code: 0 })
    expect(await folder.run(args)).toMatchObject({ code: 0 })
    expect((await folder.run(args)).err).not.toContain('another reading')
    expect(folder.sql('SELECT count(*) AS n, count(DISTINCT v) AS v FROM made')).toEqual([{ n: 40, v: 1 }])
  },
)

it('a limited load ends through a queue that cannot count what is in flight', async () => {
  await using fixture = await Fixture.open()
  const [inner, sink] = [await fixture.queue(), await fixture.sink()]
  const queue = wrapQueue(inner, untouched, {
    depth: async () => ({ ...(await inner.depth()), inFlight: undefined }),
  })
  const path = await fixture.file(50)
  const step = (limit?: number) => load({ ...fixture.producing(queue, [path], { limit }), sink })
  expect(await step(20)).toMatchObject({ loadedNow: 20, withheld: 30 })
  expect(await step(10)).toMatchObject({ loadedNow: 0, withheld: 30 })
  expect(await step()).toMatchObject({ loadedNow: 30, withheld: 0 })
  await fixture.expectAllOnce()
})

it('what a broker counts while it moves messages is counted again, until it is the same twice', async () => {
  await using fixture = await Fixture.open()
  const [inner, sink] = [await fixture.queue(), await fixture.sink()]
  let isLoaded = false
  const counts = [3, 2]
  const queue = wrapQueue(inner, untouched, {
    depth: async () => {
      const [ready = 0] = isLoaded ? counts : []
      if (isLoaded && counts.length > 1) counts.shift()
      return { ready, inFlight: undefined, dead: 0 }
    },
  })
  const onEvent = ({ type }: LadingEvent) => void (isLoaded ||= type === 'receipt')
  const path = await fixture.file(5)
  const { left } = await load({ ...fixture.producing(queue, [path], { onEvent }), sink })
  expect([left.messages, counts]).toEqual([2, [2]])
})

it('a limited load leaves nothing that another run loads meanwhile', async () => {
  await using fixture = await Fixture.open()
  const [inner, sink] = [await fixture.queue(), await fixture.sink()]
  const path = await fixture.file(50)
  let other: Promise<LoadResult> | undefined
  const queue = wrapQueue(inner, async (method, real) => {
    if (method === 'publish') await (other ??= load({ ...fixture.producing(inner, [path]), sink }))
    return await real()
  })
  const { withheld, account } = await load({ ...fixture.producing(queue, [path]), sink, limit: 20 })
  expect([withheld, account.isComplete]).toEqual([0, true])
  await fixture.expectAllOnce()
})

it('a limited load whose messages hold their records needs its file no more', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const step = async (carry: LoadOptions['carry']) => {
    const path = await fixture.file(40)
    const onEvent: LoadOptions['onEvent'] = ({ type }) => {
      if (type === 'published') writeFileSync(path, 'id,note\n')
    }
    return await load({ ...fixture.producing(queue, [path]), sink, limit: 20, carry, onEvent })
  }
  expect((await step('bytes')).account.totals).toMatchObject({ loaded: 20, open: 20 })
  await expect(step('local')).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
})

it('lading load --limit says what it leaves, exits with 0, and the whole load follows it', async () => {
  const orders = Array.from({ length: 40 }, (_, n) => `${n},${n === 3 ? '' : `2026-01-0${(n % 9) + 1}`}\n`)
  await using folder = await Folder.make({
    'orders.csv': `id,day\n${orders.join('')}`,
    'few.csv': 'id,day\n90,\n',
  })
  const first = await folder.run(['load', 'orders.csv', 'few.csv', '--table', 'orders', '--limit', '10'])
  expect(first).toMatchObject({ code: 0 })
  expect(first.out).toContain('30 records left by --limit: the same command without it loads them')
  expect(first.err).toContain('column day: date, because all 39 values')
  expect(await folder.run(['verify'])).toMatchObject({ code: 1 })
  expect(await folder.run(['load', 'orders.csv', 'few.csv', '--table', 'orders'])).toMatchObject({ code: 0 })
  expect(folder.sql('SELECT count(*) AS n, count(DISTINCT id) AS ids FROM orders')).toEqual([
    { n: 41, ids: 41 },
  ])
  expect(await folder.run(['load', 'orders.csv', '--limit', '5', '--dry-run'])).toMatchObject({ code: 64 })
})
