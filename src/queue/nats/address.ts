/** `nats://user:password@host:4222/?stream=NAME` → where the stream is and how it is used. */
import type { Address as AnyAddress } from '../../core/address.ts'
import {
  fileOf,
  parseServerUrl,
  secondsIn,
  type ServerUrl,
  type Tls,
  tlsIn,
  tlsParameters,
  usage,
} from '../../core/server-url.ts'

export const nats: AnyAddress = {
  schemes: ['nats', 'tls'],
  example: 'nats://host:4222/?stream=NAME',
  packages: ['@nats-io/transport-node', '@nats-io/jetstream'],
  place: () => ({ writers: 'many' }),
}

export type Credentials =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  /** The contents of a file, as `nsc` writes it. */
  | { readonly creds: Buffer }
  /** The seed of a key. */
  | { readonly nkey: Buffer }

export interface Address {
  readonly tls: Tls | undefined
  /** `host:port`, that of the URL first; any of one cluster will do. */
  readonly servers: readonly string[]
  readonly host: string
  readonly credentials: Credentials | undefined
  readonly stream: string
  /** What is published to, and what the consumer is limited to; undefined for what the stream itself says. */
  readonly subject: string | undefined
  readonly consumer: string
  /** Of what is made. A stream in memory is used only where the URL says so. */
  readonly storage: 'file' | 'memory'
  readonly replicas: number
  readonly leaseMs: number
  readonly domain: string | undefined
  readonly inboxPrefix: string | undefined
  readonly connectTimeoutMs: number
  /** Half of the time after which a server that says nothing is taken for gone. */
  readonly heartbeatMs: number
}

const parameters = [
  'stream',
  'subject',
  'consumer',
  'servers',
  'storage',
  'replicas',
  'lease',
  'token',
  'creds',
  'nkey',
  ...tlsParameters,
  'domain',
  'inbox',
  'timeout',
  'heartbeat',
] as const
type Given = ServerUrl<(typeof parameters)[number]>['given']

const defaultPort = 4222
const defaultName = 'lading'
/** The server takes 255 bytes for a name. A % spoils the subject by which it hears of an acknowledgement. */
const mostNameBytes = 255
const nameForm = /^[^\s\p{Cc}.*>/\\%]+$/u
const subjectForm = /^[^\s.]+(\.[^\s.]+)*$/

/** Throws `USAGE` without quoting the URL, which may hold a password. */
export function parseAddress(url: string): Address {
  const parts = parseServerUrl(url, parameters)
  const { host, port = defaultPort, path, given } = parts
  if (path !== '') throw usage('it has a path; the stream is a parameter: ?stream=NAME')
  const { subject, replicas = '1', storage = 'file' } = given
  if (subject !== undefined && !subjectForm.test(subject))
    throw usage('a subject is names with dots between them')
  if (!/^[1-5]$/.test(replicas)) throw usage('replicas is a number from 1 to 5')
  if (storage !== 'file' && storage !== 'memory') throw usage('storage is file or memory')
  return {
    tls: tlsIn(parts, 'tls'),
    servers: [serverOf(host, port), ...(given.servers?.split(',') ?? [])],
    host,
    credentials: credentialsOf(parts),
    stream: nameIn('stream', given),
    subject,
    consumer: nameIn('consumer', given),
    storage,
    replicas: Number(replicas),
    leaseMs: secondsIn('lease', given.lease ?? '30'),
    domain: given.domain,
    inboxPrefix: given.inbox,
    connectTimeoutMs: secondsIn('timeout', given.timeout ?? '10'),
    heartbeatMs: secondsIn('heartbeat', given.heartbeat ?? '20'),
  }
}

/** For messages: says where, and holds no secret. */
export const shownQueue = ({ stream, servers }: Address): string => `stream ${stream} at ${servers[0]}`

const serverOf = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`

function nameIn(parameter: 'stream' | 'consumer', given: Given): string {
  const name = given[parameter] ?? defaultName
  if (!nameForm.test(name) || Buffer.byteLength(name) > mostNameBytes)
    throw usage(
      `the name of a ${parameter} has 1 to ${mostNameBytes} bytes, without spaces, control characters and the marks . * > / \\ %`,
    )
  return name
}

function credentialsOf({
  user,
  password,
  given,
}: ServerUrl<(typeof parameters)[number]>): Credentials | undefined {
  // Other programs take a user alone for a token; of ours a user is shown and kept, and a token must not be.
  if (user !== '' && password === '')
    throw usage('it has a user without a password; a token is a parameter: ?token=TOKEN')
  const ways: Credentials[] = []
  if (user !== '') ways.push({ user, password })
  if (given.token !== undefined) ways.push({ token: given.token })
  const [creds, nkey] = [fileOf('creds', given.creds), fileOf('nkey', given.nkey)]
  if (creds !== undefined) ways.push({ creds })
  if (nkey !== undefined) ways.push({ nkey })
  if (ways.length > 1) throw usage('it has more than one of user, token, creds and nkey')
  return ways[0]
}
