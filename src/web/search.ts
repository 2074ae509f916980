/** Searches lists of any length: one page at a time, in bounded time. */
import { setImmediate } from 'node:timers/promises'

const pageItems = 100
/** Time limit in milliseconds, after which a search returns a partial page and its position. */
const searchMs = 400

export const wantedStates = ['open', 'replayed', 'discarded', 'all'] as const
export type WantedState = (typeof wantedStates)[number]

export interface Question {
  readonly loadId?: string | undefined
  readonly code?: string | undefined
  readonly column?: string | undefined
  /** Default: those that a person still has to decide on. */
  readonly state?: WantedState | undefined
  /** Text to find in the detail, the place or the text, in any case. */
  readonly search?: string | undefined
  readonly after: number
}

interface Page<Item> {
  readonly items: readonly Item[]
  readonly next?: number | undefined
}

/** Reads from `after` on, `step` items at a time, until a page is full or the time is up. */
export async function search<Item extends { readonly id: number }>(
  read: (after: number) => Promise<readonly Item[]>,
  matches: (item: Item) => boolean,
  { after, step }: { after: number; step: number },
): Promise<Page<Item>> {
  const until = performance.now() + searchMs
  const items: Item[] = []
  for (let last = after; ;) {
    const some = await read(last)
    for (const item of some) {
      last = item.id
      if (matches(item) && items.push(item) === pageItems) return { items, next: last }
    }
    if (some.length < step) return { items }
    if (performance.now() > until) return { items, next: last }
    // A fast database must not block the run's own work.
    await setImmediate()
  }
}
