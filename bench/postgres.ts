/** PostgreSQL as a target: a private server with its default durability, filled by `psql \copy` and by `lading load`. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import type { Model } from '../src/model/model.ts'
import { records } from '../src/models/records.ts'
import { createIndex, createTable } from '../src/sink/postgres/ddl.ts'
import type { PostgresServer } from '../test/servers/postgres.ts'
import { ladingWays } from './lading.ts'
import { recordsBrin } from './models/records-brin.ts'
import type { BenchOptions } from './options.ts'
import { type Command, debianFolders, findProgram, measure, serverCpuSeconds } from './process.ts'
import type { Table, Way } from './rounds.ts'

const shapes = {
  brin: { model: recordsBrin, name: join(import.meta.dirname, 'models', 'records-brin.ts'), title: 'PostgreSQL, primary key + BRIN' },
  hash: { model: records, name: 'records', title: 'PostgreSQL, primary key + BRIN + HASH' },
} as const

export const postgresShapes = Object.keys(shapes) as readonly (keyof typeof shapes)[]

export interface Psql {
  readonly program: string
  readonly version: string
}

export function findPsql(): Psql | undefined {
  const binaries = process.env['LADING_TEST_POSTGRES_BIN']
  const program = findProgram('psql', [...(binaries ? [binaries] : []), ...debianFolders()])
  if (program === undefined) return undefined
  return { program, version: spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim() }
}

export interface Target {
  readonly server: PostgresServer
  readonly psql: Psql | undefined
  readonly data: string
  readonly files: readonly string[]
}

export function postgresTable(shape: keyof typeof shapes, target: Target, { consumers }: BenchOptions): Table {
  const { model, name, title } = shapes[shape]
  const { server, psql, data } = target
  const ways = [...(psql ? [psqlWay(psql, target, 1), psqlWay(psql, target, 2)] : []), ...ladingWays(data, name, server.url, consumers)]
  return {
    title,
    ways,
    reset: () => reset(server.url, model),
    state: () => query(server.url, async (client) => await stateOf(client)),
    serverCpu: () => (server.dataDirectory === '' ? undefined : serverCpuSeconds(server.pid())),
  }
}

/** Each stream is one session that copies its share of the files, one after the other. */
function psqlWay({ program }: Psql, { server, files }: Target, streams: number): Way {
  return {
    name: `psql \\copy, ${streams === 1 ? 'one stream' : `${streams} streams`}`,
    run: (folder) => {
      const commands = Array.from({ length: streams }, (_, stream): Command => {
        const script = join(folder, `${stream}.sql`)
        const share = files.filter((_file, index) => index % streams === stream)
        writeFileSync(script, share.map((file) => `\\copy records from '${file}' with (format csv, header)\n`).join(''))
        return [program, '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', server.url, '-f', script]
      })
      return measure(commands, { cwd: folder })
    },
  }
}

/** A checkpoint, so that no run pays for the pages of the one before. */
async function reset(url: string, model: Model): Promise<void> {
  await query(url, async (client) => {
    await client.query('SET client_min_messages = warning; DROP SCHEMA IF EXISTS lading CASCADE; DROP TABLE IF EXISTS records')
    for (const sql of [createTable(model), ...model.indexes.map((index) => createIndex(model, index)), 'CHECKPOINT'])
      await client.query(sql)
  })
}

async function stateOf(client: pg.Client) {
  const sql = 'SELECT count(*)::float8 AS rows, sum(hashtextextended(r::text, 0)::numeric)::text AS checksum FROM records r'
  const { rows } = await client.query<{ rows: number; checksum: string | null }>(sql)
  return { rows: rows[0]?.rows ?? 0, checksum: rows[0]?.checksum ?? 'none' }
}

async function query<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const shown = ['shared_buffers', 'max_wal_size', 'fsync', 'synchronous_commit', 'full_page_writes', 'wal_level']

export async function shownSettings(url: string): Promise<Readonly<Record<string, string>>> {
  return query(url, async (client) => {
    const { rows } = await client.query<{ name: string; value: string }>(
      'SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name',
      [shown],
    )
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]))
  })
}
