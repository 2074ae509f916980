/**
 * Events of a run → what the page and the metrics show of it. It asks nothing, and its memory has a bound
 * however long the run is. How deep the queue is comes from depth.ts.
 */
import { type Code, codes } from '../core/errors.ts'
import type { EventOf, Listener } from '../core/events.ts'
import { type Load, Loads, verdictsIn } from './loads.ts'
import { SeriesKeeper } from './series.ts'
import type {
  About,
  ConsumerSnapshot,
  LoadSnapshot,
  QueueDepth,
  Readiness,
  Snapshot,
  Totals,
  WaitingSnapshot,
} from './snapshot.ts'
import { StallWatch } from './stall.ts'

/** A folder may hold a hundred thousand files: the loads that were begun last are enough to look at. */
const mostLoads = 200
/** How long a consumer without messages, and what a queue said of itself, are kept after the last event. */
const consumerKeptMs = 600_000
const depthKeptMs = 15_000

export interface ObserverOptions {
  /** How long work may stand still before the run counts as not ready. */
  readonly stallAfterMs: number
  /** Whether what waits in the queue is this run's to take. */
  readonly consumes: boolean
  /** Milliseconds since 1970, never going backwards. */
  readonly clock?: () => number
}

type Consumer = { -readonly [Name in keyof ConsumerSnapshot]: ConsumerSnapshot[Name] } & { heardAt: number }

export class Observer {
  readonly #about: About
  readonly #consumes: boolean
  readonly #clock: () => number
  readonly #stall: StallWatch
  readonly #loads = new Loads({ mostPlanned: mostLoads })
  readonly #series = new SeriesKeeper()
  readonly #totals: Totals = { ...nothing }
  readonly #consumers = new Map<string, Consumer>()
  readonly #waiting = new Map<Code, WaitingSnapshot>()
  #depth: QueueDepth | undefined
  #depthAt: number | undefined
  #depthFailures = 0
  /** Messages of other pipelines are in the queue, so its depth does not measure this run's work. */
  #foreign = false

  constructor(about: About, options: ObserverOptions) {
    this.#about = about
    this.#consumes = options.consumes
    this.#clock = options.clock ?? (() => performance.timeOrigin + performance.now())
    this.#stall = new StallWatch(options.stallAfterMs, this.#clock())
  }

  readonly listener: Listener = (event) => {
    const now = this.#clock()
    this.#loads.hear(event, now)
    switch (event.type) {
      case 'window':
        return this.#window(event, now)
      case 'held':
        this.#consumer(event.consumer, now).held = event.messages
        return this.#look(now)
      case 'batch':
        return this.#batch(event, now)
      case 'waiting':
        return this.#wait(event, now)
      case 'resumed':
        this.#isThere(systemOf(event.code))
        return this.#look(now)
      case 'foreign':
        this.#foreign = true
        return this.#look(now)
      case 'indexes':
        return this.#stall.progress(now)
      default:
    }
  }

  sawDepth(depth: QueueDepth): void {
    this.#depth = depth
    this.#depthAt = this.#clock()
    this.#look(this.#depthAt)
  }

  missedDepth(): void {
    this.#depthFailures++
  }

  /** Undefined if the queue has not answered for a while. */
  get depth(): QueueDepth | undefined {
    return this.#depthAt === undefined || this.#clock() - this.#depthAt > depthKeptMs
      ? undefined
      : this.#depth
  }

  get depthFailures(): number {
    return this.#depthFailures
  }

