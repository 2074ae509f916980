/**
 * One connection to a server, which is not opened again by the client: whoever needs one opens another, so that
 * nothing waits in a client without a limit of time.
 */
import { isIP } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { jetstream, type JetStreamClient, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import {
  connect,
  type ConnectionOptions,
  createInbox,
  credsAuthenticator,
  errors,
  type Msg,
  type NatsConnection,
  nkeyAuthenticator,
} from '@nats-io/transport-node'
import { LadingError } from '../../core/errors.ts'
import type { Tls } from '../../core/server-url.ts'
import { within } from '../../core/wait.ts'
import { type Address, type Credentials, shownQueue } from './address.ts'
import { isTimeout, isUnanswered, queueError } from './errors.ts'

/** How long a server may take to answer a call, in times for connecting: it may be electing a leader. */
const answerShare = 3
/** How long a server may take to answer when we leave. */
const closeWithinMs = 2_000

/** Messages come to subjects below `inbox`. */
export interface Subscription {
  readonly inbox: string
  /** Resolves when what was on its way has come. Never throws and never hangs. */
  readonly end: () => Promise<void>
}

export class Connection {
  readonly #nats: NatsConnection
  readonly #where: string
  readonly #answerWithinMs: number
  readonly #inboxPrefix: string | undefined
  readonly #listeners = new Set<() => void>()
  #ended: LadingError | undefined

  readonly publisher: JetStreamClient
  readonly manager: JetStreamManager
  /** Where the calls of JetStream go. */
  readonly api: string

  private constructor(nats: NatsConnection, manager: JetStreamManager, address: Address) {
    this.#nats = nats
    this.#where = shownQueue(address)
    this.#answerWithinMs = answerShare * address.connectTimeoutMs
    this.#inboxPrefix = address.inboxPrefix
    this.publisher = jetstream(nats, optionsOf(address))
    this.manager = manager
    this.api = address.domain === undefined ? '$JS.API' : `$JS.${address.domain}.API`
    void nats.closed().then((error) => this.#end(error ?? new Error('the connection was closed')))
    void this.#listen()
  }

  static async open(address: Address, wasOpen: boolean): Promise<Connection> {
    try {
      const nats = await connect(connectionOptions(address))
      return new Connection(nats, await jetstreamManager(nats, optionsOf(address)), address)
    } catch (error) {
      throw queueError(error, shownQueue(address), wasOpen)
    }
  }

  get isUsable(): boolean {
    return this.#ended === undefined
  }

  /** Why it ended; undefined while it is open. */
  get ended(): LadingError | undefined {
    return this.#ended
  }

  get serverVersion(): string {
    return this.#nats.info?.version ?? ''
  }

  /** The most bytes of a message, with its headers. */
  get maxPayload(): number {
    return this.#nats.info?.max_payload ?? 1024 * 1024
  }

  /** Whether the server encrypts what the URL does not ask it to. */
  get demandsTls(): boolean {
    return this.#nats.info?.tls_required === true
  }

  /** Calls back once, when it has ended; the answer takes the listener away. */
  onEnd(listener: () => void): () => void {
    this.#listeners.add(listener)
    if (this.#ended !== undefined) listener()
    return () => void this.#listeners.delete(listener)
  }

  /** Waits for the server's answer to a call, but not for ever: a server that does not answer is given up. */
  readonly answered = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call
    } catch (error) {
      if (isTimeout(error)) throw this.#giveUp()
      if (this.#ended !== undefined) throw this.#ended
      // Where the server has no JetStream at all, waiting does not help.
      if (isUnanswered(error) && this.#nats.info?.jetstream !== true)
        throw new LadingError('QUEUE_REFUSED', `${this.#where}: the server runs without JetStream`)
      throw queueError(error, this.#where, true)
    }
  }

  /** Sends without an answer; `flush` says whether it has arrived. Throws where the connection has ended. */
  send(subject: string, payload: string, reply?: string): void {
    if (this.#ended !== undefined) throw this.#ended
    this.#nats.publish(subject, payload, reply === undefined ? {} : { reply })
  }

  /** Resolves when the server has read everything that was sent before. */
  async flush(): Promise<void> {
    const lost = Promise.withResolvers<never>()
    const late = setTimeout(() => lost.reject(this.#giveUp()), this.#answerWithinMs)
    const forget = this.onEnd(() => lost.reject(this.#ended))
    try {
      await Promise.race([this.#nats.flush(), lost.promise])
    } catch (error) {
      throw this.#ended ?? queueError(error, this.#where, true)
    } finally {
      clearTimeout(late)
      forget()
    }
    // What the server refused it has said before, and the client tells it by the way.
    await setImmediate()
    if (this.#ended !== undefined) throw this.#ended
  }

  /** An inbox of its own; `receive` must not throw. */
  subscribe(receive: (message: Msg) => void): Subscription {
    if (this.#ended !== undefined) throw this.#ended
    const inbox = createInbox(this.#inboxPrefix)
    const subscription = this.#nats.subscribe(`${inbox}.*`, {
      callback: (error, message) => {
        if (error === null) return receive(message)
        // v8 ignore next -- rights that are taken away while the connection is open
        return this.#fail(error)
      },
    })
    const end = async () => {
      if (this.#ended === undefined) await within(closeWithinMs, subscription.drain())
    }
    return { inbox, end }
  }

  /** Never throws and never hangs. */
  async close(): Promise<void> {
    await within(closeWithinMs, this.#nats.flush())
    await within(closeWithinMs, this.#nats.close())
  }

  /** What the server refuses and no call of ours would hear. */
  async #listen(): Promise<void> {
    for await (const status of this.#nats.status())
      if (status.type === 'error' && isUnheard(status.error)) this.#fail(status.error)
  }

  #fail(error: Error): void {
    this.#end(error)
    void within(closeWithinMs, this.#nats.close())
  }

  #giveUp(): LadingError {
    const error = new LadingError('QUEUE_UNAVAILABLE', `${this.#where}: the server does not answer`)
    this.#fail(error)
    return error
  }

  #end(error: Error): void {
    if (this.#ended !== undefined) return
    this.#ended = queueError(error, this.#where, true)
    for (const listener of this.#listeners) listener()
  }
}

/** Acknowledgements have no answer, and requests for messages only messages. */
const isUnheard = (error: Error): boolean =>
  error instanceof errors.PermissionViolationError &&
  error.operation === 'publish' &&
  /^\$JS\.(ACK\.|.*API\.CONSUMER\.MSG\.NEXT\.)/.test(error.subject)

const optionsOf = ({ connectTimeoutMs, domain }: Address) => ({
  checkAPI: false,
  timeout: answerShare * connectTimeoutMs,
  ...(domain === undefined ? {} : { domain }),
})

function connectionOptions(address: Address): ConnectionOptions {
  const { tls, servers, host, credentials, connectTimeoutMs, heartbeatMs, inboxPrefix, stream } = address
  return {
    servers: [...servers],
    name: `lading ${stream}`,
    reconnect: false,
    noRandomize: true,
    timeout: connectTimeoutMs,
    pingInterval: heartbeatMs,
    // A server without TLS is refused where the URL demands it; one that demands it has it in any case.
    tls: tls === undefined ? null : tlsOptions(tls, host),
    ...(inboxPrefix === undefined ? {} : { inboxPrefix }),
    ...(credentials === undefined ? {} : authentication(credentials)),
  }
}

/**
 * The client hands them on to Node. It names the server by its host where that is a name; without one, Node would
 * look for `localhost` in the certificate.
 */
function tlsOptions(tls: Tls, host: string): NonNullable<ConnectionOptions['tls']> {
  const files = Object.entries(tls).flatMap(([name, bytes]: [string, Buffer | undefined]) =>
    bytes === undefined ? [] : [[name, bytes.toString()]],
  )
  return { ...Object.fromEntries(files), ...(isIP(host) === 0 ? {} : { host }) }
}

function authentication(credentials: Credentials): ConnectionOptions {
  if ('token' in credentials) return { token: credentials.token }
  if ('creds' in credentials) return { authenticator: credsAuthenticator(credentials.creds) }
  if ('nkey' in credentials)
    return { authenticator: nkeyAuthenticator(Buffer.from(credentials.nkey.toString().trim())) }
  return { user: credentials.user, pass: credentials.password }
}
