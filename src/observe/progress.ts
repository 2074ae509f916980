/**
 * Events → how far the loads are. It knows no terminal, and no clock but the one that it is given; what it
 * keeps of loads that were only met in a queue does not grow, because a consumer may run without end.
 */
import type { LadingEvent, Listener, LoadCounts } from '../core/events.ts'
import { type Extent, type LoadExtent, LoadSums, type More, Sums } from './extent.ts'

export type { Extent, LoadExtent } from './extent.ts'

/** What makes a record done: a verdict in the target, or its place in the queue. */
export type Goal = 'verdict' | 'queue'

export interface ProgressSnapshot {
  /** Of the loads that are planned; where none is, of everything that was met. */
  readonly all: Extent
  /**
   * Records that there will be: as planned, or estimated by the sizes of the files while some are still to be
   * planned.
   */
  readonly expected: { readonly records: number; readonly isEstimate: boolean }
  /** All 0 for a consumer, which knows of no files. */
  readonly files: { readonly found: number; readonly planned: number; readonly done: number }
  readonly batches: number
  /** The file that is being read for its plan: what was read, decompressed, and its size on the disk. */
  readonly planning: { readonly source: string; readonly bytes: number; readonly size: number } | undefined
  /** The table whose indexes are being built, and since when. */
  readonly building: { readonly table: string; readonly ms: number } | undefined
  readonly waiting: { readonly code: string; readonly message: string; readonly ms: number } | undefined
  readonly elapsedMs: number
}

/** Loads that were met without a plan; beyond so many, the one that was quiet longest is forgotten. */
const mostMet = 100

export class Progress {
  readonly #goal: Goal
  readonly #now: () => number
  readonly #startedAt: number
  #found = { files: 0, bytes: 0 }
  /** On the disk, of the files that are planned. */
  #bytesPlanned = 0
  #filesPlanned = 0
  #filesDone = 0
  #batches = 0
  #order = 0
  #all: Sums
  readonly #planned = new Map<string, LoadSums>()
  /**
   * Those of them that have begun and are not done, the one that moved last at the end; and loads without a
   * plan, likewise.
   */
  readonly #atWork = new Map<string, LoadSums>()
  readonly #met = new Map<string, LoadSums>()
  #planning: ProgressSnapshot['planning']
  #building: { readonly table: string; readonly since: number } | undefined
  #waiting: { readonly code: string; readonly message: string; readonly since: number } | undefined

  /** `now` tells milliseconds. */
  constructor(goal: Goal = 'verdict', now: () => number = () => performance.now()) {
    this.#goal = goal
    this.#now = now
    this.#startedAt = now()
    this.#all = new Sums(now)
  }

