/** What a load is, and which loads are the same. */
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { LadingError } from '../../src/core/errors.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import { load } from '../../src/load/load.ts'
import { Column, integer, text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { discover } from '../../src/source/file/discover.ts'
import { changedSince, planAll, plannedBefore } from '../../src/producer/loads.ts'
import { produce } from '../../src/producer/produce.ts'
import { openSources } from '../../src/producer/sources.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { balance } from '../../src/sink/receipt.ts'
import { withoutRights } from '../queue/system.ts'
import { numbers, Fixture } from '../support/fixture.ts'
import { Arrivals } from '../../src/watch/arrivals.ts'
import { untouched, wrapQueue } from '../support/wrappers.ts'

it('a command that makes loads once more and is interrupted between them does not load its first file a third time', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const [sound, broken] = [await fixture.file(10, 'a.csv'), join(fixture.folder, 'b.csv')]
  const again = () => load({ ...fixture.producing(queue, [sound, broken], { again: true }), sink })
  await writeFile(broken, 'id,note\n100,"never closed\n')
  await expect(again()).rejects.toMatchObject({ code: 'UNCLOSED_QUOTE' })
  await createConsumer({ queue, sink, model: numbers }).run({ untilEmpty: true })
  await writeFile(broken, 'id,note\n100,closed\n')
  expect(await again()).toMatchObject({ loadedNow: 1 })
  expect(await fixture.target.ids()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 100])
  // The command came to its end, so this is another one.
  expect(await again()).toMatchObject({ loadedNow: 11 })
})

it('what one queue holds says nothing about another, be it at the same place', async () => {
  await using fixture = await Fixture.open()
  const path = await fixture.file(10)
  for (const n of [1, 2]) {
    await using queue = await openQueue(`embedded:${join(fixture.folder, 'again', 'queue.db')}`)
    const [produced] = await produce(fixture.producing(queue, [path]))
    expect([n, produced?.published]).toEqual([n, 1])
    expect((await queue.depth()).ready).toBe(1)
    await rm(join(fixture.folder, 'again'), { recursive: true })
  }
})

it('a load that was begun with one model is not published to its end with another', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  const path = await fixture.file(100)
  const broken = wrapQueue(queue, untouched, {
    publish: async () => {
      throw new LadingError('QUEUE_CORRUPT', 'says the test')
    },
  })
  await expect(produce(fixture.producing(broken, [path]))).rejects.toMatchObject({ code: 'QUEUE_CORRUPT' })
  const columns = Object.fromEntries(
    numbers.columns.map(({ name, ...spec }) => [name, new Column({ ...spec, nullIf: ['note of 7'] })]),
  )
  const model = defineModel({ table: numbers.table, columns })
  await expect(produce(fixture.producing(queue, [path], { model }))).rejects.toMatchObject({
    code: 'PLAN_CHANGED',
  })
  expect(await produce(fixture.producing(queue, [path]))).toMatchObject([{ published: 1 }])
})

it('loads of two models at once over one queue are both complete', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  const others = defineModel({ table: 'others', columns: { id: integer(), note: text() } })
  const results = await Promise.all(
    [numbers, others].map(async (model) => {
      const path = await fixture.file(2_000)
      return load({
        ...fixture.producing(queue, [path], { chunkBytes: 200 }),
        model,
        sink: await fixture.sink(),
      })
    }),
  )
  for (const { receipts, loadedNow } of results) {
    expect(loadedNow).toBe(2_000)
    expect(receipts.map(balance)).toEqual([{ open: 0, problems: [] }])
  }
})

it('a load of which nothing reached the ledger is open in its receipt, and not complete', async () => {
  await using fixture = await Fixture.open()
  const lost = wrapQueue(await fixture.queue(), untouched, { publish: async () => undefined })
  const { receipts } = await load({
    ...fixture.producing(lost, [await fixture.file(10)]),
    sink: await fixture.sink(),
  })
  expect(receipts.map(balance)).toEqual([{ open: 10, problems: [] }])
})

it('a file that is named twice is loaded once, and files of one name below a pattern are told apart', async () => {
  await using fixture = await Fixture.open()
  const paths = ['day1', 'day2'].map((day) => join(fixture.folder, day, 'x.csv'))
  for (const path of paths) {
    await mkdir(dirname(path))
    await writeFile(path, 'id,note\n1,a\n')
  }
  const named = [join(fixture.folder, 'day*', 'x.csv'), fixture.folder, ...paths]
  const found = await discover(named, ['csv'])
  expect([...found].map(({ name }) => name)).toEqual(['day1/x.csv', 'day2/x.csv'])
  // By their own names they are one load, and the event of the second says so.
  const planned: unknown[] = []
  const onEvent = (event: LadingEvent) => event.type === 'planned' && planned.push(event.isTwice)
  await produce({ ...fixture.producing(await fixture.queue(), paths), onEvent })
  expect(planned).toEqual([undefined, true])
})

it('names of any characters lead to their files, in the order of the names', async () => {
  await using fixture = await Fixture.open()
  const names = ['b.csv', 'a.csv', 'ä/ö.csv', '日本/語.csv', '🙂.csv', 'a/b/c.csv']
  for (const name of names) {
    await mkdir(dirname(join(fixture.folder, name)), { recursive: true })
    await writeFile(join(fixture.folder, name), 'id,note\n1,a\n')
  }
  const found = await discover([fixture.folder], ['csv'])
  const expected = names.toSorted((a, b) => (a < b ? -1 : 1))
  expect([...found]).toEqual(expected.map((name) => ({ name, path: join(fixture.folder, name) })))
})

