/**
 * A stream of NATS JetStream, with one durable consumer that all processes share. They ask it for messages; what
 * is not acknowledged in time comes again.
 *
 * A connection that is lost is opened again by the next call that needs one. What was delivered before stays with
 * its holder meanwhile, until its lease runs out.
 */
import { LadingError } from '../../core/errors.ts'
import { ignoreEvents, type Listener } from '../../core/events.ts'
import { isLoopback } from '../../core/server-url.ts'
import { type Abortable, unlessAborted, within } from '../../core/wait.ts'
import type { Delivery, Depth, OpenOptions, Outgoing, Peeked, Queue, QueueTraits } from '../queue.ts'
import { Reopening } from '../reopening.ts'
import { requireSize } from '../size.ts'
import { type Address, parseAddress, shownQueue } from './address.ts'
import { Connection } from './connection.ts'
import { isUnanswered } from './errors.ts'
import { largestBody, publishable, read } from './message.ts'
import { publish } from './publisher.ts'
import { Receiver } from './receiver.ts'
import { Settlements } from './settlements.ts'
import { hasAll, leaseOf, type Made, prepare, stored, subjectOf, weaknesses } from './stream.ts'

/** How long the server may take to answer what was under way when the queue is closed. */
const closeWithinMs = 3_000
/** How long a stop waits for a connection that is only being opened. */
const stopWithinMs = 100

export async function openNatsQueue(url: string, options: OpenOptions = {}): Promise<Queue> {
  const { onEvent = ignoreEvents, create = true, signal } = options
  const address = parseAddress(url)
  const connections = new Connections(address)
  const close = () => connections.close((connection) => connection.close())
  try {
    const made = await unlessAborted(
      connections.get().then((connection) => prepare(connection, address, create)),
      signal,
    )
    if (made === undefined) throw new LadingError('ABORTED', 'stopped before the queue was open')
    return new NatsQueue({
      address,
      create,
      onEvent,
      connections,
      made,
      ...limitsOf(await connections.get(), made),
    })
  } catch (error) {
    // What is being opened may take as long as its time limit, and is closed then.
    await within(stopWithinMs, close())
    throw error
  }
}

/** What the server refused later, it granted before. */
class Connections extends Reopening<Connection> {
  constructor(address: Address) {
    let wasOpen = false
    super(async () => {
      const connection = await Connection.open(address, wasOpen)
      wasOpen = true
      return connection
    })
  }
}

interface Opened {
  readonly address: Address
  readonly create: boolean
  readonly onEvent: Listener
  readonly connections: Connections
  readonly made: Made
  /** Of a message with its headers. */
  readonly limit: number
}

function limitsOf({ maxPayload }: Connection, { stream }: Made): Pick<Opened, 'limit'> {
  const { max_msg_size: most } = stream.config
  return { limit: most > 0 ? Math.min(most, maxPayload) : maxPayload }
}

class NatsQueue implements Queue {
  readonly id: string
  readonly traits: QueueTraits
  readonly #opened: Opened
  readonly #where: string
  readonly #leaseMs: number
  readonly #settlements: Settlements
  readonly #receivers = new Set<Receiver>()
  #closing: Promise<void> | undefined

  constructor(opened: Opened) {
    const { address, made, limit, connections } = opened
    this.id = `nats:${JSON.stringify([address.stream, made.stream.created])}`
    this.#opened = opened
    this.#where = shownQueue(address)
    this.#leaseMs = leaseOf(made.consumer.config)
    this.traits = {
      maxBytes: largestBody(limit),
      leaseMs: this.#leaseMs,
      warnings: [...warningsOf(address, made)],
    }
    this.#settlements = new Settlements(connections)
  }

  async publish(messages: readonly Outgoing[], { signal }: Abortable = {}): Promise<void> {
    this.#requireOpen()
    requireSize(messages, this.traits.maxBytes)
    const { address, limit, onEvent, made, connections } = this.#opened
    const sent = messages.map((message) => publishable(message, limit))
    const subject = subjectOf(address, made.stream.config)
    const connection = await unlessAborted(connections.get(), signal)
    if (connection === undefined)
      throw new LadingError('ABORTED', `stopped before ${this.#where} could be published to`)
    try {
      await publish(connection, sent, { stream: address.stream, subject, onEvent, signal })
    } catch (error) {
      // A stream that was deleted under us is made again, where it is ours to make.
      if (error instanceof LadingError && isUnanswered(error.cause)) await this.#prepare(connection)
      throw error
    }
  }

