/**
 * `psql \copy` of the same files, as CSV and as PostgreSQL's own binary format, in one session or in several
 * beside each other.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { PostgresServer } from '../tooling/servers/postgres.ts'
import { type Data, shares } from './data.ts'
import { type Command, measure } from './process.ts'
import type { Program } from './programs.ts'
import type { Way } from './rounds.ts'

export interface Psql {
  readonly program: Program
  readonly server: PostgresServer
}

export type Format = 'CSV' | 'BINARY'

export interface CopyOptions {
  readonly files: readonly string[]
  readonly format: Format
  readonly streams: number
}

/** Each stream is one session that copies its share of the files, one after the other. */
export const copyWays = (psql: Psql | undefined, copies: readonly CopyOptions[]): Way[] =>
  psql === undefined ? [] : copies.map((options) => copyWay(psql, options))

function copyWay(psql: Psql, { files, format, streams }: CopyOptions): Way {
  return {
    name: `\`psql \\copy\`, ${format}, ${streams === 1 ? 'one stream' : `${streams} streams`}`,
    isLading: false,
    run: (folder) => {
      const scripts = shares(files, streams).map((share) => copyScript('records', share, format))
      return runScripts(psql, scripts, folder)
    },
  }
}

const copyOptions = { CSV: '(format csv, header)', BINARY: '(format binary)' } as const

export const copyScript = (table: string, files: readonly string[], format: Format): string =>
  files.map((file) => `\\copy ${table} from '${file}' with ${copyOptions[format]}\n`).join('')

/** One session for each script, all beside each other. */
export function runScripts({ program, server }: Psql, scripts: readonly string[], folder: string) {
  const commands = scripts.map((script, stream): Command => {
    const file = join(folder, `${stream}.sql`)
    writeFileSync(file, script)
    return {
      role: 'psql',
      program: program.path,
      args: ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', server.url, '-f', file],
    }
  })
  return measure(commands, folder)
}

/** The same records as files of PostgreSQL's binary format. Making them is not part of any figure. */
export async function binaryFiles(psql: Psql, data: Data, temporary: string): Promise<readonly string[]> {
  const folder = join(temporary, `binary-${data.sensors}x${data.records / data.sensors}`)
  mkdirSync(folder, { recursive: true })
  const pairs = data.files.map((file) => ({ file, binary: join(folder, `${basename(file)}.bin`) }))
  const steps = pairs.map(
    ({ file, binary }) =>
      `truncate one_file;\n\\copy one_file from '${file}' with (format csv, header)\n\\copy one_file to '${binary}' with (format binary)\n`,
  )
  const columns = 'record_time timestamptz, sensor_id text, value double precision'
  await runScripts(psql, [`create temporary table one_file (${columns});\n${steps.join('')}`], folder)
  return pairs.map(({ binary }) => binary)
}
