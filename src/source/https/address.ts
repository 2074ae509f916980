/** `https://USER:PASSWORD@HOST/PATH?QUERY` → what is asked for, and how it is named where nothing secret may stand. */
import { LadingError } from '../../core/errors.ts'
import { secretName } from '../../core/url.ts'

export interface Address {
  readonly url: URL
  /** Without what may be secret: for messages, and to be found again. */
  readonly shown: string
  /** Whether something was left out there. */
  readonly isPrivate: boolean
}

/** Stands for what is not shown. */
const leftOut = '***'

/**
 * By the shown URL, for as long as the process lives: what is asked for. A run finds its own sources by their
 * locations, and nothing secret is written down.
 */
const complete = new Map<string, string>()

/** What is left out may be all that tells one file from another: each further URL has a number. */
function shownFor(plain: string, whole: string): string {
  for (let no = 1; ; no++) {
    const shown = no === 1 ? plain : `${plain}#${no}`
    if ((complete.get(shown) ?? whole) === whole) return shown
  }
}

/** Throws `USAGE`, and quotes nothing: a URL that cannot be read may hold a password anywhere. */
export function parseAddress(text: string): Address {
  const url = URL.parse(complete.get(text) ?? text)
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '')
    throw new LadingError('USAGE', 'https://HOST/PATH names a file: this URL cannot be read')
  url.hash = ''
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  for (const name of new Set(url.searchParams.keys()))
    if (secretName.test(name)) shown.searchParams.set(name, leftOut)
  if (shown.href === url.href) return { url, shown: shown.href, isPrivate: false }
  const name = shownFor(shown.href, url.href)
  complete.set(name, url.href)
  return { url, shown: name, isPrivate: true }
}

/** The last part of the path, and that of a folder or a host where there is none. */
export const nameOf = ({ url }: Address): string =>
  decoded(url.pathname.split('/').findLast((part) => part !== '') ?? url.hostname)

/** What is not encoded as it should be is taken as it stands. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const baseOf = (root: string): URL => {
  const { url } = parseAddress(root)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  url.search = ''
  return url
}

/**
 * The path from a folder to the file; undefined where it lies elsewhere, empty where a message cannot name it
 * because it has a query or is secret.
 */
export function pathIn(root: string, { url, isPrivate }: Address): string | undefined {
  const base = baseOf(root)
  if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) return undefined
  return isPrivate || url.search !== '' ? '' : url.pathname.slice(base.pathname.length)
}

/** Throws `USAGE` for what a server would read as another path, or as more than a path. */
export function urlIn(root: string, path: string): string {
  const base = baseOf(root)
  const url = new URL(base)
  url.pathname = base.pathname + path
  if (url.pathname !== base.pathname + path || /%2e|%2f|%5c/i.test(path))
    throw new LadingError('USAGE', 'the path leads elsewhere')
  return url.href
}
