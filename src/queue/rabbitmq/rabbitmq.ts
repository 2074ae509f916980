/**
 * A queue of a RabbitMQ broker, over AMQP 0-9-1. Publishing and receiving have each a connection of their
 * own, because a broker that is short of memory or disk reads nothing more from a connection that publishes,
 * not even acknowledgements.
 *
 * A connection that is lost is opened again by the next call that needs one; callers wait in between. What
 * was delivered before is delivered again then.
 */
import type { Replies } from 'amqplib'
import { LadingError } from '../../core/errors.ts'
import { ignoreEvents, type Listener } from '../../core/events.ts'
import { isLoopback } from '../../core/server-url.ts'
import { type Abortable, unlessAborted } from '../../core/wait.ts'
import type { Delivery, Depth, OpenOptions, Outgoing, Peeked, Queue, QueueTraits } from '../queue.ts'
import { requireSize } from '../size.ts'
import { type Address, parseAddress, shownQueue } from './address.ts'
import { Connection, type Epoch, goodbye } from './connection.ts'
import { queueError } from './errors.ts'
import { deliveriesBefore, headersOf, keyOf, publishable } from './message.ts'
import { poll } from './poll.ts'
import { Publisher } from './publisher.ts'
import { PushConsumer } from './push.ts'
import { Receiver } from './receiver.ts'
import { Reopening } from '../reopening.ts'
import { deadName, declareQueues, delayedName } from './topology.ts'

/** Longer than a broker with our heartbeats needs to notice that a connection is dead, in milliseconds. */
const lingersMs = 60_000

/** The broker's own limit of a message (max_message_size), which it does not report: that of its version. */
const mebibyte = 1024 * 1024
const messageLimit = (version: string): number => (Number.parseInt(version, 10) >= 4 ? 16 : 128) * mebibyte

export async function openRabbitQueue(url: string, options: OpenOptions = {}): Promise<Queue> {
  const { onEvent = ignoreEvents, create = true } = options
  const queue = new RabbitQueue(parseAddress(url), create, onEvent)
  try {
    const opened = await unlessAborted(
      queue.check().then(() => queue),
      options.signal,
    )
    if (opened === undefined) throw new LadingError('ABORTED', 'stopped before the queue was open')
    return opened
  } catch (error) {
    await goodbye(queue[Symbol.asyncDispose]())
    throw error
  }
}

class RabbitQueue implements Queue {
  readonly id: string
  readonly #address: Address
  readonly #where: string
  readonly #create: boolean
  readonly #receiving: Reopening<Connection>
  readonly #publishing: Reopening<Connection>
  readonly #publisher: Reopening<Publisher>
  readonly #consumers = new Set<PushConsumer>()
  readonly #receivers = new Set<Receiver>()
  /** Messages that were lost with connections that the broker may still consider open. */
  #lingering: { readonly messages: number; readonly until: number }[] = []
  #maxBytes = messageLimit('')
  /** What the broker refused later, it granted before. */
  #wasOpen = false

  constructor(address: Address, create: boolean, onEvent: Listener) {
    const { host, port, vhost, queue } = address
    const connect = (purpose: string) =>
      new Reopening(async () => {
        const connection = await Connection.open(address, `${purpose} ${queue}`, onEvent, this.#wasOpen)
        this.#wasOpen = true
        return connection
      })
    this.id = `rabbitmq:${JSON.stringify([host, port, vhost, queue])}`
    this.#address = address
    this.#where = shownQueue(address)
    this.#create = create
    this.#receiving = connect('receiving')
    this.#publishing = connect('publishing')
    this.#publisher = new Reopening(async () => {
      await this.check()
      return new Publisher(await (await this.#publishing.get()).confirmChannel(), this.#where, onEvent)
    })
  }

  get traits(): QueueTraits {
    return { maxBytes: this.#maxBytes, warnings: [...warningsOf(this.#address)] }
  }

  /** Makes the queue where it may; throws what is wrong with it before anybody relies on it. */
  async check(): Promise<void> {
    this.#maxBytes = messageLimit((await this.#receiving.get()).serverVersion)
    await this.#withChannel(async ({ channel, answered }) => {
      await answered<unknown>(
        this.#create ? declareQueues(channel, this.#address) : channel.checkQueue(this.#address.queue),
      )
    })
  }

