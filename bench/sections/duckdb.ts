/** DuckDB as a target: a new file for each run, filled by DuckDB's own COPY and by `lading load`. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { records } from '../../src/model/shipped/records.ts'
import { createTable } from '../../src/sink/duckdb/ddl.ts'
import { loadWays } from '../lading.ts'
import { measure } from '../process.ts'
import type { TableState, Way } from '../rounds.ts'
import { filesOf } from '../words.ts'
import type { Section } from './section.ts'

export const duckdb: Section = {
  name: 'duckdb',
  heading: 'Into a DuckDB file',
  about:
    '`COPY … FROM` reads the same files with the driver that Lading uses, in one process, a statement for each file; it keeps no ledger and goes through no queue.',
  records: 1_000_000,
  sensors: [10],
  tables: async (context, size) => {
    const data = await context.data(size)
    const file = join(context.temporary, 'bench.duckdb')
    const lading = loadWays({
      data: data.folder,
      model: 'records',
      target: `duckdb:${file}`,
      // Another process could not open the file.
      consumers: [1],
    })
    return [
      {
        title: `${filesOf(size)} into a DuckDB file`,
        unit: 'rows',
        records: size.records,
        ways: [copyWay(file, data.files), ...lading],
        servers: [],
        reset: () => resetFile(file),
        state: () => stateOfFile(file),
      },
    ]
  },
}

async function inFile<T>(file: string, sql: string, read: (row: readonly unknown[]) => T): Promise<T> {
  const instance = await DuckDBInstance.create(file)
  const connection = await instance.connect()
  try {
    return read((await connection.runAndReadAll(sql)).getRows()[0] ?? [])
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

async function resetFile(file: string): Promise<void> {
  for (const suffix of ['', '.wal']) rmSync(`${file}${suffix}`, { force: true })
  await inFile(file, createTable('bench', records), () => undefined)
}

const copyWay = (file: string, files: readonly string[]): Way => ({
  name: '`COPY … FROM`',
  isLading: false,
  run: (folder) =>
    measure(
      [
        {
          role: 'DuckDB',
          program: process.execPath,
          args: [join(import.meta.dirname, '..', 'duckdb-copy.ts'), file, ...files],
        },
      ],
      folder,
    ),
})

const stateOfFile = (file: string): Promise<TableState> =>
  inFile(
    file,
    `SELECT count(*), printf('%.9g', coalesce(sum(value), 0)) || ' '
      || sum(epoch(record_time)::BIGINT % 1000003 * (1 + ascii(right(sensor_id, 1)))) FROM records`,
    ([rows, checksum]) => ({ rows: Number(rows), checksum: checksum === null ? 'none' : String(checksum) }),
  )
