/**
 * One channel that receives: what came on it is settled on it and nowhere else. When the channel ends, the
 * broker gives what was not settled to others, and settling it has no effect any more.
 */
import type { Message } from 'amqplib'
import { freeBytes } from '../../core/bytes.ts'
import { sleep } from '../../core/wait.ts'
import type { Delivery, Headers, Outcome } from '../queue.ts'
import { Acknowledgements } from './acknowledgements.ts'
import type { Epoch } from './connection.ts'
import { copyOf, deliveriesBefore, headersOf, keyOf, type Publishable, weightOf } from './message.ts'
import { delayedName } from './topology.ts'

/** How long the broker may take for a copy, before the confirm of it is given up in a stop's own time. */
const sendWithinMs = 5_000

export class Receiver {
  readonly epoch: Epoch
  readonly #queue: string
  readonly #publish: (message: Publishable, signal: AbortSignal) => Promise<void>
  #unsettled = 0
  #unsettledBytes = 0
  #isEnding = false
  #closing: Promise<void> | undefined
  readonly #ended = new AbortController()
  readonly #acknowledgements: Acknowledgements

  /** Copies of messages that come back later go through `publish`. */
  constructor(
    epoch: Epoch,
    queue: string,
    publish: (message: Publishable, signal: AbortSignal) => Promise<void>,
  ) {
    this.epoch = epoch
    this.#queue = queue
    this.#publish = publish
    this.#acknowledgements = new Acknowledgements(epoch)
    epoch.onEnd(() => this.#ended.abort())
  }

  /** Received on this channel and not settled; none once the channel has ended. */
  get unsettled(): number {
    return this.epoch.ended() === undefined ? this.#unsettled : 0
  }

  /** Not settled when the channel was given up: the broker may hold it for us until it notices. */
  get lingering(): number {
    return this.epoch.isSilent() ? this.#unsettled : 0
  }

  get unsettledBytes(): number {
    return this.#unsettledBytes
  }

  /** The message counts as unsettled from here on; without its bytes, where it is not kept. */
  accept({ fields: { deliveryTag } }: Message, bytes: number): void {
    this.#unsettled++
    this.#unsettledBytes += bytes
    this.#acknowledgements.expect(deliveryTag)
  }

  /** Gives back what was accepted without its bytes. */
  giveBack(tag: number): void {
    this.#acknowledgements.nack(tag)
    this.#unsettled--
  }

  delivery(message: Message): Delivery {
    return new RabbitDelivery(this, message)
  }

  /**
   * For a delivery, once. What is done has no promise of its own, because there are thousands of them at
   * once.
   */
  settle(message: Message, outcome: Outcome): Promise<void> {
    if (outcome.kind !== 'done') return this.#settleOther(message, outcome)
    this.#settled(message)
    freeBytes(message.content)
    const sent = this.#acknowledgements.ack(tagOf(message))
    return this.#isEnding ? sent.then(() => this.#closeWhenSettled()) : sent
  }

  async #settleOther(message: Message, outcome: Exclude<Outcome, { kind: 'done' }>): Promise<void> {
    const before = deliveriesBefore(message)
    if (outcome.kind === 'retry') await this.#sendAgain(message, before + 1, outcome.afterMs)
    else if (outcome.afterMs !== undefined) await this.#sendAgain(message, before, outcome.afterMs)
    else this.#acknowledgements.nack(tagOf(message))
    this.#settled(message)
    if (this.#isEnding) await this.#closeWhenSettled()
  }

  #settled(message: Message): void {
    this.#unsettled--
    this.#unsettledBytes -= weightOf(message)
  }

  /**
   * Sends a copy and acknowledges the message, because a broker has no delay for a message that it has. A
   * crash in between makes two messages of one, which the ledger recognizes. If there is no queue for delayed
   * messages, the message is kept here until its time and its copy sent to the queue itself; if that fails
   * too, the message is given back, which the broker counts.
   */
  async #sendAgain(message: Message, attempts: number, afterMs: number): Promise<void> {
    // The message has a new holder, which would receive it twice.
    if (this.epoch.ended() !== undefined) return
    const queue = afterMs > 0 ? delayedName(this.#queue) : this.#queue
    if (await this.#sends(copyOf(queue, message, attempts, afterMs)))
      return this.#acknowledgements.ack(tagOf(message))
    await sleep(afterMs, this.#ended.signal)
    if (this.epoch.ended() !== undefined) return
    if (await this.#sends(copyOf(this.#queue, message, attempts, 0)))
      return this.#acknowledgements.ack(tagOf(message))
    this.#acknowledgements.nack(tagOf(message))
  }

  /** If the broker takes nothing, there is no waiting: the message is still in its queue. */
  #sends(copy: Publishable): Promise<boolean> {
    return this.#publish(copy, AbortSignal.timeout(sendWithinMs)).then(
      () => true,
      () => false,
    )
  }

  /** No more will be received; the channel is closed when all that was received is settled. */
  async end(): Promise<void> {
    this.#isEnding = true
    await this.#closeWhenSettled()
  }

  async #closeWhenSettled(): Promise<void> {
    if (this.#unsettled > 0 || this.epoch.ended() !== undefined) return
    await (this.#closing ??= this.#acknowledgements.flushed().then(() => this.epoch.close()))
  }
}

/** A class, because there are thousands of them at once. */
class RabbitDelivery implements Delivery {
  readonly key: string
  readonly body: Uint8Array
  readonly headers: Headers
  readonly attempt: number
  readonly #receiver: Receiver
  readonly #message: Message
  #settlement: Promise<void> | undefined

  constructor(receiver: Receiver, message: Message) {
    this.key = keyOf(message)
    this.body = message.content
    this.headers = headersOf(message)
    this.attempt = deliveriesBefore(message) + 1
    this.#receiver = receiver
    this.#message = message
  }

  settle(outcome: Outcome): Promise<void> {
    return (this.#settlement ??= this.#receiver.settle(this.#message, outcome))
  }
}

const tagOf = ({ fields }: Message): number => fields.deliveryTag
