/** Sources are profiled by several threads as by one. */
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, it } from 'vitest'
import type { Listener } from '../../../src/core/events.ts'
import { propose } from '../../../src/infer/profile/propose.ts'
import { sniffSource, withColumnNames } from '../../../src/infer/sniffed.ts'
import { type ProfileAllOptions, Profiling, type ThreadLimits } from '../../../src/load/profiles.ts'
import type { Head } from '../../../src/load/readings.ts'
import { namedSources, standardInput } from '../../../src/source/registry.ts'
import type { Source } from '../../../src/source/source.ts'

const folder = mkdtempSync(join(tmpdir(), 'lading-threads-'))
afterAll(() => rmSync(folder, { recursive: true }))

const one: ThreadLimits = { most: 1, leastBytes: 0, partBytes: 1 }
const two: ThreadLimits = { most: 2, leastBytes: 0, partBytes: 1 }
const twoWithParts: ThreadLimits = { ...two, partBytes: 2000 }

const headsOf = (sources: readonly Source[]): Promise<readonly Head[]> =>
  Promise.all(
    sources.map(async (source) => {
      const { fields, decisions: _, questions: __, ...reading } = await sniffSource(source, {})
      return { source, reading: withColumnNames(reading, fields), fields, cells: undefined }
    }),
  )

const profileWith = async (limits: ThreadLimits, heads: readonly Head[], options: ProfileAllOptions) => {
  const sources = heads.map(({ source }) => source)
  await using profiling = await Profiling.of(sources, options, limits)
  for (const head of heads) await profiling.add(head)
  return await profiling.end()
}

async function found(heads: readonly Head[], threads: ThreadLimits) {
  const read = new Map<string, number>()
  const onEvent: Listener = (event) => {
    if (event.type === 'planning') read.set(event.source, event.bytes)
  }
  const profile = await profileWith(threads, heads, { onEvent })
  const { columns, questions } = propose(profile)
  return {
    records: profile.records,
    columns: columns.map((column) => ({ ...column, profile: undefined })),
    questions,
    read: [...read].toSorted(),
  }
}

it('files of many kinds have one profile, however many threads look at them', async () => {
  for (const kind of ['real-shapes', 'cases'])
    for (const name of readdirSync(join('test/fixtures', kind)).filter((each) => !each.endsWith('.csv.json')))
      copyFileSync(join('test/fixtures', kind, name), join(folder, name))
  const rows = Array.from({ length: 5000 }, (_, row) => `${row},${row * 1.5},2024-02-${(row % 29) + 1}\n`)
  writeFileSync(join(folder, 'packed.csv.gz'), gzipSync(`id,price,day\n${rows.join('')}`))
  writeFileSync(join(folder, 'empty.csv'), '')
  const paths = readdirSync(folder).map((name) => join(folder, name))
  const heads = await headsOf(await namedSources(paths, ['csv']))
  expect(heads.length).toBeGreaterThan(50)
  const whole = await found(heads, one)
  expect(await found(heads, two)).toEqual(whole)
  expect(await found(heads, twoWithParts)).toEqual(whole)
})

it('standard input is looked at behind the files', async () => {
  const paths = ['1', '2', '3'].map((name) => join(folder, `before-${name}.csv`))
  for (const [index, path] of paths.entries()) writeFileSync(path, `a,b\n${index},x\n`)
  await using input = await standardInput(join(folder, 'state.db'), {
    stdin: Readable.from(['a,c\n1.5,y\n']),
  })
  const heads = await headsOf([...(await namedSources(paths, ['csv'])), input.source])
  const whole = await found(heads, one)
  expect(whole.records).toBe(4)
  expect(await found(heads, two)).toEqual(whole)
})

it('the error of the first file that cannot be read is thrown, whichever thread meets it', async () => {
  const paths = ['1', '2', '3', '4', '5', '6'].map((name) => join(folder, `broken-${name}.csv`))
  for (const [index, path] of paths.entries())
    writeFileSync(path, `a,b\n${`${index},x\n`.repeat(index < 3 ? 20_000 : 1)}`)
  const heads = await headsOf(await namedSources(paths, ['csv']))
  writeFileSync(paths[2] as string, `a,b\n${'1,x\n'.repeat(20_000)}2,"never closed\n`)
  rmSync(paths[4] as string)
  const error = await found(heads, one).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ name: 'LadingError', code: 'UNCLOSED_QUOTE' })
  expect(await found(heads, two).catch((thrown: unknown) => thrown)).toEqual(error)
})

it('of two threads, either tells of a file that cannot be read', async () => {
  const paths = ['1', '2', '3', '4', '5', '6'].map((name) => join(folder, `odd-${name}.csv`))
  const sound = 'a,b\n1,x\n'
  for (const path of paths) writeFileSync(path, sound)
  const heads = await headsOf(await namedSources(paths, ['csv']))
  for (const path of paths) {
    writeFileSync(path, `${sound}2,"never closed\n`)
    await expect(found(heads, two)).rejects.toMatchObject({
      code: 'UNCLOSED_QUOTE',
      message: expect.stringContaining(path),
    })
    writeFileSync(path, sound)
  }
})

it('a stop is heard while small files are looked at', async () => {
  const path = join(folder, 'small.csv')
  writeFileSync(path, 'a,b\n1,x\n')
  const heads = await headsOf(await namedSources([path], ['csv']))
  const stop = new AbortController()
  setImmediate(() => stop.abort())
  const many = Array.from({ length: 1000 }, () => heads[0] as Head)
  await expect(profileWith(one, many, { signal: stop.signal })).rejects.toMatchObject({ code: 'ABORTED' })
})

it('a stop ends the threads', async () => {
  const paths = ['1', '2', '3', '4'].map((name) => join(folder, `long-${name}.csv`))
  for (const path of paths) writeFileSync(path, `a,b\n${'1,x\n'.repeat(1_000_000)}`)
  const heads = await headsOf(await namedSources(paths, ['csv']))
  const stop = new AbortController()
  let events = 0
  const onEvent = () => {
    events++
    stop.abort()
  }
  await expect(profileWith(two, heads, { signal: stop.signal, onEvent })).rejects.toMatchObject({
    code: 'ABORTED',
  })
  expect(events).toBeGreaterThan(0)
})

it('records of files whose heads are known are looked at while other heads are not', async () => {
  const paths = ['1', '2', '3'].map((name) => join(folder, `early-${name}.csv`))
  for (const path of paths) writeFileSync(path, 'a,b\n1,x\n')
  const heads = await headsOf(await namedSources(paths, ['csv']))
  const begun = Promise.withResolvers<string>()
  const onEvent: Listener = (event) => event.type === 'planning' && begun.resolve(event.source)
  const sources = heads.map(({ source }) => source)
  await using profiling = await Profiling.of(sources, { onEvent }, two)
  await profiling.add(heads[0] as Head)
  expect(await begun.promise).toBe('early-1.csv')
  for (const head of heads.slice(1)) await profiling.add(head)
  expect((await profiling.end()).records).toBe(3)
})
