/** A million records, through processes as a user starts them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { generateSensors } from '../../src/generate/sensors.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { runMeasured } from './measured.ts'

/** MiB. */
const mostMemory = 144

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-million-'))
  const zone = { intervalSeconds: 1, start: '2021-01-01', timezone: 'Asia/Taipei', seed: 42 }
  // A few large files and many small ones, because what costs memory differs.
  await generateSensors({ ...zone, sensors: 5, records: 100_000, directory: join(folder, 'data', 'large') })
  await generateSensors({
    ...zone,
    sensors: 500,
    records: 1000,
    directory: join(folder, 'data', 'small'),
    seed: 43,
  })
})
afterAll(() => rm(folder, { recursive: true }))

interface Result {
  readonly loadedNow: number
  readonly receipts: readonly {
    readonly records: number
    readonly loaded: number
    readonly open: number
    readonly problems: readonly string[]
  }[]
}

function load(to: string, name: string) {
  const state = ['--state', join(folder, `${name}.state`)]
  const queue = ['--queue', `embedded:${join(folder, `${name}.queue`)}`]
  const args = ['load', join(folder, 'data'), '--consumers', '2', '--json', ...state, ...queue]
  const { code, out, err, peaks } = runMeasured(args, folder, { LADING_TO: to })
  expect(code, err).toBe(0)
  return { result: JSON.parse(out) as Result, said: err, peaks }
}

async function expectMillion(to: string, name: string, countRows: () => Promise<number>): Promise<void> {
  const first = load(to, name)
  expect(await countRows()).toBe(1_000_000)
  expect(first.result.loadedNow).toBe(1_000_000)
  expect(first.result.receipts).toHaveLength(505)
  for (const receipt of first.result.receipts)
    expect(receipt).toMatchObject({ loaded: receipt.records, open: 0, problems: [] })
  const second = load(to, name)
  expect(second.result.loadedNow).toBe(0)
  expect(second.said).toContain('is loaded already')
  expect(await countRows()).toBe(1_000_000)
  console.log(
    `${name}: peak memory in MiB ${[...first.peaks, ...second.peaks].map((peak) => Math.round(peak)).join(', ')}`,
  )
  expect(first.peaks).toHaveLength(3)
  for (const peak of [...first.peaks, ...second.peaks]) expect(peak).toBeLessThan(mostMemory)
}

it(
  'a million records load into SQLite once, and no process takes 144 MiB',
  { timeout: 300_000 },
  async () => {
    const path = join(folder, 'million.db')
    await expectMillion(`sqlite:${path}`, 'sqlite', async () => {
      using file = new SqliteFile(path)
      return file.get<{ rows: number }>('SELECT count(*) AS rows FROM records')?.rows ?? 0
    })
  },
)

describePostgres('PostgreSQL', () => {
  it(
    'a million records load into PostgreSQL once, and no process takes 144 MiB',
    { timeout: 300_000 },
    async () => {
      await using database = await freshDatabase()
      await expectMillion(database.url, 'postgres', async () => {
        const client = new pg.Client(database.url)
        await client.connect()
        const { rows } = await client.query('SELECT count(*)::int AS rows FROM records')
        await client.end()
        return rows[0].rows
      })
    },
  )
})
