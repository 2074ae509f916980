/**
 * Events → how far each load is. One count for the page, the bars and the log. What is kept of loads that
 * were only met in a queue has a bound, because a consumer may run without end.
 */
import type { EventOf, LadingEvent, LoadCounts } from '../core/events.ts'
import { Rate } from './rate.ts'

/** What makes a record done: a verdict in the target, or its place in the queue. */
export type Goal = 'verdict' | 'queue'

/** How far a load is, or all of them together. */
export interface Extent {
  readonly records: number
  /** What was done by runs before is among them. */
  readonly done: number
  readonly rejected: number
  readonly dead: number
  /** Of the file, decompressed; 0 for a load without a plan. */
  readonly bytes: number
  readonly bytesDone: number
  /** Records a second during the last ten seconds; 0 if unknown. */
  readonly rate: number
}

export interface LoadExtent extends Extent {
  readonly loadId: string
  readonly source: string
}

/** Records with a verdict. */
export const verdictsIn = ({
  loaded,
  rejected,
  skipped,
  dead,
}: Pick<LoadCounts, 'loaded' | 'rejected' | 'skipped' | 'dead'>): number => loaded + rejected + skipped + dead

/** Planned loads that are done; of twice as many, those that were done first are forgotten. */
const mostDone = 200

/** Loads that were met without a plan; beyond so many, the one that was quiet longest is forgotten. */
const mostMet = 200

export class Load implements LoadCounts {
  readonly loadId: string
  readonly source: string
  /** Its place among the loads, in the order in which they came. */
  readonly order: number
  readonly startedAt: number
  #rate: Rate | undefined
  records: number
  /** Of the file; undefined without a plan. */
  bytes: number | undefined
  /** Paths that lead to this load. */
  paths = 0
  /** Records that an earlier run has seen to. */
  before = 0
  published = 0
  loaded = 0
  rejected = 0
  skipped = 0
  dead = 0
  isPublished = false
  /** There was nothing to publish. */
  wasSkipped = false
  hasReceipt = false
  readonly #goal: Goal

  constructor({ loadId, source, records }: LoadNamed, goal: Goal, order: number, now: number) {
    this.loadId = loadId
    this.source = source
    this.records = records
    this.order = order
    this.startedAt = now
    this.#goal = goal
  }

  /** Most of a hundred thousand small loads need none. */
  get rate(): Rate {
    return (this.#rate ??= new Rate(this.startedAt))
  }

  /** Records that this run has done. */
  get now(): number {
    return this.#goal === 'queue' ? this.published : verdictsIn(this)
  }

  get done(): number {
    if (this.wasSkipped && !this.hasReceipt) return this.records
    return Math.min(this.records, this.before + this.now)
  }

  get isDone(): boolean {
    return this.records === 0 ? this.isPublished || this.wasSkipped : this.done >= this.records
  }

  get bytesDone(): number {
    return this.records === 0 ? 0 : Math.round(((this.bytes ?? 0) * this.done) / this.records)
  }

  extent(now: number): LoadExtent {
    const { loadId, source, records, done, rejected, dead, bytes = 0, bytesDone } = this
    const rate = this.#rate?.recent(now) ?? 0
    return { loadId, source, records, done, rejected, dead, bytes, bytesDone, rate }
  }
}

type LoadNamed = Pick<LoadCounts, 'loadId' | 'source' | 'records'>

export interface LoadsOptions {
  readonly goal?: Goal | undefined
  /** Planned loads that are kept, the newest ones; by default all, but for those of very many that are done. */
  readonly mostPlanned?: number | undefined
}

export class Loads {
  readonly #goal: Goal
  readonly #mostPlanned: number
  readonly #planned = new Map<string, Load>()
  /** Without a plan, the one that moved last at the end. */
  readonly #met = new Map<string, Load>()
  /** Begun and not done, likewise. */
  readonly #atWork = new Map<string, Load>()
  /** Of the planned loads, those that are done, the last one at the end. */
  readonly #done = new Set<string>()
  #order = 0
  /** Of the planned loads. */
  #sums = { records: 0, bytes: 0, done: 0, rejected: 0, dead: 0, bytesDone: 0 }
  #paths = 0
  #pathsDone = 0
  #rate: Rate | undefined

  constructor({ goal = 'verdict', mostPlanned = Number.POSITIVE_INFINITY }: LoadsOptions = {}) {
    this.#goal = goal
    this.#mostPlanned = mostPlanned
  }