  readonly tell: Listener = (event) => {
    switch (event.type) {
      case 'found':
        return this.#begin(event)
      case 'planning':
        this.#planning = event
        return
      case 'planned':
        return this.#plan(event)
      case 'resuming':
        return this.#raise(this.#planned.get(event.loadId), event.done)
      case 'skipped': {
        const load = this.#planned.get(event.loadId)
        // Of two paths to the same load, the second is skipped while the first is at work.
        if (load?.paths === 1) this.#end(load)
        return
      }
      case 'window':
        if (this.#goal === 'queue') this.#window(event)
        return
      case 'published':
        // An empty file is done with its only chunk, in which there is nothing to count.
        if (event.records === 0) this.#end(this.#planned.get(event.loadId))
        return
      case 'batch':
        return this.#batch(event)
      case 'receipt':
        return this.#settle(event)
      case 'indexes':
        // It may be tried again.
        this.#building =
          event.state === 'building'
            ? (this.#building ?? { table: event.table, since: this.#now() })
            : undefined
        return
      case 'waiting':
        this.#waiting = {
          code: event.code,
          message: event.message,
          since: this.#waiting?.since ?? this.#now(),
        }
        return
      case 'resumed':
        this.#waiting = undefined
        return
      case 'held':
      case 'dead':
      case 'foreign':
      case 'warning':
      case 'zones':
        return
    }
  }

  snapshot(): ProgressSnapshot {
    const now = this.#now()
    const { files: found, bytes } = this.#found
    const isEstimate = this.#filesPlanned < found && this.#bytesPlanned > 0
    const { records } = this.#all
    return {
      all: this.#all.extent(),
      expected: {
        records: isEstimate ? Math.round(records * Math.max(1, bytes / this.#bytesPlanned)) : records,
        isEstimate,
      },
      files: { found, planned: this.#filesPlanned, done: this.#filesDone },
      batches: this.#batches,
      planning: this.#planning,
      building: this.#building && { table: this.#building.table, ms: now - this.#building.since },
      waiting: this.#waiting && {
        code: this.#waiting.code,
        message: this.#waiting.message,
        ms: now - this.#waiting.since,
      },
      elapsedMs: now - this.#startedAt,
    }
  }

  /** The planned loads, in the order of their files. */
  loads(): readonly LoadExtent[] {
    return [...this.#planned.values()].map((load) => load.extent())
  }

  /**
   * The loads that have begun and are not done: those that moved last, at most so many, in the order in which
   * they came.
   */
  atWork(most: number): readonly LoadExtent[] {
    const loads = [...(this.#found.files > 0 ? this.#atWork : this.#met).values()]
    return loads
      .slice(Math.max(0, loads.length - most))
      .toSorted((a, b) => a.order - b.order)
      .map((load) => load.extent())
  }

  #begin({ files, bytes }: { readonly files: number; readonly bytes: number }): void {
    this.#found = { files, bytes }
    this.#bytesPlanned = 0
    this.#filesPlanned = 0
    this.#filesDone = 0
    this.#all = new Sums(this.#now)
    for (const loads of [this.#planned, this.#atWork, this.#met]) loads.clear()
  }

  #plan(event: LadingEvent & { readonly type: 'planned' }): void {
    const { loadId, records, bytes } = event
    this.#filesPlanned++
    this.#bytesPlanned += this.#planning?.size ?? 0
    this.#planning = undefined
    const twice = this.#planned.get(loadId)
    if (twice !== undefined) {
      twice.paths++
      this.#filesDone++
      return
    }
    const load = new LoadSums(this.#now, this.#order++, event)
    this.#planned.set(loadId, load)
    this.#all.records += records
    this.#all.bytes += bytes
    // The queue may have held some of it before its file was read.
    const met = this.#met.get(loadId)
    this.#met.delete(loadId)
    if (met !== undefined) this.#change(load, met)
  }

  #window({ loads, bytes }: LadingEvent & { readonly type: 'window' }): void {
    this.#waiting = undefined
    for (const { loadId, records } of loads) {
      const load = this.#planned.get(loadId)
      if (load !== undefined) this.#change(load, { done: records })
      else this.#all.add({ done: records })
    }
    if (this.#found.files === 0) this.#all.bytesDone += bytes
  }

  #batch({ loads, bytes, ...tally }: LadingEvent & { readonly type: 'batch' }): void {
    this.#batches++
    this.#waiting = undefined
    if (this.#found.files === 0) {
      this.#all.add({
        done: tally.loaded + tally.rejected + tally.skipped,
        rejected: tally.rejected,
        dead: tally.dead,
      })
      this.#all.bytesDone += bytes
    }
    for (const counts of loads) {
      const done = doneOf(counts)
      if (done > 0) this.#change(this.#planned.get(counts.loadId) ?? this.#meet(counts), { ...counts, done })
    }
  }

  #meet(counts: LoadCounts): LoadSums {
    const { loadId } = counts
    const load = this.#met.get(loadId) ?? new LoadSums(this.#now, this.#order++, counts)
    this.#met.delete(loadId)
    this.#met.set(loadId, load)
    const [quietest] = this.#met.keys()
    if (this.#met.size > mostMet) this.#met.delete(quietest as string)
    return load
  }

  /**
   * The ledger knows best: an event of a process that was killed may be lost, and some records may have been
   * counted twice.
   */
  #settle(counts: LoadCounts): void {
    const load = this.#planned.get(counts.loadId)
    if (load === undefined) return
    const { rejected, dead } = counts
    this.#change(
      load,
      { done: doneOf(counts) - load.done, rejected: rejected - load.rejected, dead: dead - load.dead },
      false,
    )
  }

  /** At least so many are done, whoever did them. */
  #raise(load: LoadSums | undefined, done: number): void {
    if (load !== undefined) this.#change(load, { done: Math.max(0, done - load.done) }, false)
  }

  /** Nothing more is to come of it. */
  #end(load: LoadSums | undefined): void {
    if (load === undefined || load.isDone) return
    load.isEnded = true
    if (load.records === 0) this.#filesDone++
    else this.#raise(load, load.records)
  }

  #change(load: LoadSums, more: More, isNow = true): void {
    const [bytesBefore, wasDone] = [load.bytesDone, load.isDone]
    const done = Math.min(more.done ?? 0, load.records - load.done)
    load.add({ ...more, done }, isNow)
    if (!this.#planned.has(load.loadId)) {
      if (load.isDone) this.#met.delete(load.loadId)
      return
    }
    this.#all.add({ ...more, done }, isNow)
    this.#all.bytesDone += load.bytesDone - bytesBefore
    this.#filesDone += Number(load.isDone) - Number(wasDone)
    this.#atWork.delete(load.loadId)
    if (load.done > 0 && !load.isDone) this.#atWork.set(load.loadId, load)
  }
}

const doneOf = ({ loaded, rejected, skipped, dead }: LoadCounts): number => loaded + rejected + skipped + dead
