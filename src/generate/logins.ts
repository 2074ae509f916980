/**
 * Login events of fictitious users. The same options always give the same messages, and a larger count starts
 * with those of a smaller one. Addresses and device numbers only look real.
 */
import { createHash } from 'node:crypto'
import { LadingError } from '../core/errors.ts'
import { writeAll, writeWhole, writing } from './file.ts'
import { MersenneTwister } from './mersenne-twister.ts'

export interface LoginOptions {
  /** Number of messages, including broken and repeated ones. */
  readonly count: number
  /** A non-negative safe integer. */
  readonly seed: number
  /** Share of messages that no consumer can load, 0 to 1; default 0. */
  readonly broken?: number
  /** Share of messages that repeat an earlier one, including its key, 0 to 1; default 0. */
  readonly duplicates?: number
}

export interface LoginMessage {
  /** A UUID from the seed and the event's number; a repetition has the key of the original event. */
  readonly key: string
  /** One line of JSON; a broken message may be truncated. */
  readonly body: string
  readonly flaw?: Flaw | undefined
  readonly isRepeated: boolean
}

/** How a message is broken. */
export type Flaw = 'shape' | 'cut' | 'locale' | 'version' | 'nested'

interface Login {
  readonly user_id: string
  readonly app_version: string
  readonly device_type: string
  readonly ip: string
  readonly locale: string | null
  readonly device_id: string
}

type User = Omit<Login, 'app_version'>

const devices = ['android', 'iOS', 'android', 'iOS', 'web', 'iPadOS'] as const
const locales = ['en_US', 'de_DE', 'fr_FR', 'pt_BR', 'ja_JP', 'zh_Hant_TW', 'RU', null] as const
const versions = ['2.3.0', '2.3.1', '2.2.0', '2.10.4', '3.0', '1.9.12', '4'] as const
const flaws: readonly Flaw[] = ['shape', 'cut', 'locale', 'version', 'nested']

/** How many of the latest users may return and of the latest messages may repeat; bounds the memory. */
const remembered = 200
/** Share of logins by a returning user. */
const returning = 0.4

/** Throws `USAGE` for a wrong option. */
export function* logins({ count, seed, broken = 0, duplicates = 0 }: LoginOptions): Generator<LoginMessage> {
  if (!Number.isSafeInteger(count) || count < 0)
    throw wrong('the number of messages', count, 'a whole number of 0 or more')
  for (const [what, share] of Object.entries({
    'the share of broken ones': broken,
    'the share of duplicates': duplicates,
  })) {
    if (!(share >= 0 && share <= 1)) throw wrong(what, share, 'a number from 0 to 1')
  }
  const random = new Random(seed)
  const users = new Latest<User>()
  const messages = new Latest<LoginMessage>()
  for (let n = 0; n < count; n++) {
    const earlier = random.chance(duplicates) ? messages.any(random) : undefined
    const message =
      earlier === undefined ? fresh(random, users, { seed, n, broken }) : { ...earlier, isRepeated: true }
    if (earlier === undefined) messages.add(message)
    yield message
  }
}

/**
 * Writes one message per line and returns the file's size in bytes. The file appears complete or not at all.
 */
export async function writeLogins(
  path: string,
  messages: Iterable<LoginMessage>,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<number> {
  return await writeWhole(path, async (file) => {
    let bytes = 0
    let lines = ''
    const flush = async () => {
      if (signal?.aborted)
        throw new LadingError('ABORTED', `generating was stopped before ${path} was complete`)
      const chunk = Buffer.from(lines)
      await writing(path, writeAll(file, chunk))
      bytes += chunk.length
      lines = ''
    }
    for (const { body } of messages) {
      lines += `${body}\n`
      if (lines.length >= 65_536) await flush()
    }
    await flush()
    return bytes
  })
}

function fresh(
  random: Random,
  users: Latest<User>,
  { seed, n, broken }: { seed: number; n: number; broken: number },
): LoginMessage {
  const known = random.chance(returning) ? users.any(random) : undefined
  const user = known ?? userOf(random)
  if (known === undefined) users.add(user)
  const { user_id, ...rest } = user
  const login: Login = { user_id, app_version: random.from(versions), ...rest }
  const flaw = random.chance(broken) ? random.from(flaws) : undefined
  const body = flaw === undefined ? JSON.stringify(login) : spoiled(login, flaw)
  return { key: eventId(seed, n), body, flaw, isRepeated: false }
}

function userOf(random: Random): User {
  return {
    user_id: uuidOf(random.hex()),
    device_type: random.from(devices),
    ip: random.ip(),
    locale: random.from(locales),
    device_id: `${random.digits(3)}-${random.digits(2)}-${random.digits(4)}`,
  }
}

/** Realistic events, each invalid. */
function spoiled(login: Login, flaw: Flaw): string {
  switch (flaw) {
    case 'shape':
      return JSON.stringify({ event: 'heartbeat', sender: login.user_id })
    case 'cut': {
      const text = JSON.stringify(login)
      return text.slice(0, Math.floor(text.length / 2))
    }
    case 'locale':
      return JSON.stringify({ ...login, locale: `${login.locale ?? 'en'}-x-${'unending'.repeat(6)}` })
    case 'version':
      return JSON.stringify({ ...login, app_version: `${login.app_version}.beta` })
    case 'nested': {
      const { device_type, device_id, ...rest } = login
      return JSON.stringify({
        ...rest,
        device_type: { name: device_type, id: device_id },
        device_id: [device_id],
      })
    }
  }
}

const eventId = (seed: number, n: number): string =>
  uuidOf(createHash('sha256').update(`login ${seed} ${n}`).digest('hex'))

/** A UUID of version 8 (custom bits) from the first digits. */
function uuidOf(hex: string): string {
  const variant = '89ab'[Number.parseInt(hex[16] as string, 16) % 4] as string
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

class Random {
  readonly #twister: MersenneTwister

  constructor(seed: number) {
    this.#twister = new MersenneTwister(seed)
  }

  chance(share: number): boolean {
    return this.#twister.random() < share
  }

  below(bound: number): number {
    return Math.floor(this.#twister.random() * bound)
  }

  from<const T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T
  }

  hex(): string {
    return this.#twister.getrandbits128()
  }

  digits(n: number): string {
    return String(this.below(10 ** n)).padStart(n, '0')
  }

  /** Mostly IPv4. */
  ip(): string {
    if (this.chance(0.1))
      return `2001:db8::${this.below(65_536).toString(16)}:${this.below(65_536).toString(16)}`
    return [1 + this.below(223), this.below(256), this.below(256), 1 + this.below(254)].join('.')
  }
}

class Latest<T> {
  readonly #items: T[] = []
  #added = 0

  add(item: T): void {
    this.#items[this.#added++ % remembered] = item
  }

  /** Undefined if there is none yet. */
  any(random: Random): T | undefined {
    return this.#items[random.below(this.#items.length)]
  }
}

const wrong = (what: string, value: number, expected: string): LadingError =>
  new LadingError('USAGE', `${what} must be ${expected}, not ${value}`)
