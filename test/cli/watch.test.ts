/** `lading load --watch` as a service runs it. */
import { once } from 'node:events'
import { mkdir, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { Folder, library } from './run.ts'

it('a watched folder tells each file on a line of JSON, makes the table of the first, and ends with 0 when it is stopped', async () => {
  await using folder = await Folder.make({ 'in/first.csv': 'id,day\n1,2026-01-01\n' })
  const args = [
    'load',
    'in',
    '--watch',
    '--settle',
    '0',
    '--table',
    'orders',
    '--json',
    '--failed',
    'move:bad',
  ]
  const watcher = folder.start(args)
  const lines = createInterface({ input: watcher.stdout })[Symbol.asyncIterator]()
  const next = async () => JSON.parse(String((await lines.next()).value)) as Record<string, unknown>
  expect(await next()).toMatchObject({ source: 'first.csv', outcome: 'loaded', receipt: { loaded: 1 } })
  // Renamed, so that none is seen before it is whole.
  const put = async (name: string, content: string) => {
    await folder.write('out', content)
    await mkdir(dirname(folder.at(name)), { recursive: true })
    await rename(folder.at('out'), folder.at(name))
  }
  await put('in/more/second.csv', 'id,day\n2,2026-01-02\n3,\n')
  expect(await next()).toMatchObject({ source: 'more/second.csv', outcome: 'loaded', receipt: { loaded: 2 } })
  await put('in/other.csv', 'name,colour\nx,red\n')
  expect(await next()).toMatchObject({ source: 'other.csv', outcome: 'refused', movedTo: 'bad/other.csv' })
  const ended = once(watcher, 'close')
  watcher.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  expect(folder.rows('orders')).toBe(3)
  // What is loaded is known after a start, and as any other load.
  expect((await folder.run(['load', 'in', '--table', 'orders'])).out).toContain('loaded 0 records')
})

it.for([
  { args: ['in', '--watch'], why: '--table or --model' },
  { args: ['-', '--watch', '--table', 't'], why: 'standard input' },
  { args: ['in', '--watch', '--table', 't', '--done', 'move:in/done'], why: 'found again' },
  { args: ['in', '--watch', '--table', 't', '--failed', 'delete'], why: 'Not keep or move:FOLDER' },
  { args: ['in', '--watch', '--table', 't', '--limit', '5'], why: 'cannot be used' },
])('is refused before anything is loaded: $args', async ({ args, why }) => {
  await using folder = await Folder.make({ 'in/a.csv': 'id\n1\n' })
  const run = await folder.run(['load', ...args])
  expect(run).toMatchObject({ code: 64, out: '' })
  expect(run.err).toContain(why)
})

it('a watched folder tells a person what became of each file, and of what was loaded before only what becomes of it', async () => {
  await using folder = await Folder.make({
    'in/first.csv': 'id,day\n1,2026-01-01\n',
    'in/second.csv': 'id,day\n2,2026-01-02\n',
    'in/third.csv': 'name,colour\nx,red\n',
  })
  expect((await folder.lading('load', 'in/first.csv', '--table', 'orders')).code).toBe(0)
  let err = ''
  const watched = async (count: number, ...more: readonly string[]) => {
    const watcher = folder.start(['load', 'in', '--watch', '--settle', '0', '--table', 'orders', ...more])
    watcher.stderr.on('data', (text) => (err += String(text)))
    const lines = createInterface({ input: watcher.stdout })[Symbol.asyncIterator]()
    const told: string[] = []
    while (told.length < count) told.push(String((await lines.next()).value))
    const ended = once(watcher, 'close')
    watcher.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
    return told.toSorted()
  }
  expect(await watched(2, '--log-level', 'debug')).toEqual([
    expect.stringMatching(/^loaded second\.csv \(load [0-9a-f]{8}, 1 record loaded\)$/),
    expect.stringMatching(/^not loaded third\.csv: .*; it stays where it is$/),
  ])
  expect(err).toMatch(/Z watching: settling 0, ready 3, failed 0$/m)
  expect((await watched(3, '--done', 'delete')).slice(0, 2)).toEqual([
    expect.stringMatching(/^loaded before first\.csv.*; deleted$/),
    expect.stringMatching(/^loaded before second\.csv.*; deleted$/),
  ])
})

it('a watched folder says of a file with rejects that it is gone', async () => {
  await using folder = await Folder.make({
    'in/a.csv': 'id\n1\n2\n',
    'model.ts': `import { rmSync } from 'node:fs'
import { defineModel, integer } from '${library}'
export default defineModel({
  table: 'orders',
  columns: { id: integer().notNull() },
  validate: ({ id }) => {
    rmSync('in/a.csv', { force: true })
    return id === 1 || 'it is another one'
  },
})`,
  })
  const args = ['load', 'in', '--watch', '--settle', '0', '--model', './model.ts', '--failed', 'move:bad']
  const watcher = folder.start(args)
  const lines = createInterface({ input: watcher.stdout })[Symbol.asyncIterator]()
  expect(String((await lines.next()).value)).toMatch(
    /^loaded with faults a\.csv \(load [0-9a-f]{8}, 1 record loaded\): 1 record rejected; it is gone: lading verify tells if a part of it is open$/,
  )
  const ended = once(watcher, 'close')
  watcher.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})
