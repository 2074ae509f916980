import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { generateSensors, type SensorFile, type SensorOptions } from '../../src/generate/sensors.ts'

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lading-generate-'))
})

afterEach(() => rm(root, { recursive: true }))

function optionsOf(changes: Partial<SensorOptions> = {}): SensorOptions {
  const directory = join(root, 'deep', 'er')
  return {
    sensors: 3,
    records: 4,
    intervalSeconds: 5,
    start: '2021-01-01',
    timezone: 'Asia/Taipei',
    directory,
    seed: 42,
    ...changes,
  }
}

/** Name and content of each file that a run leaves, the hidden ones too. */
async function generated(changes: Partial<SensorOptions> = {}): Promise<Record<string, string>> {
  const options = optionsOf(changes)
  await generateSensors(options)
  return contentsOf(options.directory)
}

async function contentsOf(directory: string): Promise<Record<string, string>> {
  const names = await readdir(directory)
  const contents = names
    .toSorted()
    .map(async (name) => [name, await readFile(join(directory, name), 'latin1')])
  return Object.fromEntries(await Promise.all(contents)) as Record<string, string>
}

function rowsOf(text: string | undefined): string[][] {
  const [, ...lines] = (text ?? '').split('\r\n')
  return lines.slice(0, -1).map((line) => line.split(','))
}

it("sensor ids are those of Python's random for the same seed", async () => {
  expect(Object.keys(await generated())).toEqual(['23b8c1e9_1.csv', 'bd9c66b3_2.csv', 'bdd640fb_0.csv'])
})

it('a file has the header, CRLF line ends, evenly spaced local times and values that Python can reproduce', async () => {
  // [random.Random((1 << 64) | 42).random() for _ in range(4)] of CPython 3.11.
  expect((await generated())['bdd640fb_0.csv']).toBe(
    [
      'record_time,sensor_id,value',
      '2021-01-01T00:00:00.000+08:00,bdd640fb_0,0.34950742827300174',
      '2021-01-01T00:00:05.000+08:00,bdd640fb_0,0.9319945122430723',
      '2021-01-01T00:00:10.000+08:00,bdd640fb_0,0.776785625276507',
      '2021-01-01T00:00:15.000+08:00,bdd640fb_0,0.892143610588081',
      '',
    ].join('\r\n'),
  )
})

it('the same seed writes the same bytes, another seed others', async () => {
  const first = await generated({ directory: join(root, 'a') })
  expect(await generated({ directory: join(root, 'b') })).toEqual(first)
  const other = await generated({ directory: join(root, 'c'), seed: 43 })
  expect(Object.keys(other)).not.toEqual(Object.keys(first))
})

it('a run over the files of an earlier one replaces them', async () => {
  await generated({ records: 9 })
  expect(await generated()).toEqual(await generated({ directory: join(root, 'fresh') }))
})

it('a file does not depend on the number of sensors', async () => {
  const few = await generated({ sensors: 2, directory: join(root, 'few') })
  const many = await generated({ sensors: 5, directory: join(root, 'many') })
  expect(many).toMatchObject(few)
})

it('a longer file begins with the shorter one', async () => {
  const short = await generated({ sensors: 2, directory: join(root, 'short') })
  const long = await generated({ sensors: 2, records: 12_000, directory: join(root, 'long') })
  for (const [name, text] of Object.entries(short)) expect(long[name]?.startsWith(text)).toBe(true)
})

it('sensors have values of their own', async () => {
  const files = Object.values(await generated({ sensors: 20 }))
  const values = files.flatMap((text) => rowsOf(text).map(([, , value]) => value))
  expect(new Set(values).size).toBe(80)
})

it('a file larger than the buffer has every record once, each value a number in [0, 1)', async () => {
  const rows = rowsOf(
    (await generated({ sensors: 1, records: 20_000, intervalSeconds: 0.25 }))['bdd640fb_0.csv'],
  )
  const start = Date.parse('2021-01-01T00:00:00+08:00')
  expect(rows.map(([time]) => Date.parse(time ?? ''))).toEqual(
    Array.from({ length: 20_000 }, (_, i) => start + i * 250),
  )
  expect(rows.every((row) => row.length === 3 && row[1] === 'bdd640fb_0')).toBe(true)
  expect(
    rows.every(([, , value]) => Number(value) >= 0 && Number(value) < 1 && String(Number(value)) === value),
  ).toBe(true)
  const mean = rows.reduce((sum, [, , value]) => sum + Number(value), 0) / rows.length
  expect(mean).toBeCloseTo(0.5, 1)
})

