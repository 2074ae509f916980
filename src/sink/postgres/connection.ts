import pg from 'pg'
import { LadingError } from '../../core/errors.ts'
import { isHost } from '../../core/url.ts'
import { within } from '../../core/wait.ts'
import { sinkError, withoutPassword } from './errors.ts'
import { isOurSession } from './table/foreign-writes.ts'
import { defaultSilentMs, streamOf, watchSilence } from './silence.ts'

/** How long connecting may take before it counts as failed, in milliseconds. */
const connectTimeoutMs = 10_000
/** Milliseconds of silence after which the system probes a connection, and closes it if the peer is gone. */
const keepAliveMs = 30_000
/** How long the server may take to end a session in good order, in milliseconds. */
const endWithinMs = 3_000
/** The last attempt before a deadline must have a chance. */
const leastConnectMs = 1_000

/**
 * What every session sends first. The name is set here, because in the connection's options the URL would
 * override it, and Lading finds its sessions by it. Then the settings that decide how a text is read, so that
 * values of a `custom` type and defaults mean the same whatever a role or database prefers. Two settings
 * stay: `search_path` selects the table of a model without a schema, and `lc_monetary` decides what a stored
 * `money` means.
 */
const sessionSettings = `SET application_name = 'lading';
  SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; SET tcp_user_timeout = '60s';
  SET standard_conforming_strings = on; SET array_nulls = on; SET xmloption = content;
  SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; SET timezone_abbreviations = 'Default';
  SET extra_float_digits = 1; SET bytea_output = 'hex'; ${isOurSession}`

const ownPid = 'SELECT pg_backend_pid() AS pid'

/**
 * One session, made when it is needed and made again after it broke. What runs on it runs one after the
 * other.
 */
export class Connection implements AsyncDisposable {
  /** Host, port and database as the driver reads them from the URL and the environment. */
  readonly place: string
  readonly #config: pg.ClientConfig
  readonly #silentMs: number
  readonly #settings: string
  #client: Promise<pg.Client> | undefined
  #newest: pg.Client | undefined
  #pid: number | undefined
  #hasConnected = false
  #last: Promise<unknown> = Promise.resolve()
  /** Called for each new session, before anything else runs on it. */
  onConnect: ((client: pg.Client) => Promise<void>) | undefined
  /**
   * Called when the server asks to try again, before the caller hears of it; that it fails changes nothing.
   */
  onBusy: ((client: pg.Client) => Promise<void>) | undefined

  /**
   * `silentMs`: how long a statement may bring no answer before the server is asked, over another connection,
   * whether it works on it. `isGuest`: the session keeps the settings that it has, because behind a pooler others may get
   * it afterwards.
   */
  constructor(
    url: string,
    {
      silentMs = defaultSilentMs,
      isGuest = false,
    }: { readonly silentMs?: number | undefined; readonly isGuest?: boolean } = {},
  ) {
    this.#silentMs = silentMs
    this.#settings = isGuest ? ownPid : `${sessionSettings}; ${ownPid}`
    try {
      this.#config = {
        connectionString: withoutAlias(new URL(url)).href,
        connectionTimeoutMillis: connectTimeoutMs,
        keepAlive: true,
        keepAliveInitialDelayMillis: keepAliveMs,
      }
      // Made only to have it read the URL, which the driver does in its own way.
      const client = new pg.Client(this.#config)
      const { host } = client
      // Of a folder it is the path of a socket.
      if (!host.startsWith('/') && !isHost(host))
        throw new LadingError('USAGE', 'the database URL cannot be used: no host has such a name')
      this.place = placeOf(client)
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

  /**
   * Runs `work` alone on the session, made within `connectMs` where it has to be; errors come out as ours. A
   * session that an error may have broken is not used again.
   */
  use<T>(work: (client: pg.Client) => Promise<T>, signal?: AbortSignal, connectMs?: number): Promise<T> {
    const turn = this.#last.then(() => this.#run(work, signal, connectMs))
    this.#last = turn.catch(() => undefined)
    return turn
  }

  async #run<T>(
    work: (client: pg.Client) => Promise<T>,
    signal?: AbortSignal,
    connectMs = connectTimeoutMs,
  ): Promise<T> {
    if (signal?.aborted) throw new LadingError('ABORTED', 'stopped before the database was asked')
    const abort = () => this.#drop()
    signal?.addEventListener('abort', abort, { once: true })
    const connected = this.#client ?? this.#connect(connectMs)
    let lost: LadingError | undefined
    using _ = this.#watch((error) => (lost = error))
    try {
      return await work(await connected)
    } catch (thrown) {
      const error = lost ?? sinkError(thrown, this.#newest?.user)
      if (error.action === 'reconnect' || error.action === 'split') this.#drop()
      if (error.code === 'SINK_BUSY') await this.#client?.then(this.onBusy).catch(() => undefined)
      throw error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  #watch(onLost: (error: LadingError) => void): Disposable {
    const since = performance.now()
    const session = () => this.#newest && { pid: this.#pid, bytesRead: streamOf(this.#newest).bytesRead }
    return watchSilence(session, this.#config, this.#silentMs, (why) => {
      const seconds = Math.round((performance.now() - since) / 1000)
      onLost(new LadingError('SINK_UNAVAILABLE', `PostgreSQL: no answer for ${seconds} s: ${why}`))
      this.#drop()
    })
  }

  #connect(connectMs: number): Promise<pg.Client> {
    // Only the session itself is forgotten: a late error of an old one must not cost the new one.
    const forget = () => {
      if (this.#client === connecting) this.#client = undefined
    }
    const connecting = this.#start(forget, connectMs)
    return (this.#client = connecting)
  }

  async #start(forget: () => void, connectMs: number): Promise<pg.Client> {
    const connectionTimeoutMillis = Math.max(leastConnectMs, Math.min(connectMs, connectTimeoutMs))
    const client = new pg.Client({ ...this.#config, connectionTimeoutMillis })
    this.#newest = client
    this.#pid = undefined
    // A connection that dies between two statements reports it here; the next statement finds out by itself.
    client.on('error', forget)
    try {
      await client.connect()
      const results = [await client.query<{ readonly pid: number }>(this.#settings)].flat()
      this.#pid = results.at(-1)?.rows[0]?.pid
      await this.onConnect?.(client)
      this.#hasConnected = true
      return client
    } catch (error) {
      forget()
      client.end().catch(() => undefined)
      if (this.#hasConnected) throw asAway(error)
      throw client.password === null ? withoutPassword(error) : error
    }
  }

  /**
   * Drops the session, or the attempt to open it, without notice to the server, which rolls back what was
   * open.
   */
  #drop(): void {
    this.#client = undefined
    if (this.#newest !== undefined) streamOf(this.#newest).destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last
    const client = await this.#client?.catch(() => undefined)
    this.#client = undefined
    if (client === undefined) return
    await within(endWithinMs, client.end())
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

/**
 * A database that was there before and refuses connections now (it is being restored, say) is unavailable,
 * not misspelt.
 */
function asAway(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError) || (error.code !== '3D000' && error.code !== '55000')) return error
  return new LadingError('SINK_UNAVAILABLE', `PostgreSQL: ${error.message}`, { cause: error })
}

const defaultPort = 5432

/** A host that is a folder holds a Unix socket. */
function placeOf({ host, port, database = '' }: pg.Client): string {
  const authority = host.includes(':') ? `[${host}]` : encodeURIComponent(host.toLowerCase())
  return `postgresql://${authority}${port === defaultPort ? '' : `:${port}`}/${encodeURIComponent(database)}`
}
