/** The databases that there are. A driver is loaded when a URL of its database is opened. */
import { type Adapter, examplesOf, openBy, type Place, placeOf } from '../core/address.ts'
import { splitScheme } from '../core/url.ts'
import { LadingError } from '../core/errors.ts'
import { duckdb } from './duckdb/address.ts'
import type { SinkExamination, SinkQuestions } from './examination.ts'
import { mysql } from './mysql/address.ts'
import { postgres } from './postgres/address.ts'
import type { SessionPool } from './pool.ts'
import type { Sink } from './sink.ts'
import { sqlite } from './sqlite/address.ts'

const adapters: readonly Adapter<Sink>[] = [
  { ...postgres, open: async (url) => new (await import('./postgres/postgres.ts')).PostgresSink(url) },
  { ...mysql, open: async (url) => new (await import('./mysql/mysql.ts')).MysqlSink(url) },
  { ...sqlite, open: async (url) => (await import('./sqlite/sqlite.ts')).openSqlite(url) },
  { ...duckdb, open: async (url) => (await import('./duckdb/duckdb.ts')).openDuckdb(url) },
]

/** What `lading doctor` asks. */
const examiners: readonly Adapter<SinkExamination, SinkQuestions>[] = [
  { ...postgres, open: async (...args) => (await import('./postgres/doctor/doctor.ts')).examine(...args) },
  { ...mysql, open: async (...args) => (await import('./mysql/doctor/doctor.ts')).examine(...args) },
  { ...sqlite, open: async (url) => (await import('./sqlite/doctor/doctor.ts')).examine(url) },
  { ...duckdb, open: async (url) => (await import('./duckdb/doctor/doctor.ts')).examine(url) },
]

export const defaultSinkUrl = 'sqlite:./lading.db'
/** For the examples of help: a server. */
export const exampleSinkUrl = 'postgresql://me@localhost/mydb'
export const sinkUrls = examplesOf(adapters)

export const placeOfSink = (url: string): Place => placeOf(adapters, url)

/** What becomes of the space of rows that were removed, and what gives it back. */
export function spaceAdvice(url: string): string | undefined {
  const { scheme = '', rest = '' } = splitScheme(url) ?? {}
  return adapters.find(({ schemes }) => schemes.includes(scheme))?.space?.(rest)
}

/**
 * The database of a URL (`postgresql://user@host/database`, `mysql://user@host/database`, `sqlite:FILE`, `sqlite::memory:`), or over a `pg.Pool` of
 * the program, which is never ended, and of which two sessions at most are borrowed at a time. A server is connected to
 * when the sink is used first. Disposing of the sink ends or gives back its sessions.
 *
 * @param target - By default `sqlite:./lading.db`.
 * @throws LadingError `USAGE` for a URL that cannot be one, and for a pool of one session.
 * @example
 * const pool = new pg.Pool({ connectionString, max: 10 })
 * await using sink = await openSink(pool)
 */
export async function openSink(target: string | SessionPool = defaultSinkUrl): Promise<Sink> {
  if (typeof target === 'string') return openBy(adapters, 'database', target, undefined)
  if (typeof target?.connect !== 'function')
    throw new LadingError('USAGE', 'a sink is opened by a URL, or over a pool of pg')
  return (await import('./postgres/postgres.ts')).postgresOver(target)
}

export const examineSink = async (url: string, questions: SinkQuestions): Promise<SinkExamination> =>
  openBy(examiners, 'database', url, questions)

/** The URL that opens what `Sink.place` names; the place of a file is its path alone. */
export function urlOfPlace(place: string): string {
  const scheme = splitScheme(place)?.scheme ?? ''
  return adapters.some(({ schemes }) => schemes.includes(scheme)) ? place : `sqlite:${place}`
}
