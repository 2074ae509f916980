/** Sums of records, and how fast they grow. */

/** How far a load is, or all of them together. */
export interface Extent {
  readonly records: number
  /** What was done by runs before is among them. */
  readonly done: number
  readonly rejected: number
  readonly dead: number
  /** Of CSV, decompressed; 0 for a load of which no plan was told. */
  readonly bytes: number
  readonly bytesDone: number
  /** Records a second during the last ten seconds; 0 where nothing tells it. */
  readonly rate: number
}

export interface LoadExtent extends Extent {
  readonly loadId: string
  readonly source: string
}

export interface More {
  readonly done?: number
  readonly rejected?: number
  readonly dead?: number
}

export class Sums {
  records = 0
  bytes = 0
  bytesDone = 0
  done = 0
  rejected = 0
  dead = 0
  readonly #meter: Meter

  constructor(now: () => number) {
    this.#meter = new Meter(now)
  }

  /** What did not happen just now says nothing of the rate. */
  add({ done = 0, rejected = 0, dead = 0 }: More, isNow = true): void {
    this.done += done
    this.rejected += rejected
    this.dead += dead
    if (isNow) this.#meter.add(done)
  }

  extent(): Extent {
    const { records, bytes, bytesDone, done, rejected, dead } = this
    return { records, done, rejected, dead, bytes, bytesDone, rate: this.#meter.rate }
  }
}

export class LoadSums extends Sums {
  readonly loadId: string
  readonly source: string
  /** Its place among the loads, in the order in which they came. */
  readonly order: number
  /** Paths that lead to this load. */
  paths = 1
  /** Of a load without records, which has nothing to count. */
  isEnded = false

  constructor(now: () => number, order: number, { loadId, source, records, bytes = 0 }: LoadNamed) {
    super(now)
    this.order = order
    this.loadId = loadId
    this.source = source
    this.records = records
    this.bytes = bytes
  }

  get isDone(): boolean {
    return this.records === 0 ? this.isEnded : this.done >= this.records
  }

  override add(more: More, isNow = true): void {
    super.add(more, isNow)
    this.bytesDone = this.records === 0 ? 0 : Math.round((this.bytes * this.done) / this.records)
  }

  override extent(): LoadExtent {
    return { ...super.extent(), loadId: this.loadId, source: this.source }
  }
}

interface LoadNamed {
  readonly loadId: string
  readonly source: string
  readonly records: number
  readonly bytes?: number
}

const windowMs = 10_000
/** What comes in shorter order is taken together. */
const gapMs = 250

/** How much came each second, during the last ten. */
class Meter {
  readonly #now: () => number
  #total = 0
  /**
   * The first is the last that is older than the window, or the beginning. What came with the beginning was
   * made before it.
   */
  #samples: { readonly at: number; total: number }[] = []

  constructor(now: () => number) {
    this.#now = now
  }

  add(n: number): void {
    if (n === 0) return
    this.#total += n
    const at = this.#now()
    const last = this.#samples.at(-1)
    if (last !== undefined && this.#samples.length > 1 && at - last.at < gapMs) last.total = this.#total
    else this.#samples.push({ at, total: this.#total })
    this.#prune(at)
  }

  get rate(): number {
    const now = this.#now()
    this.#prune(now)
    const [first] = this.#samples
    if (first === undefined || now - first.at < gapMs) return 0
    return ((this.#total - first.total) / (now - first.at)) * 1000
  }

  #prune(now: number): void {
    while (this.#samples.length > 1 && now - (this.#samples[1] as { at: number }).at > windowMs)
      this.#samples.shift()
  }
}
