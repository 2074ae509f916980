/**
 * What is to be seen of a run at one moment: all that a page or a bar is made of. Plain values, so that it is
 * JSON as it stands.
 */
import type { Action, Code } from '../core/errors.ts'
import type { Work } from './loads.ts'

/** A run, as it was started. Nothing here holds a secret: addresses are as `shownUrl` leaves them. */
export interface About {
  readonly version: string
  readonly pid: number
  readonly command: string
  readonly pipeline?: string | undefined
  readonly queue: string
  readonly target?: string | undefined
  /** The command that shows the database when the run is over. */
  readonly afterwards?: string | undefined
  /** In milliseconds since 1970, as every time here. */
  readonly startedAt: number
}

export interface Snapshot extends Facts {
  readonly state: RunState
}

export type StateKind =
  | 'planning'
  | 'publishing'
  | 'loading'
  | 'indexing'
  | 'waiting'
  | 'stalled'
  | 'complete'
  | 'rejects'
  | 'stopped'
  | 'idle'
  | 'none'

export interface RunState {
  readonly kind: StateKind
  /** A word or two, which change only with the kind. */
  readonly headline: string
  /** What was not loaded, to stand beside the headline; empty if there is nothing. */
  readonly bad: string
  /** Records that are known to have no verdict, or not to be published. */
  readonly open: number
  readonly detail: string
}

/** What the state is made of, and all else. */
export interface Facts {
  readonly at: number
  readonly process: About & { readonly memoryBytes: number }
  readonly readiness: Readiness
  readonly course: Course
  /** Of all loads of the run, those that are not listed among them. */
  readonly work: Work
  /** Of messages that belong to no load. */
  readonly loose: Loose
  /** The greatest share that was done of the files of a run, from 0 to 1, or of the loads that were met. */
  readonly share?: number | undefined
  /** Records with a verdict, or published, each second during the last ten. */
  readonly perSecond: number
  readonly queue: QueueSnapshot
  readonly totals: Totals
  /** In the order in which they were begun, the newest last; of very many, the last ones. */
  readonly loads: readonly LoadSnapshot[]
  readonly series: Series
  readonly consumers: readonly ConsumerSnapshot[]
  /** What is waited for now. */
  readonly waiting: readonly WaitingSnapshot[]
}

export interface Course {
  /** What there is to load; missing until that is known, and always for a consumer. */
  readonly files?: { readonly found: number; readonly planned: number; readonly bytes: number } | undefined
  /** The file that is read for its plan: what was read, decompressed, and its size on the disk. */
  readonly planning?: { readonly source: string; readonly bytes: number; readonly size: number } | undefined
  /** The table whose indexes are built. */
  readonly building?: { readonly table: string; readonly since: number } | undefined
  /** Missing while the run goes on. */
  readonly ended?: Ended | undefined
}

export interface Ended {
  readonly at: number
  /** By itself, by somebody who stopped it, or by an error. */
  readonly by: 'itself' | 'signal' | 'error'
  /** The error, or the signal. */
  readonly why?: string | undefined
}

export interface Loose {
  rejected: number
  deadMessages: number
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
  /** Messages of others are among them, so that they are no work of this run. */
  readonly isShared: boolean
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
  /** From 0 to 1, and never less than before; missing until something of it is done. */
  readonly share?: number | undefined
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
