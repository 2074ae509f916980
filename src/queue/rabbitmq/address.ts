/** `amqp://user:password@host:port/vhost?queue=NAME` → where the queue is and how it is used. */
import type { Address as AnyAddress } from '../../core/address.ts'
import { parseServerUrl, secondsIn, type Tls, tlsIn, tlsParameters, usage } from '../../core/server-url.ts'

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

const parameters = ['queue', 'type', 'receive', 'timeout', 'heartbeat', ...tlsParameters] as const

const defaultQueue = 'lading'
const defaultTimeout = '10'
const defaultHeartbeatSeconds = 20
const mostHeartbeatSeconds = 600
/** A name is a short string on the wire, and ours have suffixes. */
const mostNameBytes = 240

/** Throws `USAGE` without quoting the URL, which may hold a password. */
export function parseAddress(url: string): Address {
  const parts = parseServerUrl(url, parameters)
  const { scheme, host, port, user, password, path, given } = parts
  // Who gives neither means the account that a broker has when it is new, which it takes from its own machine
  // alone.
  const anonymous = user === '' && password === ''
  return {
    tls: tlsIn(parts, 'amqps'),
    host,
    port: port ?? (scheme === 'amqps' ? 5671 : 5672),
    user: anonymous ? 'guest' : user,
    password: anonymous ? 'guest' : password,
    vhost: path || '/',
    queue: queueName(given.queue ?? defaultQueue),
    type: oneOf('type', ['quorum', 'classic'], given.type),
    receive: oneOf('receive', ['push', 'poll'], given.receive),
    connectTimeoutMs: secondsIn('timeout', given.timeout ?? defaultTimeout),
    heartbeatSeconds: heartbeat(given.heartbeat),
  }
}

/** For messages: says where, and holds no secret. */
export const shownQueue = ({ queue, host, port, vhost }: Address): string =>
  `queue ${queue} at ${host}:${port}${vhost === '/' ? '' : ` (virtual host ${vhost})`}`

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
