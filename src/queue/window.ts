/**
 * How many messages a consumer has in hand, for queues that count deliveries.
 *
 * The rule of growth: a consumer takes one message first. Each time that what it asked for has come, it may
 * have four times as many, up to its prefetch, the adapter's own limit, and as many messages of the mean size
 * as `mostInFlightBytes` holds. Three reasons:
 *
 * - A queue counts a delivery of everything that a consumer holds when it dies. One that dies again and again
 *   of the first message must not have taken those behind it, or they would be given up with it.
 * - Queues bound deliveries by number, and memory is bounded by bytes. Sizes are known only once messages
 *   come, and change: the mean counts the later ones more.
 * - A message that was delivered several times may be what kills consumers. Few are taken beside it, and none
 *   later on.
 */
import { mostInFlightBytes } from './queue.ts'

export const firstLimit = 1
const growth = 4
/** Deliveries from which on a message may be what kills consumers, or stand beside one. */
export const suspectFrom = 3
/** Deliveries from which on nothing is taken beside it. */
export const aloneFrom = 6

export interface WindowOptions {
  readonly prefetch: number
  /** The most messages that the adapter can have in hand. */
  readonly mostMessages: number
  /** Messages over which their mean size is taken, about. */
  readonly meanOver: number
}

export class Window {
  readonly #most: number
  readonly #meanOver: number
  #meanSize = 0
  #measured = 0

  constructor({ prefetch, mostMessages, meanOver }: WindowOptions) {
    this.#most = Math.min(prefetch, mostMessages)
    this.#meanOver = meanOver
  }

  /** Whether no message has come yet. */
  get isNew(): boolean {
    return this.#measured === 0
  }

  came(bytes: number): void {
    this.#measured = Math.min(this.#measured + 1, this.#meanOver)
    this.#meanSize += (Math.max(1, bytes) - this.#meanSize) / this.#measured
  }

  /**
   * Messages of the mean size that go into the bytes that are left when `bytes` and `messages` are in hand.
   */
  fitBeside(bytes: number, messages = 0): number {
    const size = Math.max(1, this.#meanSize)
    return Math.floor((mostInFlightBytes - bytes - messages * size) / size)
  }

  /** The limit after `limit`, by number. */
  after(limit: number): number {
    return Math.min(this.#most, limit * growth)
  }
}

/** How long to wait for the next message: short after one has come, doubled each time that none has. */
export class Patience {
  readonly #firstMs: number
  readonly #lastMs: number
  #ms: number

  constructor(firstMs: number, lastMs: number) {
    this.#firstMs = firstMs
    this.#lastMs = lastMs
    this.#ms = firstMs
  }

  get ms(): number {
    return this.#ms
  }

  /** Whether a message has just come. */
  get isFirst(): boolean {
    return this.#ms === this.#firstMs
  }

  saw(messages: number): void {
    this.#ms = messages > 0 ? this.#firstMs : Math.min(this.#ms * 2, this.#lastMs)
  }
}
