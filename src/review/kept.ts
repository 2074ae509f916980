/** Rejects and dead letters alike: found by their ids, read a page at a time, discarded. */
import { LadingError } from '../core/errors.ts'
import type { Abortable } from '../core/wait.ts'
import type {
  Ledger,
  ListFilter,
  Page,
  RejectFilter,
  StoredDeadLetter,
  StoredReject,
} from '../sink/ledger.ts'

export interface Kept<Stored, Filter extends ListFilter = ListFilter> {
  /** As errors name one. */
  readonly name: string
  /** So many are in memory at once. */
  readonly atOnce: number
  read(ledger: Ledger, filter: Filter & Page, options?: Abortable): Promise<readonly Stored[]>
  /** Returns how many were there to be discarded. */
  discard(ledger: Ledger, ids: readonly number[], options?: Abortable): Promise<number>
}

export const keptRejects: Kept<StoredReject, RejectFilter> = {
  name: 'reject',
  atOnce: 500,
  read: (ledger, filter, options) => ledger.rejects(filter, options),
  discard: (ledger, ids, options) => ledger.discardRejects(ids, options),
}

export const keptLetters: Kept<StoredDeadLetter> = {
  name: 'dead letter',
  // Messages are larger than records.
  atOnce: 8,
  read: (ledger, filter, options) => ledger.deadLetters(filter, options),
  discard: (ledger, ids, options) => ledger.discardDeadLetters(ids, options),
}

/** In whatever state it is; throws `NOT_FOUND`. */
export async function findKept<Stored>(kept: Kept<Stored>, ledger: Ledger, id: number): Promise<Stored> {
  const [stored] = await kept.read(ledger, { id, all: true, limit: 1 })
  if (stored === undefined) throw new LadingError('NOT_FOUND', `there is no ${kept.name} ${id}`)
  return stored
}

/** Those of the filter, a page at a time, in the order of their ids. */
export async function* keptPages<Stored extends { readonly id: number }, Filter extends ListFilter>(
  kept: Kept<Stored, Filter>,
  ledger: Ledger,
  filter: Filter,
  { signal }: Abortable = {},
): AsyncGenerator<readonly Stored[]> {
  for (let after = 0; ;) {
    const page = await kept.read(ledger, { ...filter, after, limit: kept.atOnce }, { signal })
    const last = page.at(-1)
    if (last === undefined) return
    yield page
    after = last.id
  }
}

/** Those with these ids, or without ids the open ones of the filter; a page at a time. */
export async function* chosenKept<Stored extends { readonly id: number }, Filter extends ListFilter>(
  kept: Kept<Stored, Filter>,
  ledger: Ledger,
  ids: readonly number[],
  filter: Filter,
): AsyncGenerator<readonly Stored[]> {
  if (ids.length === 0) yield* keptPages(kept, ledger, filter)
  for (const id of ids) yield [await findKept(kept as Kept<Stored>, ledger, id)]
}
