import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import type { LadingEvent } from '../../src/core/events.ts'
import { load } from '../../src/load/load.ts'
import { loadFiles } from '../../src/load/load-files.ts'
import type { LoadOptions } from '../../src/load/options.ts'
import { useS3 } from '../../tooling/servers/s3.ts'
import { namedSources, openReferences, sourceOf } from '../../src/source/registry.ts'
import { addressOf, parseAddress } from '../../src/source/s3/address.ts'
import { storeError } from '../../src/source/s3/errors.ts'
import { S3Object } from '../../src/source/s3/object.ts'
import { Fixture, numbers } from '../support/fixture.ts'
import { storeContract } from './stores.ts'

const s3 = useS3()
let bucket: string | undefined

const urlOf = (key: string) => `s3://${bucket}/${key}?endpoint=${encodeURIComponent(s3().endpoint)}`

storeContract('S3', () => ({
  put: async (key, body) => s3().put((bucket ??= await s3().bucket()), key, body),
  remove: (key) => s3().remove(bucket as string, key),
  url: urlOf,
  trouble: (what) => {
    s3().trouble = ({ method, from }) => {
      const trouble = method === 'GET' ? what(from) : undefined
      return trouble === 'busy' ? { status: 503, code: 'SlowDown' } : trouble
    }
  },
}))

it.each([
  'a.csv',
  'a b+c%20d?e=f&g.csv',
  'x?region=eu',
  'x?versionId=1&region=eu',
  'ä/ö//.csv',
  '[a]{b}*.csv',
  '#',
])('the key %s is found again by its URL', (key) => {
  for (const versionId of [undefined, 'v/1+2 3'])
    for (const options of [{}, { endpoint: 'http://localhost:9000', style: 'path' as const }]) {
      const address = { bucket: 'bucket', key, versionId, options }
      expect(parseAddress(addressOf(address))).toEqual(address)
    }
})

it.each<[number, string, string, RegExp]>([
  [403, 'AccessDenied', 'SOURCE_UNREADABLE', /may not read it \(s3:GetObject\)/],
  [403, 'InvalidAccessKeyId', 'SOURCE_REFUSED', /InvalidAccessKeyId/],
  [400, 'ExpiredToken', 'SOURCE_REFUSED', /ExpiredToken/],
  [403, 'InvalidObjectState', 'SOURCE_UNREADABLE', /archived: restore it first/],
  [400, 'InvalidRequest', 'SOURCE_UNREADABLE', /InvalidRequest/],
  [404, 'NoSuchBucket', 'SOURCE_MISSING', /there is no such bucket/],
  [404, 'NoSuchVersion', 'SOURCE_MISSING', /there is no such version of the object/],
  [301, 'PermanentRedirect', 'SOURCE_REFUSED', /state it with \?region=/],
])('%i %s is one sentence', async (status, code, expected, sentence) => {
  await s3().put((bucket ??= await s3().bucket()), 'x.csv', 'x')
  s3().trouble = () => ({ status, code })
  const source = sourceOf({ path: urlOf('x.csv'), name: 'x.csv', seen: '1:mark' })
  const error = await source
    .bytes()
    .next()
    .catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: expected, message: expect.stringMatching(sentence) })
  s3().trouble = () => undefined
})

/** Objects in a folder of their own, with the next numbers, ten in each; every third is compressed. */
async function folderOf(fixture: Fixture, folder: string, count: number): Promise<readonly string[]> {
  bucket ??= await s3().bucket()
  const keys = Array.from({ length: count }, (_, n) => `${folder}/${n + 10}.csv${n % 3 === 0 ? '.gz' : ''}`)
  for (const key of keys) {
    const bytes = await readFile(await fixture.file(10))
    await s3().put(bucket, key, key.endsWith('.gz') ? gzipSync(bytes) : bytes)
  }
  return keys
}

it.each([
  ['with a model', 'stated', { model: numbers }],
  ['without one', 'found', { model: undefined, table: { table: 'numbers' } }],
])(
  '%s, small objects are asked for once each and sixteen at a time, and loaded in the order of their names',
  async (_, folder, what) => {
    await using fixture = await Fixture.open()
    const keys = await folderOf(fixture, folder, 40)
    const [asked, all]: [string[], PromiseWithResolvers<void>] = [[], Promise.withResolvers()]
    let [waiting, most] = [0, 0]
    s3().trouble = async ({ key }) => {
      if (!key.startsWith(`${folder}/`)) return undefined
      most = Math.max(most, ++waiting)
      if (asked.push(key) === 16) all.resolve()
      await all.promise
      waiting--
      return undefined
    }
    const planned: string[] = []
    const onEvent = (event: LadingEvent) => void (event.type === 'planned' && planned.push(event.source))
    const options = fixture.producing(await fixture.queue(), [urlOf(`${folder}/`)], { onEvent })
    await loadFiles({ ...options, ...what, sink: await fixture.sink() } as LoadOptions)
    s3().trouble = () => undefined
    await fixture.expectAllOnce()
    expect(most).toBe(16)
    expect(asked.toSorted()).toEqual(keys)
    expect(planned).toEqual(keys.map((key) => key.slice(folder.length + 1)))
  },
)

