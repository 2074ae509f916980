import type { LadingEvent, LoadCounts } from '../core/events.ts'
import type { LoadSnapshot } from './snapshot.ts'

/** A folder may hold a hundred thousand files: the loads that were begun last are enough to look at. */
const mostLoads = 200

type Event<Type extends LadingEvent['type']> = Extract<LadingEvent, { readonly type: Type }>

interface Progress extends Omit<LoadCounts, 'loadId'> {
  readonly startedAt: number
  readonly bytes?: number
  published: number
  before: number
  loaded: number
  rejected: number
  skipped: number
  dead: number
  firstVerdictAt?: number
  lastVerdictAt?: number
  wasSkipped: boolean
  isPublished: boolean
}

/** How far each load is, as far as this run has to do with it. */
export class LoadKeeper {
  readonly #loads = new Map<string, Progress>()

  /** A load that is planned once more, because it is done all over, begins at nothing. */
  planned({ loadId, source, records, bytes }: Event<'planned'>, now: number): void {
    const before = this.#loads.get(loadId)
    // Consumers may be ahead of the plan, where the queue held some of it already.
    if (before !== undefined && before.bytes === undefined) this.#keep(loadId, { ...before, bytes })
    else this.#keep(loadId, { ...begun(source, records, now), bytes })
  }

  resuming({ loadId, done }: Event<'resuming'>): void {
    const load = this.#loads.get(loadId)
    if (load !== undefined) load.before = done
  }

  /** The ledger knows better than what was heard. */
  receipt({ loadId, loaded, rejected, skipped, dead }: Event<'receipt'>): void {
    const load = this.#loads.get(loadId)
    if (load !== undefined) Object.assign(load, { loaded, rejected, skipped, dead, before: 0 })
  }

  window({ loads }: Event<'window'>): void {
    for (const { loadId, records } of loads) {
      const load = this.#loads.get(loadId)
      if (load !== undefined) load.published += records
    }
  }

  published(loadId: string): void {
    const load = this.#loads.get(loadId)
    if (load !== undefined) load.isPublished = true
  }

  skipped(loadId: string): void {
    const load = this.#loads.get(loadId)
    if (load !== undefined) load.wasSkipped = true
  }

  batch({ loads }: Event<'batch'>, now: number): void {
    for (const counts of loads) {
      const load =
        this.#loads.get(counts.loadId) ?? this.#keep(counts.loadId, begun(counts.source, counts.records, now))
      for (const name of ['loaded', 'rejected', 'skipped', 'dead'] as const) load[name] += counts[name]
      load.firstVerdictAt ??= now
      load.lastVerdictAt = now
    }
  }

  snapshot(): readonly LoadSnapshot[] {
    return [...this.#loads].map(([loadId, load]) => {
      const { source, records, bytes, published, before, loaded, rejected, skipped, dead, startedAt } = load
      const about = {
        loadId,
        source,
        state: stateOf(load),
        records,
        bytes,
        published,
        before,
        loaded,
        rejected,
        skipped,
        dead,
        startedAt,
      }
      return { ...about, perSecond: perSecondOf(load) }
    })
  }

  #keep(loadId: string, load: Progress): Progress {
    this.#loads.set(loadId, load)
    const [oldest] = this.#loads.keys()
    if (this.#loads.size > mostLoads && oldest !== undefined) this.#loads.delete(oldest)
    return load
  }
}

const begun = (source: string, records: number, startedAt: number): Progress => ({
  source,
  records,
  startedAt,
  published: 0,
  before: 0,
  loaded: 0,
  rejected: 0,
  skipped: 0,
  dead: 0,
  wasSkipped: false,
  isPublished: false,
})

const verdictsOf = ({ loaded, rejected, skipped, dead }: Progress): number =>
  loaded + rejected + skipped + dead

function stateOf(load: Progress): LoadSnapshot['state'] {
  if (load.wasSkipped) return 'skipped'
  const verdicts = verdictsOf(load) + load.before
  if (verdicts >= load.records && (verdicts > 0 || load.isPublished)) return 'done'
  if (verdicts > 0 || load.isPublished) return 'loading'
  return load.published > 0 ? 'publishing' : 'planned'
}

function perSecondOf(load: Progress): number {
  const { firstVerdictAt, lastVerdictAt, startedAt } = load
  if (firstVerdictAt === undefined || lastVerdictAt === undefined) return 0
  // The first batch took its time before it was told.
  const since = lastVerdictAt > firstVerdictAt ? firstVerdictAt : startedAt
  return Math.round((verdictsOf(load) * 1000) / Math.max(1, lastVerdictAt - since))
}
