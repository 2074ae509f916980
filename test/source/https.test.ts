import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import type { LadingError } from '../../src/core/errors.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import { load } from '../../src/load/load.ts'
import { produce } from '../../src/producer/produce.ts'
import { maxReferenceBytes } from '../../src/core/load.ts'
import { lost } from '../../src/source/https/errors.ts'
import { HttpFile } from '../../src/source/https/file.ts'
import { openReferences, sourceOf } from '../../src/source/registry.ts'
import { readOn } from '../../src/source/remote-file.ts'
import { HttpFiles, type HttpFileOptions, type HttpTrouble } from '../../tooling/servers/http-files.ts'
import { Fixture } from '../support/fixture.ts'
import { numbers } from '../support/model.ts'
import { storeContract } from './stores.ts'

let files: HttpFiles
beforeAll(async () => {
  files = await HttpFiles.start()
})
afterAll(() => files[Symbol.asyncDispose]())

storeContract('a server of HTTP', () => ({
  put: async (path, body) => files.put(`/${path}`, body),
  remove: async (path) => files.remove(`/${path}`),
  url: (path) => files.url(`/${path}`),
  trouble: (what) => {
    files.trouble = ({ from }) => {
      const trouble = what(from)
      return trouble === 'busy' ? 503 : trouble
    }
  },
}))

/** Loads URLs through a queue in a file; resolves with everything that was told. */
async function loadUrls(fixture: Fixture, urls: readonly string[]): Promise<string> {
  const events: LadingEvent[] = []
  const options = fixture.producing(await fixture.queue(), urls, { onEvent: (event) => events.push(event) })
  await load({ ...options, sink: await fixture.sink() })
  return JSON.stringify(events)
}

const loadUrl = (fixture: Fixture, url: string): Promise<string> => loadUrls(fixture, [url])

/** One after the other, again and again. */
const alternating = (...troubles: readonly HttpTrouble[]): (() => HttpTrouble) => {
  let asked = 0
  return () => troubles[asked++ % troubles.length]
}

it('a file of a server without ranges is loaded, although connections break off', async () => {
  await using fixture = await Fixture.open()
  files.put('/whole.csv', await readFile(await fixture.file(20_000)), { isWhole: true, mark: 'time' })
  const broken = alternating('half', undefined)
  let streams = 0
  files.trouble = ({ from }) => {
    // The first question, for a byte, says that there are no ranges.
    if (from !== undefined) return undefined
    streams++
    return broken()
  }
  await loadUrl(fixture, files.url('/whole.csv'))
  expect(streams).toBeGreaterThan(2)
  files.trouble = () => undefined
  await fixture.expectAllOnce()
})

it('a login and a signature open a file, and are neither told nor kept', async () => {
  await using fixture = await Fixture.open()
  const secret = 'canary-5f2c'
  const options = { login: `me:${secret}`, query: `?X-Amz-Signature=${secret}&part=1` }
  files.put('/private.csv', await readFile(await fixture.file(20_000)), options)
  const url = files.url(`/private.csv${options.query}`)
  const told = await loadUrl(fixture, url.replace('://', `://me:${secret}@`))
  await fixture.expectAllOnce()
  expect(told).toContain('private.csv')
  expect(told).not.toContain(secret)
  for (const name of await readdir(fixture.folder))
    expect((await readFile(join(fixture.folder, name))).includes(secret), name).toBe(false)
  const refused = loadUrl(fixture, url.replace('://', `://me:${secret}x@`))
  await expect(refused).rejects.toMatchObject({
    code: 'SOURCE_REFUSED',
    message: expect.not.stringContaining(secret),
  })
})

it('a redirection is followed, without the login where it leads elsewhere, and not for ever', async () => {
  await using other = await HttpFiles.start()
  other.put('/there.csv', 'id,note\n1,a\n')
  files.put('/here.csv', '', { to: other.url('/there.csv'), login: 'me:secret' })
  const url = files.url('/here.csv').replace('://', '://me:secret@')
  const pieces: Buffer[] = []
  for await (const piece of sourceOf({ path: url, name: 'here.csv' }).bytes()) pieces.push(piece)
  expect(Buffer.concat(pieces).toString()).toBe('id,note\n1,a\n')
  expect(other.calls.map(({ authorization }) => authorization)).toEqual(other.calls.map(() => undefined))
  files.put('/away.csv', '', { to: 'ftp://127.0.0.1/there.csv' })
  await expect(new HttpFile(files.url('/away.csv')).facts()).rejects.toMatchObject({
    code: 'SOURCE_UNREADABLE',
    message: expect.stringContaining('leads on to what is not https'),
  })
  files.put('/round.csv', '', { to: '/round.csv' })
  const round = sourceOf({ path: files.url('/round.csv'), name: 'round.csv' })
  await expect(round.state()).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' })
})

