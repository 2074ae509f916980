/** SQLite as a target: a new file for each run, filled by `.import` of its own shell and by `lading load`. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { records } from '../../src/model/shipped/records.ts'
import { createTable } from '../../src/sink/sqlite/ddl.ts'
import { loadWays } from '../lading.ts'
import { measure } from '../process.ts'
import { findSqlite, type Program } from '../programs.ts'
import type { TableState, Way } from '../rounds.ts'
import { filesOf } from '../words.ts'
import type { Section } from './section.ts'

export const sqlite: Section = {
  name: 'sqlite',
  heading: 'Into a SQLite file',
  about:
    '`sqlite3 .import` writes the same table (`WITHOUT ROWID`) with the same `synchronous`, checks nothing and goes through no queue.',
  records: 1_000_000,
  sensors: [10],
  tables: async (context, size) => {
    const data = await context.data(size)
    const file = join(context.temporary, 'bench.db')
    const program = context.need('sqlite3', findSqlite(), 'sqlite3 .import (Debian: sqlite3)')
    const lading = loadWays({
      data: data.folder,
      model: 'records',
      target: `sqlite:${file}`,
      consumers: context.options.consumers,
    })
    return [
      {
        title: `${filesOf(size)} into a SQLite file`,
        unit: 'rows',
        records: size.records,
        ways: [...(program === undefined ? [] : [importWay(program, file, data.files)]), ...lading],
        servers: [],
        reset: async () => resetFile(file),
        state: async () => stateOfFile(file),
      },
    ]
  },
}

export function resetFile(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
  using database = new DatabaseSync(file)
  database.exec(`PRAGMA journal_mode = WAL; ${createTable(records)}`)
}

const importWay = ({ path }: Program, file: string, files: readonly string[]): Way => ({
  name: '`sqlite3 .import`',
  isLading: false,
  run: (folder) => importFiles(path, file, files, folder),
})

export function importFiles(program: string, file: string, files: readonly string[], folder: string) {
  const script = join(folder, 'import.sql')
  const imports = files.map((each) => `.import --skip 1 "${each}" records\n`).join('')
  writeFileSync(script, `PRAGMA synchronous = FULL;\n.mode csv\n${imports}`)
  return measure([{ role: 'sqlite3', program, args: ['-bail', file, `.read ${script}`] }], folder)
}

/** `.import` keeps times as they are written, lading as UTC; so instants are compared, and not their text. */
export function stateOfFile(file: string): TableState {
  using database = new DatabaseSync(file, { readOnly: true })
  const sql = `SELECT count(*) AS rows, printf('%.9g', total(value)) || ' '
    || sum(unixepoch(record_time) % 1000003 * (1 + CAST(substr(sensor_id, 10) AS INTEGER))) AS checksum FROM records`
  const row = database.prepare(sql).get() as { rows: number; checksum: string | null }
  return { rows: row.rows, checksum: row.checksum ?? 'none' }
}
