/** A server of HTTP or HTTPS in this process, with files that a test gives it, and what a test says of their answers. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface HttpFileOptions {
  /** Answers each range with the beginning, as a faulty cache does. */
  readonly isStuck?: boolean
  /** Does not know ranges. */
  readonly isWhole?: boolean
  /** Sends ranges without the size of the whole file. */
  readonly isVague?: boolean
  /** What tells one content from another; nothing does with `none`. */
  readonly mark?: 'etag' | 'time' | 'none'
  /** `USER:PASSWORD`. */
  readonly login?: string
  /** The whole query that is demanded. */
  readonly query?: string
  /** Leads on to another URL. */
  readonly to?: string
}

interface Kept extends HttpFileOptions {
  readonly body: Buffer
}

export interface HttpCall {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly from: number | undefined
  readonly authorization: string | undefined
}

export type HttpTrouble =
  | number
  | { readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | { readonly bytes: number }
  | 'cut'
  | 'half'
  | 'whole'
  | undefined

export class HttpFiles implements AsyncDisposable {
  readonly #files = new Map<string, Kept>()
  readonly #server
  readonly #scheme: string
  readonly calls: HttpCall[] = []
  /**
   * What is done instead of answering: a status, perhaps with headers, a lost connection, one after half of the body or
   * after so many bytes of it, or the whole file where a range is asked for.
   */
  trouble: (call: HttpCall) => HttpTrouble = () => undefined

  private constructor(tls?: { readonly cert: string; readonly key: string }) {
    const serve = (request: IncomingMessage, response: ServerResponse) => this.#serve(request, response)
    this.#server = tls === undefined ? createServer(serve) : createSecureServer(tls, serve)
    this.#scheme = tls === undefined ? 'http' : 'https'
  }

  static async start(tls?: { readonly cert: string; readonly key: string }): Promise<HttpFiles> {
    const files = new HttpFiles(tls)
    await new Promise<void>((resolve) => files.#server.listen(0, '127.0.0.1', resolve))
    return files
  }

  url(path: string): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`
  }

  put(path: string, body: string | Uint8Array, options: HttpFileOptions = {}): void {
    this.#files.set(path, { ...options, body: Buffer.from(body) })
  }

  remove(path: string): void {
    this.#files.delete(path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://any')
    const from = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
    const { authorization } = request.headers
    const call = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.search,
      from: from === null ? undefined : Number(from[1]),
      authorization,
    }
    this.calls.push(call)
    const trouble = this.trouble(call)
    if (trouble === 'cut') return void request.socket.destroy()
    const refuse = (status: number, headers = {}) => void response.writeHead(status, headers).end('no')
    if (typeof trouble === 'number') return refuse(trouble)
    if (typeof trouble === 'object' && 'status' in trouble) return refuse(trouble.status, trouble.headers)
    const file = this.#files.get(url.pathname)
    if (file === undefined || (file.query !== undefined && url.search !== file.query)) return refuse(404)
    const login = file.login === undefined ? undefined : `Basic ${Buffer.from(file.login).toString('base64')}`
    if (login !== undefined && authorization !== login) return refuse(401)
    if (file.to !== undefined) return void response.writeHead(302, { location: file.to }).end()
    this.#answer(response, file, file.isWhole === true || trouble === 'whole' ? null : from, trouble)
  }

  #answer(response: ServerResponse, file: Kept, from: RegExpExecArray | null, trouble: HttpTrouble): void {
    const { body } = file
    const marks = {
      etag: { etag: `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"` },
      time: { 'last-modified': new Date(0).toUTCString() },
      none: {},
    }[file.mark ?? 'etag']
    const start = from === null || file.isStuck === true ? 0 : Number(from[1])
    if (from !== null && start >= body.length)
      return void response.writeHead(416, { ...marks, 'content-range': `bytes */${body.length}` }).end()
    const asked = from === null || from[2] === '' ? body.length : Number(from[2]) + 1 - Number(from[1])
    const end = Math.min(body.length, start + asked)
    const part = body.subarray(start, end)
    const range =
      from === null
        ? {}
        : { 'content-range': `bytes ${start}-${end - 1}/${file.isVague === true ? '*' : body.length}` }
    const length = { 'content-length': part.length }
    response.writeHead(from === null ? 200 : 206, { ...marks, ...range, ...length })
    const most = typeof trouble === 'object' && 'bytes' in trouble ? trouble.bytes : part.length
    const sent = trouble === 'half' ? Math.floor(part.length / 2) : most
    if (sent >= part.length) return void response.end(part)
    response.write(part.subarray(0, sent), () => response.destroy())
  }
}