it.each<[number, string]>([
  [403, 'SOURCE_UNREADABLE'],
  [410, 'SOURCE_MISSING'],
  [401, 'SOURCE_REFUSED'],
  [405, 'SOURCE_UNREADABLE'],
  [501, 'SOURCE_UNREADABLE'],
])('status %i is %s', async (status, code) => {
  files.put('/x.csv', 'x')
  files.trouble = () => status
  const source = sourceOf({ path: files.url('/x.csv'), name: 'x.csv' })
  await expect(source.state()).rejects.toMatchObject({
    code,
    message: expect.stringContaining(files.url('/x.csv')),
  })
  files.trouble = () => undefined
})

it('a chunk of a file that its server never reads out becomes a dead letter: nobody waits for it', async () => {
  await using fixture = await Fixture.open()
  files.put('/kept.csv', await readFile(await fixture.file(100)))
  const [queue, sink, root] = [await fixture.queue(), await fixture.sink(), files.url('')]
  await produce({ ...fixture.producing(queue, [`${root}/kept.csv`]), carry: 'reference', root })
  files.trouble = () => 405
  const consumer = createConsumer({ queue, sink, model: numbers, root })
  expect(await consumer.run({ untilEmpty: true })).toMatchObject({ deadMessages: 1 })
  files.trouble = () => undefined
})

it('a pattern, and a URL that cannot be read, are refused', async () => {
  await using fixture = await Fixture.open()
  for (const url of [files.url('/*.csv'), 'https://'])
    await expect(loadUrl(fixture, url)).rejects.toMatchObject({ code: 'USAGE' })
})

it('bytes from elsewhere in the file than was asked for are refused, and nothing of it is loaded', async () => {
  await using fixture = await Fixture.open()
  files.put('/stuck.csv', await readFile(await fixture.file(200_000)), { isStuck: true })
  await expect(loadUrl(fixture, files.url('/stuck.csv'))).rejects.toMatchObject({
    code: 'SOURCE_UNREADABLE',
    message: expect.stringContaining('from elsewhere in the file'),
  })
})

it('a compressed file of a server without ranges is loaded', async () => {
  await using fixture = await Fixture.open()
  files.put('/whole.csv.gz', gzipSync(await readFile(await fixture.file(20_000))), { isWhole: true })
  await loadUrl(fixture, files.url('/whole.csv.gz'))
  await fixture.expectAllOnce()
})

it('two files that only a secret of their URLs tells apart are both loaded', async () => {
  await using fixture = await Fixture.open()
  const bodies = [await readFile(await fixture.file(10)), await readFile(await fixture.file(20))]
  await using other = await HttpFiles.start()
  other.trouble = ({ query }) => {
    other.put('/file.csv', bodies[query === '?fileKey=1' ? 0 : 1] as Buffer)
    return undefined
  }
  await loadUrls(fixture, [other.url('/file.csv?fileKey=1'), other.url('/file.csv?fileKey=2')])
  await fixture.expectAllOnce()
})

it.each<[string, HttpFileOptions, () => HttpTrouble]>([
  ['does not say how long a file is', { isVague: true }, () => undefined],
  ['breaks off each answer after 100 KB', {}, () => ({ bytes: 100_000 })],
  ['sends the whole file now and then where a range is asked for', {}, alternating('whole', undefined)],
])('a file of a server that %s is loaded', async (_, options, trouble) => {
  await using fixture = await Fixture.open()
  files.put('/odd.csv', await readFile(await fixture.file(80_000)), options)
  files.trouble = trouble
  await loadUrl(fixture, files.url('/odd.csv'))
  files.trouble = () => undefined
  await fixture.expectAllOnce()
})

it('a file that is said to have no bytes, without a word of its size, is not taken for an empty one', async () => {
  files.put('/none.csv', 'id,note\n1,a\n')
  files.trouble = ({ from }) => (from === undefined ? undefined : 416)
  const source = sourceOf({ path: files.url('/none.csv'), name: 'none.csv' })
  expect(await source.size()).toBe(12)
  files.trouble = () => undefined
})

it('a server that asks for a pause gets it, of a minute at most', async () => {
  const file = new HttpFile(files.url('/busy.csv'))
  files.put('/busy.csv', 'x')
  const after = async (value: string) => {
    files.trouble = () => ({ status: 503, headers: { 'retry-after': value } })
    return await file.facts().catch((error: unknown) => (error as LadingError).afterMs)
  }
  expect(await after('7')).toBe(7_000)
  expect(await after('86400')).toBe(60_000)
  expect(await after(new Date(Date.now() + 3_600_000).toUTCString())).toBe(60_000)
  expect(await after('soon')).toBe(undefined)
  files.trouble = () => undefined
})

