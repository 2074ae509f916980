/** Events → how a run goes as a whole. It knows no terminal, and no clock but the one that it is given. */
import type { EventOf, Listener } from '../core/events.ts'
import type { Extent, Goal, LoadExtent } from './load.ts'
import { Loads } from './loads.ts'
import { Rate } from './rate.ts'

export type { Extent, Goal, LoadExtent } from './load.ts'

/** How far a run is. */
export interface ProgressSnapshot {
  /** Of the loads that are planned; without any files, of everything that was met. */
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

/** Counts events into how far a run is, as the bars of the command show it. */
export class Progress {
  readonly #now: () => number
  readonly #startedAt: number
  readonly #goal: Goal
  readonly #loads: Loads
  #found = { files: 0, bytes: 0 }
  /** On the disk, of the files that are planned. */
  #bytesPlanned = 0
  #batches = 0
  /** What came of messages, whether a load of them is known or not. */
  readonly #met = { done: 0, rejected: 0, dead: 0, bytesDone: 0 }
  readonly #rate: Rate
  #planning: ProgressSnapshot['planning']
  /** On the disk, of the files that are read for a plan: some are planned together. */
  readonly #sizes = new Map<string, number>()
  #building: { readonly table: string; readonly since: number } | undefined
  #waiting: { readonly code: string; readonly message: string; readonly since: number } | undefined

  /** `now` tells milliseconds. */
  constructor(goal: Goal = 'verdict', now: () => number = () => performance.now()) {
    this.#goal = goal
    this.#now = now
    this.#startedAt = now()
    this.#loads = new Loads(goal)
    this.#rate = new Rate(this.#startedAt)
  }

  readonly tell: Listener = (event) => {
    const now = this.#now()
    this.#loads.hear(event, now)
    switch (event.type) {
      case 'found':
        this.#found = event
        this.#bytesPlanned = 0
        return
      case 'planning':
        this.#planning = event
        this.#sizes.set(event.source, event.size)
        return
      case 'planned':
        this.#bytesPlanned += this.#sizes.get(event.source) ?? 0
        this.#sizes.delete(event.source)
        this.#planning = undefined
        return
      case 'window':
        return this.#window(event, now)
      case 'batch':
        return this.#batch(event, now)
      case 'indexes':
        // It may be tried again.
        this.#building =
          event.state === 'building' ? (this.#building ?? { table: event.table, since: now }) : undefined
        return
      case 'waiting': {
        const { code, message } = event
        this.#waiting = { code, message, since: this.#waiting?.since ?? now }
        return
      }
      case 'resumed':
        this.#waiting = undefined
        return
      default:
    }
  }

  snapshot(): ProgressSnapshot {
    const now = this.#now()
    const { files: found, bytes } = this.#found
    const { paths: planned, pathsDone, ...sums } = this.#loads.sums(now)
    const isEstimate = planned < found && this.#bytesPlanned > 0
    const share = isEstimate ? Math.max(1, bytes / this.#bytesPlanned) : 1
    return {
      all: found > 0 ? sums : { ...sums, ...this.#met, rate: this.#rate.recent(now) },
      expected: { records: Math.round(sums.records * share), isEstimate },
      files: { found, planned, done: pathsDone },
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

  /** The planned loads, in the order of their files; of very many, those that are done are left out. */
  loads(): readonly LoadExtent[] {
    const now = this.#now()
    return this.#loads.planned.map((load) => load.extent(now))
  }

  /** The loads that have begun and are not done: those that moved last, in the order in which they came. */
  atWork(most: number): readonly LoadExtent[] {
    const now = this.#now()
    return this.#loads.atWork(most).map((load) => load.extent(now))
  }

  #window({ loads, bytes }: EventOf<'window'>, now: number): void {
    if (this.#goal !== 'queue') return
    this.#meet({ done: loads.reduce((sum, { records }) => sum + records, 0), bytesDone: bytes }, now)
  }

  #batch({ loaded, rejected, skipped, deadMessages, bytes }: EventOf<'batch'>, now: number): void {
    this.#batches++
    const done = loaded + rejected + skipped
    // Of messages without a load the records of a dead one are unknown, so the message is counted.
    this.#meet({ done, rejected, dead: deadMessages, bytesDone: bytes }, now)
  }

  #meet(more: Partial<Pick<Extent, 'done' | 'rejected' | 'dead' | 'bytesDone'>>, now: number): void {
    this.#waiting = undefined
    for (const name of ['done', 'rejected', 'dead', 'bytesDone'] as const) this.#met[name] += more[name] ?? 0
    this.#rate.add(more.done ?? 0, now)
  }
}