  async publish(messages: readonly Outgoing[], options: Abortable = {}): Promise<void> {
    requireSize(messages, this.#maxBytes)
    const sent = messages.map((message) => publishable(this.#address.queue, message))
    const publisher = await unlessAborted(this.#publisher.get(), options.signal)
    if (publisher === undefined)
      throw new LadingError('ABORTED', `stopped before ${this.#where} could be published to`)
    await publisher.publish(sent, options)
  }

  async *deliveries(options: Abortable & { readonly prefetch: number }): AsyncGenerator<readonly Delivery[]> {
    const receiver = await unlessAborted(this.#openReceiver(), options.signal)
    if (receiver === undefined) return
    const settings = { ...options, queue: this.#address.queue, where: this.#where }
    if (this.#address.receive === 'poll') {
      try {
        yield* poll(receiver, settings)
      } finally {
        await receiver.end()
      }
      return
    }
    const consumer = new PushConsumer(receiver, settings)
    this.#consumers.add(consumer)
    try {
      yield* consumer.deliveries()
    } finally {
      this.#consumers.delete(consumer)
      await consumer.end()
    }
  }

  async #openReceiver(): Promise<Receiver> {
    await this.check()
    const epoch = await (await this.#receiving.get()).channel()
    const receiver = new Receiver(epoch, this.#address.queue, async (copy, signal) => {
      const publisher = await unlessAborted(this.#publisher.get(), signal)
      // v8 ignore start -- a second connection that takes seconds to open
      if (publisher === undefined)
        throw new LadingError('QUEUE_UNAVAILABLE', `${this.#where}: no connection to publish on`)
      // v8 ignore stop
      await publisher.publish([copy], { signal })
    })
    this.#receivers.add(receiver)
    epoch.onEnd(() => {
      this.#receivers.delete(receiver)
      if (receiver.lingering > 0)
        this.#lingering.push({ messages: receiver.lingering, until: performance.now() + lingersMs })
    })
    return receiver
  }

  /**
   * Fetches the messages and gives them back, so that others miss them for a moment and the broker counts a
   * delivery.
   */
  async peek(n: number): Promise<readonly Peeked[]> {
    return await this.#withChannel(async ({ channel, answered }) => {
      const seen: Peeked[] = []
      while (seen.length < n) {
        const message = await answered(channel.get(this.#address.queue))
        if (message === false) break
        seen.push({
          key: keyOf(message),
          headers: headersOf(message),
          body: message.content,
          attempt: deliveriesBefore(message),
        })
      }
      if (seen.length > 0) channel.nackAll(true)
      return seen
    })
  }

  /**
   * A count misses what was given back just before. So before a queue is called empty, it is counted again
   * behind that.
   */
  async depth(): Promise<Depth> {
    const { ours, ...depth } = await this.#count()
    const consumers = [...this.#consumers]
    if (depth.ready + ours > 0 || consumers.length === 0) return depth
    await Promise.all(consumers.map((consumer) => consumer.catchUp()))
    const { ours: _, ...again } = await this.#count()
    return again
  }

  async #count(): Promise<Depth & { readonly ours: number }> {
    const { queue, receive } = this.#address
    // What is delayed moves on to the queue, which is counted behind it.
    const [dead, delayed] = await Promise.all([
      this.#messages(deadName(queue)),
      this.#messages(delayedName(queue)),
    ])
    const { messageCount, consumerCount } = await this.#state(queue)
    const consumers = [...this.#consumers]
    // What was on its way to us when it was counted has arrived after this.
    await Promise.all(consumers.map((consumer) => consumer.roundTrip()))
    const ours = [...this.#receivers].reduce((sum, { unsettled }) => sum + unsettled, 0)
    const waiting = consumers.reduce((sum, consumer) => sum + consumer.waiting, 0)
    // Consumers that poll cannot be seen.
    const alone = receive === 'push' && consumerCount <= consumers.reduce((sum, { count }) => sum + count, 0)
    this.#lingering = this.#lingering.filter(({ until }) => !alone && until > performance.now())
    const lingering = this.#lingering.reduce((sum, { messages }) => sum + messages, 0)
    return {
      ready: messageCount + delayed + waiting + lingering,
      inFlight: alone ? ours - waiting : undefined,
      dead,
      ours,
    }
  }

  /** A queue that was deleted under us is made again, where it is ours to make. */
  async #state(queue: string): Promise<Replies.AssertQueue> {
    const ask = () => this.#withChannel(({ channel, answered }) => answered(channel.checkQueue(queue)))
    try {
      return await ask()
    } catch (error) {
      if (!this.#create || !(error instanceof LadingError) || error.code !== 'QUEUE_MISSING') throw error
      await this.check()
      return await ask()
    }
  }

  /** A queue that is not ours to make need not have the others. */
  async #messages(name: string): Promise<number> {
    try {
      return (await this.#withChannel(({ channel, answered }) => answered(channel.checkQueue(name))))
        .messageCount
    } catch (error) {
      if (error instanceof LadingError && error.code === 'QUEUE_MISSING') return 0
      throw error
    }
  }

  /** On a channel of its own, because whatever is refused ends the channel. */
  async #withChannel<T>(work: (epoch: Epoch) => Promise<T>): Promise<T> {
    const epoch = await (await this.#receiving.get()).channel()
    try {
      return await work(epoch)
    } catch (error) {
      throw epoch.ended() ?? queueError(error, this.#where)
    } finally {
      await epoch.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [this.#receiving, this.#publishing].map((each) => each.close((connection) => connection.close())),
    )
  }
}

function* warningsOf({ type, tls, host }: Address): Generator<string> {
  if (type === 'classic') {
    yield 'a classic queue may lose what it has confirmed when its machine fails, and does not count deliveries; a quorum queue keeps both promises'
  }
  if (tls === undefined && !isLoopback(host))
    yield 'amqp:// sends the password and all records as plain text; amqps:// encrypts them'
}
