/**
 * What is to be seen of a run at one moment: all that a page or a bar is made of. Plain values, so that it is
 * JSON as it stands.
 */
import type { Action, Code } from '../core/errors.ts'

/** A run, as it was started. Nothing here holds a secret: addresses are as `shownUrl` leaves them. */
export interface About {
  readonly version: string
  readonly pid: number
  readonly command: string
  readonly pipeline?: string | undefined
  readonly queue: string
  readonly target?: string | undefined
  /** In milliseconds since 1970, as every time here. */
  readonly startedAt: number
}

export interface Snapshot {
  readonly at: number
  readonly process: About & { readonly memoryBytes: number }
  readonly readiness: Readiness
  readonly queue: QueueSnapshot
  readonly totals: Totals
  /** In the order in which they were begun, the newest last; of very many, the last ones. */
  readonly loads: readonly LoadSnapshot[]
  readonly series: Series
  readonly consumers: readonly ConsumerSnapshot[]
  /** What is waited for now. */
  readonly waiting: readonly WaitingSnapshot[]
}

export interface Readiness {
  readonly ready: boolean
  /** Why not, without any data. */
  readonly reason?: string | undefined
  /**
   * When something was committed, settled or published for the last time; the start of the run before the
   * first time.
   */
  readonly progressAt: number
}

/** What of a queue is known, and since when. */
export interface QueueSnapshot {
  readonly depth?: QueueDepth | undefined
  readonly askedAt?: number | undefined
  /** Questions that the queue did not answer. */
  readonly failures: number
}

export interface QueueDepth {
  readonly ready: number
  readonly inFlight?: number | undefined
  readonly dead: number
  /** Age of the oldest message that waits or is in flight, in milliseconds, where the queue can tell. */
  readonly oldestMs?: number | undefined
}

/** Since the start of the run. */
export interface Totals {
  published: number
  received: number
  loaded: number
  rejected: number
  skipped: number
  /** Messages, as the following are; the counts above are records. */
  messages: number
  redelivered: number
  duplicates: number
  retried: number
  deadMessages: number
  batches: number
}

export interface LoadSnapshot {
  readonly loadId: string
  readonly source: string
  readonly state: 'planned' | 'publishing' | 'loading' | 'done' | 'skipped'
  readonly records: number
  /** Of the whole file, where this process planned it. */
  readonly bytes?: number | undefined
  /** Records that an earlier run has seen to. */
  readonly before: number
  /** Records that this run has published, loaded, rejected and so on; at its end, all of the load. */
  readonly published: number
  readonly loaded: number
  readonly rejected: number
  readonly skipped: number
  readonly dead: number
  /** Records with a verdict for each second since the first of them. */
  readonly perSecond: number
  readonly startedAt: number
}

/**
 * The last ten minutes. Each point is what happened in the `stepMs` milliseconds from `at` on; steps without
 * anything are left out.
 */
export interface Series {
  readonly stepMs: number
  readonly points: readonly Point[]
}

export interface Point {
  readonly at: number
  published: number
  loaded: number
  rejected: number
  skipped: number
  deadMessages: number
  batches: number
  bytes: number
  /** Sums over the batches, and the longest of each, in milliseconds. */
  writeMs: number
  longestWriteMs: number
  settleMs: number
  longestSettleMs: number
}

export interface ConsumerSnapshot {
  /** Process and number there. */
  readonly consumer: string
  /** Messages in hand. */
  readonly held: number
  readonly batches: number
  readonly records: number
  readonly last?:
    | { readonly at: number; readonly records: number; readonly writeMs: number; readonly settleMs: number }
    | undefined
}

export interface WaitingSnapshot {
  readonly code: Code
  readonly action: Action
  readonly message: string
  readonly attempt: number
  readonly delayMs?: number | undefined
  readonly since: number
}
