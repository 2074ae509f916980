/**
 * The contract of a queue: durable transport of messages between processes. Every adapter passes the same
 * conformance suite (test/contract/queue/). Differences between queues are data in `traits`, never `if
 * (name === …)` at the caller.
 */
import type { Code } from '../core/errors.ts'
import type { Listener } from '../core/events.ts'
import type { Settlement } from '../core/settlement.ts'
import type { Abortable } from '../core/wait.ts'

/**
 * Bodies that a consumer has in memory at once, in bytes, besides what passes the bound: three batches, so that
 * one is settled, one written and one decoded at the same time.
 */
export const mostInFlightBytes = 12 * 1024 * 1024

/** Headers of a message; both names and values are text. */
export type Headers = Readonly<Record<string, string>>

/** A message to publish. */
export interface Outgoing {
  /** Identity of the message for deduplication; chosen by the sender and the same when it is sent again. */
  readonly key: string
  readonly body: Uint8Array
  readonly headers: Headers
  /**
   * Bytes that the message will cost its receiver, where its body only refers to them; a queue that hands out
   * so many bytes at once counts these.
   */
  readonly weight?: number
  /**
   * Chosen for each time that a message is sent again on purpose, for a queue that takes equal messages once
   * (SQS FIFO, for five minutes). A message without it is taken for a repetition of the first one.
   */
  readonly resent?: string
}

/**
 * What becomes of a delivery. One that is never settled is delivered again, never lost. There is no outcome
 * for a message that cannot be processed: a consumer keeps it in the ledger first, and settles it as done.
 */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'retry'; readonly afterMs: number; readonly code: Code }
  /**
   * Given back as if it had not been delivered: the attempt does not count, and others may have it at once,
   * or after `afterMs`.
   */
  | { readonly kind: 'release'; readonly afterMs?: number | undefined }

/** A message as received. */
export interface Delivery {
  /** As its sender chose it; empty for an external message without one. */
  readonly key: string
  /** To be read until the message is settled as done; a queue may free its memory then. */
  readonly body: Uint8Array
  readonly headers: Headers
  /** 1 at the first delivery. */
  readonly attempt: number
  /** The body was found to have the sha256 that the header states. */
  readonly isProved?: boolean | undefined
  /** Why the body cannot be had as it was sent; then it is what there is. */
  readonly fault?: MessageFault | undefined
  /**
   * Takes effect once. If the lease was lost in the meantime, the delivery is left to its new holder, without
   * an error.
   */
  settle(outcome: Outcome): Promise<void>
  /** Extends the lease to `ms` milliseconds from now, if the queue has leases. */
  extend?(ms: number): Promise<void>
  /**
   * For a queue that keeps groups of messages in order: false once an earlier message of the group was given
   * back, and this one with it. It must not take effect now; it comes again behind the earlier one.
   */
  isCurrent?(): boolean
  /** The delivery as the queue made it, where this one stands for it. */
  readonly origin?: Delivery | undefined
}

/**
 * For a queue that lies in a database: settles deliveries within a transaction of that database, which may be the
 * one that writes their records.
 */
export interface Settling {
  /** Names the database and who uses it: a sink with the same `settles` can run what `settlement` returns. */
  readonly by: string
  /**
   * Settles the deliveries as done when the transaction commits; whatever `settle` says of them afterwards changes
   * nothing. Without effect on those whose lease was lost.
   */
  settlement(deliveries: readonly Delivery[]): Settlement
}

/** A message seen without being received. */
export type Peeked = Pick<Delivery, 'key' | 'headers' | 'body' | 'attempt' | 'fault'>

/** Why a message cannot be had as it was sent. */
export interface MessageFault {
  readonly code: Code
  readonly detail: string
}

/** How many messages a queue holds. */
export interface Depth {
  /** Waiting to be delivered, those with a delay included. */
  readonly ready: number
  /** Delivered and not settled; undefined if others may hold messages that the queue cannot count. */
  readonly inFlight: number | undefined
  /**
   * Messages that the broker itself set aside in its dead-letter queue, mostly for being delivered too often.
   */
  readonly dead: number
}

/** What a queue can do, as data. */
export interface QueueTraits {
  /** The largest body that the queue takes, in bytes. */
  readonly maxBytes: number
  /**
   * How long a consumer holds a delivery without `extend`, in milliseconds; undefined if it holds it as long
   * as it is connected.
   */
  readonly leaseMs?: number | undefined
  /** Whether every process that reaches the queue runs on the machine of its file. */
  readonly isLocal?: boolean | undefined
  /**
   * How this queue, as it was opened, promises less than others; each one a sentence for the person who runs
   * it.
   */
  readonly warnings?: readonly string[] | undefined
}

/** How a queue is opened. */
export interface OpenOptions {
  /**
   * Make the queue if there is none (default); `false` throws `QUEUE_MISSING` instead.
   */
  readonly create?: boolean | undefined
  /** Stops waiting while the queue is opened. */
  readonly signal?: AbortSignal | undefined
  /** Receives what the queue waits for by itself. */
  readonly onEvent?: Listener | undefined
}

/** A queue, as `openQueue` opens it or as a program implements it. */
export interface Queue extends AsyncDisposable {
  /**
   * Identifies the queue itself, wherever it is opened from; another queue at the same place has another one.
   */
  readonly id: string
  readonly traits: QueueTraits
  readonly settling?: Settling | undefined
  /**
   * Resolves when the queue holds all the messages durably; from then on the sender may reuse their bodies.
   * When it rejects, any number of them may be in the queue.
   */
  publish(messages: readonly Outgoing[], options?: Abortable): Promise<void>
  /**
   * Messages as they come, in arrays of at most `prefetch`. While the queue is empty it yields an empty array
   * from time to time, so that a caller can look at the clock. Ends when the signal aborts; what was yielded
   * can still be settled. At most `prefetch` deliveries are unsettled at any time, and the adapter keeps
   * their bodies to about `mostInFlightBytes`. Where the broker counts deliveries, it begins with one message
   * (window.ts says why).
   */
  deliveries(options: Abortable & { readonly prefetch: number }): AsyncIterable<readonly Delivery[]>
  /** The next `n` messages, changing nothing for any consumer. */
  peek(n: number, options?: Abortable): Promise<readonly Peeked[]>
  depth(options?: Abortable): Promise<Depth>
  /**
   * Age of the oldest message that waits or is in flight, in milliseconds, where the queue can tell;
   * undefined where there is none.
   */
  oldest?(options?: Abortable): Promise<number | undefined>
}
