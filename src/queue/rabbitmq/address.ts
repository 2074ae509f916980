/** `amqp://user:password@host:port/vhost?queue=NAME` → where the queue is and how it is used. */
import { readFileSync } from 'node:fs'
import type { Address as AnyAddress } from '../../core/address.ts'
import { LadingError } from '../../core/errors.ts'
import { isHost } from '../../core/url.ts'

export const rabbitmq: AnyAddress = {
  schemes: ['amqp', 'amqps'],
  example: 'amqp://user@host/vhost?queue=NAME',
  place: () => ({ writers: 'many' }),
}

export interface Address {
  readonly tls: Tls | undefined
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly vhost: string
  readonly queue: string
  readonly type: 'quorum' | 'classic'
  /** Messages are pushed to us, or fetched one by one with basic.get. */
  readonly receive: 'push' | 'poll'
  readonly connectTimeoutMs: number
  /** Half of the time after which a peer that says nothing is taken for gone. */
  readonly heartbeatSeconds: number
}

export interface Tls {
  readonly ca: Buffer | undefined
  readonly cert: Buffer | undefined
  readonly key: Buffer | undefined
}

const parameters = ['queue', 'type', 'receive', 'timeout', 'heartbeat', 'ca', 'cert', 'key'] as const
type Parameters = Readonly<Partial<Record<(typeof parameters)[number], string>>>

const defaultQueue = 'lading'
const defaultTimeoutSeconds = 10
const defaultHeartbeatSeconds = 20
const mostHeartbeatSeconds = 600
/** A name is a short string on the wire, and ours have suffixes. */
const mostNameBytes = 240

/** Throws `USAGE` without quoting the URL, which may hold a password. */
export function parseAddress(url: string): Address {
  const parts = parse(url)
  const given = parametersOf(parts.searchParams)
  const secure = parts.protocol === 'amqps:'
  if (!secure && (given.ca ?? given.cert ?? given.key) !== undefined)
    throw usage('ca, cert and key are for amqps://')
  const host = parts.hostname.replace(/^\[|\]$/g, '') || 'localhost'
  if (!isHost(host)) throw usage('no host has such a name')
  // Who gives neither means the account that a broker has when it is new, which it takes from its own machine
  // alone.
  const anonymous = parts.username === '' && parts.password === ''
  return {
    tls: secure ? tlsOf(given) : undefined,
    host,
    port: parts.port === '' ? (secure ? 5671 : 5672) : Number(parts.port),
    user: anonymous ? 'guest' : decoded(parts.username),
    password: anonymous ? 'guest' : decoded(parts.password),
    vhost: decoded(parts.pathname.slice(1)) || '/',
    queue: queueName(given.queue ?? defaultQueue),
    type: oneOf('type', ['quorum', 'classic'], given.type),
    receive: oneOf('receive', ['push', 'poll'], given.receive),
    connectTimeoutMs: seconds(given.timeout) * 1000,
    heartbeatSeconds: heartbeat(given.heartbeat),
  }
}

/** For messages: says where, and holds no secret. */
export const shownQueue = ({ queue, host, port, vhost }: Address): string =>
  `queue ${queue} at ${host}:${port}${vhost === '/' ? '' : ` (virtual host ${vhost})`}`

/**
 * What it takes for the host, it shows; so it takes no part of a password for it that has such a mark in it.
 */
const form = /^amqps?:\/\/([^/?#]*@)?[^/?#@]*(\/[^?#@]*)?(\?[^#]*)?$/i

function parse(url: string): URL {
  const parts = form.test(url) ? URL.parse(url) : null
  if (parts === null) throw usage('it is no URL; @, / and other marks in a password are percent-encoded')
  return parts
}

function parametersOf(search: URLSearchParams): Parameters {
  for (const name of search.keys()) {
    if (!parameters.some((known) => known === name))
      throw usage(`it has an unknown parameter; there are ${parameters.join(', ')}`)
  }
  return Object.fromEntries(search)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw usage('a % in it is not percent-encoded')
  }
}

function queueName(name: string): string {
  if (name === '' || Buffer.byteLength(name) > mostNameBytes)
    throw usage(`the name of a queue has 1 to ${mostNameBytes} bytes`)
  return name
}

function oneOf<T extends string>(name: string, values: readonly [T, T], given: string | undefined): T {
  const value = given === undefined ? values[0] : values.find((each) => each === given)
  if (value === undefined) throw usage(`${name} is ${values.join(' or ')}`)
  return value
}

function seconds(text = String(defaultTimeoutSeconds)): number {
  const value = Number(/^(\d+(?:\.\d+)?)s?$/.exec(text)?.[1])
  if (!(value >= 0.1 && value <= 3600)) throw usage('timeout is seconds from 0.1 to 3600')
  return value
}

/**
 * Whole seconds in 16 bits on the wire. More than the default would find out too late that others wait for
 * what we hold.
 */
function heartbeat(text = String(defaultHeartbeatSeconds)): number {
  const value = /^\d+$/.test(text) ? Number(text) : 0
  if (value < 1 || value > mostHeartbeatSeconds)
    throw usage(`heartbeat is whole seconds from 1 to ${mostHeartbeatSeconds}`)
  return value
}

function tlsOf({ ca, cert, key }: Parameters): Tls {
  if ((cert === undefined) !== (key === undefined)) throw usage('cert and key belong together')
  return { ca: fileOf('ca', ca), cert: fileOf('cert', cert), key: fileOf('key', key) }
}

function fileOf(name: string, path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new LadingError(
      'CONFIG_INVALID',
      `the ${name} of the queue URL cannot be read: ${(cause as Error).message}`,
      { cause },
    )
  }
}

const usage = (why: string): LadingError => new LadingError('USAGE', `the queue URL cannot be used: ${why}`)
