/**
 * What the page asks for and has done, as anybody may ask for it: what is answered, in what time, and what is
 * refused.
 */
import { request } from 'node:http'
import { describe, expect, it, vi } from 'vitest'
import { openQueue } from '../../src/queue/registry.ts'
import type { KeptAnswer } from '../../src/web/answers.ts'
import { mostEditBytes } from '../../src/web/edit.ts'
import { Folder, header, record, records } from '../cli/run.ts'
import { type Site, startSite } from './site.ts'

const token = 'a-token-of-some-length'
const env = { LADING_HTTP_TOKEN: token }
const bad = (n: number) => `2021-01-01T00:00:00Z,${n % 2 === 0 ? 'even' : 'odd'},bad${n}\n`

async function get<Answer = Record<string, unknown>>(
  { url }: Site,
  path: string,
): Promise<{ status: number; body: Answer }> {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } })
  const text = await response.text()
  const isJson = response.headers.get('content-type') === 'application/json'
  return { status: response.status, body: (isJson ? JSON.parse(text) : text) as Answer }
}

interface Change {
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly method?: string
  readonly body?: string
}

/** Everything as the page sends it, but for what is given. */
async function post(
  { url }: Site,
  path: string,
  { headers = {}, method = 'POST', body = '{"ids":[1]}' }: Change = {},
) {
  const wanted = {
    authorization: `Bearer ${token}`,
    origin: url,
    'lading-page': '1',
    'content-type': 'application/json',
    ...headers,
  }
  const sent = Object.entries(wanted).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const response = await fetch(`${url}${path}`, {
    method,
    headers: sent,
    ...(method === 'POST' ? { body } : {}),
  })
  return { status: response.status, body: await response.text() }
}

interface List {
  readonly items: readonly { readonly id: number; readonly code: string; readonly detail: string }[]
  readonly next?: number
}

/** Follows a search to its end. */
async function all(site: Site, path: string): Promise<number[]> {
  const ids: number[] = []
  for (let after: number | undefined = 0; after !== undefined;) {
    const { body }: { body: List } = await get<List>(site, `${path}&after=${after}`)
    ids.push(...body.items.map(({ id }) => id))
    after = body.next
  }
  return ids
}