it('a server that sends the whole file for a range has changed it, or too much of it, or gives the range all the same', async () => {
  const file = new HttpFile(files.url('/cut.csv'))
  const put = (body: string | Buffer) => files.put('/cut.csv', body)
  put('0123456789')
  const { state } = await file.facts()
  files.trouble = () => 'whole'
  expect((await file.read({ at: 3, bytes: 4, state })).bytes.toString()).toBe('3456')
  put('9876543210')
  await expect(file.read({ at: 3, bytes: 4, state })).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
  put(Buffer.alloc(8 * 1024 * 1024 + 1))
  await expect(file.read({ at: 3, bytes: 4, state })).rejects.toMatchObject({
    code: 'SOURCE_UNAVAILABLE',
    message: expect.stringContaining('sends the whole file instead of the range'),
  })
  files.trouble = () => undefined
})

it('a file of a server without ranges that changes before it is read is not read', async () => {
  files.put('/moved.csv', 'id,note\n1,a\n', { isWhole: true })
  const file = new HttpFile(files.url('/moved.csv'))
  const { state } = await file.facts()
  files.put('/moved.csv', 'id,note\n2,b\n', { isWhole: true })
  await expect(file.stream(state).next()).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
})

it('what a server has no byte of, although its file is said to have some, is waited for', async () => {
  files.put('/short.csv', '0123456789', { mark: 'time' })
  const headers = { 'content-range': 'bytes */10', 'last-modified': new Date(0).toUTCString() }
  files.trouble = ({ from }) => (from === 0 ? { bytes: 4 } : { status: 416, headers })
  await expect(readOn(new HttpFile(files.url('/short.csv')), { at: 0, bytes: 10 })).rejects.toMatchObject({
    code: 'SOURCE_UNAVAILABLE',
    message: expect.stringContaining('no byte came from 4 on'),
  })
  files.trouble = () => undefined
})

it.each<[string, string, string, RegExp]>([
  ['ENOTFOUND', 'getaddrinfo ENOTFOUND x', 'SOURCE_REFUSED', /no host has this name$/],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'm', 'SOURCE_REFUSED', /is not trusted \(SELF_SIGNED_CERT_IN_CHAIN\)/],
  ['ECONNRESET', 'aborted', 'SOURCE_UNAVAILABLE', /the connection broke off$/],
  ['ECONNREFUSED', 'connect ECONNREFUSED', 'SOURCE_UNAVAILABLE', /connect ECONNREFUSED$/],
])('no answer because of %s (%s) is %s', (code, message, expected, told) => {
  const error = lost(Object.assign(new Error(message), { code }), 'https://host/x')
  expect(error).toMatchObject({ code: expected, message: expect.stringMatching(told) })
})

it('a message that refers to too many bytes, or to others than were planned, has none', async () => {
  files.put('/in/x.csv', 'id,note\n1,a\n')
  const references = await openReferences(files.url('/in'))
  const range = { path: 'x.csv', byteStart: 0, bytes: 4, sha256: '0'.repeat(64) }
  expect(await references.read(range)).toMatchObject({ code: 'CHECKSUM' })
  expect(await references.read({ ...range, bytes: 20 })).toMatchObject({ code: 'CHECKSUM' })
  expect(await references.read({ ...range, bytes: maxReferenceBytes + 1 })).toMatchObject({
    code: 'REFERENCE_REFUSED',
    detail: expect.stringContaining('at most are allowed'),
  })
  await references.close()
})

it('a file that is not there has no size, and one that may not be read tells why', async () => {
  const size = (path: string) => sourceOf({ path: files.url(path), name: 'x.csv' }).size()
  expect(await size('/nowhere.csv')).toBe(0)
  files.put('/closed.csv', 'x', { login: 'me:secret' })
  await expect(size('/closed.csv')).rejects.toMatchObject({ code: 'SOURCE_REFUSED' })
})

it('ranges that follow one another are read ahead, each byte once', async () => {
  const body = Buffer.alloc(40 * 1024 * 1024, 'abcdefg')
  files.put('/large.csv', body)
  await using ranges = await sourceOf({ path: files.url('/large.csv'), name: 'large.csv' }).ranges()
  const into = Buffer.alloc(1024 * 1024)
  let at = 0
  for (let read = -1; read !== 0; at += read) {
    read = (await ranges?.read(into, at)) ?? 0
    expect(into.subarray(0, read).equals(body.subarray(at, at + read))).toBe(true)
  }
  expect(at).toBe(body.length)
})