  get inHand(): number {
    return [...this.#consumers.values()].reduce((sum, { held }) => sum + held, 0)
  }

  get waiting(): readonly WaitingSnapshot[] {
    return [...this.#waiting.values()]
  }

  /** Whether nothing but the queue itself can tell that there is work: then it has to be asked. */
  isQuietFor(ms: number): boolean {
    return (
      this.#consumes && !this.#foreign && this.inHand === 0 && this.#clock() - this.#stall.progressAt > ms
    )
  }

  readiness(): Readiness {
    const { progressAt } = this.#stall
    const stalledMs = this.#stall.stalledMs(this.#clock())
    if (stalledMs === undefined) return { ready: true, progressAt }
    return { ready: false, reason: this.#reason(stalledMs), progressAt }
  }

  snapshot(): Snapshot {
    const at = this.#clock()
    this.#forgetConsumers(at)
    return {
      at,
      process: { ...this.#about, memoryBytes: process.memoryUsage.rss() },
      readiness: this.readiness(),
      queue: { depth: this.depth, askedAt: this.#depthAt, failures: this.#depthFailures },
      totals: { ...this.#totals },
      loads: this.#loads.last(mostLoads).map(loadSnapshot),
      series: this.#series.snapshot(at),
      consumers: [...this.#consumers.values()].map(consumerSnapshot),
      waiting: this.waiting,
    }
  }

  #window(event: EventOf<'window'>, now: number): void {
    const records = event.loads.reduce((sum, load) => sum + load.records, 0)
    this.#totals.published += records
    this.#series.at(now).published += records
    this.#isThere('QUEUE')
    this.#progress(now)
  }

  #batch(event: EventOf<'batch'>, now: number): void {
    const { records, loaded, rejected, skipped, deadMessages, bytes, writeMs, settleMs } = event
    for (const name of messageCounts) this.#totals[name] += event[name]
    this.#totals.received += records
    this.#totals.batches++
    const point = this.#series.at(now)
    for (const [name, count] of Object.entries({
      loaded,
      rejected,
      skipped,
      deadMessages,
      bytes,
      writeMs,
      settleMs,
      batches: 1,
    }))
      point[name as 'loaded'] += count
    point.longestWriteMs = Math.max(point.longestWriteMs, writeMs)
    point.longestSettleMs = Math.max(point.longestSettleMs, settleMs)
    const consumer = this.#consumer(event.consumer, now)
    consumer.batches++
    consumer.records += records
    consumer.last = { at: now, records, writeMs, settleMs }
    this.#progress(now)
  }

  #wait({ code, message, attempt, delayMs }: EventOf<'waiting'>, now: number): void {
    // Nothing is waited for, something is given up.
    if (delayMs === 0) return
    const since = this.#waiting.get(code)?.since ?? now
    this.#waiting.set(code, { code, action: codes[code].action, message, attempt, delayMs, since })
    this.#look(now)
  }

  /**
   * Clears every wait for the system, because one failure follows another and only the last one is reported
   * as over.
   */
  #isThere(system: string): void {
    for (const { code } of this.waiting) if (systemOf(code) === system) this.#waiting.delete(code)
  }

  /**
   * Progress clears every wait that has a retry timer; if the retry fails, it is reported again. A wait
   * without a timer ends with its own `resumed` event.
   */
  #progress(now: number): void {
    for (const { code, delayMs } of this.waiting) if (delayMs !== undefined) this.#waiting.delete(code)
    this.#stall.progress(now)
    this.#look(now)
  }

  #look(now: number): void {
    const waits = this.#consumes && !this.#foreign && (this.#depth?.ready ?? 0) > 0
    this.#stall.busy(waits || this.#waiting.size > 0 || this.inHand > 0, now)
  }

  #reason(stalledMs: number): string {
    const parts = [
      `nothing was committed, settled or published for ${Math.floor(stalledMs / 1000)} s`,
      ...(this.inHand > 0 ? [`messages in hand: ${this.inHand}`] : []),
      ...(this.#depth !== undefined && this.#depth.ready > 0
        ? [`messages waiting: ${this.#depth.ready}`]
        : []),
      ...this.waiting.map(({ code }) => `${code}: ${codes[code].meaning}`),
    ]
    return parts.join('; ')
  }

  #consumer(name: string, now: number): Consumer {
    let consumer = this.#consumers.get(name)
    if (consumer === undefined) {
      this.#forgetConsumers(now)
      this.#consumers.set(
        name,
        (consumer = { consumer: name, held: 0, batches: 0, records: 0, heardAt: now }),
      )
    }
    consumer.heardAt = now
    return consumer
  }

  #forgetConsumers(now: number): void {
    for (const [name, { heardAt, held }] of this.#consumers)
      if (held === 0 && now - heardAt > consumerKeptMs) this.#consumers.delete(name)
  }
}

function loadSnapshot(load: Load): LoadSnapshot {
  const { loadId, source, records, bytes, published, before, loaded, rejected, skipped, dead, startedAt } =
    load
  const counts = { records, bytes, published, before, loaded, rejected, skipped, dead }
  const perSecond = Math.round(load.rate.average)
  return { loadId, source, state: stateOf(load), ...counts, startedAt, perSecond }
}

function stateOf(load: Load): LoadSnapshot['state'] {
  if (load.wasSkipped) return 'skipped'
  const verdicts = verdictsIn(load) + load.before
  if (verdicts >= load.records && (verdicts > 0 || load.isPublished)) return 'done'
  if (verdicts > 0 || load.isPublished) return 'loading'
  return load.published > 0 ? 'publishing' : 'planned'
}

const consumerSnapshot = ({ consumer, held, batches, records, last }: Consumer): ConsumerSnapshot => ({
  consumer,
  held,
  batches,
  records,
  last,
})

/** `SINK` of `SINK_BUSY`. */
const systemOf = (code: Code): string => code.slice(0, code.indexOf('_'))

const messageCounts = [
  'loaded',
  'rejected',
  'skipped',
  'messages',
  'redelivered',
  'duplicates',
  'retried',
  'deadMessages',
] as const

const nothing: Totals = {
  published: 0,
  received: 0,
  loaded: 0,
  rejected: 0,
  skipped: 0,
  messages: 0,
  redelivered: 0,
  duplicates: 0,
  retried: 0,
  deadMessages: 0,
  batches: 0,
}
