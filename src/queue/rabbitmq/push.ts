/**
 * The broker pushes messages to consumers, as many as their prefetch lets it. It bounds them by messages, our
 * memory is bounded by bytes: so there is one small consumer at first, and as many beside it, on the same
 * channel, as the size of the messages allows.
 */
import type { Message } from 'amqplib'
import { LadingError } from '../../core/errors.ts'
import type { Abortable } from '../../core/wait.ts'
import { Arrival } from '../arrival.ts'
import { type Delivery, mostInFlightBytes } from '../queue.ts'
import { firstLimit, Patience, suspectFrom, Window } from '../window.ts'
import { type Epoch, goodbye } from './connection.ts'
import { queueError } from './errors.ts'
import { deliveriesBefore, weightOf } from './message.ts'
import type { Receiver } from './receiver.ts'

/** Upper bound on unacknowledged messages: four batches (settling, writing, decoding, arriving). */
const mostMessages = 8_000
/**
 * Bodies in hand at most, whatever comes: sizes may change from one message to the next, and what was granted
 * is sent. What is beyond is given back.
 */
const mostBytes = 4 * mostInFlightBytes
/** Growth of the limit after messages were declined, with each message that comes: doubled after 700. */
const recovery = 1.001
/** If one message in a hundred is large, the mean has to show it. */
const meanOver = 256
/**
 * How long more messages are waited for before it is said that there are none: longer than the gaps of a busy
 * stream.
 */
const firstIdleMs = 20
const lastIdleMs = 200

export interface PushOptions extends Abortable {
  readonly queue: string
  readonly prefetch: number
  /** Says which queue it is about. */
  readonly where: string
}

export class PushConsumer {
  readonly receiver: Receiver
  readonly #options: PushOptions
  #buffer: Message[] = []
  /** In the order in which they were added. */
  readonly #consumers: { readonly tag: string; readonly prefetch: number }[] = []
  /** Consumers that are there for a moment, to catch up. */
  #passing = 0
  #failure: LadingError | undefined
  readonly #arrival = new Arrival()
  /** Since a consumer was added or taken away. */
  #received = 0
  readonly #window: Window
  /** The first message may be what kills consumers, and nothing is taken beside it. */
  #isSuspect = false
  /** Tags of what came beyond our bytes, and is to be given back. */
  #declined: number[] = []
  /** Messages that may be in hand; fewer after some were declined, and slowly more again. */
  #most = mostMessages

