/**
 * `s3://BUCKET/KEY?endpoint=…&region=…&versionId=…` → the object. The key stands as it is, as other tools write
 * it: nothing in it is decoded. What follows the last question mark is options if it has the form of options.
 */
import { LadingError } from '../../core/errors.ts'

/** What is not in the URL is found where the client of AWS always finds it. */
export interface Options {
  readonly endpoint?: string
  readonly region?: string
  readonly style?: 'path' | 'virtual'
  /** Without credentials, as public buckets are read. */
  readonly anonymous?: 'true'
}

export interface Address {
  readonly bucket: string
  readonly key: string
  readonly versionId: string | undefined
  readonly options: Options
}

const names = ['endpoint', 'region', 'style', 'anonymous'] as const
const form = new RegExp(`\\?((?:${[...names, 'versionId'].join('|')})=[^?]*)$`)
const bucketName = /^[a-z0-9][a-z0-9._-]{1,62}$/i

/** Throws `USAGE`. */
export function parseAddress(url: string): Address {
  const rest = url.replace(/^s3:\/\//i, '')
  const stated = form.exec(rest)
  const place = stated === null ? rest : rest.slice(0, stated.index)
  const slash = place.indexOf('/')
  const bucket = slash < 0 ? place : place.slice(0, slash)
  if (!bucketName.test(bucket))
    throw new LadingError('USAGE', 's3://BUCKET/KEY names an object: this URL names no bucket')
  const { versionId, ...options } = optionsOf(stated?.[1] ?? '')
  return { bucket, key: slash < 0 ? '' : place.slice(slash + 1), versionId, options }
}

/** The same address always has the same text, which is parsed to it again. */
export function addressOf({ bucket, key, versionId, options }: Address): string {
  const stated = new URLSearchParams({ ...options, ...(versionId !== undefined && { versionId }) }).toString()
  const place = `s3://${bucket}/${key}`
  // A key that looks as if options ended it is followed by some that say nothing.
  const text = stated === '' && form.test(place) ? 'region=' : stated
  return text === '' ? place : `${place}?${text}`
}

/** What stands between the address of a folder and the path to what is in it. */
const baseOf = ({ key }: Address): string => (key === '' || key.endsWith('/') ? key : `${key}/`)

const version = /\?versionId=([^?&]*)$/

/** The path from a folder to an object in it, with its version; undefined where it lies elsewhere. */
export function pathIn(folder: Address, { bucket, key, versionId, options }: Address): string | undefined {
  const base = baseOf(folder)
  const isElsewhere = bucket !== folder.bucket || options.endpoint !== folder.options.endpoint
  if (isElsewhere || !key.startsWith(base) || version.test(key)) return undefined
  return (
    key.slice(base.length) + (versionId === undefined ? '' : `?versionId=${encodeURIComponent(versionId)}`)
  )
}

/** The object at a path in a folder. The path comes from a message: it says nothing but a key and a version. */
export function addressIn(folder: Address, path: string): Address {
  const stated = version.exec(path)
  const key = baseOf(folder) + path.slice(0, stated?.index)
  const versionId =
    stated === null ? undefined : (new URLSearchParams(stated[0]).get('versionId') ?? undefined)
  return { ...folder, key, versionId }
}

function optionsOf(text: string): Options & { readonly versionId?: string } {
  const found = Object.fromEntries([...new URLSearchParams(text)].filter(([, value]) => value !== ''))
  const unknown = Object.keys(found).find((name) => name !== 'versionId' && !isName(name))
  if (unknown !== undefined)
    throw new LadingError(
      'USAGE',
      `an s3 URL has no option ${unknown}; there are ${names.join(', ')}, versionId`,
    )
  const { endpoint, style, anonymous } = found
  if (endpoint !== undefined && !isEndpoint(endpoint))
    throw new LadingError('USAGE', 'endpoint of an s3 URL is http(s)://HOST, without user and password')
  if (style !== undefined && style !== 'path' && style !== 'virtual')
    throw new LadingError('USAGE', 'style of an s3 URL is path or virtual')
  if (anonymous !== undefined && anonymous !== 'true')
    throw new LadingError('USAGE', 'anonymous of an s3 URL is true')
  return found as ReturnType<typeof optionsOf>
}

const isName = (name: string): boolean => (names as readonly string[]).includes(name)

const isEndpoint = (text: string): boolean => {
  const url = /^https?:\/\/[^/?#@]+(\/[^?#@]*)?$/i.test(text) ? URL.parse(text) : null
  return url !== null
}