describe.concurrent('what the page asks for', () => {
  it('are rejects a hundred at a time, by load, code, column and text; and one of them with its record', async () => {
    const csv =
      header + Array.from({ length: 250 }, (_, n) => bad(n + 1)).join('') + 'yesterday,a,1\n' + record(1)
    await using folder = await Folder.make({ 'a.csv': csv })
    expect((await folder.lading('load', 'a.csv', '--allow-rejects')).code).toBe(0)
    await using site = await startSite(folder, ['consume'], env)
    const { body: first } = await get<List>(site, '/api/rejects')
    expect(first).toMatchObject({ items: { length: 100 }, next: 100 })
    expect((await get<List>(site, '/api/rejects?after=200')).body).toMatchObject({ items: { length: 51 } })
    expect(await all(site, '/api/rejects?column=record_time')).toEqual([251])
    expect(await all(site, '/api/rejects?search=ODD')).toHaveLength(125)
    expect(await all(site, '/api/rejects?search=a.csv:3')).toContain(2)
    const code = first.items[0]?.code
    expect(await all(site, `/api/rejects?code=${code}&search=bad25`)).toEqual([25, 250])
    expect(await all(site, '/api/rejects?load=00000000-0000-0000-0000-000000000000')).toEqual([])
    const { body: one } = await get<KeptAnswer>(site, '/api/rejects/7')
    expect(one).toMatchObject({
      id: 7,
      place: 'a.csv:8',
      code,
      column: 'value',
      meaning: expect.any(String),
      advice: expect.any(String),
    })
    expect(one.record?.text).toMatchObject({ fault: 'bad7' })
    expect((await get(site, '/api/rejects/7/file')).body).toBe('2021-01-01T00:00:00Z,odd,bad7')
    for (const path of [
      '/api/rejects/0',
      '/api/rejects/999',
      '/api/rejects/x',
      '/api/rejects/1/2',
      '/api/rejects/999/file',
      '/api/dead/1',
    ])
      expect((await get(site, path)).status, path).toBe(404)
    for (const query of [
      'load=1',
      'code=NO_SUCH',
      'state=dead',
      'code=__proto__',
      'after=-1',
      'after=x',
      `search=${'x'.repeat(201)}`,
    ])
      expect((await get(site, `/api/rejects?${query}`)).status, query).toBe(400)
    expect((await get(site, '/api/reasons?load=1')).status).toBe(400)
    for (const query of ['state=dead', 'after=x', `search=${'x'.repeat(201)}`])
      expect((await get(site, `/api/loads?${query}`)).status, query).toBe(400)
    for (const path of ['/api/loads/x', '/api/loads/00000000-0000-0000-0000-000000000000'])
      expect((await get(site, path)).status, path).toBe(404)
    expect((await get(site, '/api/loads')).body).toMatchObject({
      items: [
        {
          source: 'a.csv',
          records: 252,
          loaded: 1,
          rejected: 251,
          open: 0,
          problems: [],
          outcome: 'rejects',
        },
      ],
    })
  })

  it('are those of the own pipeline alone', async () => {
    await using folder = await Folder.make({ 'a.csv': header + bad(1) })
    for (const pipeline of ['mine', 'theirs']) {
      await folder.lading('produce', 'a.csv', '--pipeline', pipeline, '--again')
      await folder.lading('consume', '--pipeline', pipeline, '--until-empty')
    }
    await using site = await startSite(folder, ['consume', '--pipeline', 'theirs'], env)
    expect(await all(site, '/api/rejects?')).toEqual([2])
    expect((await get(site, '/api/rejects/1')).status).toBe(404)
    expect((await get(site, '/api/loads')).body).toMatchObject({ items: [{ pipeline: 'theirs' }] })
  })

  it('is nothing of a database that nobody else sees', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    await using site = await startSite(folder, ['consume', '--to', 'sqlite::memory:'], env)
    for (const path of ['/api/loads', '/api/rejects', '/api/dead'])
      expect((await get(site, path)).status).toBe(404)
    expect((await get(site, '/api/snapshot')).status).toBe(200)
  })

  it('is told as an error where the database does not answer, without its password, and the run goes on', async () => {
    await using folder = await Folder.make()
    const to = 'postgresql://me:hunter2@127.0.0.1:1/db'
    await using site = await startSite(folder, ['consume', '--to', to, '--start-timeout', '60'], env)
    const { status, body } = await get(site, '/api/rejects')
    expect({ status, body }).toMatchObject({
      status: 503,
      body: { code: 'SINK_UNAVAILABLE', advice: expect.any(String) },
    })
    expect(JSON.stringify(body)).not.toContain('hunter2')
    expect((await get(site, '/api/snapshot')).status).toBe(200)
  })

  it('comes as a stream of snapshots, whose last one tells how the run ended', async () => {
    await using folder = await Folder.make({ 'a.csv': records(3) })
    await using site = await startSite(folder, ['consume'], env)
    await folder.lading('produce', 'a.csv')
    const listen = (more: RequestInit = {}) =>
      fetch(`${site.url}/api/events`, { headers: { authorization: `Bearer ${token}` }, ...more })
    const response = await listen()
    expect(await (await listen({ method: 'HEAD' })).text()).toBe('')
    // No more than sixteen at once; whoever leaves makes room.
    const others = new AbortController()
    const leaving = { signal: others.signal }
    await Promise.all(Array.from({ length: 15 }, () => listen(leaving)))
    expect((await listen()).status).toBe(503)
    others.abort()
    const next = new AbortController()
    await vi.waitFor(async () => expect((await listen({ signal: next.signal })).status).toBe(200))
    next.abort()
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    let text = ''
    const read = (async () => {
      for await (const piece of response.body as AsyncIterable<Uint8Array>)
        text += Buffer.from(piece).toString()
    })()
    await vi.waitFor(() => expect(text).toMatch(/^data: \{"at":.*"loaded":3,/m), { timeout: 10_000 })
    expect(await site.end()).toBe(0)
    await read
    expect(text).toMatch(/\n\nevent: bye\ndata:\n\n$/)
  })
})