it('times are evenly spaced across a change of daylight saving', async () => {
  const files = await generated({
    sensors: 1,
    records: 6,
    intervalSeconds: 1800,
    start: '2021-03-28T01:00',
    timezone: 'Europe/Berlin',
  })
  expect(rowsOf(files['bdd640fb_0.csv']).map(([time]) => time)).toEqual([
    '2021-03-28T01:00:00.000+01:00',
    '2021-03-28T01:30:00.000+01:00',
    '2021-03-28T03:00:00.000+02:00',
    '2021-03-28T03:30:00.000+02:00',
    '2021-03-28T04:00:00.000+02:00',
    '2021-03-28T04:30:00.000+02:00',
  ])
})

it('the totals and the reports of files are those of the files', async () => {
  const files: SensorFile[] = []
  const totals = await generateSensors(optionsOf({ onFile: (file) => files.push(file) }))
  const sizes = await Promise.all(files.map(async ({ path }) => (await readFile(path)).length))
  expect(files.map(({ bytes }) => bytes)).toEqual(sizes)
  expect(totals).toEqual({ files: 3, records: 12, bytes: sizes.reduce((sum, size) => sum + size) })
})

describe('a file appears whole or not at all', () => {
  it('when the run is aborted, the files reported are there and nothing else', async () => {
    const control = new AbortController()
    const options = optionsOf({ signal: control.signal, onFile: () => control.abort() })
    await expect(generateSensors(options)).rejects.toMatchObject({ code: 'ABORTED' })
    expect(Object.keys(await contentsOf(options.directory))).toEqual(['bdd640fb_0.csv'])
  })

  it('while a file is written, it is hidden; under its name it is never seen in part', async () => {
    const options = optionsOf({ sensors: 1, records: 50_000 })
    const path = join(options.directory, 'bdd640fb_0.csv')
    const seen = new Set<string>()
    const sizes = new Set<number>()
    const watch = async (): Promise<void> => {
      for (const name of await readdir(options.directory).catch(() => [])) seen.add(name)
      const found = await stat(path).catch(() => undefined)
      if (found) sizes.add(found.size)
      else await watch()
    }
    const [totals] = await Promise.all([generateSensors(options), watch()])
    expect([...seen].some((name) => name.startsWith('.bdd640fb_0.csv.'))).toBe(true)
    expect([...sizes]).toEqual([totals.bytes])
    expect(await readdir(options.directory)).toEqual(['bdd640fb_0.csv'])
  })

  it('when a file cannot take its name, no part of it is left', async () => {
    const options = optionsOf()
    await mkdir(join(options.directory, 'bdd640fb_0.csv'), { recursive: true })
    await expect(generateSensors(options)).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE' })
    expect(await readdir(options.directory)).toEqual(['bdd640fb_0.csv'])
  })
})

it('a folder that cannot be made is told by its name', async () => {
  const directory = join(root, 'taken')
  await writeFile(directory, '')
  const run = generateSensors(optionsOf({ directory }))
  await expect(run).rejects.toMatchObject({
    code: 'OUTPUT_UNWRITABLE',
    message: expect.stringContaining(directory),
  })
})

describe('wrong options write nothing', () => {
  it.each<Partial<SensorOptions>>([
    { sensors: 0 },
    { sensors: -1 },
    { sensors: 1.5 },
    { records: 0 },
    { records: -5 },
    { records: Number.NaN },
    { intervalSeconds: 0 },
    { intervalSeconds: -1 },
    { intervalSeconds: 0.0005 },
    { intervalSeconds: Number.POSITIVE_INFINITY },
    { seed: -1 },
    { seed: 0.5 },
    { start: '2021-02-30' },
    { timezone: 'Asia/Taipeh' },
    { start: '9999-12-31T23:59:50' },
    { intervalSeconds: 1e12 },
  ])('%o', async (wrong) => {
    await expect(generateSensors(optionsOf(wrong))).rejects.toMatchObject({
      name: 'LadingError',
      code: 'USAGE',
    })
    expect(await readdir(root)).toEqual([])
  })
})
