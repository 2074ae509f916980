/** What a load takes, what it gives, and what its parts share. */
import type { ConsumerOptions } from '../consumer/options.ts'
import type { LeftOut } from '../core/load.ts'
import type { ForeignEvent, Listener } from '../core/events.ts'
import { retrying } from '../core/retry.ts'
import type { ProduceOptions } from '../producer/options.ts'
import type { ProducedLoad } from '../producer/produce.ts'
import type { Account } from '../sink/account.ts'
import type { Receipt } from '../sink/ledger.ts'
import type { Replaced, Sink } from '../sink/sink.ts'
import type { Course, OwnLoads } from './course.ts'
import type { DeferIndexes } from './indexes.ts'

/** Consumers at work beside the producer. */
export interface Workers {
  /** Settles when they have ended, by themselves or after `stop` or `finish`; rejects if one failed. */
  readonly ended: Promise<void>
  /** Asks them to finish what is in hand and end. */
  stop(): void
  /** Asks them to end when nothing of the loads waits any more; what else is in the queue stays there. */
  finish(): void
}

/** What workers need to know of the load. */
export interface WorkerOptions {
  readonly signal: AbortSignal
  readonly indexesDeferred: boolean
  /** They take the chunks of these loads alone. */
  readonly loads: OwnLoads
  /** Receives their events. */
  readonly onEvent: Listener
}

/** What waits in the queue when the load is complete. */
export interface LeftInQueue {
  readonly messages: number
  /** The pipelines and loads that they belong to, as far as they were seen. */
  readonly of: readonly ForeignEvent[]
}

/** What a load takes: the options of a producer and of consumers. A signal stops it in good order; the same call goes on later. */
export interface LoadOptions
  extends
    Omit<ProduceOptions, 'known' | 'startFresh' | 'target' | 'parts'>,
    Pick<
      ConsumerOptions,
      | 'dedupKey'
      | 'batch'
      | 'prefetch'
      | 'maxAttempts'
      | 'setAside'
      | 'batchRetry'
      | 'messageRetry'
      | 'startTimeoutMs'
      | 'graceMs'
    > {
  readonly sink: Sink
  /**
   * Forget what the ledger knows of the files and load them from scratch; throws `TABLE_NOT_EMPTY` where rows
   * would be there twice.
   */
  readonly fresh?: boolean
  /**
   * The files grow, and what is behind the part that the ledger has of each is loaded. A record counts when its
   * line has an end; `ended` takes the last one without it.
   */
  readonly append?: boolean
  readonly ended?: boolean
  /**
   * False leaves `produced` and `receipts` of the result empty, which take about 1 KB for each file. The sums and
   * the first receipts that need attention are in the result all the same, and each outcome is a `receipt` event.
   */
  readonly keepsLoads?: boolean
  /**
   * Whether the indexes of an empty table, its key among them, are built when everything is loaded; `auto`
   * where it is not given.
   */
  readonly deferIndexes?: DeferIndexes
  /**
   * Sinks of the same database for further consumers in this process, besides that of `sink`, where `start`
   * gives none. They share its core, and the database works for all of them at once. Not asked for where the indexes
   * are left for the end: the sessions of these sinks would outlast the consumers, and be taken for loads at work.
   */
  readonly moreSinks?: () => readonly Sink[]
  /** Starts the consumers as processes; in this process where it is not given, or gives none. */
  readonly start?: (options: WorkerOptions) => Workers | undefined
}

/** What became of a load. */
export interface LoadResult {
  /** In the order of the files; empty with `keepsLoads: false`, as `receipts` is. */
  readonly produced: readonly ProducedLoad[]
  /** In the order of the files. */
  readonly receipts: readonly Receipt[]
  /** The receipts added up; the first of those that need attention are kept in any case. */
  readonly account: Account
  /** Of the loads with nothing to publish in this run, those with something to decide on. */
  readonly before: Account
  readonly files: number
  /** Loads with nothing to publish in this run. */
  readonly loadsBefore: number
  /** Records that `limit` leaves to a later run. */
  readonly withheld: number
  /** Files with lines that belong to no record. */
  readonly leftOut: readonly { readonly source: string; readonly leftOut: LeftOut }[]
  /** Records that took effect during this run; what took effect before is in the receipts too. */
  readonly loadedNow: number
  /**
   * Messages of others. Nothing is known of them while a load is not complete, because then they may be its
   * own.
   */
  readonly left: LeftInQueue
  /** Of a load that replaces the rows of its table: numbers of rows, or that these were there already. */
  readonly replaced?: Replaced | 'already'
  /**
   * Loads whose rows had been loaded before, though the table held none when the run began; `fresh` loads
   * them again.
   */
  readonly emptied: readonly string[]
  /** Records of those loads that had been loaded. */
  readonly emptiedRecords: number
}

/** As `LoadOptions`, with the target named and every event heard. */
export interface Running extends LoadOptions, Pick<ProduceOptions, 'startFresh' | 'parts'> {
  readonly target: string
  readonly course: Course
  readonly onEvent: Listener
  /** Names of all the sources. */
  readonly names: () => readonly string[]
}

export type Ask = NonNullable<ProduceOptions['known']>

/** Asks until there is an answer, or until the load is stopped. */
export type Patiently = <T>(ask: () => Promise<T>) => Promise<T>

/** Waits for a database or a queue that goes away, as consumers do. */
export const askingUntil =
  (signal: AbortSignal | undefined, onEvent: Listener): Patiently =>
  (ask) =>
    retrying(ask, { signal, onEvent })
