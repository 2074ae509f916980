/** What the HTTP server answers, to whom, and what it refuses. */
import { request, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import {
  isLoopback,
  plain,
  type Route,
  startWeb,
  type WebOptions,
  type WebServer,
} from '../../src/web/server.ts'

const token = 'a-token-of-some-length'
const bearer = { authorization: `Bearer ${token}` }
const page = { 'lading-page': '1' }
const routes: readonly Route[] = [
  { method: 'GET', path: '/all', to: 'all', answer: () => plain(200, 'all') },
  { method: 'GET', path: '/near', to: 'near', answer: () => plain(200, 'near') },
  { method: 'GET', path: '/known', to: 'known', answer: () => plain(200, 'known') },
  { method: 'GET', path: '/fails', to: 'all', answer: () => Promise.reject(new Error('no')) },
]

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** Not with fetch, which sets Host itself. */
function ask(
  url: string,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(`${url}${path}`, { method, headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (data) => (text += String(data)))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      )
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

const started: WebServer[] = []
async function start(more: Partial<WebOptions> = {}): Promise<string> {
  const web = await startWeb({ host: '127.0.0.1', port: 0, token, routes, ...more })
  started.push(web)
  return web.url
}
afterEach(async () => {
  for (const web of started.splice(0)) await web[Symbol.asyncDispose]()
})

describe('on this machine', () => {
  it('some answers need no token, others do, and a path that is not there tells nothing without it', async () => {
    const url = await start()
    const status = async (path: string, headers = {}) => (await ask(url, path, headers)).status
    expect([
      await status('/all'),
      await status('/near'),
      await status('/known'),
      await status('/nothing'),
    ]).toEqual([200, 200, 401, 401])
    expect([await status('/known', bearer), await status('/nothing', bearer)]).toEqual([200, 404])
    expect(await status('/known', { authorization: `Bearer ${token}x` })).toBe(401)
    expect(await status('/known?token=' + token)).toBe(401)
  })

  it('a name that leads here by somebody else is not answered', async () => {
    const url = await start({ names: ['consumer'] })
    const { port } = new URL(url)
    const status = async (host: string) => (await ask(url, '/all', { host })).status
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      'a b',
      '127.0.0.1.evil.example',
      'user@localhost',
    ])
      expect(await status(host), host).toBe(421)
    for (const host of ['localhost', `127.0.0.1:${port}`, '[::1]:80', '10.1.2.3', 'consumer:1', 'CONSUMER'])
      expect(await status(host), host).toBe(200)
  })

  it('every answer forbids frames, foreign scripts, guessing of types and keeping; none allows another origin', async () => {
    const url = await start()
    for (const path of ['/all', '/known', '/nothing']) {
      const { headers } = await ask(url, path, { origin: 'http://evil.example' })
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringMatching(/^default-src 'none';.*frame-ancestors 'none'/),
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      })
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
  })

  it('only what was meant: other methods are refused, HEAD has no body', async () => {
    const url = await start()
    expect(await ask(url, '/all', {}, 'DELETE')).toMatchObject({ status: 405, headers: { allow: 'GET' } })
    expect(await ask(url, '/all', {}, 'HEAD')).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': '4' },
    })
  })

  it('a browser that gives the token once, from a page of the server, is known by a cookie that no script reads', async () => {
    const url = await start()
    const { host } = new URL(url)
    const login = (headers: Record<string, string>) => ask(url, '/login', { ...page, ...headers }, 'POST')
    expect(await login({ origin: url })).toMatchObject({ status: 401 })
    for (const origin of [undefined, 'http://evil.example', `http://evil.example/${host}`, 'null'])
      expect(await login({ ...bearer, ...(origin === undefined ? {} : { origin }) }), origin).toMatchObject({
        status: 403,
      })
    expect(await ask(url, '/login', { ...bearer, origin: url }, 'POST')).toMatchObject({ status: 403 })
    expect((await ask(url, '/login', bearer)).status).toBe(405)
    const { status, headers } = await login({ ...bearer, origin: url })
    const [cookie] = headers['set-cookie'] as string[]
    expect({ status, cookie }).toEqual({
      status: 200,
      cookie: expect.stringMatching(/^lading-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/),
    })
    expect(cookie).not.toContain(token)
    const pair = (cookie as string).split(';')[0] as string
    expect((await ask(url, '/known', { cookie: `a=b; ${pair}` })).status).toBe(200)
    expect((await ask(url, '/known', { cookie: `${pair}x` })).status).toBe(401)
    expect((await ask(url, '/known', { cookie: `${pair.split('=')[0]}=` })).status).toBe(401)
  })

  it('wrong tokens and cookies are turned away after some, and lock out nobody who has the right one', async () => {
    const url = await start()
    const { headers } = await ask(url, '/login', { ...bearer, ...page, origin: url }, 'POST')
    const cookie = (headers['set-cookie'] as string[])[0]?.split(';')[0] as string
    for (let n = 0; n < 10; n++) {
      expect((await ask(url, '/known', { authorization: `Bearer ${n}` })).status).toBe(401)
      expect((await ask(url, '/known', { cookie: `${cookie}${n}` })).status).toBe(401)
    }
    for (const each of [{ authorization: 'Bearer 21' }, { cookie: `${cookie}21` }])
      expect((await ask(url, '/known', each)).status).toBe(429)
    for (const each of [bearer, { cookie }]) expect((await ask(url, '/known', each)).status).toBe(200)
    expect((await ask(url, '/all')).status).toBe(200)
  })

  it.each([
    ['that say nothing', ''],
    ['that never end their request', 'GET /all HTTP/1.1\r\nhost: 127.0.0.1\r\n'],
    ['that have had their answer', 'GET /all HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'],
  ])('a hundred connections %s take no answer from others, and the oldest give way', async (_, sent) => {
    let held: ServerResponse | undefined
    const hold: Route = {
      method: 'GET',
      path: '/hold',
      to: 'all',
      answer: (_request, response) => void (held = response),
    }
    const url = await start({ routes: [...routes, hold] })
    const waiting = ask(url, '/hold')
    await expect.poll(() => held).toBeDefined()
    const sockets: Socket[] = []
    const closed: number[] = []
    for (let n = 0; n < 100; n++) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket
        .resume()
        .on('error', () => undefined)
        .on('close', () => closed.push(n))
      await new Promise((resolve) => socket.once('connect', resolve))
      if (sent !== '') socket.write(sent)
      sockets.push(socket)
    }
    expect((await ask(url, '/all')).status).toBe(200)
    // One of 64 is the one that waits for its answer, another was the question.
    await expect.poll(() => closed.length).toBe(100 - 62)
    expect(closed.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 38 }, (_each, n) => n))
    held?.end('at last')
    expect((await waiting).body).toBe('at last')
    for (const socket of sockets) socket.destroy()
  })

  it('what is too large, or fails, ends that request and no other', async () => {
    const url = await start()
    expect((await ask(url, '/all', { large: 'x'.repeat(20_000) })).status).toBe(431)
    await expect(ask(url, '/fails')).rejects.toThrow(/hang up|reset/)
    expect((await ask(url, '/all', {}, 'GET')).status).toBe(200)
    expect(
      (await ask(url, '/all', { 'content-type': 'text/plain' }, 'POST', 'x'.repeat(100_000))).status,
    ).toBe(405)
  })

  it('ends at once, whoever is still connected', async () => {
    const url = await start()
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    await new Promise((resolve) => socket.once('connect', resolve))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => undefined)
    await started.pop()?.[Symbol.asyncDispose]()
    await closed
    await expect(ask(url, '/all')).rejects.toThrow('ECONNREFUSED')
  })

  it('a port that is taken is an error with its own code', async () => {
    const { port } = new URL(await start())
    await expect(start({ port: Number(port) })).rejects.toMatchObject({
      code: 'HTTP_UNAVAILABLE',
      message: expect.stringContaining('EADDRINUSE'),
    })
  })
})

describe('beyond this machine', () => {
  it('only what is for all is answered without the token', async () => {
    const url = (await start({ host: '0.0.0.0' })).replace('0.0.0.0', '127.0.0.1')
    const status = async (path: string, headers = {}) => (await ask(url, path, headers)).status
    expect([await status('/all'), await status('/near'), await status('/known')]).toEqual([200, 401, 401])
    expect([await status('/near', bearer), await status('/known', bearer)]).toEqual([200, 200])
  })

  it('is every host but those of the loopback', () => {
    expect(['127.0.0.1', '127.8.9.1', '::1', 'localhost'].every(isLoopback)).toBe(true)
    expect(
      ['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'localhost.evil.example', ''].some(isLoopback),
    ).toBe(false)
  })
})
