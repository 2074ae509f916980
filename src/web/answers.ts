/**
 * What the page gets for its questions: plain values, so that they are JSON as they stand. Texts are data of
 * anybody.
 */
import type { Code } from '../core/errors.ts'
import type { Receipt } from '../sink/ledger.ts'

/** A receipt with what is open, and with what does not add up. */
export type LoadAnswer = Receipt & { readonly open: number; readonly problems: readonly string[] }

/** A page of a list. */
export interface ListAnswer<Item> {
  readonly items: readonly Item[]
  /** There may be more, behind this id: the page is full, or the search has taken long enough. */
  readonly next?: number | undefined
}

/** A line of a list; the text of the record or message is only looked up with one of them. */
export interface KeptItem {
  readonly id: number
  /** Source and line, or the key of a message. */
  readonly place: string
  readonly loadId?: string | undefined
  readonly code: Code
  readonly column?: string | undefined
  readonly detail: string
  readonly state: string
  /** ISO 8601. */
  readonly at: string
}

export interface KeptAnswer extends KeptItem {
  readonly meaning: string
  readonly advice: string
  /** Further names and values that help a person to find it. */
  readonly facts: readonly (readonly [name: string, value: string])[]
  /**
   * The record or message as it was kept, around the place that is to blame; without such a place it is all
   * in `before`.
   */
  readonly text: { readonly before: string; readonly fault?: string | undefined; readonly after: string }
  /** What is left out at its end, in bytes. */
  readonly cut: number
}

/** How records fail, the most first. */
export interface Reason {
  readonly code: Code
  readonly column?: string | undefined
  readonly rejects: number
}

export interface Outcome {
  readonly id: number
  readonly outcome: 'replayed' | 'duplicate' | 'discarded' | 'refused' | 'gone'
  readonly detail: string
}
