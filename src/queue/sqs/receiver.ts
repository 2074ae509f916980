/**
 * Messages come by long polling: one call waits while there are none, several side by side fetch while there
 * are some. What is in hand is bounded by messages and by bytes, and a call asks for no more than there is
 * room for.
 */
import { randomUUID } from 'node:crypto'
import type { Message } from '@aws-sdk/client-sqs'
import type { LadingError } from '../../core/errors.ts'
import { type Abortable, sleep, within } from '../../core/wait.ts'
import { Arrival } from '../arrival.ts'
import type { Delivery } from '../queue.ts'
import { renewing } from '../renewing.ts'
import { aloneFrom, firstLimit, Patience as Idle, suspectFrom, Window } from '../window.ts'
import { mostEntries, patiently, type Patience } from './batch.ts'
import { Held, type Holder } from './held.ts'
import { read } from './message.ts'
import { receiveMessage } from './operations.ts'
import type { Service } from './service.ts'

/** A server that says at once that it has none, instead of waiting, is asked again after this time. */
const pauseMs = 100
/** The longest that SQS waits for a message. Waiting costs one request each time. */
const waitSeconds = 20
/**
 * How long more messages are waited for before it is said that there are none, in multiples of what an answer
 * takes.
 */
const patienceAnswers = 3
const leastPatienceMs = 20
const mostPatienceMs = 300
const lastIdleMs = 1_000
/**
 * A consumer that does not ask for more within this time, or a quarter of the lease, leaves messages to
 * others.
 */
const comesBackWithinMs = 1_000
/** How long SQS may take to take back what was not handed out; otherwise it comes again after its lease. */
const giveBackWithinMs = 3_000
/** Messages over which a mean is taken, about. */
const meanOver = 16

/**
 * In hand at most: SQS lets all consumers of a queue together have 120,000, and each call that extends them
 * takes ten.
 */
const mostMessages = 4_000

export interface ReceiveOptions extends Abortable {
  readonly prefetch: number
  readonly receivers: number
  readonly isFifo: boolean
}

export class Receiver {
  readonly #service: Service
  readonly #options: ReceiveOptions
  readonly #patience: Patience
  readonly #holder: Holder
  readonly #stop = new AbortController()
  /** Ends the calls under way. */
  #asking = new AbortController()
  readonly #polls = new Set<Promise<void>>()
  #buffer: Held[] = []
  /** Not settled, in the order in which they came. */
  readonly #unsettled = new Set<Held>()
  #unsettledBytes = 0
  /** For which there is room, and a call under way. */
  #asked = 0
  #limit = firstLimit
  #isBusy = false
  readonly #window: Window
  /** When the latest call was made. */
  #askedAt = 0
  #failure: LadingError | undefined
  #isPumping = false
  /** The consumer has not asked for more for a while. */
  #isAway = false
  readonly #arrival = new Arrival()

  constructor(
    service: Service,
    options: ReceiveOptions,
    holder: Pick<Holder, 'leaseMs' | 'settlements'>,
    patience: Patience,
  ) {
    this.#service = service
    this.#options = options
    this.#window = new Window({ prefetch: options.prefetch, mostMessages, meanOver })
    this.#patience = patience
    this.#holder = {
      ...holder,
      behind: (held) => this.#behind(held),
      settled: (held) => this.#settled(held),
    }
    const { signal } = options
    signal?.addEventListener('abort', () => this.#abort(), { once: true, signal: this.#stop.signal })
    if (signal?.aborted) this.#abort()
  }

