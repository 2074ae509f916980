import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { LadingEvent } from '../../src/core/events.ts'
import { load } from '../../src/load/load.ts'
import { sourceOf } from '../../src/source/registry.ts'
import { HttpFiles } from '../../tooling/servers/http-files.ts'
import { Fixture } from '../support/fixture.ts'
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

/** Loads a URL through a queue in a file; resolves with everything that was told. */
async function loadUrl(fixture: Fixture, url: string): Promise<string> {
  const events: LadingEvent[] = []
  const options = fixture.producing(await fixture.queue(), [url], { onEvent: (event) => events.push(event) })
  await load({ ...options, sink: await fixture.sink() })
  return JSON.stringify(events)
}

it('a file of a server without ranges is loaded, although connections break off', async () => {
  await using fixture = await Fixture.open()
  files.put('/whole.csv', await readFile(await fixture.file(20_000)), { isWhole: true, mark: 'time' })
  let asked = 0
  files.trouble = () => (['half', undefined] as const)[asked++ % 2]
  await loadUrl(fixture, files.url('/whole.csv'))
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
  files.put('/round.csv', '', { to: '/round.csv' })
  const round = sourceOf({ path: files.url('/round.csv'), name: 'round.csv' })
  await expect(round.state()).rejects.toMatchObject({ code: 'SOURCE_REFUSED' })
})

it.each<[number, string]>([
  [403, 'SOURCE_UNREADABLE'],
  [410, 'SOURCE_MISSING'],
  [418, 'SOURCE_REFUSED'],
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
