/**
 * A queue in the memory of one process, for tests and for loads that nobody resumes: what waits in it is lost
 * when its last user closes it. Otherwise it behaves as the embedded queue does, with leases, delays and
 * attempts, so that a test sees what a program will.
 */
import { randomUUID } from 'node:crypto'
import { LadingError } from '../../core/errors.ts'
import { type Abortable, sleep } from '../../core/wait.ts'
import {
  type Delivery,
  type Depth,
  type Headers,
  mostInFlightBytes,
  type OpenOptions,
  type Outcome,
  type Outgoing,
  type Peeked,
  type Queue,
  type QueueTraits,
} from '../queue.ts'
import { requireSize } from '../size.ts'
import { Patience } from '../window.ts'
import { parseMemory } from './address.ts'

const defaultLeaseMs = 30_000
const maxBytes = 512 * 1024 * 1024
const firstPollMs = 1
const lastPollMs = 50

interface Message {
  readonly key: string
  readonly headers: Headers
  readonly body: Uint8Array
  /** Bytes that count as in flight while it is held. */
  readonly weight: number
  readonly publishedAt: number
  attempt: number
  /** When it may be delivered (again), in milliseconds since 1970; of a held one, when its lease ends. */
  due: number
  /** Whoever holds it; another object for each delivery. */
  holder: object | undefined
}

/** What all who opened the queue share. */
class Messages {
  readonly id = randomUUID()
  users = 0
  /** Due at once, in the order in which they came. */
  readonly #waiting = new Set<Message>()
  /** Held, or given back with a delay. */
  readonly #later = new Set<Message>()

  add(messages: readonly Outgoing[]): void {
    const now = Date.now()
    for (const { key, headers, body, weight = body.length } of messages) {
      const kept = { key, headers: { ...headers }, body: Buffer.from(body), weight, publishedAt: now }
      this.#waiting.add({ ...kept, attempt: 0, due: 0, holder: undefined })
    }
  }

  /** Up to `count` messages, of at most `bytes` together but for the last, in the order of their turn. */
  ready(count: number, bytes = Number.POSITIVE_INFINITY): Message[] {
    const now = Date.now()
    for (const message of this.#later) if (message.due <= now) this.#wait(message, 0)
    const ready: Message[] = []
    let sum = 0
    for (const message of this.#waiting) {
      if (ready.length >= count || sum >= bytes) break
      ready.push(message)
      sum += message.weight
    }
    return ready
  }

  hold(message: Message, holder: object, leaseMs: number): void {
    this.#waiting.delete(message)
    this.#later.add(Object.assign(message, { holder, due: Date.now() + leaseMs }))
    message.attempt++
  }

  settle(message: Message, holder: object, outcome: Outcome): void {
    if (message.holder !== holder) return
    if (outcome.kind === 'done') {
      this.#later.delete(message)
      this.#waiting.delete(message)
      return
    }
    if (outcome.kind === 'release') message.attempt--
    message.holder = undefined
    this.#wait(message, outcome.afterMs ?? 0)
  }

  extend(message: Message, holder: object, ms: number): void {
    if (message.holder === holder) this.#wait(message, ms)
  }

  depth(): Depth {
    const now = Date.now()
    let inFlight = 0
    for (const { holder, due } of this.#later) if (holder !== undefined && due > now) inFlight++
    return { ready: this.#waiting.size + this.#later.size - inFlight, inFlight, dead: 0 }
  }

  oldest(): number | undefined {
    let since = Number.POSITIVE_INFINITY
    for (const messages of [this.#waiting, this.#later])
      for (const { publishedAt } of messages) since = Math.min(since, publishedAt)
    return since === Number.POSITIVE_INFINITY ? undefined : Math.max(0, Date.now() - since)
  }

  /** One whose lease has ended keeps its holder, who may still settle it, until somebody else takes it. */
  #wait(message: Message, ms: number): void {
    message.due = Date.now() + ms
    this.#later.delete(message)
    this.#waiting.delete(message)
    ;(ms > 0 ? this.#later : this.#waiting).add(message)
  }
}

/** By their names, while somebody has them open. */
const named = new Map<string, Messages>()

export class MemoryQueue implements Queue {
  readonly traits: QueueTraits
  readonly #name: string
  readonly #messages: Messages
  readonly #leaseMs: number
  #isClosed = false

  constructor(name: string, leaseMs = defaultLeaseMs) {
    this.#name = name
    this.#leaseMs = leaseMs
    this.#messages = named.get(name) ?? new Messages()
    this.#messages.users++
    if (name !== '') named.set(name, this.#messages)
    this.traits = {
      maxBytes,
      leaseMs,
      isLocal: true,
      warnings: [
        'the queue is in the memory of this process: what waits in it is lost when the process ends, and no other process sees it',
      ],
    }
  }

  get id(): string {
    return this.#messages.id
  }

  async publish(messages: readonly Outgoing[]): Promise<void> {
    requireSize(messages, maxBytes)
    this.#messages.add(messages)
  }

  async *deliveries({
    prefetch,
    signal,
  }: Abortable & { readonly prefetch: number }): AsyncIterable<readonly Delivery[]> {
    const inFlight = { count: 0, bytes: 0 }
    const patience = new Patience(firstPollMs, lastPollMs)
    while (!signal?.aborted) {
      const taken = this.#messages.ready(prefetch - inFlight.count, mostInFlightBytes - inFlight.bytes)
      yield taken.map((message) => this.#deliver(message, inFlight))
      if (taken.length === 0) await sleep(patience.ms, signal)
      patience.saw(taken.length)
    }
  }

  async peek(n: number): Promise<readonly Peeked[]> {
    return this.#messages.ready(n).map(({ key, headers, body, attempt }) => ({ key, headers, body, attempt }))
  }

  async depth(): Promise<Depth> {
    return this.#messages.depth()
  }

  async oldest(): Promise<number | undefined> {
    return this.#messages.oldest()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    if (--this.#messages.users === 0) named.delete(this.#name)
  }

  #deliver(message: Message, inFlight: { count: number; bytes: number }): Delivery {
    const { key, headers, body, weight } = message
    const holder = {}
    this.#messages.hold(message, holder, this.#leaseMs)
    inFlight.count++
    inFlight.bytes += weight
    let isSettled = false
    return {
      key,
      headers,
      body,
      attempt: message.attempt,
      settle: async (outcome) => {
        if (isSettled) return
        isSettled = true
        inFlight.count--
        inFlight.bytes -= weight
        this.#messages.settle(message, holder, outcome)
      },
      extend: async (ms) => this.#messages.extend(message, holder, ms),
    }
  }
}

export async function openMemoryQueue(url: string, options: OpenOptions): Promise<Queue> {
  const { name, leaseMs } = parseMemory(url.slice(url.indexOf(':') + 1))
  if (options.create === false && !named.has(name))
    throw new LadingError('QUEUE_MISSING', 'there is no such queue in the memory of this process')
  return new MemoryQueue(name, leaseMs)
}
