/** SQLite as a target: a new file for each run, filled by `.import` of its own shell and by `lading load`. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { records } from '../src/models/records.ts'
import { createTable } from '../src/sink/sqlite/ddl.ts'
import { ladingWays } from './lading.ts'
import type { BenchOptions } from './options.ts'
import { findProgram, measure } from './process.ts'
import type { Table, Way } from './rounds.ts'

export const findSqlite = (): string | undefined => findProgram('sqlite3', [])

export function sqliteTable(
  program: string | undefined,
  data: string,
  files: readonly string[],
  temporary: string,
  { consumers }: BenchOptions,
): Table {
  const file = join(temporary, 'bench.db')
  const lading = ladingWays(data, 'records', `sqlite:${file}`, consumers)
  return {
    title: 'SQLite, primary key without rowid',
    ways: [...(program === undefined ? [] : [importWay(program, file, files)]), ...lading],
    reset: async () => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
      using database = new DatabaseSync(file)
      database.exec(`PRAGMA journal_mode = WAL; ${createTable(records)}`)
    },
    state: async () => stateOf(file),
    serverCpu: () => undefined,
  }
}

function importWay(program: string, file: string, files: readonly string[]): Way {
  return {
    name: 'sqlite3 .import',
    run: (folder) => {
      const script = join(folder, 'import.sql')
      const imports = files.map((each) => `.import --skip 1 "${each}" records\n`).join('')
      writeFileSync(script, `PRAGMA synchronous = FULL;\n.mode csv\n${imports}`)
      return measure([[program, '-bail', file, `.read ${script}`]], { cwd: folder })
    },
  }
}

/** `.import` keeps times as they are written, lading as UTC; so instants are compared, and not their text. */
function stateOf(file: string) {
  using database = new DatabaseSync(file, { readOnly: true })
  const sql = `SELECT count(*) AS rows, printf('%.9g', total(value)) || ' '
    || sum(unixepoch(record_time) % 1000003 * (1 + CAST(substr(sensor_id, 10) AS INTEGER))) AS checksum FROM records`
  const row = database.prepare(sql).get() as { rows: number; checksum: string | null }
  return { rows: row.rows, checksum: row.checksum ?? 'none' }
}
