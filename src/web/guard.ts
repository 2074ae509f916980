/**
 * Who may ask for what. Whoever reads our pages must have the token; whoever makes a browser ask us from
 * another page must get nothing, whatever name he has led it here by.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/**
 * Wrong tokens from one address that are answered as such within a minute. A right one is always let in:
 * others may share its address. What keeps a token from being guessed is its length, 16 characters at least.
 */
const mostFailures = 20
const failuresKeptMs = 60_000
/** Addresses whose failures are remembered. */
const mostAddresses = 1_000

/** No page of somebody else can send it without asking us first whether it may, which nobody here answers. */
export const pageHeader = 'lading-page'

export class Guard {
  readonly #token: Buffer
  /**
   * What a browser gets for the token: worth as much as that, so that a page finds its way back to a server
   * that was started again.
   */
  readonly #session: string
  readonly #hashedSession: Buffer
  readonly #hosts: ReadonlySet<string>
  /** When a token was wrong, by the address that it came from. */
  readonly #failures = new Map<string, number[]>()

  /**
   * `hosts` are the names, without a port, by which a browser may ask; addresses and localhost are always
   * right.
   */
  constructor(token: string, hosts: readonly string[]) {
    this.#token = hashed(token)
    this.#session = createHmac('sha256', token).update('session of a page').digest('base64url')
    this.#hashedSession = hashed(this.#session)
    this.#hosts = new Set(['localhost', ...hosts.map((host) => host.toLowerCase())])
  }

  /**
   * A name that somebody has made to lead here would let his page read ours; an address cannot be made to.
   */
  knowsHost({ headers }: IncomingMessage): boolean {
    const host = hostOf(headers.host ?? '')
    return host !== undefined && (isIP(host) !== 0 || this.#hosts.has(host))
  }

  /** Undefined for a wrong one where too many were wrong of late. */
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

  /** A request that changes something comes from a page of ours, or it does not count. */
  isOurs({ headers }: IncomingMessage): boolean {
    const origin = headers.origin === undefined ? undefined : URL.parse(headers.origin)
    const isSameOrigin =
      origin != null && headers.host !== undefined && origin.host === headers.host.toLowerCase()
    return isSameOrigin && headers[pageHeader] !== undefined
  }

  /** The header that lets a browser in from now on. */
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

/** Browsers send a cookie to all the ports of a host: each server needs one of its own. */
const cookieName = ({ host = '' }: IncomingHttpHeaders): string => `lading-${/:(\d+)$/.exec(host)?.[1] ?? ''}`

/** Without its port, in lower case, an IPv6 address without brackets. */
function hostOf(header: string): string | undefined {
  const [, address, name] = /^(?:\[([^\]]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/.exec(header) ?? []
  return (address ?? name)?.toLowerCase()
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  const found = header?.split(';').find((each) => each.trim().startsWith(`${name}=`))
  return found?.trim().slice(name.length + 1)
}

/** Of one length whatever was given, so that comparing takes the same time for all. */
const hashed = (token: string): Buffer => createHash('sha256').update(token).digest()
