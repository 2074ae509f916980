/**
 * A queue that is a stream of a Redis server, with a consumer group. What is settled as done is removed from the
 * stream, so the stream holds what is still to be done.
 *
 * A connection that is lost is opened again by the next call that needs one. What was delivered stays with its
 * holder until its lease ends, and can be settled over the new connection.
 */
import { LadingError } from '../../core/errors.ts'
import { ignoreEvents, type Listener } from '../../core/events.ts'
import { type Abortable, unlessAborted, within } from '../../core/wait.ts'
import type { Delivery, Depth, OpenOptions, Outgoing, Peeked, Queue, QueueTraits } from '../queue.ts'
import { requireSize } from '../size.ts'
import { type Address, parseAddress } from './address.ts'
import { Calls } from './calls.ts'
import type { Reply } from './connection.ts'
import { read } from './message.ts'
import { publish } from './publisher.ts'
import { Receiver } from './receiver.ts'
import { Settlements } from './settlements.ts'

/** Redis takes 512 MiB, and the scripts hold what they deliver in memory twice. */
const maxBytes = 64 * 1024 * 1024
/** How long the server may take to answer what was under way when the queue is closed. */
const closeWithinMs = 3_000
/** An id that is no time was chosen by its sender. */
const mostAgeMs = 100 * 365 * 86_400_000

export async function openRedisQueue(url: string, options: OpenOptions = {}): Promise<Queue> {
  const { create = true, onEvent = ignoreEvents, signal } = options
  const address = parseAddress(url)
  const calls = new Calls(address, create)
  try {
    if ((await unlessAborted(calls.connection(), signal)) === undefined)
      throw new LadingError('ABORTED', 'stopped before the queue was open')
    return new RedisQueue(address, calls, onEvent)
  } catch (error) {
    await within(closeWithinMs, calls.close())
    throw error
  }
}

class RedisQueue implements Queue {
  readonly id: string
  readonly #address: Address
  readonly #calls: Calls
  readonly #onEvent: Listener
  readonly #settlements: Settlements
  readonly #receivers = new Set<Receiver>()
  #closing: Promise<void> | undefined

  constructor(address: Address, calls: Calls, onEvent: Listener) {
    this.id = calls.id
    this.#address = address
    this.#calls = calls
    this.#onEvent = onEvent
    this.#settlements = new Settlements(calls.call)
  }

  get traits(): QueueTraits {
    return { maxBytes, leaseMs: this.#address.leaseMs, warnings: this.#calls.warnings }
  }

  async publish(messages: readonly Outgoing[], { signal }: Abortable = {}): Promise<void> {
    requireSize(messages, maxBytes)
    await publish(this.#calls, this.#address.stream, messages, { signal, onEvent: this.#onEvent })
  }

  async *deliveries(options: Abortable & { readonly prefetch: number }): AsyncGenerator<readonly Delivery[]> {
    const receiver = new Receiver(this.#calls.call, this.#settlements, this.#address)
    this.#receivers.add(receiver)
    try {
      yield* receiver.deliveries(options)
    } finally {
      await receiver.end()
      this.#receivers.delete(receiver)
    }
  }

  async peek(n: number): Promise<readonly Peeked[]> {
    const { stream, body } = this.#address
    const entries = (await this.#calls.call('peek', [String(n)])) as readonly (readonly [
      Buffer,
      number,
      Reply[],
    ])[]
    return entries.map(([id, attempt, fields]) => {
      const { weight: _, ...message } = read(stream, String(id), fields, body)
      return { ...message, attempt }
    })
  }

  async depth(): Promise<Depth> {
    const [ready, inFlight] = (await this.#calls.call('depth')) as readonly [number, number]
    return { ready, inFlight, dead: 0 }
  }

  async oldest(): Promise<number | undefined> {
    const age = (await this.#calls.call('oldest')) as number
    return age < 0 || age > mostAgeMs ? undefined : age
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#receivers].map((receiver) => receiver.end()))
    await within(closeWithinMs, this.#settlements.idle())
    await within(closeWithinMs, this.#calls.close())
  }
}
