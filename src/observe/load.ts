/** How far one load is. */
import type { LoadCounts } from '../core/events.ts'
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

/** How far a load is. */
export interface LoadExtent extends Extent {
  readonly loadId: string
  readonly source: string
}

/** Records with a verdict. */
export const verdictsIn = ({ loaded, rejected, skipped, dead }: Verdicts): number =>
  loaded + rejected + skipped + dead

/** Of a load without a receipt less than all is done, whatever was counted. */
export const mostUnsettled = 0.999

export type Verdicts = Pick<LoadCounts, 'loaded' | 'rejected' | 'skipped' | 'dead'>

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
  /** What the ledger said last, while the load was still open: other processes may write to it, too. */
  seen: Verdicts | undefined
  /** The greatest share of it that was done, from 0 to 1; undefined until some of it is. */
  share: number | undefined
  /** Of the file, as it lies on the disk: what the load weighs among the others. */
  size = 0
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
    return Math.min(this.records, this.#goal === 'queue' ? this.before + this.now : this.#verdicts)
  }

  get #verdicts(): number {
    return Math.max(this.before + this.now, this.seen === undefined ? 0 : verdictsIn(this.seen))
  }

  /** What came of its records, as far as anybody knows. */
  get known(): Verdicts {
    return this.seen !== undefined && verdictsIn(this.seen) >= this.before + this.now ? this.seen : this
  }

  /** Done for good: the ledger has said so, or the queue has taken everything. */
  get isSettled(): boolean {
    return this.#goal === 'queue' ? this.isPublished || this.wasSkipped : this.hasReceipt && this.isWhole
  }

  get isWhole(): boolean {
    return this.done >= this.records
  }

  get isDone(): boolean {
    return this.records === 0 ? this.isPublished || this.wasSkipped : this.isWhole
  }

  /** Moves the share on; it never goes back. */
  advance(): void {
    const { records, done } = this
    if (done === 0 && !this.isDone) return
    const share = records === 0 ? 1 : done / records
    this.share = Math.max(this.share ?? 0, this.isSettled ? share : Math.min(share, mostUnsettled))
  }

  get sizeDone(): number {
    return this.size * (this.share ?? 0)
  }

  get bytesDone(): number {
    return this.records === 0 ? 0 : Math.round(((this.bytes ?? 0) * this.done) / this.records)
  }

  extent(now: number): LoadExtent {
    const { loadId, source, records, done, bytes = 0, bytesDone } = this
    const { rejected, dead } = this.known
    const rate = this.#rate?.recent(now) ?? 0
    return { loadId, source, records, done, rejected, dead, bytes, bytesDone, rate }
  }
}

type LoadNamed = Pick<LoadCounts, 'loadId' | 'source' | 'records'>
