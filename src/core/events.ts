import type { Code } from './errors.ts'

/** What happens during a run, one event for each thing a person may want to know, without any data of a record. */
export type LadingEvent =
  | {
      readonly type: 'planned'
      readonly loadId: string
      readonly source: string
      readonly records: number
      readonly chunks: number
      readonly bytes: number
    }
  | { readonly type: 'published'; readonly loadId: string; readonly source: string; readonly records: number; readonly chunks: number }
  | { readonly type: 'skipped'; readonly loadId: string; readonly source: string; readonly records: number; readonly reason: string }
  | {
      readonly type: 'batch'
      readonly messages: number
      readonly redelivered: number
      readonly duplicates: number
      readonly retried: number
      readonly records: number
      readonly loaded: number
      readonly rejected: number
      readonly skipped: number
    }
  | { readonly type: 'dead'; readonly key: string; readonly code: Code; readonly detail: string }
  /** Messages of another pipeline were met and left in the queue; told once for each pipeline. */
  | { readonly type: 'foreign'; readonly pipeline: string }
  /** Something is tried again after `delayMs`; without it, whatever is waited for comes by itself. */
  | { readonly type: 'waiting'; readonly code: Code; readonly message: string; readonly attempt: number; readonly delayMs?: number }
  /** Something promises less than it could; told once, at the start. */
  | { readonly type: 'caution'; readonly message: string }
  /** What becomes of the indexes of a table that a load fills: taken away until its end, being built, built, or left to another load at work. */
  | { readonly type: 'indexes'; readonly table: string; readonly state: 'deferred' | 'building' | 'built' | 'left' }
  /** What was waited for is there again. */
  | { readonly type: 'resumed'; readonly code: Code }

export type Listener = (event: LadingEvent) => void

export const ignoreEvents: Listener = () => undefined