  async *deliveries(): AsyncGenerator<readonly Delivery[]> {
    const { leaseMs } = this.#holder
    const renewNoMore = renewing(() => this.#buffer, leaseMs)
    const idle = new Idle(leastPatienceMs, lastIdleMs)
    try {
      while (!this.#stop.signal.aborted) {
        if (this.#asking.signal.aborted) this.#asking = new AbortController()
        this.#pump()
        if (this.#buffer.length === 0) await this.#awaitArrival(Math.max(idle.ms, this.#patienceMs))
        if (this.#stop.signal.aborted) return
        if (this.#failure !== undefined) throw this.#failure
        const ready = this.#takeBuffer()
        idle.saw(ready.length)
        const cancel = this.#leaveUnlessBack(Math.min(comesBackWithinMs, leaseMs / 4))
        try {
          yield ready
        } finally {
          cancel()
        }
      }
    } finally {
      renewNoMore()
      await this.end()
    }
  }

  /**
   * Starts no more calls after `withinMs`, and aborts those that still wait after twice that time. Younger calls are left:
   * their answers may be on the way, and SQS hides a message whose answer is dropped until its lease is over.
   */
  #leaveUnlessBack(withinMs: number): () => void {
    let timer = setTimeout(() => {
      this.#isAway = true
      timer = setTimeout(() => this.#asking.abort(), withinMs)
    }, withinMs)
    return () => {
      clearTimeout(timer)
      this.#isAway = false
    }
  }

  /** Gives back what was not handed out, the last one first. What was can still be settled. Never throws. */
  async end(): Promise<void> {
    this.#abort()
    // A message that is on its way to a call that is given up comes to no consumer before its lease is over.
    const young = this.#askedAt + this.#patienceMs - performance.now()
    if (young > 0 && this.#polls.size > 0) await within(young, Promise.all(this.#polls))
    this.#asking.abort()
    await Promise.all(this.#polls)
    const left = this.#buffer.splice(0).toReversed()
    await within(giveBackWithinMs, Promise.allSettled(left.map((held) => held.settle({ kind: 'release' }))))
  }

  #abort(): void {
    this.#stop.abort()
    this.#arrival.come()
  }

  /** Without those whose lease was lost while they waited here. */
  #takeBuffer(): readonly Held[] {
    const kept: Held[] = []
    // Asked once of each: a lease may be lost between two questions.
    for (const held of this.#buffer.splice(0))
      if (held.isLost) this.#settled(held)
      else if (held.isCurrent()) kept.push(held)
    return kept
  }

  /** Calls once in a turn of the event loop, because messages are settled ten at a time. */
  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    setImmediate(() => {
      this.#isPumping = false
      const most = this.#isBusy ? this.#options.receivers : 1
      while (
        !this.#stop.signal.aborted &&
        !this.#asking.signal.aborted &&
        !this.#isAway &&
        this.#failure === undefined &&
        this.#polls.size < most
      ) {
        const room = this.#room()
        if (room <= 0) return
        const poll = this.#poll(room).finally(() => {
          this.#polls.delete(poll)
          this.#pump()
        })
        this.#polls.add(poll)
      }
    })
  }

  #room(): number {
    const inHand = this.#unsettled.size + this.#asked
    const fit = this.#window.fitBeside(this.#unsettledBytes, this.#asked)
    // One that is larger than the bound is taken alone.
    return Math.min(
      mostEntries,
      Math.min(this.#limit, this.#options.prefetch) - inHand,
      inHand === 0 ? Math.max(1, fit) : fit,
    )
  }

  /** Never throws. */
  async #poll(room: number): Promise<void> {
    this.#asked += room
    const { signal } = this.#asking
    const startedAt = performance.now()
    this.#askedAt = startedAt
    try {
      const messages = await this.#receive(room, signal)
      const receivedAt = performance.now()
      this.#isBusy = messages.length > 0
      if (messages.length === 0) await sleep(Math.max(0, pauseMs - (receivedAt - startedAt)), signal)
      const held: Held[] = []
      for (const message of messages)
        held.push(new Held(message, await read(message), receivedAt, this.#options.isFifo, this.#holder))
      this.#asked -= room
      room = 0
      this.#accept(held)
    } catch (error) {
      if (!signal.aborted && !this.#stop.signal.aborted) this.#failure ??= this.#service.error(error)
    } finally {
      this.#asked -= room
      this.#wakeIfArrived()
    }
  }

  async #receive(room: number, signal: AbortSignal): Promise<readonly Message[]> {
    const { isFifo } = this.#options
    const input = {
      QueueUrl: this.#service.url,
      MaxNumberOfMessages: room,
      WaitTimeSeconds: waitSeconds,
      VisibilityTimeout: this.#holder.leaseMs / 1000,
      MessageSystemAttributeNames: ['All' as const],
      MessageAttributeNames: ['All'],
      // An answer that is lost on its way is given again, where SQS would lock its groups otherwise.
      ...(isFifo ? { ReceiveRequestAttemptId: randomUUID() } : {}),
    }
    const waiting = { signal, waitMs: waitSeconds * 1000 }
    const call = () => this.#service.move(receiveMessage, input, waiting)
    return (await patiently(call, { ...this.#patience, signal })).Messages ?? []
  }

  #accept(held: readonly Held[]): void {
    let attempt = 0
    for (const each of held) {
      this.#unsettled.add(each)
      this.#unsettledBytes += each.weight
      this.#window.came(each.weight)
      this.#buffer.push(each)
      attempt = Math.max(attempt, each.attempt)
    }
    if (attempt >= aloneFrom) this.#limit = 1
    else if (attempt >= suspectFrom) this.#limit = mostEntries
    else if (held.length > 0) this.#limit = this.#window.after(this.#limit)
  }

  #behind(held: Held): readonly Held[] {
    if (held.group === undefined) return []
    const inOrder = [...this.#unsettled].filter(({ group }) => group === held.group)
    const at = inOrder.indexOf(held)
    return at < 0 ? [] : inOrder.slice(at + 1).toReversed()
  }

  #settled(held: Held): void {
    if (!this.#unsettled.delete(held)) return
    this.#unsettledBytes -= held.weight
    this.#pump()
  }

  /** Where nothing is asked for, nothing comes until something is settled. */
  get #patienceMs(): number {
    if (this.#polls.size === 0 && !this.#isPumping) return leastPatienceMs
    return Math.min(Math.max(leastPatienceMs, patienceAnswers * this.#service.answerMs), mostPatienceMs)
  }

  #wakeIfArrived(): void {
    if (this.#buffer.length > 0 || this.#failure !== undefined) this.#arrival.come()
  }

  /** Until messages or a failure have come, or `ms` have gone by. */
  async #awaitArrival(ms: number): Promise<void> {
    if (this.#failure === undefined && !this.#stop.signal.aborted) await this.#arrival.wait(ms)
  }
}
