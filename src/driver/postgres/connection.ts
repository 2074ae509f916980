import type pg from 'pg'
import { LadingError } from '../../core/errors.ts'
import { defaultSilentMs, watchSilence } from '../../core/silence.ts'
import { isDatabaseError, sinkError } from './errors.ts'
import { poolerError } from './pooling.ts'
import type { Sessions } from './sessions.ts'
import { askAbout, streamOf } from './silence.ts'
import { ownPid, sessionSettings } from './settings.ts'

/** How long connecting may take before it counts as failed, in milliseconds. */
const connectTimeoutMs = 10_000
/** The last attempt before a deadline must have a chance. */
const leastConnectMs = 1_000

/** A session that the server may still consider alive. */
export interface LostSession {
  readonly pid: number
  /** By the clock of `performance.now`. */
  readonly at: number
}

/** Of a connection that breaks all the time. */
const mostLost = 64

/**
 * One session, made when it is needed and made again after it broke. What runs on it runs one after the
 * other.
 */
export class Connection implements AsyncDisposable {
  readonly #sessions: Sessions
  readonly #isKept: boolean
  readonly #silentMs: number
  readonly #settings: string
  #client: Promise<pg.Client> | undefined
  #connecting = new AbortController()
  #forget: (() => void) | undefined
  #newest: pg.Client | undefined
  #pid: number | undefined
  readonly #lost: LostSession[] = []
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
   * it afterwards. `isKept`: the session holds something between two uses; one that is shared and holds
   * nothing is given back after each.
   */
  constructor(
    sessions: Sessions,
    {
      silentMs = defaultSilentMs,
      isGuest = false,
      isKept = false,
    }: { readonly silentMs?: number | undefined; readonly isGuest?: boolean; readonly isKept?: boolean } = {},
  ) {
    this.#sessions = sessions
    this.#silentMs = silentMs
    this.#settings = isGuest ? ownPid : `${sessionSettings}; ${ownPid}`
    this.#isKept = isKept
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
      const error = lost ?? poolerError(thrown, this.#isPooled) ?? sinkError(thrown, this.#newest?.user)
      if (error.action === 'reconnect' || error.action === 'split') this.#drop()
      if (error.code === 'SINK_BUSY') await this.#client?.then(this.onBusy).catch(() => undefined)
      throw error
    } finally {
      signal?.removeEventListener('abort', abort)
      if (this.#sessions.areShared && !this.#isKept) await this.#giveBack()
    }
  }

  /** Those before the present one that were not given back; none of a pooler, which has given them to others. */
  get lost(): readonly LostSession[] {
    return this.#lost
  }

  #noteLost(): void {
    const pid = this.#pid
    if (pid === undefined || this.#isPooled || this.#lost.at(-1)?.pid === pid) return
    if (this.#lost.push({ pid, at: performance.now() }) > mostLost) this.#lost.shift()
  }

  /** A pooler answers the beginning of a session itself, with a number of its own. */
  get #isPooled(): boolean {
    const { processID } = (this.#newest ?? {}) as { readonly processID?: number }
    return this.#pid !== undefined && this.#pid !== processID
  }

  #watch(onLost: (error: LadingError) => void): Disposable {
    const since = performance.now()
    const session = () =>
      this.#newest && {
        bytesRead: streamOf(this.#newest).bytesRead,
        ask: (answerMs: number) => askAbout(this.#pid, this.#sessions.config, answerMs),
      }
    return watchSilence(session, this.#silentMs, (why) => {
      const seconds = Math.round((performance.now() - since) / 1000)
      onLost(new LadingError('SINK_UNAVAILABLE', `PostgreSQL: no answer for ${seconds} s: ${why}`))
      this.#drop()
    })
  }

  #connect(connectMs: number): Promise<pg.Client> {
    // Only the session itself is forgotten: a late error of an old one must not cost the new one.
    const forget = () => {
      if (this.#client === connecting) this.#drop()
    }
    this.#forget = forget
    const connecting = this.#start(forget, Math.max(leastConnectMs, Math.min(connectMs, connectTimeoutMs)))
    return (this.#client = connecting)
  }

  async #start(forget: () => void, connectMs: number): Promise<pg.Client> {
    this.#newest = undefined
    this.#pid = undefined
    this.#connecting = new AbortController()
    try {
      const client = await this.#sessions.take(connectMs, this.#connecting.signal)
      this.#newest = client
      // A connection that dies between two statements reports it here; the next statement finds out by itself.
      client.on('error', forget)
      const results = [await client.query<{ readonly pid: number }>(this.#settings)].flat()
      this.#pid = results.at(-1)?.rows[0]?.pid
      await this.onConnect?.(client)
      this.#hasConnected = true
      return client
    } catch (error) {
      forget()
      if (this.#newest !== undefined) this.#sessions.drop(this.#newest)
      throw this.#hasConnected ? asAway(error) : error
    }
  }

  /**
   * Drops the session, or the attempt to open it, without notice to the server, which rolls back what was
   * open.
   */
  #drop(): void {
    this.#client = undefined
    this.#noteLost()
    this.#connecting.abort()
    if (this.#newest !== undefined) this.#sessions.drop(this.#newest)
  }

  async #giveBack(): Promise<void> {
    const client = await this.#client
    const forget = this.#forget
    this.#client = undefined
    this.#newest = undefined
    if (client === undefined) return
    await this.#sessions.giveBack(client, this.#isKept)
    // Whose it is now hears of its errors.
    if (this.#sessions.areShared && forget !== undefined) client.off('error', forget)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last
    await this.#giveBack()
  }
}

/**
 * A database that was there before and refuses connections now (it is being restored, say) is unavailable,
 * not misspelt.
 */
function asAway(error: unknown): unknown {
  if (!isDatabaseError(error) || (error.code !== '3D000' && error.code !== '55000')) return error
  return new LadingError('SINK_UNAVAILABLE', `PostgreSQL: ${error.message}`, { cause: error })
}
