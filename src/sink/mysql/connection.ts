import { LadingError } from '../../core/errors.ts'
import { within } from '../../core/wait.ts'
import { defaultSilentMs, type Suspicion, watchSilence } from '../../core/silence.ts'
import { isServerError, sinkError } from './errors.ts'
import { Session } from './session.ts'
import { type Target, targetOf } from './url.ts'

/** How long connecting may take before it counts as failed, in milliseconds. */
const connectTimeoutMs = 10_000
/** The last attempt before a deadline must have a chance. */
const leastConnectMs = 1_000
/** How long the server may take to end a session in good order, in milliseconds. */
const endWithinMs = 3_000

/**
 * One session, made when it is needed and made again after it broke. What runs on it runs one after the
 * other.
 */
export class Connection implements AsyncDisposable {
  readonly place: string
  readonly #target: Target
  readonly #silentMs: number
  #opened: Promise<Session> | undefined
  #newest: Session | undefined
  #connecting = new AbortController()
  #hasConnected = false
  #last: Promise<unknown> = Promise.resolve()
  /** Called for each new session, before anything else runs on it. */
  onConnect: ((session: Session) => Promise<void>) | undefined

  /**
   * `silentMs`: how long a statement may bring no answer before the server is asked, over another connection,
   * whether it works on it. Throws `USAGE`.
   */
  constructor(url: string, { silentMs = defaultSilentMs }: { readonly silentMs?: number | undefined } = {}) {
    this.#target = targetOf(url)
    this.place = this.#target.place
    this.#silentMs = silentMs
  }

  /**
   * Runs `work` alone on the session, made within `connectMs` where it has to be; errors come out as ours. A
   * session that an error may have broken is not used again.
   */
  use<T>(work: (session: Session) => Promise<T>, signal?: AbortSignal, connectMs?: number): Promise<T> {
    const turn = this.#last.then(() => this.#run(work, signal, connectMs))
    this.#last = turn.catch(() => undefined)
    return turn
  }

  async #run<T>(
    work: (session: Session) => Promise<T>,
    signal?: AbortSignal,
    connectMs = connectTimeoutMs,
  ): Promise<T> {
    if (signal?.aborted) throw new LadingError('ABORTED', 'stopped before the database was asked')
    const abort = () => this.#drop()
    signal?.addEventListener('abort', abort, { once: true })
    let lost: LadingError | undefined
    const opened = this.#opened ?? this.#open(connectMs)
    using _ = this.#watch((error) => (lost = error))
    try {
      return await work(await opened)
    } catch (thrown) {
      const error = lost ?? sinkError(thrown)
      if (error.action === 'reconnect' || error.action === 'split') this.#drop()
      throw error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  #watch(onLost: (error: LadingError) => void): Disposable {
    const since = performance.now()
    const watched = () => {
      const session = this.#newest
      return (
        session && {
          bytesRead: session.socket.bytesRead,
          ask: (answerMs: number) => this.#ask(session.id, answerMs),
        }
      )
    }
    return watchSilence(watched, this.#silentMs, (why) => {
      const seconds = Math.round((performance.now() - since) / 1000)
      onLost(new LadingError('SINK_UNAVAILABLE', `no answer of the database for ${seconds} s: ${why}`))
      this.#drop()
    })
  }

  /** Undefined where the server is at work for the session, or cannot say. */
  async #ask(id: number, answerMs: number): Promise<Suspicion | undefined> {
    let session: Session | undefined
    // v8 ignore next -- the server has to fall silent between two answers
    const deadline = setTimeout(() => session?.drop(), answerMs)
    try {
      session = await Session.open(
        this.#target.options,
        answerMs,
        AbortSignal.timeout(answerMs),
        () => undefined,
      )
      const [known] = await session.query(
        `SELECT command, state FROM information_schema.processlist WHERE id = ${id}`,
      )
      if (known === undefined) return { why: 'the server does not know the session any more' }
      const waits = known['command'] === 'Sleep' || /from net/i.test(String(known['state']))
      return waits ? { why: 'the server waits for what was sent, or its answer is lost' } : undefined
    } catch (error) {
      // One that has no place for us is there, and so may the session be.
      return isServerError(error) ? undefined : { why: 'the server cannot be reached' }
    } finally {
      clearTimeout(deadline)
      session?.drop()
    }
  }

  #open(connectMs: number): Promise<Session> {
    const forget = () => {
      if (this.#opened === opening) this.#opened = undefined
    }
    const opening = this.#start(forget, Math.max(leastConnectMs, Math.min(connectMs, connectTimeoutMs)))
    return (this.#opened = opening)
  }

  async #start(forget: () => void, connectMs: number): Promise<Session> {
    this.#newest = undefined
    this.#connecting = new AbortController()
    try {
      const session = await Session.open(this.#target.options, connectMs, this.#connecting.signal, forget)
      this.#newest = session
      await this.onConnect?.(session)
      this.#hasConnected = true
      return session
    } catch (error) {
      forget()
      this.#newest?.drop()
      throw this.#hasConnected ? asAway(sinkError(error)) : error
    }
  }

  /**
   * Drops the session, or the attempt to open it, without notice to the server, which rolls back what was
   * open.
   */
  #drop(): void {
    this.#opened = undefined
    this.#connecting.abort()
    this.#newest?.drop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last
    // One that has failed is forgotten already.
    const session = await this.#opened
    this.#opened = undefined
    this.#newest = undefined
    if (session === undefined) return
    await within(endWithinMs, session.end())
    session.drop()
  }
}

/** ER_BAD_DB_ERROR */
const unknownDatabase = 1049

/** A database that was there before and is not now (it is being restored, say) is unavailable, not misspelt. */
function asAway(error: LadingError): LadingError {
  const { errno } = (error.cause ?? {}) as { readonly errno?: number }
  return errno === unknownDatabase
    ? new LadingError('SINK_UNAVAILABLE', error.message, { cause: error.cause })
    : error
}