it('of objects that cannot be read, the first by name is told, whichever is answered first', async () => {
  await using fixture = await Fixture.open()
  await folderOf(fixture, 'denied', 8)
  const later = Promise.withResolvers<void>()
  s3().trouble = async ({ key }) => {
    if (key === 'denied/12.csv') await later.promise
    if (key === 'denied/15.csv') later.resolve()
    return /\/1[25]\.csv$/.test(key) ? { status: 403, code: 'AccessDenied' } : undefined
  }
  const options = fixture.producing(await fixture.queue(), [urlOf('denied/')])
  await expect(load({ ...options, sink: await fixture.sink() })).rejects.toMatchObject({
    code: 'SOURCE_UNREADABLE',
    message: expect.stringMatching(/^[^;]*denied\/12\.csv.*cannot be loaded either: .*denied\/15\.csv/),
  })
  s3().trouble = () => undefined
})

it('a message leads to nothing but objects below the root, by the endpoint of the root', async () => {
  await s3().put((bucket ??= await s3().bucket()), 'secret.csv', 'x')
  const root = urlOf('in')
  const references = await openReferences(root)
  const range = { byteStart: 0, bytes: 1, sha256: '0'.repeat(64) }
  s3().calls = []
  for (const path of [
    '../secret.csv',
    '/etc/passwd',
    urlOf('secret.csv'),
    `s3://${bucket}/in/x.csv?endpoint=http://127.0.0.1:1`,
    's3://',
    's3:///',
    'http://127.0.0.1:1/x',
    'ftp://127.0.0.1/x',
    'a\\b',
  ])
    expect(await references.read({ ...range, path }), path).toMatchObject({ code: 'REFERENCE_REFUSED' })
  expect(s3().calls).toEqual([])
  const odd = 'x.csv?endpoint=other'
  expect(await references.read({ ...range, path: odd })).toMatchObject({ code: 'REFERENCE_UNREADABLE' })
  expect(s3().calls.map(({ key }) => key)).toEqual([`in/${odd}`])
})

it.each([
  [
    's3://bucket/x?region=eu&part=1',
    /no option part; there are endpoint, region, style, anonymous, versionId$/,
  ],
  ['s3://bucket/x?endpoint=localhost:9000', /endpoint of an s3 URL is http\(s\):\/\/HOST/],
  ['s3://bucket/x?style=host', /style of an s3 URL is path or virtual$/],
  ['s3://bucket/x?anonymous=yes', /anonymous of an s3 URL is true$/],
  ['s3://bucket/', /s3:\/\/bucket names a bucket and no object$/],
  ['s3:///x', /names no bucket$/],
])('%s is refused', (url, message) => {
  expect(() => new S3Object(parseAddress(url))).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(message) as string }),
  )
})

it.each<[string, number | undefined, string, string, RegExp]>([
  [
    'Error',
    undefined,
    'getaddrinfo ENOTFOUND b.s3.host',
    'SOURCE_UNAVAILABLE',
    /no host b\.s3\.host is known/,
  ],
  ['Gone', 410, 'UnknownError', 'SOURCE_REFUSED', /: Gone \(410\)$/],
  ['TimeoutError', undefined, '', 'SOURCE_UNAVAILABLE', /: TimeoutError$/],
])('what the client says by %s (%j) is one sentence', (name, status, message, code, sentence) => {
  const thrown = Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } })
  expect(storeError(thrown, 's3://b/x')).toMatchObject({ code, message: expect.stringMatching(sentence) })
})

it('a bucket that anybody may read is read without credentials, wherever no region is stated', async () => {
  await s3().put((bucket ??= await s3().bucket()), 'open.csv', 'id,note\n')
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env
  delete process.env['AWS_REGION']
  delete process.env['AWS_DEFAULT_REGION']
  s3().calls = []
  const open = new S3Object(parseAddress(`${urlOf('open.csv')}&anonymous=true`))
  expect((await open.facts()).size).toBe(8)
  Object.assign(process.env, {
    ...(AWS_REGION && { AWS_REGION }),
    ...(AWS_DEFAULT_REGION && { AWS_DEFAULT_REGION }),
  })
  expect(s3().calls.map(({ headers }) => headers.authorization)).toEqual([undefined])
})

it('whatever the keys in a folder are, the objects are found by them', async () => {
  const names = ['a b+c%20d.csv', 'é&<"x">\'.csv', 'under\u0001neath.csv', '日本.csv']
  for (const name of names) await s3().put((bucket ??= await s3().bucket()), `odd/${name}`, name)
  const found = await namedSources([urlOf('odd/')], ['csv'])
  expect([...found].map(({ name }) => name)).toEqual(names.toSorted())
})

it('a folder and a pattern need the right to list, of which the error tells', async () => {
  await s3().put((bucket ??= await s3().bucket()), 'listed/x.csv', 'x')
  s3().trouble = ({ key }) => (key === '' ? { status: 403, code: 'AccessDenied' } : undefined)
  for (const path of ['listed/', 'listed/*.csv'])
    await expect(namedSources([urlOf(path)], ['csv'])).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: expect.stringContaining('may not list the bucket (s3:ListBucket)'),
    })
  s3().trouble = () => ({ status: 400, code: 'InvalidAccessKeyId' })
  await expect(namedSources([urlOf('listed/x.csv')], ['csv'])).rejects.toMatchObject({
    code: 'SOURCE_REFUSED',
  })
  s3().trouble = () => undefined
})

it('a region that is none is told each time that it is asked for', async () => {
  const object = () => new S3Object(parseAddress('s3://bucket/x?region=no%20region'))
  for (const _ of [1, 2])
    await expect(object().facts()).rejects.toMatchObject({
      code: 'SOURCE_REFUSED',
      message: expect.stringContaining('region'),
    })
})