  hear(event: LadingEvent, now: number): void {
    switch (event.type) {
      case 'found':
        return this.#clear()
      case 'planned':
        return this.#plan(event, now)
      case 'resuming':
        // Of what the queue held, some may have been counted in this run already.
        return this.#change(event.loadId, now, (load) => {
          load.before = Math.max(load.before, event.done - load.now)
        })
      case 'window':
        for (const { loadId, records } of event.loads)
          this.#change(loadId, now, (load) => (load.published += records), this.#goal === 'queue')
        return
      case 'published':
        return this.#change(event.loadId, now, (load) => (load.isPublished = true))
      case 'skipped':
        // Of two paths to the same load, the second is skipped while the first is at work.
        return this.#change(event.loadId, now, (load) => (load.wasSkipped ||= load.paths === 1))
      case 'batch':
        for (const counts of event.loads) this.#count(counts, now)
        return
      case 'receipt':
        return this.#settle(event, now)
      default:
    }
  }

  /** Of the planned loads; `paths` counts files that lead to the same load one by one. */
  sums(now: number): Extent & { readonly paths: number; readonly pathsDone: number } {
    const rate = this.#rate?.recent(now) ?? 0
    return { ...this.#sums, rate, paths: this.#paths, pathsDone: this.#pathsDone }
  }

  /** In the order of their files. */
  get planned(): readonly Load[] {
    return [...this.#planned.values()]
  }

  /** The last `most` loads, in the order in which they came. */
  last(most: number): readonly Load[] {
    const loads = [...this.planned.slice(-most), ...this.#met.values()]
    return loads.toSorted((a, b) => a.order - b.order).slice(-most)
  }

  /**
   * The loads that have begun and are not done: the `most` that moved last, in the order in which they came.
   */
  atWork(most: number): readonly Load[] {
    const isPlanned = this.#planned.size > 0
    const loads = [...this.#atWork.values()].filter(({ loadId }) => this.#planned.has(loadId) === isPlanned)
    return loads.slice(Math.max(0, loads.length - most)).toSorted((a, b) => a.order - b.order)
  }

  #clear(): void {
    for (const loads of [this.#planned, this.#met, this.#atWork, this.#done]) loads.clear()
    this.#sums = { records: 0, bytes: 0, done: 0, rejected: 0, dead: 0, bytesDone: 0 }
    this.#paths = 0
    this.#pathsDone = 0
    this.#rate = undefined
  }

  #plan(event: EventOf<'planned'>, now: number): void {
    const { loadId, bytes, isTwice } = event
    this.#paths++
    const first = this.#planned.get(loadId)
    // The first may be done and forgotten.
    if (first !== undefined || isTwice === true) {
      if (first !== undefined) first.paths++
      this.#pathsDone++
      return
    }
    // Consumers may be ahead of the plan, if the queue held some of it already.
    const load = this.#met.get(loadId) ?? new Load(event, this.#goal, this.#order++, now)
    this.#met.delete(loadId)
    load.paths = 1
    load.bytes = bytes
    this.#planned.set(loadId, load)
    this.#add(load, 1)
    if (this.#planned.size <= this.#mostPlanned) return
    const [oldest] = this.#planned.values()
    if (oldest !== undefined) this.#forget(oldest)
  }

  /** A load that is forgotten keeps its part of the sums. */
  #forget({ loadId }: Pick<Load, 'loadId'>): void {
    for (const loads of [this.#planned, this.#met, this.#atWork, this.#done]) loads.delete(loadId)
  }

  /** Its last events may come behind the one that makes it done, so it is kept for a while. */
  #noteDone({ loadId: id, isDone }: Load): void {
    if (!isDone) this.#done.delete(id)
    else this.#done.add(id)
    if (this.#done.size < 2 * mostDone) return
    // Many at once: to find the first of a Set again and again takes long.
    for (const loadId of [...this.#done].slice(0, mostDone)) this.#forget({ loadId })
  }

  #count(counts: LoadCounts, now: number): void {
    const { loadId } = counts
    if (!this.#planned.has(loadId)) {
      const met = this.#met.get(loadId) ?? new Load(counts, this.#goal, this.#order++, now)
      this.#met.delete(loadId)
      this.#met.set(loadId, met)
      const [quietest] = this.#met.values()
      if (this.#met.size > mostMet && quietest !== undefined) this.#forget(quietest)
    }
    const add = (load: Load) => {
      for (const name of ['loaded', 'rejected', 'skipped', 'dead'] as const) load[name] += counts[name]
    }
    this.#change(loadId, now, add, this.#goal === 'verdict')
  }

  /**
   * The ledger knows best: an event of a process that was killed may be lost, and some records may have been
   * counted twice.
   */
  #settle({ loadId, loaded, rejected, skipped, dead }: EventOf<'receipt'>, now: number): void {
    this.#change(loadId, now, (load) =>
      Object.assign(load, { loaded, rejected, skipped, dead, before: 0, hasReceipt: true }),
    )
  }

  /** Changes a load that is known, and with it the sums. Only what happens just now counts for the rate. */
  #change(loadId: string, now: number, change: (load: Load) => unknown, isNow = false): void {
    const planned = this.#planned.get(loadId)
    const load = planned ?? this.#met.get(loadId)
    if (load === undefined) return
    const doneBefore = load.done
    if (planned !== undefined) this.#add(load, -1)
    change(load)
    if (planned !== undefined) {
      this.#add(load, 1)
      this.#noteDone(load)
    }
    this.#atWork.delete(loadId)
    if (load.done > 0 && !load.isDone) this.#atWork.set(loadId, load)
    if (!isNow) return
    load.rate.add(load.done - doneBefore, now)
    if (planned === undefined) return
    this.#rate ??= new Rate(now)
    this.#rate.add(load.done - doneBefore, now)
  }

  #add({ records, bytes = 0, done, rejected, dead, bytesDone, isDone }: Load, sign: 1 | -1): void {
    const more = { records, bytes, done, rejected, dead, bytesDone }
    for (const name of ['records', 'bytes', 'done', 'rejected', 'dead', 'bytesDone'] as const)
      this.#sums[name] += sign * more[name]
    this.#pathsDone += sign * Number(isDone)
  }
}
