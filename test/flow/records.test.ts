/** The case that both replaced systems agree on: ten files, fifty known rows. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { balance, load, openQueue, openSink, records } from '../../src/index.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { describeMariadb, freshMariadb } from '../../tooling/servers/mariadb-database.ts'
import { queryDuckdb } from '../support/duckdb.ts'
import { queryMariadb } from '../support/mariadb.ts'
import { byKey, expectedReadings, expectRecordsIndexes, type Reading } from './known-rows.ts'

const fixtures = join(import.meta.dirname, '..', 'fixtures')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-records-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function loadFixture(to: string) {
  await using queue = await openQueue(`embedded:${join(folder, 'queue.db')}`)
  await using sink = await openSink(to)
  return await load({
    paths: [join(fixtures, 'records')],
    model: records,
    queue,
    sink,
    statePath: join(folder, 'state.db'),
  })
}

async function expectFiftyOnce(to: string, read: () => Promise<Reading[]>) {
  const expected = await expectedReadings()
  const first = await loadFixture(to)
  expect((await read()).sort(byKey)).toEqual(expected)
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
    return rows.map((row) => ({
      instant: Date.parse(row.record_time),
      sensor: row.sensor_id,
      value: row.value,
    }))
  })
})

it('the ten files give exactly the fifty known rows in DuckDB, and nothing the second time', async () => {
  const path = join(folder, 'target.duckdb')
  await expectFiftyOnce(`duckdb:${path}`, async () => {
    const rows = await queryDuckdb(
      path,
      'SELECT epoch_ms(record_time) AS instant, sensor_id, value FROM records',
    )
    return rows.map((row) => ({
      instant: Number(row['instant']),
      sensor: String(row['sensor_id']),
      value: Number(row['value']),
    }))
  })
})

describePostgres('PostgreSQL', () => {
  it('the ten files give exactly the fifty known rows in PostgreSQL, and nothing the second time', async () => {
    await using database = await freshDatabase()
    const client = new pg.Client(database.url)
    await client.connect()
    try {
      await expectFiftyOnce(database.url, async () => {
        const { rows } = await client.query<{ record_time: Date; sensor_id: string; value: number }>(
          'SELECT * FROM records',
        )
        return rows.map((row) => ({
          instant: row.record_time.getTime(),
          sensor: row.sensor_id,
          value: row.value,
        }))
      })
      await expectRecordsIndexes(database.url)
    } finally {
      await client.end()
    }
  })
})

describeMariadb('MariaDB', () => {
  it('the ten files give exactly the fifty known rows in MariaDB, and nothing the second time', async () => {
    await using database = await freshMariadb()
    await expectFiftyOnce(database.url, async () => {
      const rows = await queryMariadb<{ instant: string; sensor_id: string; value: number }>(
        database.url,
        "SELECT date_format(record_time, '%Y-%m-%dT%H:%i:%s.%fZ') AS instant, sensor_id, value FROM records",
      )
      return rows.map(({ instant, sensor_id: sensor, value }) => ({
        instant: Date.parse(instant),
        sensor,
        value,
      }))
    })
  })
})
