import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Finding } from '../../src/core/finding.ts'
import { load, openQueue, openSink } from '../../src/index.ts'
import { mountSmall, skipLoudly } from '../queue/system.ts'
import { numbers } from '../support/fixture.ts'
import { levels, named, Place } from './findings.ts'

let place: Place

beforeEach(() => (place = new Place()))
afterEach(() => place[Symbol.dispose]())

const ofFiles = async (...[options]: Parameters<Place['findings']>) =>
  (await place.findings(options)).filter(({ about }) => about === 'files')

it('standard input is left to the load', async () => {
  expect(await ofFiles({ paths: ['-'], model: numbers })).toMatchObject([
    { level: 'note', what: 'standard input', detail: expect.stringContaining('--dry-run') },
  ])
})

it('of a folder, twenty files are looked at; the others are counted, and what is not loaded is named', async () => {
  for (let n = 0; n < 22; n++) place.file(`${n}.csv`, ['id,note', `${n},a`])
  place.file('other.ndjson', ['{"id":1}'])
  const found = await ofFiles({ paths: [place.folder], model: numbers })
  expect(named(found, 'file')).toHaveLength(20)
  expect(levels(found, 'note')).toEqual(['files: 2 more files were not looked at'])
  expect(levels(found, 'warn')).toEqual([expect.stringMatching(/^left out: .*other\.ndjson/)])
})

it('a folder without files that are loaded, and a file that does not fit, are said', async () => {
  const empty = join(place.folder, 'empty')
  mkdirSync(empty)
  place.file('empty/readme.txt', ['id,note'])
  expect(levels(await ofFiles({ paths: [empty], model: numbers }), 'fail')).toEqual([
    expect.stringMatching(/SOURCE_EMPTY: no file to load in .*--format/),
  ])
  const [good, bad] = [place.file('good.csv', ['id,note', '1,a']), place.file('bad.csv', ['other', '1'])]
  const found = await ofFiles({ paths: [good, bad], model: numbers })
  expect(levels(found, 'ok')).toEqual([expect.stringMatching(/^file: .*good\.csv: csv, /)])
  expect(levels(found, 'fail')).toEqual([expect.stringMatching(/^bad\.csv: HEADER/)])
})

it('how a file is written is said: its encoding, and that it has no header', async () => {
  const path = join(place.folder, 'plain.csv')
  writeFileSync(path, Buffer.from('1,a\n2,b\n', 'utf16le'))
  const options = { paths: [path], model: numbers, encoding: 'utf-16le', dialect: { header: false } } as const
  expect(levels(await ofFiles(options), 'ok')).toEqual([
    expect.stringMatching(/plain\.csv: csv utf-16le without a header, .* the first 2 records fit/),
  ])
})

it('of a load that was begun, the command that goes on is said, and not the one that loads all again; of other bytes, what they would do', async () => {
  const path = place.file('a.csv', ['id,note', '1,a', '2,b', '3,c'])
  await using queue = await openQueue('memory:')
  await using sink = await openSink(`sqlite:${join(place.folder, 'target.db')}`)
  const options = { paths: [path], model: numbers, queue, sink, statePath: join(place.folder, 'state.db') }
  const before = async () => named(await ofFiles({ paths: [path], model: numbers }), 'loaded before')
  await load({ ...options, chunkBytes: 1, limit: 1 })
  expect(await before()).toMatchObject([
    {
      detail: expect.stringMatching(/was begun .*; 2 records without a verdict/),
      cure: `lading load ${path}`,
    },
  ])
  await load(options)
  expect(await before()).toMatchObject([{ cure: `lading load ${path} --again` }])
  place.file('a.csv', ['id,note', '4,d'])
  expect(await before()).toEqual([
    expect.objectContaining({ detail: expect.stringMatching(/with other bytes: a load adds all of its/) }),
  ])
})

it('a ledger that cannot be read does not keep the files from being looked at', async () => {
  const [path, target] = [place.file('a.csv', ['id,note', '1,a']), join(place.folder, 'target.db')]
  {
    await using queue = await openQueue('memory:')
    await using sink = await openSink(`sqlite:${target}`)
    await load({ paths: [path], model: numbers, queue, sink, statePath: join(place.folder, 'state.db') })
  }
  expect(named(await ofFiles({ paths: [path], model: numbers }), 'loaded before')).toHaveLength(1)
  const database = new DatabaseSync(target)
  database.exec('ALTER TABLE lading_load RENAME COLUMN started_at TO begun_at')
  database.close()
  expect(await ofFiles({ paths: [path], model: numbers })).toMatchObject([{ level: 'ok', what: 'file' }])
})

it('a URL that cannot be one is a finding of its part, and hides no other', async () => {
  const found = await place.findings({ to: 'mysql://', queue: 'amqp://host/?none=1' })
  expect(found.filter(({ level }) => level === 'fail')).toMatchObject([
    { about: 'queue', what: 'connection', detail: expect.stringMatching(/^USAGE: /) },
    { about: 'database', what: 'connection', detail: expect.stringMatching(/^USAGE: /) },
  ])
})

it('a folder of the state that cannot be written, or has little space, is said before a load', async (context) => {
  const below = join(place.file('file', ['']), 'producer.db')
  chmodSync(join(place.folder, 'file'), 0o444)
  expect(named(await place.findings({ statePath: below }), 'state')).toMatchObject([
    { level: 'fail', cure: expect.stringContaining('--state') },
  ])
  const small = join(place.folder, 'small')
  const mounted = mountSmall(small, 1024)
  if (typeof mounted === 'string') return skipLoudly(context, mounted)
  try {
    expect(named(await place.findings({ statePath: join(small, 'producer.db') }), 'state')).toMatchObject([
      { level: 'note', detail: expect.stringMatching(/only 1 MiB are free$/) },
    ])
    expect(named(await place.findings({ to: `sqlite:${join(small, 'target.db')}` }), 'space')).toContainEqual(
      expect.objectContaining({
        about: 'database',
        level: 'warn',
        detail: `only 1.0 MiB are free in ${small}`,
      }),
    )
  } finally {
    mounted.unmount()
  }
})

it('a stop is no finding', async () => {
  const path = place.file('a.csv', ['id,note', ...Array.from({ length: 20_000 }, (_, id) => `${id},a`)])
  const looking = place.findings({ paths: [path], model: numbers, signal: AbortSignal.abort() })
  await expect(looking).rejects.toMatchObject({ code: 'ABORTED' })
})

it('few files that may be open at a time are said before a load', () => {
  const machine = JSON.stringify(new URL('../../src/doctor/machine.ts', import.meta.url).href)
  const script = `const { examineMachine } = await import(${machine}); console.log(JSON.stringify([...examineMachine()]))`
  const limited = [
    '-c',
    'ulimit -n 200 && exec "$0" --input-type=module --eval "$1"',
    process.execPath,
    script,
  ]
  const { stdout, stderr } = spawnSync('sh', limited, { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(named(JSON.parse(stdout) as Finding[], 'open files')).toMatchObject([
    { level: 'warn', detail: expect.stringContaining('200'), cure: 'ulimit -n 4096' },
  ])
})
