import type { LoadCounts } from '../core/events.ts'
import type { LoadInfo } from '../core/load.ts'

/** What became of the messages of a batch or of a whole run. */
export interface Tally {
  readonly messages: number
  /** Messages that had been delivered before. */
  readonly redelivered: number
  /** Messages that had taken effect before. */
  readonly duplicates: number
  /** Messages that failed and were given back to be tried once more. */
  readonly retried: number
  readonly dead: number
  readonly records: number
  readonly loaded: number
  readonly rejected: number
  readonly skipped: number
}

export const emptyTally: Tally = {
  messages: 0,
  redelivered: 0,
  duplicates: 0,
  retried: 0,
  dead: 0,
  records: 0,
  loaded: 0,
  rejected: 0,
  skipped: 0,
}

/** A tally that is being counted. */
export type Count = { -readonly [Name in keyof Tally]: Tally[Name] }

export function addTally(a: Tally, b: Partial<Tally>): Tally {
  const sum = (name: keyof Tally) => a[name] + (b[name] ?? 0)
  return {
    messages: sum('messages'),
    redelivered: sum('redelivered'),
    duplicates: sum('duplicates'),
    retried: sum('retried'),
    dead: sum('dead'),
    records: sum('records'),
    loaded: sum('loaded'),
    rejected: sum('rejected'),
    skipped: sum('skipped'),
  }
}

/** What a batch did, load by load. */
export class LoadTally {
  readonly #counts = new Map<string, { -readonly [Name in keyof LoadCounts]: LoadCounts[Name] }>()

  /** Mentions the load, and counts what became of some of its records. */
  add({ id, source, records }: Pick<LoadInfo, 'id' | 'source' | 'records'>, counts: Partial<Omit<LoadCounts, 'records'>> = {}): void {
    let sum = this.#counts.get(id)
    if (sum === undefined) this.#counts.set(id, (sum = { loadId: id, source, records, loaded: 0, rejected: 0, skipped: 0, dead: 0 }))
    sum.loaded += counts.loaded ?? 0
    sum.rejected += counts.rejected ?? 0
    sum.skipped += counts.skipped ?? 0
    sum.dead += counts.dead ?? 0
  }

  join(other: LoadTally): void {
    for (const counts of other.counts) this.add({ ...counts, id: counts.loadId }, counts)
  }

  get counts(): readonly LoadCounts[] {
    return [...this.#counts.values()]
  }
}
