/** One connection to the broker, and channels on it that remember why they ended. */
import { type Channel, type ChannelModel, connect, type ConfirmChannel } from 'amqplib'
import type { Duplex } from 'node:stream'
import { freeBytes } from '../../core/bytes.ts'
import { LadingError } from '../../core/errors.ts'
import type { Listener } from '../../core/events.ts'
import { within } from '../../core/wait.ts'
import { type Address, shownQueue } from './address.ts'
import { takeDeliveries } from './deliveries.ts'
import { queueError } from './errors.ts'

/**
 * How long a broker may take to answer a call, in times for connecting: it may be electing a leader for the
 * queue.
 */
const answerShare = 3
/** How long a broker may take to answer when we leave. */
const closeWithinMs = 2_000

/**
 * A channel, which is an epoch: a delivery tag means something on the channel that it came on, and on no
 * other.
 */
export interface Epoch<C extends Channel = Channel> {
  readonly channel: C
  /** Why it ended; undefined while it is open. */
  readonly ended: () => LadingError | undefined
  /** Calls back when it has ended. */
  onEnd(listener: () => void): void
  /** The broker reads nothing that we send, and has said so. */
  isBlocked(): boolean
  /**
   * It was given up because the broker says nothing, which may go on counting what it has sent here as ours.
   */
  readonly isSilent: () => boolean
  /** Waits for the broker's answer to a call, but not for ever. */
  readonly answered: <T>(call: Promise<T>) => Promise<T>
  /** Never throws and never hangs. */
  close(): Promise<void>
}

export class Connection {
  readonly #model: ChannelModel
  readonly #where: string
  readonly #answerWithinMs: number
  readonly #epochs = new Set<Epoch>()
  /** Those that take deliveries, by their numbers. */
  readonly #taking = new Map<number, Channel>()
  #ended: LadingError | undefined
  #isBlocked = false
  #isSilent = false

