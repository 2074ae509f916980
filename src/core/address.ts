/** What an adapter says of its URLs, so that nothing outside its folder has to know its name. */
import { LadingError } from './errors.ts'
import { splitScheme } from './url.ts'

/** What is known of a URL before it is opened, without loading a driver. */
export interface Place {
  /** The local file that the URL names; undefined for a server, and where it names none. */
  readonly file?: string | undefined
  /**
   * Processes that may write at a time: `alone` if no other one can even read meanwhile, `self` if only the one that
   * opened it can see it at all.
   */
  readonly writers: 'many' | 'one' | 'alone' | 'self'
  /** Sessions that load fastest on a machine of two or three cores, which the server shares; 2 by default. */
  readonly fastestSessions?: 1 | 2
}

export interface Address {
  /** Schemes of its URLs, in lower case. */
  readonly schemes: readonly string[]
  /** For help and errors. */
  readonly example: string
  /** `rest`: what follows the colon of the scheme. Never throws: a URL is checked when it is opened. */
  place(rest: string): Place
  /** Packages of its driver that do not come with Lading: whoever opens its URLs installs them. */
  readonly packages?: readonly string[]
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

/** Throws what `adapterOf` and the adapter do, and `DRIVER_MISSING` where a package of its driver is not installed. */
export async function openBy<Opened, Options>(
  adapters: readonly Adapter<Opened, Options>[],
  what: string,
  url: string,
  options: Options,
): Promise<Opened> {
  const adapter = adapterOf(adapters, what, url)
  return await withDriver(adapter.schemes[0] as string, adapter.packages, () => adapter.open(url, options))
}

/** Throws what `work` does, and `DRIVER_MISSING` where one of the packages that it imports is not installed. */
export async function withDriver<T>(
  scheme: string,
  packages: readonly string[] | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const missing = packages?.find((name) => isMissing(name, error))
    if (missing === undefined) throw error
    const detail = `${scheme}: needs the package ${missing}, which is installed beside Lading: npm install ${packages?.join(' ')}`
    throw new LadingError('DRIVER_MISSING', detail, { cause: error })
  }
}

/** What Node says of an import whose package is nowhere. */
const isMissing = (name: string, error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  error.code === 'ERR_MODULE_NOT_FOUND' &&
  error.message.startsWith(`Cannot find package '${name}'`)

/** Throws `USAGE`, with nothing of the URL but its scheme: the rest may hold a password. */
function adapterOf<A extends Address>(adapters: readonly A[], what: string, url: string): A {
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
