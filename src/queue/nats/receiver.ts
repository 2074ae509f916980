/**
 * Messages come for requests, each of which names a number and waits at the server until so many have come.
 * What is in hand is bounded by messages and by bytes, and no more is asked for than there is room for.
 */
import type { ConsumerConfig } from '@nats-io/jetstream'
import type { Msg } from '@nats-io/transport-node'
import { type Code, LadingError } from '../../core/errors.ts'
import { type Abortable, within } from '../../core/wait.ts'
import { Arrival } from '../arrival.ts'
import { type Delivery, mostInFlightBytes } from '../queue.ts'
import { renewing } from '../renewing.ts'
import { aloneFrom, firstLimit, Patience, suspectFrom, Window } from '../window.ts'
import type { Connection, Subscription } from './connection.ts'
import { Held, type Holder } from './held.ts'
import { originOf, read } from './message.ts'

/** In hand at most: four batches (settling, writing, decoding, arriving). */
const mostMessages = 8_000
/** Beside a message that may be what kills consumers. */
const fewMessages = 10
/** If one message in a hundred is large, the mean has to show it. */
const meanOver = 256
/** A request waits so long at the server. */
const waitMs = 20_000
/** While a request waits, the server says so often that it does. */
const signMs = 5_000
const mostQuietSigns = 3
/**
 * How long more messages are waited for before it is said that there are none: longer than the gaps of a busy
 * stream.
 */
const firstIdleMs = 20
const lastIdleMs = 200
/**
 * A consumer that does not ask for more within this time, or a quarter of the lease, leaves messages to others.
 */
const comesBackWithinMs = 1_000
/** How long the server may take to take back what was not handed out; otherwise it comes again after its lease. */
const giveBackWithinMs = 3_000

const expired = 408
const conflict = 409
const sign = 100
const unanswered = 503

export interface ReceiverOptions extends Abortable {
  readonly prefetch: number
  /** Says which stream it is about. */
  readonly where: string
  readonly consumer: ConsumerConfig
  /** Where requests are sent. */
  readonly subject: string
  /** Identifies a message of the stream by its number. */
  readonly placeOf: (sequence: number) => string
}

export class Receiver {
  readonly #connection: Connection
  readonly #options: ReceiverOptions
  readonly #holder: Holder
  readonly #window: Window
  readonly #arrival = new Arrival()
  readonly #stop = new AbortController()
  #buffer: Held[] = []
  readonly #unsettled = new Set<Held>()
  #unsettledBytes = 0
  /** Of each request that may wait at the server: messages that it asked for. */
  readonly #requests = new Map<string, number>()
  #numbers = 0
  /** Asked for and not come. */
  #asked = 0
  #limit = firstLimit
  #isPumping = false
  /** Signs of the server that did not come. */
  #quiet = 0
  #failure: LadingError | undefined
  /** Where what was asked for comes. */
  #subscription: Subscription | undefined
  /** Whoever iterates does not ask for more. */
  #isAway = false

  constructor(connection: Connection, options: ReceiverOptions, holder: Omit<Holder, 'settled'>) {
    this.#connection = connection
    this.#options = options
    this.#window = new Window({ prefetch: options.prefetch, mostMessages, meanOver })
    this.#holder = { ...holder, settled: (held) => this.#settled(held) }
  }

