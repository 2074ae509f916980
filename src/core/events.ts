import type { Code } from './errors.ts'
import type { LeftOut } from './load.ts'

/** What happens during a run: one event per fact that a person may want to know, without data of records. */
export type LadingEvent =
  /**
   * What there is to do: so many files, with so many bytes as they lie on the disk. Emitted again if
   * everything is loaded a second time.
   */
  | { readonly type: 'found'; readonly files: number; readonly bytes: number }
  /** A file is read for its plan: emitted when that begins, and now and then while it lasts. */
  | {
      readonly type: 'planning'
      readonly source: string
      /** Read so far, decompressed. */
      readonly bytes: number
      /** Of the file, as it lies on the disk. */
      readonly size: number
    }
  | {
      readonly type: 'planned'
      readonly loadId: string
      readonly source: string
      readonly records: number
      readonly chunks: number
      readonly bytes: number
      /** Another path of the run led to the same load before. */
      readonly isTwice?: true
      /** Lines that belong to no record; absent where there are none. */
      readonly leftOut?: LeftOut
    }
  /** `done` records of a load need not be published: they were applied before, or are in the queue. */
  | {
      readonly type: 'resuming'
      readonly loadId: string
      readonly source: string
      readonly records: number
      readonly done: number
    }
  /** More messages are in the queue. */
  | {
      readonly type: 'window'
      readonly messages: number
      /** Of CSV, whether the messages hold it or refer to it. */
      readonly bytes: number
      readonly publishMs: number
      /** W3C trace context of the publish span, when tracing is on. */
      readonly traceparent?: string
      readonly loads: readonly { readonly loadId: string; readonly records: number; readonly bytes: number }[]
    }
  | {
      readonly type: 'published'
      readonly loadId: string
      readonly source: string
      readonly records: number
      readonly chunks: number
      /** Chunks of the load that are published or have a verdict, where the rest is left to a later run. */
      readonly due?: number
    }
  | {
      readonly type: 'skipped'
      readonly loadId: string
      readonly source: string
      readonly records: number
      readonly reason: string
    }
  | {
      readonly type: 'batch'
      /** The consumer that wrote it, by its process and its number there. */
      readonly consumer: string
      readonly messages: number
      readonly redelivered: number
      readonly duplicates: number
      readonly retried: number
      /** Messages that became dead letters; each emits a `dead` event as well. */
      readonly deadMessages: number
      readonly records: number
      readonly loaded: number
      readonly rejected: number
      readonly skipped: number
      /** Of the messages. */
      readonly bytes: number
      /**
       * From the first attempt to the commit, and from there until everything was settled, in milliseconds.
       */
      readonly writeMs: number
      readonly settleMs: number
      readonly loads: readonly LoadCounts[]
      /** W3C trace contexts of the publish spans, when tracing is on. */
      readonly links?: readonly string[]
    }
  /**
   * How many messages a consumer has in hand: emitted when a batch begins, when it is settled, and when all
   * that is left is given back.
   */
  | { readonly type: 'held'; readonly consumer: string; readonly messages: number }
  | { readonly type: 'dead'; readonly key: string; readonly code: Code; readonly detail: string }
  | ForeignEvent
  /** Something is tried again after `delayMs`; without it, what is waited for comes by itself. */
  | {
      readonly type: 'waiting'
      readonly code: Code
      readonly message: string
      readonly attempt: number
      readonly delayMs?: number
    }
  /**
   * The release of the time-zone data by which a consumer reads local times; emitted at its start if its
   * model has zones.
   */
  | { readonly type: 'zones'; readonly release: string }
  /**
   * Of files in watched folders: how many have to stand still first, are loaded now or next, and were left where they
   * are with a fault. Emitted when one of the numbers changes.
   */
  | {
      readonly type: 'watching'
      readonly settling: number
      readonly ready: number
      readonly failed: number
    }
  /** Notifications of this event bring nothing to load, and are settled; emitted once for each event. */
  | { readonly type: 'ignored'; readonly event: string }
  /** Something promises less than it could, or files are left out. */
  | { readonly type: 'warning'; readonly message: string }
  /**
   * What becomes of the indexes of a table that a load fills: taken away until its end, kept because it was
   * begun before, being built, built, or left to another load at work.
   */
  | {
      readonly type: 'indexes'
      readonly table: string
      readonly state: 'deferred' | 'kept' | 'building' | 'built' | 'left'
    }
  /** What was waited for is there again. */
  | { readonly type: 'resumed'; readonly code: Code }
  /** The outcome of a load, as in its receipt. */
  | ({ readonly type: 'receipt' } & LoadCounts)

/**
 * Messages that are not for this consumer were found and left in the queue; emitted once for each pipeline
 * and each load.
 */
export interface ForeignEvent {
  readonly type: 'foreign'
  /** Without one they are no chunks; a load leaves those to a consumer. */
  readonly pipeline?: string
  /**
   * Of our own pipeline, with the database that it was published for: `any` is that of whichever consumer
   * takes it.
   */
  readonly load?: {
    readonly loadId: string
    readonly source: string
    readonly database: 'this' | 'another' | 'any'
  }
}

/** What a batch did of a load; messages of others belong to none. */
export interface LoadCounts {
  readonly loadId: string
  readonly source: string
  /** Of the whole load. */
  readonly records: number
  readonly loaded: number
  readonly rejected: number
  readonly skipped: number
  /** Records in chunks that became dead letters. */
  readonly dead: number
}

export type EventOf<Type extends LadingEvent['type']> = Extract<LadingEvent, { readonly type: Type }>

/** Hears every event of a run as it happens. It must not throw. */
export type Listener = (event: LadingEvent) => void

export const ignoreEvents: Listener = () => undefined

/** Passes each event to all the listeners. */
export const tellAll =
  (...listeners: readonly Listener[]): Listener =>
  (event) => {
    for (const listener of listeners) listener(event)
  }
