import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { spawnSync } from 'node:child_process'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { queryDuckdb } from '../../test/support/duckdb.ts'
import { queryMariadb } from '../../test/support/mariadb.ts'
import { startMariadb, withoutFsync } from '../../tooling/servers/mariadb.ts'
import { type PostgresOptions, startPostgres } from '../../tooling/servers/postgres.ts'
import type { Row } from '../oracle.ts'
import { type Disk, type LaneDatabase, throughProxy, via } from './lane.ts'

/** `disk`: where the rows lie, if there is one; else in `folder`. */
export type OpenDatabase = (folder: string, disk: Disk | undefined) => Promise<LaneDatabase>

/** What a killed server has written is the system's to keep, and machines are not killed here: a wait for the disk shows nothing. */
export const unsynced: PostgresOptions = { settings: { fsync: 'off' } }
const all = 'SELECT family, n, version, note FROM entries'
const admin = 'conductor'

export const postgres: OpenDatabase = async (_folder, disk) => {
  const server = await startPostgres(unsynced)
  const { proxy, wire } = await throughProxy(server.url)
  // Its log stays elsewhere: without that, a full disk would end the server.
  const space = disk === undefined ? '' : ' TABLESPACE small'
  if (disk !== undefined) {
    const folder = join(disk.folder, 'space')
    mkdirSync(folder)
    spawnSync('chown', ['--reference', server.dataDirectory, folder])
    await query(server.url, `CREATE TABLESPACE small LOCATION '${folder}'`)
  }
  const others = `FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> '${admin}'`
  return {
    name: 'postgres',
    hasFiles: true,
    server,
    proxy,
    wire,
    defersIndexes: true,
    fresh: async (round) => {
      await query(server.url, `CREATE DATABASE round_${round} TEMPLATE template0${space}`)
      if (round > 0) await query(server.url, `DROP DATABASE IF EXISTS round_${round - 1} WITH (FORCE)`)
      const at = new URL(server.url)
      at.pathname = `/round_${round}`
      return { url: via(proxy, at.href), direct: at.href }
    },
    rows: (url) => query<Row>(url, all),
    endSessions: async () => void (await query(server.url, `SELECT pg_terminate_backend(pid) ${others}`)),
    backends: async () =>
      (await query<{ pid: number }>(server.url, `SELECT pid ${others}`)).map(({ pid }) => pid),
    lock: async (url) => {
      const client = await connected(url)
      await client.query('BEGIN; LOCK TABLE entries IN ACCESS EXCLUSIVE MODE')
      return () => client.end()
    },
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]()
      await server.stop()
    },
  }
}

/** A fault may have ended the server's sessions a moment ago, and a server that starts lets nobody in. */
const isStarting = /^57P0[123]$|^ECONN(REFUSED|RESET)$/
const startsWithinMs = 60_000

/** Once the server is up. */
async function connected(url: string): Promise<pg.Client> {
  const deadline = performance.now() + startsWithinMs
  for (;;) {
    const client = new pg.Client({ connectionString: url, application_name: admin })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return client
    } catch (error) {
      const { code = '' } = error as { code?: string }
      if (!isStarting.test(code) || performance.now() > deadline) throw error
      await sleep(100)
    }
  }
}

async function query<Result>(url: string, sql: string): Promise<Result[]> {
  const client = await connected(url)
  try {
    return (await client.query(sql)).rows as Result[]
  } finally {
    await client.end()
  }
}

export const mariadb: OpenDatabase = async () => {
  const server = await startMariadb(withoutFsync)
  const { proxy, wire } = await throughProxy(server.url)
  return {
    name: 'mariadb',
    server,
    proxy,
    wire,
    fresh: async (round) => {
      await queryMariadb(server.url, `CREATE DATABASE round_${round}`)
      return { url: `${via(proxy, server.url)}/round_${round}`, direct: `${server.url}/round_${round}` }
    },
    rows: (url) => queryMariadb<Row>(url, all),
    endSessions: async () => {
      const sessions = await queryMariadb<{ id: number }>(
        server.url,
        'SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND user = "admin"',
      )
      // One that has ended by itself meanwhile is no error.
      for (const { id } of sessions) await queryMariadb(server.url, `KILL ${id}`).catch(() => undefined)
    },
    lock: async (url) => {
      const { createConnection } = await import('mysql2/promise')
      const client = await createConnection(url)
      client.on('error', () => undefined)
      await client.query('LOCK TABLES entries WRITE')
      return async () => client.destroy()
    },
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]()
      await server.stop()
    },
  }
}

export const sqlite: OpenDatabase = async (folder, disk) => ({
  name: 'sqlite',
  hasFiles: true,
  fresh: async (round) => {
    const url = `sqlite:${freshFile(disk?.folder ?? folder, 'db', round)}`
    return { url, direct: url }
  },
  rows: async (url) => {
    using file = new SqliteFile(pathOf(url))
    return file.all<Row>(all)
  },
  lock: async (url) => {
    using opened = new DisposableStack()
    const file = opened.use(new SqliteFile(pathOf(url), { isGuest: true }))
    file.run('BEGIN IMMEDIATE')
    const held = opened.move()
    return async () => held.dispose()
  },
  [Symbol.asyncDispose]: async () => undefined,
})

export const duckdb: OpenDatabase = async (folder, disk) => ({
  name: 'duckdb',
  hasFiles: true,
  hasOneWriter: true,
  fresh: async (round) => {
    const url = `duckdb:${freshFile(disk?.folder ?? folder, 'duckdb', round)}`
    return { url, direct: url }
  },
  rows: async (url) => (await queryDuckdb(pathOf(url), all)) as unknown as readonly Row[],
  [Symbol.asyncDispose]: async () => undefined,
})

const pathOf = (url: string): string => url.slice(url.indexOf(':') + 1)

/** The files of the last round make room. */
function freshFile(folder: string, kind: string, round: number): string {
  for (const suffix of ['', '-wal', '-shm', '.wal'])
    rmSync(join(folder, `target-${round - 1}.${kind}${suffix}`), { force: true })
  const path = join(folder, `target-${round}.${kind}`)
  if (existsSync(path)) throw new Error(`${path} is there already`)
  return path
}