  private constructor(model: ChannelModel, address: Address, onEvent: Listener) {
    const where = shownQueue(address)
    this.#model = model
    this.#where = where
    this.#answerWithinMs = answerShare * address.connectTimeoutMs
    const end = (error: Error = new Error('the connection was closed')) => {
      if (/heartbeat/i.test(error.message)) this.#isSilent = true
      this.#ended ??= queueError(error, where)
    }
    model.on('error', end)
    model.on('close', (error) => {
      end(error)
      // The client says goodbye and no more, so of a peer that does not answer the socket would keep the
      // process alive.
      setTimeout(() => socketOf(model).destroy(), closeWithinMs).unref()
    })
    freeWritten(socketOf(model))
    takeDeliveries(socketOf(model), (number, message) => this.#taking.get(number)?.emit('delivery', message))
    model.on('blocked', (reason) => {
      this.#isBlocked = true
      onEvent({
        type: 'waiting',
        code: 'QUEUE_HOLD',
        message: `${where}: the broker takes nothing more: ${reason}`,
        attempt: 1,
      })
    })
    model.on('unblocked', () => {
      this.#isBlocked = false
      onEvent({ type: 'resumed', code: 'QUEUE_HOLD' })
    })
  }

  static async open(
    address: Address,
    purpose: string,
    onEvent: Listener,
    wasOpen: boolean,
  ): Promise<Connection> {
    const { tls, host, port, user, password, vhost, connectTimeoutMs, heartbeatSeconds } = address
    const peer = {
      protocol: tls === undefined ? 'amqp' : 'amqps',
      hostname: host,
      port,
      username: user,
      password,
      // The client decodes it again.
      vhost: encodeURIComponent(vhost),
      heartbeat: heartbeatSeconds,
    }
    const socket = {
      timeout: connectTimeoutMs,
      noDelay: true,
      keepAlive: true,
      clientProperties: { connection_name: `lading ${purpose}` },
      ...(tls === undefined ? {} : { ...tls, minVersion: 'TLSv1.2' as const, rejectUnauthorized: true }),
    }
    try {
      return new Connection(await connect(peer, socket), address, onEvent)
    } catch (error) {
      throw queueError(error, shownQueue(address), wasOpen)
    }
  }

  get isUsable(): boolean {
    return this.#ended === undefined
  }

  get serverVersion(): string {
    return this.#model.connection.serverProperties.version
  }

  async channel(): Promise<Epoch> {
    return this.#epoch(() => this.#model.createChannel())
  }

  async confirmChannel(): Promise<Epoch<ConfirmChannel>> {
    return this.#epoch(() => this.#model.createConfirmChannel())
  }

  async #epoch<C extends Channel>(open: () => Promise<C>): Promise<Epoch<C>> {
    if (this.#ended !== undefined) throw this.#ended
    const channel = await this.#answered(open()).catch((error: unknown) => {
      throw this.#ended ?? queueError(error, this.#where)
    })
    let ended: LadingError | undefined
    channel.on('error', (error) => (ended ??= queueError(error, this.#where)))
    // Before other listeners hear of it, so that they find the reason; a connection that ends says why, its
    // channels do not.
    channel.prependListener(
      'close',
      () => (ended ??= this.#ended ?? queueError(new Error('the channel was closed'), this.#where)),
    )
    const onEnd = (listener: () => void) => void channel.once('close', listener)
    const number = numberOf(channel)
    this.#taking.set(number, channel)
    const takeNoMore = () => {
      // Its number may be another's by now.
      if (this.#taking.get(number) === channel) this.#taking.delete(number)
    }
    onEnd(takeNoMore)
    const close = () => {
      takeNoMore()
      return goodbye(
        new Promise<void>((resolve) => {
          // Of a connection that is lost meanwhile, the client tells the listeners and not the one who
          // closes.
          onEnd(resolve)
          channel.close().then(
            () => resolve(),
            () => resolve(),
          )
        }),
      )
    }
    const answered = <T>(call: Promise<T>) => this.#answered(call)
    const epoch = {
      channel,
      ended: () => ended ?? this.#ended,
      isBlocked: () => this.#isBlocked,
      isSilent: () => this.#isSilent,
      answered,
      onEnd,
      close,
    }
    this.#epochs.add(epoch)
    onEnd(() => this.#epochs.delete(epoch))
    return epoch
  }

  /**
   * A broker that deletes a queue under its publishers may leave their connection open and never answer on it
   * again, while heartbeats go on. Such a connection is given up, and the next call opens another one. A
   * broker that has said that it is blocked is waited for.
   */
  #answered<T>(call: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const lookAgain = () =>
        setTimeout(
          () => (this.#isBlocked ? (timer = lookAgain()) : reject(this.#giveUp())),
          this.#answerWithinMs,
        )
      let timer = lookAgain()
      void call.then(resolve, reject).finally(() => clearTimeout(timer))
    })
  }

  #giveUp(): LadingError {
    const error = new LadingError(
      'QUEUE_UNAVAILABLE',
      `${this.#where}: the broker does not answer on a connection that is open`,
    )
    this.#ended ??= error
    this.#isSilent = true
    socketOf(this.#model).destroy(error)
    return error
  }

  /**
   * Never throws and never hangs: whatever was not settled goes back to the queue, however the connection
   * ends.
   */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return
    const closed = new Promise<void>((resolve) => this.#model.on('close', () => resolve()))
    this.#sayGoodbye().catch(() => undefined)
    await goodbye(closed)
    // Without an error, the client would not notice.
    if (this.isUsable) socketOf(this.#model).destroy(new Error('the broker does not answer'))
  }

  /**
   * The goodbye of a connection overtakes what its channels have to send, such as acknowledgements; that of a
   * channel does not.
   */
  async #sayGoodbye(): Promise<void> {
    if (!this.#isBlocked) await Promise.all([...this.#epochs].map((epoch) => epoch.close()))
    await this.#model.close()
  }
}

/** Waits for an answer, but no longer than the time limit. Never throws. */
export const goodbye = (answer: Promise<unknown>): Promise<void> => within(closeWithinMs, answer)

/** The client has no other way to end a connection whose broker does not answer, or to read less of it. */
const socketOf = (model: ChannelModel) => (model.connection as unknown as { readonly stream: Duplex }).stream

/**
 * The client copies bodies into frames, which nothing else has: a window of them is many megabytes, which live
 * long enough to wait for a full collection.
 */
function freeWritten(stream: Duplex): void {
  const write = stream.write.bind(stream) as (bytes: Buffer | string, written: () => void) => boolean
  stream.write = (bytes: Buffer | string) =>
    write(bytes, () => void (Buffer.isBuffer(bytes) && freeBytes(bytes)))
}

/** As frames name it. */
const numberOf = (channel: Channel): number => (channel as unknown as { readonly ch: number }).ch