  constructor(receiver: Receiver, options: PushOptions) {
    this.receiver = receiver
    this.#options = options
    this.#window = new Window({ prefetch: options.prefetch, mostMessages, meanOver })
    receiver.epoch.onEnd(() => this.#fail(receiver.epoch.ended() as LadingError))
    options.signal?.addEventListener('abort', () => this.#arrival.come(), { once: true })
  }

  async *deliveries(): AsyncGenerator<readonly Delivery[]> {
    const { prefetch, signal } = this.#options
    await this.#guarded(this.#add(Math.min(firstLimit, prefetch)))
    const patience = new Patience(firstIdleMs, lastIdleMs)
    while (!signal?.aborted) {
      // Nothing comes before something is settled, which must reach the batch at once.
      const isExhausted = patience.isFirst && this.receiver.unsettled >= this.#limit
      if (this.#buffer.length === 0) await this.#awaitArrival(isExhausted ? 0 : patience.ms)
      if (this.#failure !== undefined) throw this.#failure
      if (signal?.aborted) return
      const messages = this.#buffer
      this.#buffer = []
      patience.saw(messages.length)
      yield messages.map((message) => this.receiver.delivery(message))
      await this.#guarded(this.#adjust())
    }
  }

  /** Gives back what was not handed out. What was can still be settled. */
  async end(): Promise<void> {
    while (this.#consumers.length > 0) await goodbye(this.#takeAway())
    const release = { kind: 'release' } as const
    this.#giveBackDeclined()
    await Promise.all(
      this.#buffer.splice(0).map((message) => this.receiver.delivery(message).settle(release)),
    )
    await this.receiver.end()
  }

  /** Consumers as the broker counts them. */
  get count(): number {
    return this.#consumers.length + this.#passing
  }

  /** Received and not handed out yet. */
  get waiting(): number {
    return this.#buffer.length + this.#declined.length
  }

  /**
   * When this resolves, everything that the broker sent before it answered has arrived; what was sent on a
   * channel that has ended is not ours.
   */
  async roundTrip(): Promise<void> {
    await this.#ask(({ channel }) => channel.checkQueue(this.#options.queue))
  }

  /**
   * When this resolves, what was given back on this channel has its place in the queue, or a new holder. A
   * quorum queue counts what its log has applied, and its log holds a consumer that comes and goes behind
   * what was given back. (Not every queue lets one fetch a message.)
   */
  async catchUp(): Promise<void> {
    this.#passing++
    try {
      const tag = await this.#ask((epoch) => this.#consume(epoch, 1, true))
      if (tag !== undefined) await this.#ask(({ channel }) => channel.cancel(tag))
    } finally {
      this.#passing--
    }
  }

  /** Undefined where the channel has ended. */
  async #ask<T>(call: (epoch: Epoch) => Promise<T>): Promise<T | undefined> {
    const { epoch } = this.receiver
    return await epoch.answered(call(epoch)).catch((error: unknown) => {
      // v8 ignore next -- what a broker refuses ends the channel
      if (epoch.ended() === undefined) throw queueError(error, this.#options.where)
      return undefined
    })
  }

  /** Messages that the broker may leave unacknowledged with us. */
  get #limit(): number {
    return this.#consumers.reduce((sum, { prefetch }) => sum + prefetch, 0)
  }

  async #add(prefetch: number): Promise<void> {
    const { epoch } = this.receiver
    this.#received = 0
    // Of the first consumer one message at a time is taken, whatever its size, or a large one would never
    // have its turn.
    const tag = await epoch.answered(this.#consume(epoch, prefetch, this.#consumers.length === 0))
    this.#consumers.push({ tag, prefetch })
  }

  /** Both are sent at once, because a prefetch is that of the next consumer of the channel. */
  async #consume({ channel }: Epoch, prefetch: number, isFirst: boolean): Promise<string> {
    const take = (message: Message | null) => this.#take(message, isFirst)
    const [, { consumerTag }] = await Promise.all([
      channel.prefetch(prefetch),
      channel.consume(this.#options.queue, take),
    ])
    return consumerTag
  }

  async #takeAway(): Promise<void> {
    const consumer = this.#consumers.pop()
    this.#received = 0
    const { channel, answered, ended } = this.receiver.epoch
    if (consumer !== undefined && ended() === undefined) await answered(channel.cancel(consumer.tag))
  }

  #take(message: Message | null, isFirst: boolean): void {
    if (message === null) {
      this.#consumers.length = 0
      return this.#fail(
        new LadingError('QUEUE_UNAVAILABLE', `${this.#options.where}: the broker ended our consumer`),
      )
    }
    const size = weightOf(message)
    this.#received++
    this.#most = Math.min(mostMessages, this.#most * recovery)
    if (this.#window.isNew) this.#isSuspect = deliveriesBefore(message) + 1 >= suspectFrom
    this.#window.came(size)
    if (!isFirst && this.receiver.unsettledBytes + size > mostBytes) return this.#decline(message, size)
    this.receiver.accept(message, size)
    this.#buffer.push(message)
    this.#arrival.come()
  }

  /**
   * Keeps nothing of it. It stays ours until the broker sends nothing more, or it would come again at once.
   */
  #decline(message: Message, size: number): void {
    this.receiver.accept(message, 0)
    this.#declined.push(message.fields.deliveryTag)
    this.#most = Math.max(1, Math.min(this.#most, Math.floor(mostInFlightBytes / size)))
    this.#arrival.come()
  }

  #giveBackDeclined(): void {
    for (const tag of this.#declined.splice(0)) this.receiver.giveBack(tag)
  }

  #fail(failure: LadingError): void {
    this.#failure ??= failure
    this.#arrival.come()
  }

  /**
   * Adds a consumer where the size of the messages allows a quarter more of them, takes some away where it
   * allows only half.
   */
  async #adjust(): Promise<void> {
    if (this.#declined.length > 0) return await this.#startAgain()
    const limit = this.#limit
    if (this.#received < limit / 2 || this.#options.signal?.aborted) return
    if (this.#isSuspect && this.receiver.unsettled > 0) return
    this.#isSuspect = false
    // After large ones came unexpectedly: what is granted now would be declined.
    if (this.receiver.unsettledBytes > mostInFlightBytes) return
    const fitting = Math.min(this.#most, this.#window.after(limit), this.#window.fitBeside(0))
    const wanted = Math.max(1, fitting)
    if (wanted >= limit * 1.25) await this.#add(wanted - limit)
    while (this.#consumers.length > 1 && wanted < this.#limit / 2) await this.#takeAway()
  }

  /** With the first consumer alone; others that have room take what this one declined. */
  async #startAgain(): Promise<void> {
    while (this.#consumers.length > 1) await this.#takeAway()
    this.#giveBackDeclined()
  }

  async #guarded(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => {
      throw this.receiver.epoch.ended() ?? queueError(error, this.#options.where)
    })
  }

  /** Until a message or a failure has come, or `ms` have gone by. */
  async #awaitArrival(ms: number): Promise<void> {
    if (this.#failure === undefined && this.#options.signal?.aborted !== true) await this.#arrival.wait(ms)
  }
}