it('a file that is gone is no load that was planned before, and has changed since', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  const paths = [await fixture.file(5, 'a.csv'), await fixture.file(5, 'b.csv')]
  const options = fixture.producing(queue, paths)
  const [first, second] = await planAll(options)
  const sources = await openSources(options)
  expect(await plannedBefore(options, sources)).toEqual([first, second])
  await rm(paths[0] as string)
  expect(await plannedBefore(options, sources)).toEqual([second])
  const ids = [first, second, '00000000-0000-4000-8000-000000000000'] as readonly string[]
  expect(await changedSince(options, ids)).toEqual(['a.csv'])
})

it('files that are not of the format are named, and a stop comes before what is known is looked at', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  await fixture.file(5, 'a.csv')
  await writeFile(join(fixture.folder, 'b.ndjson'), '{"id":9}\n')
  const events: LadingEvent[] = []
  const options = fixture.producing(queue, [fixture.folder], { onEvent: (event) => events.push(event) })
  expect(await produce(options)).toHaveLength(1)
  expect(events).toContainEqual({ type: 'warning', message: expect.stringContaining('b.ndjson') })
  await expect(produce({ ...options, signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ABORTED',
  })
})

describe('a folder that cannot be read', () => {
  /** Its path is longer than any that the system takes. */
  async function tooDeep(inside: string) {
    await mkdir(inside, { recursive: true })
    const make = `for (let n = 0; n < 20; n++) { fs.mkdirSync('d'.repeat(250)); process.chdir('d'.repeat(250)) }`
    execFileSync(process.execPath, ['-e', make], { cwd: inside })
    return { [Symbol.dispose]: () => void execFileSync('rm', ['-rf', inside]) }
  }

  it('is no fault where a pattern asks for nothing in it', async () => {
    await using fixture = await Fixture.open()
    const inside = join(fixture.folder, 'below')
    await mkdir(inside)
    // As long as a path may be: there is one of the folder, and none of anything in it.
    const make = `for (let left; (left = 4094 - process.cwd().length) > 0; ) {
      const name = 'd'.repeat(left > 400 ? 200 : left > 201 ? 100 : left - 1)
      fs.mkdirSync(name)
      process.chdir(name)
    }
    console.log(process.cwd())`
    const folder = execFileSync(process.execPath, ['-e', make], { cwd: inside, encoding: 'utf8' }).trim()
    expect(folder).toHaveLength(4094)
    await expect(discover([`${dirname(folder)}/*/`], ['csv'])).rejects.toMatchObject({
      code: 'SOURCE_MISSING',
      message: expect.stringContaining('no file matches'),
    })
  })

  it('is a fault for a load, and a watch goes on with the others', async () => {
    await using fixture = await Fixture.open()
    await fixture.file(10, 'a.csv')
    using _ = await tooDeep(join(fixture.folder, 'below'))
    await expect(discover([fixture.folder], ['csv'])).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' })
    const told: string[] = []
    const options = { onLeft: (message: string) => void told.push(message), isWatched: true }
    const found = await discover([fixture.folder], ['csv'], options)
    expect([...found].map(({ name }) => name)).toEqual(['a.csv'])
    expect(told).toEqual([expect.stringMatching(/^folders that cannot be read are left out: .*below/)])
    const arrivals = new Arrivals([fixture.folder], { settleMs: 0, onLeft: (message) => told.push(message) })
    expect(await arrivals.look()).toMatchObject([{ name: 'a.csv' }])
    expect(told[1]).toBe(told[0])
  })

  it('is a fault for a pattern that leads through it, by the same rules', async () => {
    await using fixture = await Fixture.open()
    const at = (...parts: readonly string[]) => join(fixture.folder, ...parts)
    for (const folder of ['open', 'closed', '.hidden', 'way']) {
      await mkdir(at(folder))
      await writeFile(at(folder, 'x.csv'), 'id,note\n1,a\n')
    }
    await symlink(at('open'), at('link'))
    await chmod(at('closed'), 0o000)
    await chmod(at('.hidden'), 0o000)
    // It may be gone through, and not listed, as homes are.
    await chmod(at('way'), 0o711)
    await chmod(fixture.folder, 0o755)
    const named = async (pattern: string, isWatched = true) =>
      [...(await discover([pattern], ['csv'], { isWatched }))].map(({ name }) => name)
    const here = process.cwd()
    await withoutRights(async () => {
      for (const pattern of [at('*', '*.csv'), at('**', '*.csv'), at('*', 'x.csv'), at('closed', '*')])
        await expect(named(pattern, false)).rejects.toMatchObject({
          code: 'SOURCE_UNREADABLE',
          message: expect.stringContaining('closed'),
        })
      expect(await named(at('*', '*.csv'))).toEqual(['open/x.csv'])
      expect(await named(at('**', '*.csv'))).toEqual(['open/x.csv'])
      expect(await named(at('*', 'x.csv'))).toEqual(['open/x.csv', 'way/x.csv'])
      expect(await named(at('*', '{x,y}.csv'))).toEqual(['open/x.csv'])
      expect(await named(at('closed', '*'))).toEqual([])
      // What matches is not looked into.
      await expect(named(at('*'), false)).rejects.toMatchObject({ code: 'SOURCE_MISSING' })
      try {
        process.chdir(fixture.folder)
        expect(await named('./**/*.csv')).toEqual(['open/x.csv'])
      } finally {
        process.chdir(here)
      }
    })
    await chmod(at('closed'), 0o755)
    await chmod(at('.hidden'), 0o755)
  })

  it('is none where it is hidden', async () => {
    await using fixture = await Fixture.open()
    await fixture.file(10, 'a.csv')
    using _ = await tooDeep(join(fixture.folder, '.below'))
    expect([...(await discover([fixture.folder], ['csv']))].map(({ name }) => name)).toEqual(['a.csv'])
  })
})
