/** Messages for other consumers: how they are recognized, and left in the queue. */
import { setImmediate } from 'node:timers/promises'
import type { ForeignEvent, Listener } from '../core/events.ts'
import { unlessAborted } from '../core/wait.ts'
import { readEnvelope } from '../queue/envelope.ts'
import type { Delivery, Headers } from '../queue/queue.ts'
import type { Leases } from './intake.ts'

/** The messages that a consumer takes. */
export interface Own {
  readonly pipeline: string
  /** Of its database, as envelopes name it: chunks that were published for another are left. */
  readonly target: string
  /**
   * Of a load at work: chunks of these loads alone, published for its database. They become known while the
   * load plans its files.
   */
  readonly loads?: Loads | undefined
}

export interface Loads {
  has(loadId: string): boolean
}

/**
 * The event for a message of another consumer; undefined for one of this consumer, and for one that cannot be
 * read, which decoding reports.
 */
export function foreignIn(own: Own, headers: Headers): ForeignEvent | undefined {
  const envelope = readEnvelope(headers)
  if (envelope?.pipeline !== undefined && envelope.pipeline !== own.pipeline)
    return { type: 'foreign', pipeline: envelope.pipeline }
  if (envelope === undefined || 'code' in envelope)
    return own.loads === undefined ? undefined : { type: 'foreign' }
  const { target, load } = envelope
  const isOurs =
    own.loads === undefined
      ? target === undefined || target === own.target
      : target === own.target && own.loads.has(load.id)
  if (isOurs) return undefined
  const database = target === undefined ? 'any' : target === own.target ? 'this' : 'another'
  return { type: 'foreign', pipeline: own.pipeline, load: { loadId: load.id, source: load.source, database } }
}

/**
 * How long a message of others is left alone, in milliseconds: a moment at first, because its own consumer
 * may be at work beside us, and twice as long each time that it is met again.
 */
const firstPauseMs = 100
export const lastPauseMs = 2_000
/**
 * It doubles with each delivery that the queue counts, too: one that counts what is given back (SQS) would
 * wear the message out otherwise.
 */
export const longestPauseMs = 120_000
/** How many other pipelines are reported by name: publishers choose the names. */
const mostTold = 20

/**
 * Sightings of one key. Copies of a message (a producer that published twice) are counted by how often the
 * key shows up within one pause.
 */
interface Met {
  /**
   * Times of the last sighting and of the start of the pause under way, the length of that pause, the number
   * of pauses so far, and the sightings in this one.
   */
  readonly at: number
  readonly since: number
  readonly pauseMs: number
  readonly round: number
  readonly count: number
  /** How many there are: each is met once in a pause. */
  readonly copies: number
}

export interface ForeignOptions {
  readonly own: Own
  readonly leases: Leases
  readonly onEvent: Listener
  /** No more waiting for the queue. */
  readonly abandon: AbortSignal
}

/**
 * Gives back the messages of other consumers, and counts them, so that the consumer can tell when nothing
 * else is left.
 */
export class ForeignMessages {
  readonly #options: ForeignOptions
  readonly #met = new Map<string, Met>()
  readonly #told = new Set<string>()

  constructor(options: ForeignOptions) {
    this.#options = options
  }

  /**
   * Passes on the messages of this consumer. An empty array says, as it does from a queue, that none of them
   * waits just now.
   */
  async *leave(arrivals: AsyncIterable<readonly Delivery[]>): AsyncGenerator<readonly Delivery[]> {
    const { own, leases, abandon } = this.#options
    for await (const deliveries of arrivals) {
      // A load announces itself before it publishes, over another channel.
      if (own.loads !== undefined && deliveries.length > 0) await setImmediate()
      const foreign = new Set(deliveries.filter((each) => this.#isForeign(each)))
      if (foreign.size === 0) {
        yield deliveries
        continue
      }
      this.#forget()
      const given = [...foreign].map((each) =>
        each.settle({ kind: 'release', afterMs: this.#met.get(each.key)?.pauseMs }),
      )
      await unlessAborted(Promise.all(given), abandon)
      for (const each of foreign) leases.release(each)
      yield deliveries.filter((each) => !foreign.has(each))
    }
  }

  #isForeign(delivery: Delivery): boolean {
    const foreign = foreignIn(this.#options.own, delivery.headers)
    if (foreign === undefined) return false
    this.#met.set(delivery.key, metAgain(this.#met.get(delivery.key), delivery.attempt, performance.now()))
    this.#tell(foreign)
    return true
  }

  #tell(foreign: ForeignEvent): void {
    const about = JSON.stringify(foreign)
    if (this.#told.has(about) || this.#told.size >= mostTold) return
    this.#told.add(about)
    this.#options.onEvent(foreign)
  }

  /** How many of them the queue holds, as far as they were seen. */
  count(): number {
    this.#forget()
    return [...this.#met.values()].reduce((sum, { copies }) => sum + copies, 0)
  }

  /** A message that is not seen again after its pause was taken by its own consumer. */
  #forget(): void {
    for (const [key, { at, pauseMs }] of this.#met)
      if (performance.now() - at > 2 * Math.max(pauseMs, lastPauseMs)) this.#met.delete(key)
  }
}

function metAgain(before: Met | undefined, attempt: number, now: number): Met {
  const met = { at: now, since: now, round: (before?.round ?? 0) + 1, count: 1, copies: before?.count ?? 1 }
  const pauseMs = Math.min(
    longestPauseMs,
    lastPauseMs * 2 ** (attempt - 1),
    firstPauseMs * 2 ** (met.round + attempt - 2),
  )
  if (before === undefined || now - before.since >= before.pauseMs) return { ...met, pauseMs }
  return { ...before, at: now, count: before.count + 1, copies: Math.max(before.count + 1, before.copies) }
}
