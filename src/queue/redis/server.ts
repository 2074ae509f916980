/** What a server says of itself, and what that means for what it was given. */
import { LadingError } from '../../core/errors.ts'
import { isLoopback } from '../../core/server-url.ts'
import type { Address } from './address.ts'
import type { Connection } from './connection.ts'

/** Scripts that run while memory is short, and know the rights of a user, came with it. */
const oldestMajor = 7

export interface ServerFacts {
  readonly version: string
  /** As INFO has them. */
  readonly info: Readonly<Record<string, string>>
  /** Undefined where the user may not see it. */
  readonly settings: { readonly appendfsync: string; readonly save: string } | undefined
}

/** Throws `QUEUE_UNAVAILABLE` while the server starts. */
export async function factsOf(connection: Connection): Promise<ServerFacts> {
  const lines = String(await connection.send(['INFO'])).split(/\r?\n/)
  const info = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  )
  // Until then it says of itself that it has no append-only file.
  if (info['loading'] === '1')
    throw new LadingError('QUEUE_UNAVAILABLE', `${connection.where}: the server still loads its data`)
  return { version: info['redis_version'] ?? '', info, settings: await settingsOf(connection) }
}

async function settingsOf(connection: Connection): Promise<ServerFacts['settings']> {
  const [answer] = await connection.sendAll([['CONFIG', 'GET', 'appendfsync', 'save']])
  // Servers of others forbid the command, and hide settings.
  if (!Array.isArray(answer)) return undefined
  const texts = answer.map(String)
  const of = (name: string) => (texts.includes(name) ? texts[texts.indexOf(name) + 1] : undefined)
  const [appendfsync, save] = [of('appendfsync'), of('save')]
  return appendfsync === undefined || save === undefined ? undefined : { appendfsync, save }
}

/** Throws what stands against the server, before anything is written. */
export function requireFit(facts: ServerFacts, address: Address, where: string): void {
  const why = reasonAgainst(facts, address)
  if (why !== undefined) throw new LadingError('QUEUE_REFUSED', `${where}: ${why}`)
}

/** What stands against the server. */
export function reasonAgainst(
  { version, info, settings }: ServerFacts,
  { mayForget }: Address,
): string | undefined {
  if (!(Number.parseInt(version, 10) >= oldestMajor))
    return `it is Redis ${version || 'of an unknown version'}; a queue needs Redis ${oldestMajor}.0 or newer, or Valkey`
  if (info['redis_mode'] === 'sentinel')
    return 'it is a Sentinel, which holds no data and is not asked for its primary; name the primary itself'
  if (info['cluster_enabled'] === '1')
    return 'it is part of a cluster, which is not supported; use a server of its own'
  if (info['role'] === 'slave') return 'it is a replica, which takes no messages; name its primary'
  const policy = info['maxmemory_policy'] ?? ''
  if (policy.startsWith('allkeys'))
    return `it may drop the queue when its memory is full (maxmemory-policy ${policy}); set it to noeviction`
  if (info['aof_enabled'] === '0' && settings?.save === '' && !mayForget)
    return 'it writes nothing to a disk, so its next start loses the queue; set appendonly to yes, or add persistence=none to the URL'
  return undefined
}

/** How the server promises less than a queue should; each one a sentence. */
export function* weaknessesOf(
  { info, settings }: ServerFacts,
  { tls, host }: Pick<Address, 'tls' | 'host'>,
): Generator<string> {
  const lost = 'lading verify shows the records of lost chunks as open'
  if (info['aof_enabled'] !== '1') {
    if (settings?.save === '')
      yield `Redis writes nothing to a disk: what waits in the queue is lost with its process; ${lost}`
    else
      yield `Redis writes only snapshots to its disk: messages since the last one are lost when it fails; ${lost}; appendonly yes keeps them`
  } else if (settings === undefined)
    yield 'Redis does not tell appendfsync to this user: messages of the last seconds may be lost when its machine fails, unless it is always'
  else if (settings.appendfsync !== 'always')
    yield settings.appendfsync === 'everysec'
      ? `Redis writes to its disk once a second: messages of the last two seconds may be lost when its machine fails; ${lost}; appendfsync always keeps them`
      : `Redis leaves it to its system when it writes to its disk: messages of the last half minute may be lost when its machine fails; ${lost}; appendfsync always keeps them`
  if (tls === undefined && !isLoopback(host))
    yield 'redis:// sends the password and all records as plain text; rediss:// encrypts them'
}
