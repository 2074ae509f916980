/** The fifty rows that test/fixtures/records gives, and what their table must have. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { query } from '../support/fixture.ts'

export interface Reading {
  /** Milliseconds since 1970. */
  readonly instant: number
  readonly sensor: string
  readonly value: number
}

export const byKey = (a: Reading, b: Reading): number =>
  a.sensor < b.sensor ? -1 : a.sensor > b.sensor ? 1 : a.instant - b.instant

export async function expectedReadings(): Promise<Reading[]> {
  const path = join(import.meta.dirname, '..', 'fixtures', 'records-expected.csv')
  const [, ...lines] = (await readFile(path, 'utf8')).trim().split(/\r?\n/)
  const readings = lines.map((line) => {
    const [time = '', sensor = '', value = ''] = line.split(',')
    return { instant: Date.parse(time.replace(' ', 'T').replace(' ', '')), sensor, value: Number(value) }
  })
  expect(readings).toHaveLength(50)
  return readings.sort(byKey)
}

/** In PostgreSQL, at `url`. */
export async function expectRecordsIndexes(url: string): Promise<void> {
  const indexes = await query(
    url,
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
}
