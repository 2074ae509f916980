/**
 * Events → how far each load is. One count for the page, the bars and the log. What is kept of loads that
 * were only met in a queue has a bound, because a consumer may run without end.
 */
import type { EventOf, LadingEvent, LoadCounts } from '../core/events.ts'
import { type Extent, type Goal, Load, type Verdicts, verdictsIn } from './load.ts'
import { Rate } from './rate.ts'

/** Planned loads that are done; of twice as many, those that were done first are forgotten. */
const mostDone = 200

/** Loads that were met without a plan; beyond so many, the one that was quiet longest is forgotten. */
const mostMet = 200

/** All loads of a run together. */
export interface Work {
  readonly loads: number
  /** Those that are done for good. */
  readonly settled: number
  readonly records: number
  readonly done: number
  readonly rejected: number
  readonly dead: number
}

const summed = ['records', 'bytes', 'done', 'rejected', 'dead', 'bytesDone', 'size', 'sizeDone'] as const
type Sums = { -readonly [Name in (typeof summed)[number]]: number } & { settled: number }
const noSums: Sums = {
  records: 0,
  bytes: 0,
  done: 0,
  rejected: 0,
  dead: 0,
  bytesDone: 0,
  size: 0,
  sizeDone: 0,
  settled: 0,
}

export class Loads {
  readonly #goal: Goal
  readonly #planned = new Map<string, Load>()
  /** Without a plan, the one that moved last at the end. */
  readonly #met = new Map<string, Load>()
  /** Begun and not done, likewise. */
  readonly #atWork = new Map<string, Load>()
  /** Of those, the ones that are done. */
  readonly #metDone = new Set<string>()
  /** Of the planned loads, those that are done, the last one at the end. */
  readonly #done = new Set<string>()
  #order = 0
  /** Of the planned loads, and of those without a plan that are forgotten. */
  #sums = { ...noSums }
  #gone = { ...noSums, loads: 0 }
  #loads = 0
  #paths = 0
  #pathsDone = 0
  /** By source, on the disk, of the files that are read for a plan: some are planned together. */
  readonly #sizes = new Map<string, number>()
  #rate: Rate | undefined

  constructor(goal: Goal = 'verdict') {
    this.#goal = goal
  }

  hear(event: LadingEvent, now: number): void {
    switch (event.type) {
      case 'found':
        return this.#clear()
      case 'planning':
        return void this.#sizes.set(event.source, event.size)
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

  /** What the ledger says of a load; nobody else tells what other processes write. */
  saw({ loadId, ...verdicts }: Verdicts & { readonly loadId: string }, now: number): void {
    this.#change(loadId, now, (load) => {
      load.seen = verdicts
      load.hasReceipt ||= verdictsIn(verdicts) >= load.records
    })
  }

  /** Of the planned loads; `paths` counts files that lead to the same load one by one. */
  sums(now: number): Extent & { readonly paths: number; readonly pathsDone: number } {
    const rate = this.#rate?.recent(now) ?? 0
    const { records, bytes, done, rejected, dead, bytesDone } = this.#sums
    const sums = { records, bytes, done, rejected, dead, bytesDone }
    return { ...sums, rate, paths: this.#paths, pathsDone: this.#pathsDone }
  }

  work(): Work {
    const met = [...this.#met.values()].map(sumsOf)
    const sum = (name: 'settled' | 'records' | 'done' | 'rejected' | 'dead') =>
      met.reduce((all, each) => all + each[name], this.#sums[name] + this.#gone[name])
    return {
      loads: this.#loads + this.#gone.loads + met.length,
      settled: sum('settled'),
      records: sum('records'),
      done: sum('done'),
      rejected: sum('rejected'),
      dead: sum('dead'),
    }
  }

  /**
   * The share that is done of files of so many bytes on the disk, as far as they are planned: each counts as much
   * as it is large, because the number of records is not known before every file was read.
   */
  shareOf(found: { readonly files: number; readonly bytes: number }): number | undefined {
    const { size, sizeDone } = this.#sums
    const whole = this.#paths >= found.files ? size : Math.max(size, found.bytes)
    return whole === 0 ? undefined : Math.min(1, sizeDone / whole)
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
    for (const loads of [this.#planned, this.#met, this.#metDone, this.#atWork, this.#done]) loads.clear()
    this.#sums = { ...noSums }
    this.#gone = { ...noSums, loads: 0 }
    this.#loads = 0
    this.#paths = 0
    this.#pathsDone = 0
    this.#rate = undefined
  }

  #plan(event: EventOf<'planned'>, now: number): void {
    const { loadId, bytes, isTwice } = event
    const size = this.#sizes.get(event.source) ?? bytes
    this.#sizes.delete(event.source)
    this.#paths++
    const first = this.#planned.get(loadId)
    // The first may be done and forgotten.
    if (first !== undefined || isTwice === true) {
      if (first !== undefined) first.paths++
      this.#pathsDone++
      // The second path has nothing left to do.
      this.#sums.size += size
      this.#sums.sizeDone += size
      return
    }
    // Consumers may be ahead of the plan, if the queue held some of it already.
    const load = this.#met.get(loadId) ?? new Load(event, this.#goal, this.#order++, now)
    this.#met.delete(loadId)
    this.#metDone.delete(loadId)
    load.paths = 1
    load.bytes = bytes
    load.size = size
    load.advance()
    this.#planned.set(loadId, load)
    this.#loads++
    this.#add(load, 1)
  }

  /** A load that is forgotten keeps its part of the sums. */
  #forget({ loadId }: Pick<Load, 'loadId'>): void {
    for (const loads of [this.#planned, this.#met, this.#metDone, this.#atWork, this.#done])
      loads.delete(loadId)
  }

  /** One that is done, if there is one: of a load that is open, somebody may still want to know. */
  #forgetMet(): void {
    const [done] = this.#metDone
    const [quietest] = this.#met.keys()
    const load = this.#met.get((done ?? quietest) as string) as Load
    const sums = sumsOf(load)
    for (const name of [...summed, 'settled'] as const) this.#gone[name] += sums[name]
    this.#gone.loads++
    this.#forget(load)
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
      if (this.#met.size > mostMet) this.#forgetMet()
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
  #settle({ loadId, records, loaded, rejected, skipped, dead }: EventOf<'receipt'>, now: number): void {
    const isWhole = loaded + rejected + skipped + dead >= records
    // One that is forgotten was done by its own counts; now the ledger says so, too.
    if (!this.#planned.has(loadId) && !this.#met.has(loadId) && isWhole) this.#sums.settled++
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
    load.advance()
    if (planned !== undefined) {
      this.#add(load, 1)
      this.#noteDone(load)
    } else if (load.isDone) this.#metDone.add(loadId)
    this.#atWork.delete(loadId)
    if (load.done > 0 && !load.isDone) this.#atWork.set(loadId, load)
    if (!isNow) return
    load.rate.add(load.done - doneBefore, now)
    if (planned === undefined) return
    this.#rate ??= new Rate(now)
    this.#rate.add(load.done - doneBefore, now)
  }

  #add(load: Load, sign: 1 | -1): void {
    const sums = sumsOf(load)
    for (const name of [...summed, 'settled'] as const) this.#sums[name] += sign * sums[name]
    this.#pathsDone += sign * Number(load.isDone)
  }
}

function sumsOf(load: Load): Sums {
  const { records, bytes = 0, done, bytesDone, size, sizeDone, known, isSettled } = load
  const { rejected, dead } = known
  return { records, bytes, done, rejected, dead, bytesDone, size, sizeDone, settled: Number(isSettled) }
}
