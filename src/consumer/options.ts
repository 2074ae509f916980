/** What a consumer takes, and what it is. */
import type { Listener } from '../core/events.ts'
import { patientRetry, type RetryPolicy } from '../core/retry.ts'
import type { Abortable } from '../core/wait.ts'
import { type InsideOptions, messagesLayout } from '../format/registry.ts'
import { type Model, tableName } from '../model/model.ts'
import type { Queue } from '../queue/queue.ts'
import type { Sink } from '../sink/sink.ts'
import { type DedupKey, defaultDedupKey } from './decode/identity.ts'
import type { Loads } from './foreign.ts'
import type { BatchLimits } from './intake.ts'
import type { Tally } from './tally.ts'

/** `records` and `unwrap` are of external messages: how a chunk is read is stated in its header. */
export interface ConsumerOptions extends InsideOptions {
  readonly queue: Queue
  readonly model: Model
  readonly sink: Sink
  /** Name under which the ledger keeps what took effect; the model's table where it is not given. */
  readonly pipeline?: string
  readonly ignoreExtra?: boolean
  /**
   * What identifies external messages (JSON objects), so that each takes effect once; `message-id` where it
   * is not given.
   */
  readonly dedupKey?: DedupKey
  /**
   * Folder below which messages may refer to files (`carry: 'reference'`), `.` where it is not given. Nothing
   * outside it is read, except for a load at work, the files that it names.
   */
  readonly root?: string
  /** Unsettled deliveries at once. */
  readonly prefetch?: number
  readonly batch?: Partial<BatchLimits>
  /** Deliveries of a message without a verdict before it becomes a dead letter. */
  readonly maxAttempts?: number
  /**
   * Keys of messages that become dead letters (`SET_ASIDE`) without being tried: a way on for a consumer that
   * stops at one.
   */
  readonly setAside?: readonly string[]
  /**
   * For a batch that the database asks to try again; without a limit where none is given, and when it is
   * reached the consumer stops.
   */
  readonly batchRetry?: Partial<RetryPolicy>
  /**
   * For a message that fails alone for a reason that no rule knows; when its tries are over it becomes a dead
   * letter.
   */
  readonly messageRetry?: Partial<RetryPolicy>
  /**
   * How long to wait for a database that is not there at the start, in milliseconds. One that goes away later
   * is waited for without limit.
   */
  readonly startTimeoutMs?: number
  /**
   * How long the database may not be reached before the consumer gives back what it holds, so that others can
   * have it, and takes no more until the database answers, in milliseconds.
   */
  readonly giveBackAfterMs?: number
  /**
   * How long a stop may take to finish the batch in hand, in milliseconds, before its transaction is given
   * up.
   */
  readonly graceMs?: number
  /** A load is at work that may have left the indexes of the table for its end. */
  readonly besideLoad?: boolean
  /**
   * Takes the chunks of these loads alone, as they were published for this database, and leaves everything
   * else in the queue.
   */
  readonly loads?: Loads
  readonly onEvent?: Listener
}

/** When a run of a consumer ends; without any of them, when `signal` aborts. */
export interface RunOptions extends Abortable {
  /** Ends after this many batches. */
  readonly batches?: number
  /** Ends when the queue has nothing waiting and nothing in flight, as far as it can tell. */
  readonly untilEmpty?: boolean
  /** Ends when nothing has come for so many milliseconds. */
  readonly idleTimeoutMs?: number
  /** Ends when this is aborted and no message of this load has come for a moment. */
  readonly finish?: AbortSignal
}

/** Moves messages of a queue into a database. */
export interface Consumer {
  /**
   * Consumes until told to stop: by the signal, after so many batches, or when the queue is empty. Throws
   * only what `halt`s.
   */
  run(options?: RunOptions): Promise<Tally>
}

export const defaults = {
  /**
   * Large enough that the cost of a commit does not count, small enough that a batch is written within a
   * second or so.
   */
  batch: { bytes: 4 * 1024 * 1024, messages: 2000 },
  /**
   * Four batches of small messages: one settling, one writing, one decoding, one arriving. Queues bound
   * bytes.
   */
  prefetch: 8000,
  maxAttempts: 20,
  messageRetry: { attempts: 3, firstMs: 1_000, mostMs: 30_000 },
  startTimeoutMs: 30_000,
  graceMs: 20_000,
  giveBackAfterMs: 30_000,
} as const

/** Without it, the consumer stops when its tries are over. */
export const givesBack = ({ batchRetry }: ConsumerOptions): boolean => batchRetry?.attempts === undefined

/** What the writing of batches needs, with the defaults. */
export const writerSettings = (options: ConsumerOptions) => ({
  model: options.model,
  sink: options.sink,
  settling: options.queue.settling?.by === options.sink.settles ? options.queue.settling : undefined,
  pipeline: options.pipeline ?? tableName(options.model),
  ignoreExtra: options.ignoreExtra ?? false,
  dedupKey: options.dedupKey ?? defaultDedupKey,
  messages: messagesLayout(options),
  maxAttempts: options.maxAttempts ?? defaults.maxAttempts,
  setAside: new Set(options.setAside),
  batchRetry: { ...patientRetry, ...options.batchRetry },
  messageRetry: { ...defaults.messageRetry, ...options.messageRetry },
  unreachableMs: givesBack(options)
    ? (options.giveBackAfterMs ?? defaults.giveBackAfterMs)
    : Number.POSITIVE_INFINITY,
})
