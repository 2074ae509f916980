/** Deliveries as they are asked for: what is in hand is bounded by messages and by bytes. */
import { type Abortable, sleep, unlessAborted, within } from '../../core/wait.ts'
import { type Delivery, type Headers, mostInFlightBytes, type Outcome } from '../queue.ts'
import { aloneFrom, firstLimit, Patience, suspectFrom, Window } from '../window.ts'
import type { Call } from './calls.ts'
import type { Reply } from './connection.ts'
import { read } from './message.ts'
import type { Settlements } from './settlements.ts'

/** In hand at most, and of one call: others wait on the server while it runs. */
const mostMessages = 4_000
const mostTogether = 1_000
/** Beside a message that may be what kills consumers. */
const mostBesideSuspect = 10
const firstPollMs = 5
const lastPollMs = 100
const meanOver = 16
/** How long the server may take to take back what came after a stop; otherwise it comes again after its lease. */
const giveBackWithinMs = 2_000

export interface ReceiverOptions {
  readonly stream: string
  readonly body: string
  readonly leaseMs: number
}

export class Receiver {
  readonly #call: Call
  readonly #settlements: Settlements
  readonly #options: ReceiverOptions
  /** What was under way when the iteration was aborted. */
  #late: Promise<void> = Promise.resolve()
  #unsettled = 0
  #unsettledBytes = 0
  #limit = firstLimit
  #recoverAt = 0

  constructor(call: Call, settlements: Settlements, options: ReceiverOptions) {
    this.#call = call
    this.#settlements = settlements
    this.#options = options
  }

  async *deliveries({
    prefetch,
    signal,
  }: Abortable & { readonly prefetch: number }): AsyncGenerator<readonly Delivery[]> {
    const window = new Window({ prefetch, mostMessages, meanOver })
    const patience = new Patience(firstPollMs, lastPollMs)
    while (!signal?.aborted) {
      const room = Math.min(this.#limit, prefetch) - this.#unsettled
      const bytes = mostInFlightBytes - this.#unsettledBytes
      const isFull = room <= 0 || bytes <= 0
      const taking = isFull ? Promise.resolve([]) : this.#take(Math.min(room, mostTogether), bytes)
      const taken = await unlessAborted(taking, signal)
      if (taken === undefined) return this.#takeBack(taking)
      this.#limit = limitAfter(taken, this.#limit, room, window)
      yield taken
      if (taken.length === 0) await sleep(patience.ms, signal)
      // What is settled makes room, so one may look again soon.
      patience.saw(isFull ? 1 : taken.length)
    }
  }

  /** Gives back what came too late. Never throws. */
  async end(): Promise<void> {
    await within(giveBackWithinMs, this.#late)
  }

  async #take(most: number, bytes: number): Promise<readonly RedisDelivery[]> {
    const { stream, body, leaseMs } = this.#options
    if (performance.now() >= this.#recoverAt) {
      await this.#call('recover', [String(leaseMs)])
      this.#recoverAt = performance.now() + leaseMs
    }
    const args = [leaseMs, most, bytes, this.#unsettled].map(String)
    const entries = (await this.#call('take', args)) as readonly (readonly [Buffer, number, Reply[]])[]
    return entries.map(([name, attempt, fields]) => {
      const id = String(name)
      const { weight, ...message } = read(stream, id, fields, body)
      this.#unsettled++
      this.#unsettledBytes += weight
      return new RedisDelivery(id, attempt, message, this.#settlements, () => {
        this.#unsettled--
        this.#unsettledBytes -= weight
      })
    })
  }

  #takeBack(taking: Promise<readonly Delivery[]>): void {
    const giveBack = async () => {
      for (const delivery of await taking) void delivery.settle({ kind: 'release' })
      await this.#settlements.idle()
    }
    this.#late = giveBack()
  }
}

function limitAfter(taken: readonly Delivery[], limit: number, room: number, window: Window): number {
  const attempt = taken.reduce((most, delivery) => Math.max(most, delivery.attempt), 0)
  if (attempt >= aloneFrom) return 1
  if (attempt >= suspectFrom) return mostBesideSuspect
  return taken.length >= Math.min(room, mostTogether) && taken.length > 0 ? window.after(limit) : limit
}

/** A class, because there are thousands of them at once. */
class RedisDelivery implements Delivery {
  readonly key: string
  readonly body: Uint8Array
  readonly headers: Headers
  readonly attempt: number
  readonly #id: string
  readonly #settlements: Settlements
  readonly #settled: () => void
  #settlement: Promise<void> | undefined

  constructor(
    id: string,
    attempt: number,
    { key, body, headers }: Pick<Delivery, 'key' | 'body' | 'headers'>,
    settlements: Settlements,
    settled: () => void,
  ) {
    this.key = key
    this.body = body
    this.headers = headers
    this.attempt = attempt
    this.#id = id
    this.#settlements = settlements
    this.#settled = settled
  }

  settle(outcome: Outcome): Promise<void> {
    if (this.#settlement === undefined) {
      this.#settlement = this.#settlements.settle(this.#id, this.attempt, outcome)
      this.#settled()
    }
    return this.#settlement
  }

  async extend(ms: number): Promise<void> {
    if (this.#settlement === undefined) await this.#settlements.extend(this.#id, this.attempt, ms)
  }
}
