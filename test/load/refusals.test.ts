/** What a load refuses before anything of it is made, and what a stop leaves. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { expect, it } from 'vitest'
import type { LadingEvent } from '../../src/core/events.ts'
import { loadFiles } from '../../src/load/load-files.ts'
import { load } from '../../src/load/load.ts'
import { replaceRows } from '../../src/load/replace.ts'
import { areUsual } from '../../src/load/usual.ts'
import { integer, text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { consumeObjects } from '../../src/objects/consume.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { expectError, Folder, library } from '../cli/run.ts'
import { Fixture, numbers } from '../support/fixture.ts'
import { sourceOf } from '../support/inferred.ts'

it('records that change rows need the key, whatever is said of indexes', async () => {
  await using fixture = await Fixture.open()
  const columns = { id: integer().notNull(), note: text() }
  const model = defineModel({ table: 'numbers', columns, primaryKey: ['id'], onConflict: 'merge' })
  const options = fixture.producing(await fixture.queue(), [await fixture.file(3)], { model })
  await expect(
    load({ ...options, sink: await fixture.sink(), deferIndexes: 'always' }),
  ).rejects.toMatchObject({ code: 'DEFER_REFUSED', message: expect.stringContaining('by the key') })
})

const merging = `import { defineModel, integer, text } from ${JSON.stringify(library)}
  export default defineModel({ table: 'a', columns: { id: integer().notNull(), note: text() }, primaryKey: ['id'], onConflict: 'merge' })`

it.each<[string[]]>([
  [['--on-conflict', 'merge', '--key', 'id']],
  [['--on-conflict', 'merge', '--key', 'id', '--dry-run']],
  [['--model', 'model.mjs']],
  [['--model', 'model.mjs', '--replace']],
  [['--model', 'model.mjs', '--dry-run']],
])('a database that takes whole rows alone says before anything is made what to use: %j', async (options) => {
  await using folder = await Folder.make({ 'a.csv': 'id,note\n1,a\n', 'model.mjs': merging })
  const run = await folder.lading('load', 'a.csv', '--to', 'duckdb:a.duckdb', ...options)
  expectError(
    run,
    'MODEL_INVALID',
    78,
    "use 'update' (--on-conflict update), with records that have every column",
  )
  expect(existsSync(folder.at('a.duckdb'))).toBe(false)
})

it('a consumer of objects, too, refuses a model of which the database takes no rows before anything is made', async () => {
  await using fixture = await Fixture.open()
  const path = join(fixture.folder, 'a.duckdb')
  const columns = { id: integer().notNull(), note: text() }
  const model = defineModel({ table: 'a', columns, primaryKey: ['id'], onConflict: 'merge' })
  const queue = await fixture.queue()
  const sink = await fixture.sink(`duckdb:${path}`)
  const options = {
    model,
    sink,
    queue,
    notifications: queue,
    fileOf: () => undefined,
    onDecided: () => undefined,
  }
  await expect(consumeObjects(options, { untilEmpty: true })).rejects.toMatchObject({ code: 'MODEL_INVALID' })
  expect(existsSync(path)).toBe(false)
})

it('files of a folder that are left out are told', async () => {
  await using fixture = await Fixture.open()
  await mkdir(join(fixture.folder, 'in'))
  await writeFile(join(fixture.folder, 'in/a.csv'), 'id,note\n1,a\n')
  await writeFile(join(fixture.folder, 'in/b.json'), 'x')
  const told: LadingEvent[] = []
  const options = fixture.producing(await fixture.queue(), [join(fixture.folder, 'in')], {
    onEvent: (event) => void told.push(event),
  })
  await load({ ...options, sink: await fixture.sink() })
  expect(told).toContainEqual({ type: 'warning', message: expect.stringContaining('b.json') as string })
})

it('a database that replaces no rows says so before it is asked for anything', async () => {
  await using fixture = await Fixture.open()
  const options = fixture.producing(await fixture.queue(), [await fixture.file(3)])
  await expect(replaceRows({ ...options, sink: { place: 'other:x' } as Sink })).rejects.toMatchObject({
    code: 'USAGE',
    message: 'other:x replaces no rows',
  })
})

it('rows that a stop keeps from being replaced are as they were', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  await load({ ...fixture.producing(queue, [await fixture.file(3)]), sink })
  const stop = new AbortController()
  const onEvent = ({ type }: LadingEvent) => void (type === 'batch' && stop.abort())
  const options = fixture.producing(queue, [await fixture.file(4)], { signal: stop.signal, onEvent })
  await expect(replaceRows({ ...options, sink })).rejects.toMatchObject({
    code: 'ABORTED',
    message: 'stopped; table numbers holds what it held',
  })
  expect((await fixture.target.ids()).length).toBe(3)
})

it('a stop while it is asked whether files are of the usual model is no answer', async () => {
  const source = sourceOf(Buffer.from('id,note\n1,a\n'))
  const options = { paths: [], signal: AbortSignal.abort() } as unknown as Parameters<typeof areUsual>[2]
  await expect(areUsual([source], numbers, options)).rejects.toMatchObject({ code: 'ABORTED' })
})

it('a file without a header and without a record fits any model, and one with other cells none', async () => {
  const usual = (content: string) =>
    areUsual([sourceOf(Buffer.from(content))], numbers, {
      paths: [],
      dialect: { header: false, comment: '#' },
    } as unknown as Parameters<typeof areUsual>[2])
  expect(await usual('')).toBeUndefined()
  expect(await usual('# nothing\n')).toBe(true)
  expect(await usual('1,a\n')).toBe(true)
  expect(await usual('1,a,b\n')).toBe(false)
})

it('columns without names are those of the table only where there are as many', async () => {
  await using fixture = await Fixture.open()
  const sink = await fixture.sink()
  await fixture.target.execute('CREATE TABLE numbers (id INTEGER NOT NULL, note TEXT)')
  const path = join(fixture.folder, 'plain.csv')
  await writeFile(path, '1,a,x\n2,b,y\n')
  const { model: _, ...producing } = fixture.producing(await fixture.queue(), [path])
  const options = { ...producing, sink, table: { table: 'numbers' }, dialect: { header: false } }
  await expect(loadFiles(options)).rejects.toMatchObject({
    code: 'HEADER_MISMATCH',
    message: `${path} has 3 columns without names, and table numbers has 2: write a line above the records with the names of their columns`,
  })
  await writeFile(path, '1,a\n2,b\n')
  expect((await loadFiles(options)).loadedNow).toBe(2)
})

it('a stop while the rows wait for others to be replaced is no lost connection', async () => {
  await using fixture = await Fixture.open('postgres')
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  await load({ ...fixture.producing(queue, [await fixture.file(3)]), sink })
  const [reader, holder] = [new pg.Client(fixture.target.url), new pg.Client(fixture.target.url)]
  await Promise.all([reader.connect(), holder.connect()])
  await holder.query('BEGIN; LOCK TABLE numbers IN SHARE MODE')
  const stop = new AbortController()
  const options = fixture.producing(queue, [await fixture.file(4)], { signal: stop.signal })
  const refused = expect(replaceRows({ ...options, sink })).rejects.toMatchObject({
    code: 'ABORTED',
    message: expect.stringContaining('all of them were, or none'),
  })
  const waiting =
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
  while ((await reader.query(waiting)).rowCount === 0);
  stop.abort()
  await refused
  await Promise.all([reader.end(), holder.end()])
  expect((await fixture.target.ids()).length).toBe(3)
})
