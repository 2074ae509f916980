/** What an adapter says of its URLs, so that nothing outside its folder has to know its name. */
import { LadingError } from './errors.ts'
import { splitScheme } from './url.ts'

/** What is known of a URL before it is opened, without loading a driver. */
export interface Place {
  /** The local file that the URL names; undefined for a server, and where it names none. */
  readonly file?: string | undefined
  /** Processes that may write at a time: `self` if only the one that opened it can see it at all. */
  readonly writers: 'many' | 'one' | 'self'
}

export interface Address {
  /** Schemes of its URLs, in lower case. */
  readonly schemes: readonly string[]
  /** For help and errors. */
  readonly example: string
  /** `rest`: what follows the colon of the scheme. Never throws: a URL is checked when it is opened. */
  place(rest: string): Place
  /** What becomes of the space of rows that were removed, and what gives it back; only databases say it. */
  space?(rest: string): string
}

/** An address and what opens it, which loads the driver. */
export interface Adapter<Opened, Options = void> extends Address {
  open(url: string, options: Options): Promise<Opened>
}

/** `a, b, or c`. Not by Intl, whose data takes milliseconds to load: every start needs this text. */
export function examplesOf(adapters: readonly Address[]): string {
  const examples = adapters.map(({ example }) => example)
  const last = examples.pop()
  return examples.length < 2 ? [...examples, last].join(' or ') : `${examples.join(', ')}, or ${last}`
}

/** Throws `USAGE`, with nothing of the URL but its scheme: the rest may hold a password. */
export function adapterOf<A extends Address>(adapters: readonly A[], what: string, url: string): A {
  const scheme = splitScheme(url)?.scheme
  const found = adapters.find(({ schemes }) => scheme !== undefined && schemes.includes(scheme))
  if (found !== undefined) return found
  const fault = url === '' ? 'is empty' : 'has no scheme'
  const problem = scheme === undefined ? `the ${what} URL ${fault}` : `no ${what} is known for '${scheme}:'`
  throw new LadingError('USAGE', `${problem}: write ${examplesOf(adapters)}`)
}

/** Anything goes for a URL that no adapter knows: opening it says what is wrong. */
export function placeOf(adapters: readonly Address[], url: string): Place {
  const { scheme = '', rest = '' } = splitScheme(url) ?? {}
  return adapters.find(({ schemes }) => schemes.includes(scheme))?.place(rest) ?? { writers: 'many' }
}
