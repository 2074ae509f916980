/**
 * A queue of Amazon SQS. It is never made here, and its own settings hold: the length of a lease
 * (VisibilityTimeout), the size of a message (MaximumMessageSize), and the dead-letter queue (RedrivePolicy).
 */
import { LadingError } from '../../core/errors.ts'
import { ignoreEvents, type Listener } from '../../core/events.ts'
import { type Abortable, sleep, stopping } from '../../core/wait.ts'
import type { Delivery, Depth, OpenOptions, Outgoing, Peeked, Queue, QueueTraits } from '../queue.ts'
import { type Address, parseAddress } from './address.ts'
import { mostEntries, patiently, type Patience } from './batch.ts'
import { countIn, DeadLetterQueue } from './dead-letters.ts'
import { largestBody, read } from './message.ts'
import { receiveMessage } from './operations.ts'
import { publish } from './publisher.ts'
import { Receiver } from './receiver.ts'
import { Service } from './service.ts'
import { Settlements } from './settlements.ts'

/** If a queue has a timeout of 0, which would show a message to others at once. */
const defaultLeaseSeconds = 30
/** If the server does not say, as one that only speaks the protocol. */
const defaultLimit = 256 * 1024
/**
 * Deliveries that a message has before a consumer gives it up, with room for those that an orderly stop gives
 * back.
 */
const enoughReceives = 100
/**
 * A look at an empty queue takes so long: a call that does not wait asks only some of the servers that hold a
 * queue.
 */
const peekSeconds = 1

interface Settings {
  readonly leaseMs: number
  readonly limit: number
  readonly deadLetters: DeadLetterQueue | undefined
}

export async function openSqsQueue(url: string, options: OpenOptions = {}): Promise<Queue> {
  const address = parseAddress(url)
  const service = await Service.open(address)
  try {
    const { Attributes = {} } = await attributesOf(service, options)
    const settings = {
      leaseMs: 1000 * (Number(Attributes.VisibilityTimeout) || defaultLeaseSeconds),
      limit: Number(Attributes.MaximumMessageSize) || defaultLimit,
      deadLetters: DeadLetterQueue.of(service, address, Attributes.RedrivePolicy),
    }
    return new SqsQueue(address, service, settings, options.onEvent ?? ignoreEvents)
  } catch (error) {
    service.close()
    throw service.error(error)
  }
}

const attributesOf = (service: Service, { signal }: Abortable) =>
  service.call(
    (sqs, options) => sqs.getQueueAttributes({ QueueUrl: service.url, AttributeNames: ['All'] }, options),
    { signal },
  )

/** A stop waits this long for what is being sent. */
const stopWithinMs = 10_000
/** How long SQS may take to answer what was under way when the queue is closed. */
const closeWithinMs = 3_000

class SqsQueue implements Queue {
  readonly id: string
  readonly traits: QueueTraits
  readonly #address: Address
  readonly #service: Service
  readonly #settings: Settings
  readonly #patience: Patience
  readonly #settlements: Settlements
  readonly #receivers = new Set<Receiver>()
  /** Gives up what SQS has not answered when everything else is closed. */
  readonly #giveUp = new AbortController()
  #closing: Promise<void> | undefined

  constructor(address: Address, service: Service, settings: Settings, onEvent: Listener) {
    this.id = address.url
    this.traits = {
      maxBytes: largestBody(settings.limit),
      leaseMs: settings.leaseMs,
      warnings: [...warningsOf(address, settings)],
    }
    this.#address = address
    this.#service = service
    this.#settings = settings
    this.#patience = { where: service.where, onEvent }
    this.#settlements = new Settlements(service, { ...this.#patience, signal: this.#giveUp.signal })
  }

  async publish(messages: readonly Outgoing[], { signal }: Abortable = {}): Promise<void> {
    this.#requireOpen()
    const { limit } = this.#settings
    using stop = stopping(signal, stopWithinMs)
    const { isFifo } = this.#address
    const patience = { ...this.#patience, signal, giveUp: stop.abandon }
    await publish(this.#service, messages, { ...patience, limit, isFifo })
  }

  async *deliveries({
    prefetch,
    signal,
  }: Abortable & { readonly prefetch: number }): AsyncGenerator<readonly Delivery[]> {
    this.#requireOpen()
    const { receivers, isFifo } = this.#address
    const holder = {
      leaseMs: this.#settings.leaseMs,
      settlements: this.#settlements,
    }
    const receiver = new Receiver(
      this.#service,
      { prefetch, signal, receivers, isFifo },
      holder,
      this.#patience,
    )
    this.#receivers.add(receiver)
    try {
      yield* receiver.deliveries()
    } finally {
      this.#receivers.delete(receiver)
    }
  }

  /**
   * Receives the messages without hiding them from other consumers. SQS counts a delivery of each all the
   * same, and takes them in any order.
   */
  async peek(n: number, { signal }: Abortable = {}): Promise<readonly Peeked[]> {
    this.#requireOpen()
    const seen = new Map<string, Peeked>()
    for (let hasMore = true; hasMore && seen.size < n && !signal?.aborted;) {
      const input = {
        QueueUrl: this.#service.url,
        MaxNumberOfMessages: Math.min(mostEntries, n - seen.size),
        WaitTimeSeconds: peekSeconds,
        VisibilityTimeout: 0,
        MessageSystemAttributeNames: ['All' as const],
        MessageAttributeNames: ['All'],
      }
      const waiting = { signal, waitMs: peekSeconds * 1000 }
      const call = () => this.#service.move(receiveMessage, input, waiting)
      const { Messages = [] } = await patiently(call, { ...this.#patience, signal })
      hasMore = false
      for (const message of Messages) {
        const { MessageId = '', Attributes } = message
        if (seen.has(MessageId)) continue
        hasMore = true
        const { key, headers, body, fault } = await read(message)
        seen.set(MessageId, {
          key,
          headers,
          body,
          fault,
          attempt: Math.max(0, Number(Attributes?.ApproximateReceiveCount) - 1) || 0,
        })
      }
    }
    return [...seen.values()]
  }

  /** As SQS estimates it. What is to come back later is counted among what is in flight. */
  async depth({ signal }: Abortable = {}): Promise<Depth> {
    this.#requireOpen()
    const [{ Attributes = {} }, dead] = await Promise.all([
      patiently(() => attributesOf(this.#service, { signal }), { ...this.#patience, signal }),
      this.#settings.deadLetters?.count({ signal }) ?? 0,
    ])
    return {
      ready: countIn(Attributes, 'ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesDelayed'),
      inFlight: countIn(Attributes, 'ApproximateNumberOfMessagesNotVisible'),
      dead,
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    const closed = new AbortController()
    // What is not given back by then comes again when its time out of sight is over.
    void sleep(closeWithinMs, closed.signal).then(() => this.#giveUp.abort())
    await Promise.all([...this.#receivers].map((receiver) => receiver.end()))
    await this.#settlements.idle()
    closed.abort()
    this.#service.close()
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new LadingError('INTERNAL', 'a queue was used after it was closed')
  }
}

function* warningsOf({ isPrivate }: Address, { deadLetters }: Settings): Generator<string> {
  if (!isPrivate) yield 'http:// sends all records as plain text; https:// encrypts them'
  if (deadLetters !== undefined && deadLetters.maxReceiveCount < enoughReceives) {
    yield `SQS moves a message to the dead-letter queue after ${deadLetters.maxReceiveCount} deliveries, and counts those of stopped and killed consumers; a maxReceiveCount of ${enoughReceives} or more leaves that to lading`
  }
}
