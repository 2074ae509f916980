/**
 * The broker pushes messages to consumers, as many as their prefetch lets it. It bounds them by messages, our memory is bounded by
 * bytes: so there is one small consumer at first, and as many beside it, on the same channel, as the size of the messages allows.
 */
import type { ConsumeMessage } from 'amqplib'
import { LadingError } from '../../core/errors.ts'
import type { Abortable } from '../../core/wait.ts'
import { Arrival } from '../arrival.ts'
import { type Delivery, mostInFlightBytes } from '../queue.ts'
import { goodbye } from './connection.ts'
import { queueError } from './errors.ts'
import { deliveriesBefore, weightOf } from './message.ts'
import type { Receiver } from './receiver.ts'

/**
 * Messages in hand at the start, and by how much that may grow at a time. The broker counts a delivery of everything that a consumer holds when
 * it dies, so one that dies again and again of the first message in line must not have taken those behind it.
 */
const firstPrefetch = 1
const growth = 4
/** Messages in hand at most: sizes may change from one message to the next, and what was granted is sent. */
const mostMessages = 256
/** Deliveries before this one, from which on the first message in line may be what kills consumers. */
const suspectFrom = 2
/** Messages over which their mean size is taken, about. */
const meanOver = 16
/** How long more messages are waited for before it is said that there are none: longer than the gaps of a busy stream. */
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
  #buffer: ConsumeMessage[] = []
  /** In the order in which they were added. */
  readonly #consumers: { readonly tag: string; readonly prefetch: number }[] = []
  #failure: LadingError | undefined
  readonly #arrival = new Arrival()
  /** Since a consumer was added or taken away. */
  #received = 0
  /** Of the messages received, the later ones counting more, in bytes; 0 before the first. */
  #meanSize = 0
  /** The first message may be what kills consumers, and nothing is taken beside it. */
  #isSuspect = false

  constructor(receiver: Receiver, options: PushOptions) {
    this.receiver = receiver
    this.#options = options
    receiver.epoch.onEnd(() => this.#fail(receiver.epoch.ended() as LadingError))
    options.signal?.addEventListener('abort', () => this.#arrival.come(), { once: true })
  }

  async *deliveries(): AsyncGenerator<readonly Delivery[]> {
    const { prefetch, signal } = this.#options
    await this.#guarded(this.#add(Math.min(firstPrefetch, prefetch)))
    let idleMs = firstIdleMs
    while (!signal?.aborted) {
      if (this.#buffer.length === 0) await this.#awaitArrival(idleMs)
      if (this.#failure !== undefined) throw this.#failure
      if (signal?.aborted) return
      const messages = this.#buffer.splice(0)
      idleMs = messages.length > 0 ? firstIdleMs : Math.min(idleMs * 2, lastIdleMs)
      yield messages.map((message) => this.receiver.delivery(message))
      await this.#guarded(this.#adjust())
    }
  }

  /** Gives back what was not handed out. What was can still be settled. */
  async end(): Promise<void> {
    while (this.#consumers.length > 0) await goodbye(this.#takeAway())
    const release = { kind: 'release' } as const
    await Promise.all(this.#buffer.splice(0).map((message) => this.receiver.delivery(message).settle(release)))
    await this.receiver.end()
  }

  /** Consumers as the broker counts them. */
  get count(): number {
    return this.#consumers.length
  }

  /** Whatever the broker sent before it answers has arrived then; what was sent on a channel that has ended is not ours. */
  async roundTrip(): Promise<void> {
    const { epoch } = this.receiver
    await epoch.channel.checkQueue(this.#options.queue).catch((error: unknown) => {
      if (epoch.ended() === undefined) throw queueError(error, this.#options.where)
    })
  }

  /** Messages that the broker may leave unacknowledged with us. */
  get #limit(): number {
    return this.#consumers.reduce((sum, { prefetch }) => sum + prefetch, 0)
  }

  async #add(prefetch: number): Promise<void> {
    const { channel } = this.receiver.epoch
    this.#received = 0
    await channel.prefetch(prefetch)
    const { consumerTag } = await channel.consume(this.#options.queue, (message) => this.#take(message))
    this.#consumers.push({ tag: consumerTag, prefetch })
  }

  async #takeAway(): Promise<void> {
    const consumer = this.#consumers.pop()
    this.#received = 0
    if (consumer !== undefined && this.receiver.epoch.ended() === undefined) await this.receiver.epoch.channel.cancel(consumer.tag)
  }

  #take(message: ConsumeMessage | null): void {
    if (message === null) {
      this.#consumers.length = 0
      return this.#fail(new LadingError('QUEUE_UNAVAILABLE', `${this.#options.where}: the broker ended our consumer`))
    }
    this.receiver.accept(message)
    this.#received++
    const size = Math.max(1, weightOf(message))
    if (this.#meanSize === 0) this.#isSuspect = deliveriesBefore(message) >= suspectFrom
    this.#meanSize += (size - this.#meanSize) / (this.#meanSize === 0 ? 1 : meanOver)
    this.#buffer.push(message)
    this.#arrival.come()
  }

  #fail(failure: LadingError): void {
    this.#failure ??= failure
    this.#arrival.come()
  }

  /** Adds a consumer where the size of the messages allows a quarter more of them, takes some away where it allows only half. */
  async #adjust(): Promise<void> {
    const limit = this.#limit
    if (this.#received < limit / 2 || this.#options.signal?.aborted) return
    if (this.#isSuspect && this.receiver.unsettled > 0) return
    this.#isSuspect = false
    const wanted = Math.max(
      1,
      Math.min(this.#options.prefetch, mostMessages, limit * growth, Math.floor(mostInFlightBytes / this.#meanSize)),
    )
    if (wanted >= limit * 1.25) await this.#add(wanted - limit)
    while (this.#consumers.length > 1 && wanted < this.#limit / 2) await this.#takeAway()
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