  async *deliveries({
    prefetch,
    signal,
  }: Abortable & { readonly prefetch: number }): AsyncGenerator<readonly Delivery[]> {
    this.#requireOpen()
    const { address, connections } = this.#opened
    const opening = connections
      .get()
      .then(async (connection) => [connection, await this.#prepare(connection)] as const)
    const opened = await unlessAborted(opening, signal)
    if (opened === undefined) return
    const [connection, made] = opened
    const receiver = new Receiver(
      connection,
      {
        prefetch,
        signal,
        where: this.#where,
        consumer: made.consumer.config,
        subject: `${connection.api}.CONSUMER.MSG.NEXT.${address.stream}.${address.consumer}`,
        placeOf: placesOf(made),
      },
      { leaseMs: this.#leaseMs, settlements: this.#settlements },
    )
    this.#receivers.add(receiver)
    try {
      yield* receiver.deliveries()
    } finally {
      this.#receivers.delete(receiver)
    }
  }

  /** Messages that have not been delivered yet, read from the stream, so that no delivery is counted. */
  async peek(n: number): Promise<readonly Peeked[]> {
    const [connection, made] = await this.#asked()
    const seen: Peeked[] = []
    if (n <= 0) return seen
    const placeOf = placesOf(made)
    for await (const { header, data, seq } of stored(
      connection,
      made,
      made.consumer.delivered.stream_seq + 1,
    )) {
      const { key, headers, body } = read(header, data, () => placeOf(seq))
      seen.push({ key, headers, body, attempt: 0 })
      if (seen.length === n) break
    }
    return seen
  }

  /** What is to come back later is counted among what is in flight. */
  async depth(): Promise<Depth> {
    const [, { stream, consumer }] = await this.#asked()
    const { num_pending: ready, num_ack_pending: inFlight } = consumer
    // What was given up stays in a stream that removes only what is acknowledged. Messages of other subjects do, too.
    const isTold =
      (consumer.config.max_deliver ?? -1) > 0 &&
      stream.config.retention === 'workqueue' &&
      hasAll(consumer.config, stream.config)
    return { ready, inFlight, dead: isTold ? Math.max(0, stream.state.messages - ready - inFlight) : 0 }
  }

  async oldest(): Promise<number | undefined> {
    const [connection, made] = await this.#asked()
    const { ack_floor: floor, num_pending: ready, num_ack_pending: inFlight } = made.consumer
    if (ready + inFlight === 0) return undefined
    for await (const { time } of stored(connection, made, floor.stream_seq + 1))
      return Math.max(0, Date.now() - time.getTime())
    return undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#receivers].map((receiver) => receiver.end()))
    await within(closeWithinMs, this.#settlements.idle())
    await within(
      closeWithinMs,
      this.#opened.connections.close((connection) => connection.close()),
    )
  }

  async #asked(): Promise<readonly [Connection, Made]> {
    this.#requireOpen()
    const connection = await this.#opened.connections.get()
    return [connection, await this.#prepare(connection)]
  }

  async #prepare(connection: Connection): Promise<Made> {
    const { address, create } = this.#opened
    return await prepare(connection, address, create)
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new LadingError('INTERNAL', 'a queue was used after it was closed')
  }
}

/** A stream that was deleted and made again counts from 1 again. */
const placesOf =
  ({ stream }: Made) =>
  (sequence: number): string =>
    `${stream.config.name}@${stream.created}/${sequence}`

function* warningsOf({ tls, host }: Address, { stream, consumer }: Made): Generator<string> {
  for (const { detail } of weaknesses(stream.config, consumer.config)) yield detail
  if (tls === undefined && !isLoopback(host))
    yield 'nats:// sends the password and all records as plain text, unless the server demands TLS; tls:// encrypts them'
}