describe.concurrent('what is changed', () => {
  it('is changed by a page of the server alone, with the token, by POST, as JSON', async () => {
    await using folder = await Folder.make()
    {
      await using queue = await openQueue(`embedded:${folder.at('.lading/queue.db')}`)
      await queue.publish([
        {
          key: '',
          body: Buffer.from('{"record_time":"2021-01-01T00:00:00Z","sensor_id":"a","value":1}'),
          headers: {},
        },
      ])
    }
    await folder.lading('consume', '--until-empty')
    await using site = await startSite(folder, ['consume', '--dedup-key', 'content'], env)
    const path = '/api/dead/replay'
    const refusals: [number, Change][] = [
      [401, { headers: { authorization: undefined } }],
      [401, { headers: { authorization: 'Bearer wrong' } }],
      [403, { headers: { origin: undefined } }],
      [403, { headers: { origin: 'http://evil.example' } }],
      [403, { headers: { origin: 'null' } }],
      [403, { headers: { origin: site.url.replace(/\d+$/, '1') } }],
      [403, { headers: { 'lading-page': undefined } }],
      [400, { headers: { 'content-type': 'text/plain' } }],
      [400, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
      [400, { body: '{"ids":["1"]}' }],
      [400, { body: '{"ids":[]}' }],
      [400, { body: '{"ids":[1.5]}' }],
      [400, { body: `{"ids":[${Array.from({ length: 101 }, (_, n) => n + 1).join()}]}` }],
      [400, { body: 'ids=1' }],
      [400, { body: 'null' }],
      [400, { body: `{"ids":[1],"more":"${'x'.repeat(20_000)}"}` }],
    ]
    for (const [status, change] of refusals)
      expect(await post(site, path, change), JSON.stringify(change)).toMatchObject({ status })
    // Of this path there is nothing to get; what follows api/dead/ is the number of a letter.
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS'])
      expect((await post(site, path, { method })).status, method).toBe(405)
    expect(folder.rows()).toBe(0)
    expect(await post(site, path)).toEqual({
      status: 200,
      body: '[{"id":1,"outcome":"replayed","detail":"loaded 1, rejected 0, skipped 0"}]',
    })
    expect(folder.rows()).toBe(1)
    expect((await post(site, path, { body: '{"ids":[1,1,2]}' })).body).toMatch(
      /^\[\{"id":1,"outcome":"duplicate".*\{"id":2,"outcome":"gone"/,
    )
    expect(folder.rows()).toBe(1)
  })

  it('is also the record of a reject, up to a size', async () => {
    await using folder = await Folder.make({ 'a.csv': header + bad(1) })
    await folder.lading('load', 'a.csv')
    await using site = await startSite(folder, ['consume'], env)
    const { body } = await get<KeptAnswer>(site, '/api/rejects/1')
    const version = body.record?.editing?.version
    const edit = (more: object, change: Change = {}) =>
      post(site, '/api/rejects/edit', { body: JSON.stringify({ id: 1, version, ...more }), ...change })
    const text = record(1).trim()
    expect((await edit({ text }, { headers: { 'lading-page': undefined } })).status).toBe(403)
    expect((await edit({ text }, { headers: { origin: 'http://evil.example' } })).status).toBe(403)
    const wrong = [
      {},
      { text: 1 },
      { text: '\ud800' },
      { text: 'x'.repeat(mostEditBytes + 1) },
      { text: '\u0001'.repeat(mostEditBytes + 4_000) },
      { fields: [[-1, 'x']] },
      { fields: [[0]] },
      { text, version: 1 },
      { text, id: '1' },
    ]
    for (const each of wrong) expect((await edit(each)).status, Object.keys(each).join()).toBe(400)
    expect((await edit({ text, id: 9 })).status).toBe(404)
    expect((await edit({ text, version: 'other' })).status).toBe(409)
    expect((await edit({ text: `"${'\u0001'.repeat(mostEditBytes - 2)}"` })).status).toBe(200)
    expect((await edit({ text })).status).toBe(409)
    const { body: kept } = await get<KeptAnswer>(site, '/api/rejects/1')
    expect((await edit({ text, version: kept.record?.editing?.version })).status).toBe(200)
    expect((await get(site, '/api/rejects/1/file')).body).toBe(text)
    expect((await post(site, '/api/rejects/replay')).body).toContain('replayed')
    expect(folder.rows()).toBe(1)
  })
})

describe.concurrent('the files of the page', () => {
  it('are for everybody and hold nothing of anybody; no path leads out of their folder', async () => {
    await using folder = await Folder.make()
    await using site = await startSite(folder, ['consume'], env)
    const plain = (path: string) =>
      new Promise<number>((resolve, reject) => {
        // Not with fetch, which takes the dots out of a path.
        const asked = request(
          { host: '127.0.0.1', port: new URL(site.url).port, path, agent: false },
          (response) => {
            response.resume()
            resolve(response.statusCode ?? 0)
          },
        )
        asked.on('error', reject)
        asked.end()
      })
    for (const path of ['/', '/main.js', '/page.css', '/icon.svg']) expect(await plain(path), path).toBe(200)
    const out = [
      '/../server.ts',
      '/..%2fserver.ts',
      '/%2e%2e/server.ts',
      '/page/main.js',
      '//etc/passwd',
      '/main.js/',
      '/main.js%00',
      '/.',
      '/index.html',
    ]
    for (const path of out) expect(await plain(path), path).toBe(401)
    const html = await (await fetch(site.url)).text()
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|https?:/)
  })
})
