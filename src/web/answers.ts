/** The API's answers to the page: plain JSON values. Their texts are untrusted data. */
import type { Code } from '../core/errors.ts'
import type { Receipt } from '../sink/ledger.ts'

/** A receipt with its open records and its problems. */
export type LoadAnswer = Receipt & { readonly open: number; readonly problems: readonly string[] }

/** A page of a list. */
export interface ListAnswer<Item> {
  readonly items: readonly Item[]
  /** There may be more after this id: the page is full, or the search has reached its time limit. */
  readonly next?: number | undefined
}

/** A line of a list; the text of the record or message is only in `KeptAnswer`. */
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
  /** More names and values that help a person find it. */
  readonly facts: readonly (readonly [name: string, value: string])[]
  /** The stored record or message, split around its fault; without a known place all of it is in `before`. */
  readonly text: { readonly before: string; readonly fault?: string | undefined; readonly after: string }
  /** Bytes left out at its end. */
  readonly cut: number
}

/** Why records fail, the most frequent first. */
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
