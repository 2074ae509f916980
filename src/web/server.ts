/** The HTTP server of a run: metrics, health and the page. It never blocks the run's work or its end. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { LadingError } from '../core/errors.ts'
import { Guard } from './guard.ts'

export interface Reply {
  readonly status: number
  readonly type: string
  readonly body: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

export interface Route {
  readonly method: 'GET' | 'POST'
  /** With a slash at the end it matches all paths below. */
  readonly path: string
  /**
   * `all`: any client; `near`: clients on this machine, or with the token; `known`: clients with the token.
   */
  readonly to: 'all' | 'near' | 'known'
  /** Undefined if it writes the response itself, as a stream does. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<Reply | undefined> | Reply | undefined
}

export interface WebOptions {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  readonly token: string
  /** More host names that browsers may use for this server. */
  readonly names?: readonly string[]
  readonly routes: readonly Route[]
}

export interface WebServer extends AsyncDisposable {
  readonly url: string
}

const mostConnections = 64
const mostHeaderBytes = 16 * 1024
const headersWithinMs = 5_000
const requestWithinMs = 10_000
/** How often Node checks connections for these limits; its default is 30 s. */
const checkedEveryMs = 1_000

/** For every answer: our page runs only our own scripts, in no frame, and is never cached. */
const safeHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
} as const

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)

export const json = (value: unknown, status = 200): Reply => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
})
export const plain = (status: number, body: string): Reply => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
})

export async function startWeb({ host, port, token, names = [], routes }: WebOptions): Promise<WebServer> {
  const guard = new Guard(token, [host, ...names])
  // Behind another name there is a proxy, whose requests come from other machines.
  const near = isLoopback(host) && names.length === 0
  const all = [...routes, login(guard)]
  const server = createServer(
    { maxHeaderSize: mostHeaderBytes, connectionsCheckingInterval: checkedEveryMs },
    (request, response) => {
      // A path holds no secret; what follows a question mark may.
      respond(request, response, { guard, near, routes: all }).catch(() => response.destroy())
    },
  )
  limitConnections(server)
  server.headersTimeout = headersWithinMs
  server.requestTimeout = requestWithinMs
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new LadingError('HTTP_UNAVAILABLE', `${host}:${port} cannot be opened: ${cause.message}`, {
          cause,
        }),
      ),
    )
    server.listen(port, host, resolve)
  })
  // v8 ignore next -- as where the machine has no file descriptor left for a connection
  server.on('error', () => undefined)
  // The server must not keep the process alive.
  server.unref()
  const at = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${at.port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

/**
 * Beyond the limit the oldest idle connection is closed, so that idle clients cannot block others. (Node's
 * own limit turns the new one away.)
 */
function limitConnections(server: Server): void {
  const open = new Set<Socket>()
  const idle = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    idle.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      idle.delete(socket)
    })
    const [oldest] = idle
    if (open.size > mostConnections) oldest?.destroy()
  })
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket)
    response.once('close', () => {
      if (open.has(socket)) idle.add(socket)
    })
  })
}

/** A browser gives the token once, and sends the cookie from then on. */
const login = (guard: Guard): Route => ({
  method: 'POST',
  path: '/login',
  to: 'known',
  answer: (request) => ({ ...plain(200, 'welcome'), headers: { 'set-cookie': guard.cookie(request) } }),
})

interface Site {
  readonly guard: Guard
  readonly near: boolean
  readonly routes: readonly Route[]
}

async function respond(request: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  for (const [name, value] of Object.entries(safeHeaders)) response.setHeader(name, value)
  const found = routeOf(request, site)
  const reply = 'answer' in found ? await found.answer(request, response) : found
  if (reply === undefined) return
  const { status, type, body, headers = {} } = reply
  response.writeHead(status, { ...headers, 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
  // Drain an unread body, so that it is not parsed as the next request.
  request.resume()
}

/** The route that answers, or the refusal. */
function routeOf(request: IncomingMessage, { guard, near, routes }: Site): Route | Reply {
  if (!guard.knowsHost(request)) return plain(421, 'unknown host')
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const [path = ''] = (request.url ?? '').split('?')
  const exact = routes.filter((route) => route.path === path)
  const there =
    exact.length > 0
      ? exact
      : routes.filter(
          (route) => route.path.length > 1 && route.path.endsWith('/') && path.startsWith(route.path),
        )
  const route = there.find((each) => each.method === method)
  if (route === undefined && there.length > 0)
    return {
      ...plain(405, 'method not allowed'),
      headers: { allow: there.map((each) => each.method).join(', ') },
    }
  const to = route?.to ?? 'known'
  if (to === 'known' || (to === 'near' && !near)) {
    const known = guard.hasToken(request)
    if (known === undefined) return plain(429, 'too many wrong tokens; wait a minute')
    if (!known) return { ...plain(401, 'a token is needed'), headers: { 'www-authenticate': 'Bearer' } }
  }
  if (route === undefined) return plain(404, 'not found')
  if (route.method !== 'GET' && !guard.isOurs(request)) return plain(403, 'not from a page of this server')
  return route
}
