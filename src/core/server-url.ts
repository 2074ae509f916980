/**
 * The URL of a queue on a server: `scheme://user:password@host:port/path?name=value`. Errors do not quote it,
 * because it may hold a password.
 */
import { readFileSync } from 'node:fs'
import { LadingError } from './errors.ts'
import { isHost } from './url.ts'

export interface ServerUrl<Name extends string> {
  /** In lower case. */
  readonly scheme: string
  /** `localhost` where there is none. */
  readonly host: string
  readonly port: number | undefined
  /** Decoded; empty where there is none. */
  readonly user: string
  readonly password: string
  /** Decoded, without its first slash. */
  readonly path: string
  readonly given: Readonly<Partial<Record<Name, string>>>
}

/** The files that a connection over TLS reads. */
export interface Tls {
  readonly ca: Buffer | undefined
  readonly cert: Buffer | undefined
  readonly key: Buffer | undefined
}

export const tlsParameters = ['ca', 'cert', 'key'] as const

/**
 * What is taken for the host is shown; so no part of a password is taken for it that has such a mark in it.
 */
const form = /^[a-z+]+:\/\/([^/?#]*@)?[^/?#@]*(\/[^?#@]*)?(\?[^#]*)?$/i
const mostSeconds = 3600

/** Of a URL that cannot be one. */
export const usage = (why: string): LadingError =>
  new LadingError('USAGE', `the queue URL cannot be used: ${why}`)

/** Throws `USAGE`. `names` are the parameters that there are. */
export function parseServerUrl<Name extends string>(url: string, names: readonly Name[]): ServerUrl<Name> {
  const parts = form.test(url) ? URL.parse(url) : null
  if (parts === null) throw usage('it is no URL; @, / and other marks in a password are percent-encoded')
  for (const name of parts.searchParams.keys())
    if (!names.some((known) => known === name))
      throw usage(`it has an unknown parameter; there are ${names.join(', ')}`)
  const host = parts.hostname.replace(/^\[|\]$/g, '') || 'localhost'
  if (!isHost(host)) throw usage('no host has such a name')
  return {
    scheme: parts.protocol.slice(0, -1),
    host,
    port: parts.port === '' ? undefined : Number(parts.port),
    user: decoded(parts.username),
    password: decoded(parts.password),
    path: decoded(parts.pathname.slice(1)),
    given: Object.fromEntries(parts.searchParams) as Partial<Record<Name, string>>,
  }
}

/**
 * The certificates that the parameters name, where the scheme is the `secure` one. Throws `CONFIG_INVALID` where one
 * cannot be read.
 */
export function tlsIn(
  { scheme, given: { ca, cert, key } }: Pick<ServerUrl<(typeof tlsParameters)[number]>, 'scheme' | 'given'>,
  secure: string,
): Tls | undefined {
  if (scheme !== secure) {
    if ((ca ?? cert ?? key) !== undefined) throw usage(`ca, cert and key are for ${secure}://`)
    return undefined
  }
  if ((cert === undefined) !== (key === undefined)) throw usage('cert and key belong together')
  return { ca: fileOf('ca', ca), cert: fileOf('cert', cert), key: fileOf('key', key) }
}

/** Milliseconds of a parameter in seconds, such as `10` or `0.5s`. */
export function secondsIn(name: string, text: string): number {
  const value = Number(/^(\d+(?:\.\d+)?)s?$/.exec(text)?.[1])
  if (!(value >= 0.1 && value <= mostSeconds)) throw usage(`${name} is seconds from 0.1 to ${mostSeconds}`)
  return value * 1000
}

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/

/** Whether what is sent to the host stays on this machine. */
export const isLoopback = (host: string): boolean => loopback.test(host)

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw usage('a % in it is not percent-encoded')
  }
}

/** Throws `CONFIG_INVALID`. */
export function fileOf(name: string, path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path)
  } catch (cause) {
    const why = (cause as Error).message
    throw new LadingError('CONFIG_INVALID', `the ${name} of the queue URL cannot be read: ${why}`, { cause })
  }
}
