/** What becomes of a notification whose objects cannot be loaded: it is tried again, or a dead letter says why not. */
import type { Code, LadingError } from '../core/errors.ts'
import { sha256Of } from '../core/sha256.ts'
import { messageKey, storableKey } from '../consumer/decode/identity.ts'
import { objectHeader } from '../queue/header.ts'
import type { Delivery } from '../queue/queue.ts'
import type { DeadLetter } from '../sink/ledger.ts'
import type { ToldObject } from './notification.ts'

/** Between two attempts at most. */
const mostPauseMs = 15 * 60_000

export interface Patience {
  /** Deliveries before what may pass by itself is given up. */
  readonly maxAttempts: number
  /** Deliveries before what mostly does not pass is given up, and the pause after the first one. */
  readonly messageRetry: { readonly attempts: number; readonly firstMs: number }
  /** The table decides what fits, and another consumer may be making it. */
  readonly isUnmodelled: boolean
}

/** Of an object: when it is tried again, in milliseconds; undefined where it is not. */
export function pauseAfter(
  error: LadingError,
  attempt: number,
  { maxAttempts, messageRetry, isUnmodelled }: Patience,
): number | undefined {
  const { attempts, firstMs } = messageRetry
  const { code } = error
  const isUncertain = uncertain.has(code) || (isUnmodelled && code === 'HEADER_MISMATCH')
  const most = changing.has(code) ? maxAttempts : isUncertain ? attempts : 1
  return attempt >= most ? undefined : Math.min(firstMs * 2 ** (attempt - 1), mostPauseMs)
}

/** Somebody may be at work to repair it, or to write it. */
const changing: ReadonlySet<Code> = new Set(['SOURCE_UNREADABLE', 'SOURCE_CHANGED', 'SOURCE_UNAVAILABLE'])
/** What else is wrong with an object stays wrong: its bytes do not change. */
const uncertain: ReadonlySet<Code> = new Set(['SOURCE_MISSING', 'UNPROCESSABLE'])

interface Reason {
  readonly code: Code
  readonly detail: string
}

/** The letter of a message that names no object. */
export const letterOfMessage = (pipeline: string, delivery: Delivery, reason: Reason): DeadLetter => ({
  ...contentOf(delivery),
  ...reason,
  pipeline,
  key: messageKey(delivery.key, false),
  sha256: sha256Of(delivery.body),
})

/**
 * The letter of one object of a message; `path` is the object's. Another notification of the same event has the same
 * letter, and one of another event has a letter of its own.
 */
export const letterOfObject = (
  pipeline: string,
  delivery: Delivery,
  { path, object }: { readonly path: string; readonly object: ToldObject },
  reason: Reason,
): DeadLetter => {
  const { headers, ...content } = contentOf(delivery)
  const { bucket, key, version, etag, sequencer } = object
  return {
    ...content,
    ...reason,
    pipeline,
    headers: { ...headers, [objectHeader]: path },
    key: storableKey(`object:${path}`),
    sha256: sha256Of(JSON.stringify([bucket, key, version, etag, sequencer])),
  }
}

const contentOf = ({ headers, body, attempt }: Delivery) => ({ records: 0, headers, body, attempts: attempt })
