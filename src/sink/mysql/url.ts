/** What a URL of MariaDB or MySQL says, as the driver takes it. */
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { ConnectionOptions, SslOptions } from 'mysql2'
import { LadingError } from '../../core/errors.ts'
import { isHost } from '../../core/url.ts'

export interface Target {
  readonly options: ConnectionOptions
  /** See `Sink.place`. */
  readonly place: string
}

const defaultPort = 3306

/** Names are those of the mysql client. */
const parameters = ['ssl-mode', 'ssl-ca', 'ssl-cert', 'ssl-key', 'socket'] as const

/** Throws `USAGE`, with nothing of the URL that may be secret. */
export function targetOf(url: string): Target {
  const parsed = URL.parse(url)
  if (parsed === null) throw unreadable()
  const { searchParams } = parsed
  for (const name of searchParams.keys())
    if (!parameters.some((each) => each === name))
      throw new LadingError(
        'USAGE',
        `the database URL has the parameter ${name}, and only ${parameters.join(', ')} are known`,
      )
  const host = parsed.hostname === '' ? 'localhost' : decoded(parsed.hostname).replace(/^\[(.*)\]$/, '$1')
  if (!isHost(host))
    throw new LadingError('USAGE', 'the database URL cannot be used: no host has such a name')
  const database = decoded(parsed.pathname.slice(1))
  if (database === '')
    throw new LadingError('USAGE', 'the database URL names no database: mysql://user:password@host/database')
  const port = parsed.port === '' ? defaultPort : Number(parsed.port)
  const socketPath = searchParams.get('socket') ?? undefined
  const ssl = sslOf(searchParams)
  return {
    options: {
      host,
      port,
      user: parsed.username === '' ? userInfo().username : decoded(parsed.username),
      password: decoded(parsed.password),
      database,
      ...(socketPath !== undefined && { socketPath }),
      ...(ssl !== undefined && { ssl }),
    },
    place: placeOf(socketPath ?? host, port, database),
  }
}

/** A host that is a path is a Unix socket. */
function placeOf(host: string, port: number, database: string): string {
  const authority = host.includes(':') ? `[${host}]` : encodeURIComponent(host.toLowerCase())
  const isDefault = port === defaultPort || host.startsWith('/')
  return `mysql://${authority}${isDefault ? '' : `:${port}`}/${encodeURIComponent(database)}`
}

const modes = ['DISABLED', 'REQUIRED', 'VERIFY_CA', 'VERIFY_IDENTITY']

function sslOf(given: URLSearchParams): SslOptions | undefined {
  const [ca, cert, key] = ['ssl-ca', 'ssl-cert', 'ssl-key'].map((name) => fileOf(name, given.get(name)))
  const stated = given.get('ssl-mode')?.toUpperCase()
  if (stated !== undefined && !modes.includes(stated))
    throw new LadingError('USAGE', `the database URL has an unknown ssl-mode: ${modes.join(', ')}`)
  const mode = stated ?? (ca === undefined ? (cert === undefined ? 'DISABLED' : 'REQUIRED') : 'VERIFY_CA')
  if (mode === 'DISABLED') return undefined
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    rejectUnauthorized: mode.startsWith('VERIFY'),
    verifyIdentity: mode === 'VERIFY_IDENTITY',
  }
}

function fileOf(name: string, path: string | null): Buffer | undefined {
  if (path === null) return undefined
  try {
    return readFileSync(path)
  } catch (error) {
    throw new LadingError('USAGE', `${name} of the database URL cannot be read: ${(error as Error).message}`)
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw unreadable()
  }
}

const unreadable = (): LadingError =>
  new LadingError('USAGE', 'the database URL cannot be read: mysql://user:password@host:port/database')
