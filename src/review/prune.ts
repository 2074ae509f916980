/** Removes from a ledger what is old, page by page, beside whatever loads and consumers do. */
import { setImmediate } from 'node:timers/promises'
import { LadingError } from '../core/errors.ts'
import { ignoreEvents, type Listener } from '../core/events.ts'
import { retrying } from '../core/retry.ts'
import type { Abortable } from '../core/wait.ts'
import type { Ledger, Prunable, Pruned, PruneFilter } from '../sink/ledger.ts'

/** What of a ledger is pruned. */
export interface PruneOptions extends Abortable, Omit<PruneFilter, 'what' | 'before'> {
  readonly what: readonly Prunable[]
  /** Removes what is older than so many milliseconds. */
  readonly olderThanMs: number
  /** Counts what would be removed, and removes nothing. */
  readonly isDry?: boolean
  /** Hears which loads the ledger has forgotten, page by page: a plan of one that is kept would publish it again. */
  readonly onForgotten?: (loads: readonly string[]) => void | Promise<void>
  readonly onEvent?: Listener
}

/** Entries of a page: a transaction of some milliseconds. */
const pageSize = 500

/** Of each kind, what was removed; ends after a page when it is stopped, and can be repeated. */
export async function prune(
  ledger: Ledger,
  { what, olderThanMs, isDry = false, onForgotten, onEvent = ignoreEvents, signal, ...filter }: PruneOptions,
): Promise<ReadonlyMap<Prunable, Pruned>> {
  if (ledger.prune === undefined || ledger.prunable === undefined)
    throw new LadingError('USAGE', 'this database keeps its whole ledger')
  const before = new Date(Date.now() - olderThanMs).toISOString()
  const all = new Map<Prunable, Pruned>()
  const ask = <T>(work: () => Promise<T>) => retrying(work, { signal, onEvent })
  for (const each of what) {
    const chosen = { ...filter, what: each, before }
    if (isDry) {
      all.set(each, await ask(async () => ledger.prunable?.(chosen, { signal }) ?? none))
      continue
    }
    let { entries, bytes } = none
    let after: string | undefined
    do {
      // A database in this process may answer before a stop, or anything else, is heard.
      await setImmediate()
      if (signal?.aborted) break
      const page = await ask(async () => ledger.prune?.(chosen, { after, limit: pageSize }, { signal }))
      await onForgotten?.(page?.loads ?? [])
      entries += page?.entries ?? 0
      bytes += page?.bytes ?? 0
      after = page?.next
    } while (after !== undefined)
    all.set(each, { entries, bytes })
  }
  return all
}

const none: Pruned = { entries: 0, bytes: 0 }
