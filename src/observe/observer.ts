/**
 * Events of a run → what the page and the metrics show of it. It asks nothing, and its memory has a bound
 * however long the run is. How deep the queue is comes from depth.ts.
 */
import { type Code, codes } from '../core/errors.ts'
import type { EventOf, Listener } from '../core/events.ts'
import { Consumers } from './consumers.ts'
import { CourseKeeper } from './course.ts'
import { loadSnapshot } from './listed.ts'
import { type Load, mostUnsettled, type Verdicts } from './load.ts'
import { Loads, type Work } from './loads.ts'
import { Rate } from './rate.ts'
import { SeriesKeeper } from './series.ts'
import { stateOf } from './state.ts'
import type {
  About,
  Ended,
  Facts,
  Course,
  QueueDepth,
  Readiness,
  Snapshot,
  Totals,
  WaitingSnapshot,
} from './snapshot.ts'
import { StallWatch } from './stall.ts'

/** A folder may hold a hundred thousand files: the loads that were begun last are enough to look at. */
const mostLoads = 200
/** How long what a queue said of itself is kept, in milliseconds. */
const depthKeptMs = 15_000

export interface ObserverOptions {
  /** How long work may stand still before the run counts as not ready. */
  readonly stallAfterMs: number
  /** Whether what waits in the queue is this run's to take. */
  readonly consumes: boolean
  /** Milliseconds since 1970, never going backwards. */
  readonly clock?: () => number
}

export class Observer {
  readonly #about: About
  readonly #consumes: boolean
  readonly #clock: () => number
  readonly #stall: StallWatch
  readonly #loads: Loads
  readonly #rate: Rate
  readonly #series = new SeriesKeeper()
  readonly #totals: Totals = { ...nothing }
  readonly #loose = { rejected: 0, deadMessages: 0 }
  readonly #course = new CourseKeeper()
  #ended: Ended | undefined
  #share: number | undefined
  readonly #consumers = new Consumers()
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
    this.#loads = new Loads(about.command === 'produce' ? 'queue' : 'verdict')
    this.#rate = new Rate(this.#clock())
  }

  /** Files in watched folders, by what they wait for; undefined where none are watched. */
  watched: EventOf<'watching'> | undefined

  readonly listener: Listener = (event) => {
    const now = this.#clock()
    this.#loads.hear(event, now)
    this.#course.hear(event, now)
    switch (event.type) {
      case 'found':
        this.#share = undefined
        return
      case 'window':
        return this.#window(event, now)
      case 'held':
        this.#consumers.held(event, now)
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
      case 'watching':
        this.watched = event
        return
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

  /** What the ledger says of loads. */
  sawLoads(loads: readonly (Verdicts & { readonly loadId: string })[]): void {
    const now = this.#clock()
    for (const load of loads) this.#loads.saw(load, now)
  }

  /**
   * Loads of which only the ledger can tell how they stand: others may write to them, or correct their rejects.
   * While files are loaded, the ledger may still know what is about to be forgotten.
   */
  get uncertain(): readonly string[] {
    const isAsked = this.#about.command === 'consume' || this.#ended !== undefined
    const loads = isAsked && this.#consumes ? this.#loads.last(mostLoads) : []
    const isUncertain = (load: Load) => !load.isSettled || load.known.rejected + load.known.dead > 0
    return loads.filter(isUncertain).map(({ loadId }) => loadId)
  }

  end(by: Ended['by'], why?: string): void {
    this.#ended = { at: this.#clock(), by, why }
    // Nobody asks the queue any more.
    this.#depth = undefined
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
    return this.#consumers.inHand
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
    const facts = this.#facts()
    return { ...facts, state: stateOf(facts) }
  }

  #facts(): Facts {
    const at = this.#clock()
    const work = this.#loads.work()
    const course = { ...this.#course.snapshot(), ended: this.#ended }
    return {
      at,
      process: { ...this.#about, memoryBytes: process.memoryUsage.rss() },
      readiness: this.readiness(),
      course,
      work,
      loose: { ...this.#loose },
      share: this.#shareOf(work, course),
      perSecond: Math.round(this.#rate.recent(at)),
      queue: {
        depth: this.depth,
        askedAt: this.#depthAt,
        failures: this.#depthFailures,
        isShared: this.#foreign,
      },
      totals: { ...this.#totals },
      loads: this.#loads.last(mostLoads).map(loadSnapshot),
      series: this.#series.snapshot(at),
      consumers: this.#consumers.snapshot(at),
      waiting: this.waiting,
    }
  }

  /** Of files it never goes back. A consumer meets more loads as long as it runs. */
  #shareOf({ loads, settled, records, done }: Work, { files }: Course): number | undefined {
    if (files === undefined)
      return records === 0 ? undefined : Math.min(done / records, settled === loads ? 1 : mostUnsettled)
    const isWhole = loads > 0 && settled === loads && files.planned >= files.found
    const share = isWhole ? 1 : this.#loads.shareOf({ files: files.found, bytes: files.bytes })
    if (share !== undefined) this.#share = Math.max(this.#share ?? 0, share)
    return this.#share
  }

  #window(event: EventOf<'window'>, now: number): void {
    const records = event.loads.reduce((sum, load) => sum + load.records, 0)
    this.#totals.published += records
    this.#series.at(now).published += records
    if (this.#about.command === 'produce') this.#rate.add(records, now)
    this.#isThere('QUEUE')
    this.#progress(now)
  }

  #batch(event: EventOf<'batch'>, now: number): void {
    const { records, loaded, rejected, skipped, deadMessages, bytes, writeMs, settleMs } = event
    for (const name of messageCounts) this.#totals[name] += event[name]
    this.#totals.received += records
    this.#totals.batches++
    this.#rate.add(loaded + rejected + skipped, now)
    const ofLoads = (name: 'rejected' | 'dead') => event.loads.reduce((sum, load) => sum + load[name], 0)
    this.#loose.rejected += rejected - ofLoads('rejected')
    // A dead message of a load counts there, with its records.
    if (ofLoads('dead') === 0) this.#loose.deadMessages += deadMessages
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
    this.#consumers.batch(event, now)
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
}

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
