/**
 * pgloader, the usual loader of CSV files into PostgreSQL. Its own way to take a folder opens sessions for
 * each file and is slow where there are many; so it is given many files through one pipe.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PostgresServer } from '../tooling/servers/postgres.ts'
import type { Data } from './data.ts'
import { measure } from './process.ts'
import type { Program } from './programs.ts'
import type { Way } from './rounds.ts'

const mostFilesByFolder = 100

export function pgloaderWays(program: Program | undefined, server: PostgresServer, data: Data): Way[] {
  if (program === undefined) return []
  const matching = `ALL FILENAMES MATCHING ~/[.]csv$/ IN DIRECTORY '${data.folder}'`
  // Every file has a header, which only the first of a pipe may have.
  const piped = 'find "$1" -name "*.csv" -exec tail -q -n +2 {} + | "$2" --root-dir "$3" --quiet "$4"'
  const byPipe = way(
    '`pgloader`, CSV, all files through one pipe',
    command(server, 'stdin', ''),
    (script, folder) => ({
      program: 'sh',
      args: ['-c', piped, 'sh', data.folder, program.path, folder, script],
    }),
  )
  const byFolder = way(
    '`pgloader`, CSV, a folder',
    command(server, matching, 'skip header = 1, '),
    (script, folder) => ({
      program: program.path,
      args: ['--root-dir', folder, '--quiet', script],
    }),
  )
  return [data.sensors > mostFilesByFolder ? byPipe : byFolder]
}

/** An error ends it, as it ends the others; sizes of batches and numbers of workers are its own defaults. */
const command = ({ port }: PostgresServer, from: string, header: string): string => `LOAD CSV
  FROM ${from} HAVING FIELDS (record_time, sensor_id, value)
  INTO postgresql://postgres@127.0.0.1:${port}/postgres?records TARGET COLUMNS (record_time, sensor_id, value)
  WITH ${header}fields optionally enclosed by '"', fields terminated by ',', on error stop;
`

type Invoke = (
  script: string,
  folder: string,
) => { readonly program: string; readonly args: readonly string[] }

const way = (name: string, text: string, invoke: Invoke): Way => ({
  name,
  isLading: false,
  run: (folder) => {
    const script = join(folder, 'records.load')
    writeFileSync(script, text)
    return measure([{ role: 'pgloader', ...invoke(script, folder) }], folder)
  },
})
