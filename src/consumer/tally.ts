import type { LadingEvent, LoadCounts } from '../core/events.ts'
import type { LoadInfo } from '../core/load.ts'
import { traceLinks } from '../core/trace.ts'
import type { Delivery } from '../queue/queue.ts'
import type { BatchVerdict, Part, Verdict } from '../sink/sink.ts'

/** What became of the messages of a batch or of a whole run. */
export interface Tally {
  readonly messages: number
  /** Messages that had been delivered before. */
  readonly redelivered: number
  /** Messages that had taken effect before. */
  readonly duplicates: number
  /** Messages that failed and were given back to be tried again. */
  readonly retried: number
  /** Messages that became dead letters; of equal ones with one key, one letter is kept. */
  readonly deadMessages: number
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
  deadMessages: 0,
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
    deadMessages: sum('deadMessages'),
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
  add(
    { id, source, records }: Pick<LoadInfo, 'id' | 'source' | 'records'>,
    counts: Partial<Omit<LoadCounts, 'records'>> = {},
  ): void {
    let sum = this.#counts.get(id)
    if (sum === undefined)
      this.#counts.set(
        id,
        (sum = { loadId: id, source, records, loaded: 0, rejected: 0, skipped: 0, dead: 0 }),
      )
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

  get ids(): readonly string[] {
    return [...this.#counts.keys()]
  }
}

type Refused = Verdict & { readonly kind: 'refused' }
const none: readonly (readonly [Part, Refused])[] = []

/**
 * Counts one message, whose parts' verdicts begin at `first`, and returns the parts that were refused. A
 * message counts once as a duplicate, if all of it is one, and once as dead, if any of it is. Nothing is made
 * for a message that simply took effect: there may be a thousand in a batch.
 */
export function countVerdicts(
  { tally, loads }: { readonly tally: Count; readonly loads: LoadTally },
  parts: readonly Part[],
  verdicts: readonly BatchVerdict[],
  first: number,
): readonly (readonly [Part, Refused])[] {
  let duplicates = 0
  let refused = none
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as Part
    const verdict = verdicts[first + index] as BatchVerdict
    if (verdict.kind === 'locked') continue
    if (part.load !== undefined)
      loads.add(
        part.load,
        verdict.kind === 'applied' ? verdict : { dead: verdict.kind === 'refused' ? part.records : 0 },
      )
    if (verdict.kind === 'duplicate') duplicates++
    else if (verdict.kind === 'refused') refused = [...refused, [part, verdict]]
    else {
      tally.records += part.records
      tally.loaded += verdict.loaded
      tally.rejected += verdict.rejected
      tally.skipped += verdict.skipped
    }
  }
  if (duplicates === parts.length) tally.duplicates++
  if (refused.length > 0) tally.deadMessages++
  return refused
}

/** What a batch has done, as an event. */
export function batchEvent(
  consumer: string,
  deliveries: readonly Delivery[],
  { tally, loads }: { readonly tally: Tally; readonly loads: LoadTally },
  measured: { readonly bytes: number; readonly writeMs: number; readonly settleMs: number },
): LadingEvent & { readonly type: 'batch' } {
  const links = traceLinks(deliveries.map(({ headers }) => headers))
  const batch = { type: 'batch', consumer, ...tally, ...measured, loads: loads.counts } as const
  return links.length === 0 ? batch : { ...batch, links }
}