  async *deliveries(): AsyncGenerator<readonly Delivery[]> {
    const { signal } = this.#options
    const stop = () => this.#abort()
    signal?.addEventListener('abort', stop, { once: true })
    // v8 ignore next -- only if the signal aborts just after the connection opens
    if (signal?.aborted) stop()
    const forget = this.#connection.onEnd(() => this.#fail(this.#connection.ended as LadingError))
    const { leaseMs } = this.#holder
    const renewNoMore = renewing(() => this.#buffer, leaseMs)
    const listening = setInterval(() => this.#listen(), signMs)
    const patience = new Patience(firstIdleMs, lastIdleMs)
    try {
      while (!this.#stop.signal.aborted) {
        if (this.#failure !== undefined) throw this.#failure
        this.#pump()
        // Nothing comes before something is settled, which must reach the batch at once.
        const isExhausted = patience.isFirst && this.#asked === 0 && this.#room() <= 0
        if (this.#buffer.length === 0) await this.#arrival.wait(isExhausted ? 0 : patience.ms)
        if (this.#stop.signal.aborted) return
        if (this.#failure !== undefined) throw this.#failure
        const ready = this.#takeBuffer()
        patience.saw(ready.length)
        const leave = setTimeout(() => void this.#leave(), Math.min(comesBackWithinMs, leaseMs / 4))
        try {
          yield ready
        } finally {
          clearTimeout(leave)
          this.#isAway = false
        }
      }
    } finally {
      clearInterval(listening)
      signal?.removeEventListener('abort', stop)
      this.#abort()
      await this.#leave()
      renewNoMore()
      forget()
      await this.#giveBack()
    }
  }

  /** Ends the iteration, whoever holds it. What was handed out can still be settled. Never throws. */
  async end(): Promise<void> {
    this.#abort()
    await this.#leave()
    await this.#giveBack()
  }

  /** Takes back what was asked for. What is on its way comes before this resolves. */
  async #leave(): Promise<void> {
    this.#isAway = true
    const subscription = this.#subscription
    this.#subscription = undefined
    this.#requests.clear()
    this.#asked = 0
    await subscription?.end()
  }

  #abort(): void {
    this.#stop.abort()
    this.#arrival.come()
  }

  async #giveBack(): Promise<void> {
    const left = this.#buffer.splice(0)
    await within(giveBackWithinMs, Promise.allSettled(left.map((held) => held.settle({ kind: 'release' }))))
  }

  /** Without those whose lease was lost while they waited here. */
  #takeBuffer(): readonly Held[] {
    const kept: Held[] = []
    // Asked once of each: a lease may be lost between two questions.
    for (const held of this.#buffer.splice(0))
      if (held.isLost) this.#settled(held)
      else kept.push(held)
    return kept
  }

  /** Asks once in a turn of the event loop, because messages are settled many at a time. */
  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    setImmediate(() => {
      this.#isPumping = false
      if (this.#stop.signal.aborted || this.#failure !== undefined || this.#isAway) return
      const room = this.#room()
      // A few more beside many that wait would be a request for each message.
      if (room <= 0 || room < this.#asked) return
      this.#ask(room)
    })
  }

  #room(): number {
    const inHand = this.#unsettled.size + this.#asked
    const fit = this.#window.fitBeside(this.#unsettledBytes, this.#asked)
    // One that is larger than the bound is taken alone.
    return Math.min(
      Math.min(this.#limit, this.#options.prefetch) - inHand,
      inHand === 0 ? Math.max(1, fit) : fit,
    )
  }

  #ask(room: number): void {
    const { consumer, subject } = this.#options
    const batch = Math.min(room, consumer.max_batch || room)
    const expires = Math.min(waitMs, (consumer.max_expires ?? 0) / 1e6 || waitMs)
    // Sizes may change from one message to the next; a message of any size goes into this many bytes.
    const most = Math.max(2 * mostInFlightBytes, 2 * this.#connection.maxPayload)
    const request = {
      batch,
      expires: expires * 1e6,
      idle_heartbeat: Math.min(signMs, expires / 2) * 1e6,
      max_bytes: Math.min(most, consumer.max_bytes || most),
    }
    if (this.#asked === 0) this.#requests.clear()
    try {
      this.#subscription ??= this.#connection.subscribe((message) => this.#receive(message))
      const reply = `${this.#subscription.inbox}.${this.#numbers++}`
      this.#requests.set(reply, batch)
      this.#asked += batch
      this.#connection.send(subject, JSON.stringify(request), reply)
    } catch (error) {
      // v8 ignore next -- only if the connection ends within this turn of the event loop
      this.#fail(error as LadingError)
    }
  }

  /** Never throws: the client would write to the console. */
  #receive(message: Msg): void {
    this.#quiet = 0
    const { headers, reply } = message
    if (reply !== undefined && reply !== '') return this.#accept(message, reply)
    const code = headers?.code ?? 0
    if (code === sign || !this.#requests.has(message.subject)) return
    this.#requestEnded(message)
    const said = headers?.description ?? ''
    if (code === expired || /MaxBytes/i.test(said)) return this.#pump()
    this.#fail(new LadingError(codeOf(code, said), `${this.#options.where}: ${said || `status ${code}`}`))
  }

  #requestEnded({ subject, headers }: Msg): void {
    const pending = headers?.get('Nats-Pending-Messages')
    const left = pending ? Number(pending) : (this.#requests.get(subject) ?? 0)
    this.#requests.delete(subject)
    this.#asked = Math.max(0, this.#asked - left)
  }

  #accept({ headers, data }: Msg, reply: string): void {
    const { deliveries, sequence } = originOf(reply)
    const found = read(headers, data, () => this.#options.placeOf(sequence))
    const held = new Held(found, deliveries, reply, this.#holder)
    this.#asked = Math.max(0, this.#asked - 1)
    this.#unsettled.add(held)
    this.#unsettledBytes += held.weight
    this.#window.came(held.weight)
    if (deliveries >= aloneFrom) this.#limit = 1
    else if (deliveries >= suspectFrom) this.#limit = fewMessages
    else if (this.#asked === 0) this.#limit = this.#window.after(this.#limit)
    this.#buffer.push(held)
    this.#arrival.come()
  }

  #settled(held: Held): void {
    this.#unsettled.delete(held)
    this.#unsettledBytes -= held.weight
    this.#pump()
  }

  /** Counted, not timed: this process may have been busy, and what was said waits to be read. */
  #listen(): void {
    if (this.#asked === 0) this.#quiet = 0
    else if (++this.#quiet > mostQuietSigns)
      this.#fail(
        new LadingError('QUEUE_UNAVAILABLE', `${this.#options.where}: nothing is heard of the consumer`),
      )
  }

  #fail(failure: LadingError): void {
    this.#failure ??= failure
    this.#arrival.come()
  }
}

/** What is gone is looked for when messages are asked for again, and made where it may be. */
function codeOf(code: number, said: string): Code {
  if (code === unanswered || /deleted|leadership|shutdown/i.test(said)) return 'QUEUE_UNAVAILABLE'
  return code === conflict && !/push/i.test(said) ? 'QUEUE_BUSY' : 'QUEUE_REFUSED'
}
