/** The case that both replaced systems agree on: ten files, fifty known rows. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { balance, load, openQueue, openSink, records } from '../../src/index.ts'
import { describePostgres, freshDatabase } from '../servers/database.ts'

const fixtures = join(import.meta.dirname, '..', 'fixtures')

interface Reading {
  readonly instant: number
  readonly sensor: string
  readonly value: number
}

const byKey = (a: Reading, b: Reading) => (a.sensor < b.sensor ? -1 : a.sensor > b.sensor ? 1 : a.instant - b.instant)

async function expectedRows(): Promise<Reading[]> {
  const [, ...lines] = (await readFile(join(fixtures, 'records-expected.csv'), 'utf8')).trim().split(/\r?\n/)
  return lines.map((line) => {
    const [time = '', sensor = '', value = ''] = line.split(',')
    return { instant: Date.parse(time.replace(' ', 'T').replace(' ', '')), sensor, value: Number(value) }
  })
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-records-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function loadFixture(to: string) {
  await using queue = await openQueue(`embedded:${join(folder, 'queue.db')}`)
  await using sink = await openSink(to)
  return await load({ paths: [join(fixtures, 'records')], model: records, queue, sink, statePath: join(folder, 'state.db') })
}

async function expectFiftyOnce(to: string, read: () => Promise<Reading[]>) {
  const expected = await expectedRows()
  expect(expected).toHaveLength(50)
  const first = await loadFixture(to)
  expect((await read()).sort(byKey)).toEqual(expected.sort(byKey))
  expect(first.loadedNow).toBe(50)
  expect(first.receipts.map((receipt) => [receipt.records, receipt.loaded, balance(receipt)])).toEqual(
    Array.from({ length: 10 }, () => [5, 5, { open: 0, problems: [] }]),
  )
  const second = await loadFixture(to)
  expect(second.loadedNow).toBe(0)
  expect(second.produced.every(({ published }) => published === 0)).toBe(true)
  expect((await read()).sort(byKey)).toEqual(expected)
}

it('the ten files give exactly the fifty known rows in SQLite, and nothing the second time', async () => {
  const path = join(folder, 'target.db')
  await expectFiftyOnce(`sqlite:${path}`, async () => {
    using file = new SqliteFile(path)
    const rows = file.all<{ record_time: string; sensor_id: string; value: number }>('SELECT * FROM records')
    return rows.map((row) => ({ instant: Date.parse(row.record_time), sensor: row.sensor_id, value: row.value }))
  })
})

describePostgres('PostgreSQL', () => {
  it('the ten files give exactly the fifty known rows in PostgreSQL, and nothing the second time', async () => {
    await using database = await freshDatabase()
    const client = new pg.Client(database.url)
    await client.connect()
    try {
      await expectFiftyOnce(database.url, async () => {
        const { rows } = await client.query<{ record_time: Date; sensor_id: string; value: number }>('SELECT * FROM records')
        return rows.map((row) => ({ instant: row.record_time.getTime(), sensor: row.sensor_id, value: row.value }))
      })
      const { rows: indexes } = await client.query<{ method: string; columns: string[]; key: boolean }>(
        `SELECT am.amname AS method, i.indisprimary AS key,
                (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = i.indexrelid) AS columns
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
         WHERE i.indrelid = 'records'::regclass ORDER BY method`,
      )
      expect(indexes).toEqual([
        { method: 'brin', columns: ['record_time'], key: false },
        { method: 'btree', columns: ['sensor_id', 'record_time'], key: true },
        { method: 'hash', columns: ['sensor_id'], key: false },
      ])
    } finally {
      await client.end()
    }
  })
})
