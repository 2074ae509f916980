/**
 * Access control. Reading needs the token. A foreign page that makes a browser send requests gets nothing,
 * whatever host name it uses for this server.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/**
 * Wrong tokens per address and minute before the answer is 429. A right token always works, because clients
 * may share an address. Its length, at least 16 characters, prevents guessing.
 */
const mostFailures = 20
const failuresKeptMs = 60_000
/** Most addresses whose failures are remembered. */
const mostAddresses = 1_000

/** A foreign page cannot send this header without a CORS preflight, which this server never answers. */
export const pageHeader = 'lading-page'

export class Guard {
  readonly #token: Buffer
  /** The browser's cookie, derived from the token, so that a page reconnects to a restarted server. */
  readonly #session: string
  readonly #hashedSession: Buffer
  readonly #hosts: ReadonlySet<string>
  /** Times of wrong tokens, by client address. */
  readonly #failures = new Map<string, number[]>()

  /** `hosts`: allowed host names, without a port. IP addresses and localhost are always allowed. */
  constructor(token: string, hosts: readonly string[]) {
    this.#token = hashed(token)
    this.#session = createHmac('sha256', token).update('session of a page').digest('base64url')
    this.#hashedSession = hashed(this.#session)
    this.#hosts = new Set(['localhost', ...hosts.map((host) => host.toLowerCase())])
  }

  /**
   * Prevents DNS rebinding: a foreign name that resolves to this server is refused. IP addresses are safe.
   */
  knowsHost({ headers }: IncomingMessage): boolean {
    const host = hostOf(headers.host ?? '')
    return host !== undefined && (isIP(host) !== 0 || this.#hosts.has(host))
  }

  /** Undefined for a wrong token after too many failures. */
  hasToken({ headers, socket }: IncomingMessage): boolean | undefined {
    const cookie = cookieOf(headers.cookie, cookieName(headers))
    const given = /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1]
    if (cookie === undefined && given === undefined) return false
    const isRight =
      (cookie !== undefined && timingSafeEqual(hashed(cookie), this.#hashedSession)) ||
      (given !== undefined && timingSafeEqual(hashed(given), this.#token))
    if (isRight) return true
    const failures = this.#failuresOf(socket.remoteAddress ?? '')
    if (failures.length >= mostFailures) return undefined
    failures.push(Date.now())
    return false
  }

  /** Whether a request comes from our own page; only such requests may change something. */
  isOurs({ headers }: IncomingMessage): boolean {
    const origin = headers.origin === undefined ? undefined : URL.parse(headers.origin)
    const isSameOrigin =
      origin != null && headers.host !== undefined && origin.host === headers.host.toLowerCase()
    return isSameOrigin && headers[pageHeader] !== undefined
  }

  /** The cookie header that gives a browser access. */
  cookie({ headers }: IncomingMessage): string {
    return `${cookieName(headers)}=${this.#session}; HttpOnly; SameSite=Strict; Path=/`
  }

  #failuresOf(address: string): number[] {
    const since = Date.now() - failuresKeptMs
    const recent = (this.#failures.get(address) ?? []).filter((at) => at > since)
    this.#failures.delete(address)
    const [oldest] = this.#failures.keys()
    if (oldest !== undefined && this.#failures.size >= mostAddresses) this.#failures.delete(oldest)
    this.#failures.set(address, recent)
    return recent
  }
}

/** Browsers send a cookie to all ports of a host, so each server needs its own name. */
const cookieName = ({ host = '' }: IncomingHttpHeaders): string => `lading-${/:(\d+)$/.exec(host)?.[1] ?? ''}`

/** The host without its port, in lower case; an IPv6 address without brackets. */
function hostOf(header: string): string | undefined {
  const [, address, name] = /^(?:\[([^\]]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/.exec(header) ?? []
  return (address ?? name)?.toLowerCase()
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  const found = header?.split(';').find((each) => each.trim().startsWith(`${name}=`))
  return found?.trim().slice(name.length + 1)
}

/** Hashes have one length, so that every comparison takes the same time. */
const hashed = (token: string): Buffer => createHash('sha256').update(token).digest()
