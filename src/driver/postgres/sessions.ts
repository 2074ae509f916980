/** Where sessions come from and where they go: connections of our own, or a pool of the program's. */
import pg from 'pg'
import { LadingError } from '../../core/errors.ts'
import { isHost } from '../../core/url.ts'
import { within } from '../../core/wait.ts'
import { withoutPassword } from './errors.ts'
import { streamOf } from './silence.ts'

/** Milliseconds of silence after which the system probes a connection, and closes it if the peer is gone. */
const keepAliveMs = 30_000
/** How long the server may take to end a session in good order, in milliseconds. */
export const endWithinMs = 3_000

export interface Sessions {
  /** Host, port and database as the driver reads them from the URL and the environment. */
  readonly place: string
  /** The place and the role in it: what one of them may do there, all that have the same may. */
  readonly identity: string
  /** For one more connection, which asks the server about a session that is silent. */
  readonly config: pg.ClientConfig
  /** Others wait for them, so that each is given back as soon as it can be. */
  readonly areShared: boolean
  /** A session that nobody else has until it is given back, made within `connectMs`. */
  take(connectMs: number, signal: AbortSignal): Promise<pg.Client>
  /** `isKept`: it holds what only its end removes: temporary tables, locks. Never throws. */
  giveBack(client: pg.Client, isKept: boolean): Promise<void>
  /** Ends it without notice to the server, which rolls back what was open. */
  drop(client: pg.Client): void
}

export class OwnSessions implements Sessions {
  readonly place: string
  readonly identity: string
  readonly config: pg.ClientConfig
  readonly areShared = false

  constructor(url: string) {
    try {
      this.config = {
        connectionString: withPlainName(withoutAlias(new URL(url))).href,
        keepAlive: true,
        keepAliveInitialDelayMillis: keepAliveMs,
      }
      // Made only to have it read the URL, which the driver does in its own way.
      const client = new pg.Client(this.config)
      const { host } = client
      // Of a folder it is the path of a socket.
      if (!host.startsWith('/') && !isHost(host))
        throw new LadingError('USAGE', 'the database URL cannot be used: no host has such a name')
      this.place = placeOf(client)
      this.identity = identityOf(client)
    } catch (error) {
      if (error instanceof LadingError) throw error
      // What a certificate file is missing may be told; the error of URL holds the whole text, and with it
      // the password.
      const detail =
        error instanceof Error && 'syscall' in error
          ? `: ${error.message}`
          : ': postgresql://user:password@host:port/database'
      throw new LadingError('USAGE', `the database URL cannot be read${detail}`)
    }
  }

  async take(connectionTimeoutMillis: number, signal: AbortSignal): Promise<pg.Client> {
    const client = new pg.Client({ ...this.config, connectionTimeoutMillis })
    const drop = () => this.drop(client)
    signal.addEventListener('abort', drop, { once: true })
    // Until it is connected, it reports here what the caller hears of anyway.
    // v8 ignore next -- the driver does so where the system has no MD5, and the server asks for that
    const ignore = () => undefined
    client.on('error', ignore)
    try {
      await client.connect()
      return client
    } catch (error) {
      void client.end()
      throw client.password === null ? withoutPassword(error) : error
    } finally {
      client.off('error', ignore)
      signal.removeEventListener('abort', drop)
    }
  }

  async giveBack(client: pg.Client): Promise<void> {
    await within(endWithinMs, client.end())
    this.drop(client)
  }

  drop(client: pg.Client): void {
    streamOf(client).destroy()
  }
}

/** What the driver takes for `verify-full`, and warns about on standard error. */
const aliases: readonly (string | null)[] = ['prefer', 'require', 'verify-ca']

function withoutAlias(url: URL): URL {
  const { searchParams } = url
  if (searchParams.get('uselibpqcompat') !== 'true' && aliases.includes(searchParams.get('sslmode')))
    searchParams.set('sslmode', 'verify-full')
  return url
}

/** Signs that the driver leaves encoded in the name of the database, but for ? and #, which would end it. */
const leftEncoded = /%(?:2F|3A|3B|3D|2B|2C|24|26|40)/gi

function withPlainName(url: URL): URL {
  if (/%(?:3F|23)/i.test(url.pathname))
    throw new LadingError(
      'USAGE',
      'the database URL cannot be used: its driver takes no name with a ? or a #',
    )
  url.pathname = url.pathname.replaceAll(leftEncoded, decodeURIComponent)
  return url
}

const defaultPort = 5432

/** A host that is a folder holds a Unix socket. */
export function placeOf({ host, port, database = '' }: pg.Client): string {
  const authority = host.includes(':') ? `[${host}]` : encodeURIComponent(host.toLowerCase())
  return `postgresql://${authority}${port === defaultPort ? '' : `:${port}`}/${encodeURIComponent(database)}`
}

/** With the options that the server is started with for it, which may set another role; the driver's types leave them out. */
export function identityOf(client: pg.Client): string {
  const { options = '' } = (
    client as unknown as { readonly connectionParameters: { readonly options?: string } }
  ).connectionParameters
  return `${placeOf(client)} ${client.user ?? ''} ${options}`
}
