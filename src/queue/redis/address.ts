/** `redis://user:password@host:port/db?stream=NAME` → where the queue is and how it is used. */
import type { Address as AnyAddress } from '../../core/address.ts'
import { parseServerUrl, secondsIn, type Tls, tlsIn, tlsParameters, usage } from '../../core/server-url.ts'
import { leaseOf } from '../../core/lease.ts'

export const redis: AnyAddress = {
  schemes: ['redis', 'rediss'],
  example: 'redis://user@host/0?stream=NAME',
  place: () => ({ writers: 'many' }),
  packages: ['@redis/client'],
}

export interface Address {
  readonly tls: Tls | undefined
  readonly host: string
  readonly port: number
  /** Undefined for the one whom Redis calls default. */
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: number
  readonly stream: string
  readonly group: string
  /** The field of a message of others that is its body. */
  readonly body: string
  readonly leaseMs: number
  /** A server that keeps nothing beyond its own end is taken. */
  readonly mayForget: boolean
  readonly connectTimeoutMs: number
}

const parameters = ['stream', 'group', 'body', 'lease', 'persistence', 'timeout', ...tlsParameters] as const

const defaultName = 'lading'
const defaultBody = 'body'
const defaultLeaseMs = 30_000
const defaultTimeout = '10'
const mostNameBytes = 512

/** Throws `USAGE` without quoting the URL, which may hold a password. */
export function parseAddress(url: string): Address {
  const parts = parseServerUrl(url, parameters)
  const { host, port, user, password, path, given } = parts
  if (user !== '' && password === '') throw usage('a user has a password')
  if (given.persistence !== undefined && given.persistence !== 'none')
    throw usage('persistence is none, or left away')
  return {
    tls: tlsIn(parts, 'rediss'),
    host,
    port: port ?? 6379,
    user: user || undefined,
    password: password || undefined,
    database: databaseOf(path),
    stream: nameOf('stream', given.stream ?? defaultName),
    group: nameOf('group', given.group ?? defaultName),
    body: nameOf('body', given.body ?? defaultBody),
    leaseMs: given.lease === undefined ? defaultLeaseMs : leaseOf(given.lease),
    mayForget: given.persistence === 'none',
    connectTimeoutMs: secondsIn('timeout', given.timeout ?? defaultTimeout),
  }
}

/** For messages: says where, and holds no secret. */
export const shownQueue = ({ stream, host, port, database }: Address): string =>
  `stream ${stream} at ${host}:${port}${database === 0 ? '' : ` (database ${database})`}`

function databaseOf(path: string): number {
  if (!/^\d{0,5}$/.test(path)) throw usage('its path is the number of a database, such as /0')
  return Number(path)
}

function nameOf(parameter: string, name: string): string {
  if (name === '' || Buffer.byteLength(name) > mostNameBytes)
    throw usage(`${parameter} is a name of 1 to ${mostNameBytes} bytes`)
  return name
}
