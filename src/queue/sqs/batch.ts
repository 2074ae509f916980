/**
 * Calls that take ten entries at once, and may do some of them and not others. Each entry is tried until SQS
 * has answered it: done, or refused for good. What it has no time for, and what it says nothing about, is
 * tried again after growing pauses.
 */
import type { BatchResultErrorEntry } from '@aws-sdk/client-sqs'
import { LadingError } from '../../core/errors.ts'
import type { Listener } from '../../core/events.ts'
import { type RetryPolicy, retrying } from '../../core/retry.ts'
import { isBusy } from './errors.ts'

export const mostEntries = 10
/** About 20 seconds, beside the attempts of the client itself. */
const policy: RetryPolicy = { attempts: 12, firstMs: 100, mostMs: 4_000 }
/** SQS refuses for a moment as a matter of course. */
const reportFrom = 3

/** What SQS answers to a batch; entries are named by their place in it. */
export interface BatchAnswer {
  readonly Successful?: readonly { readonly Id: string | undefined }[] | undefined
  readonly Failed?: readonly BatchResultErrorEntry[] | undefined
}

/** An entry that SQS will never take. */
export interface Refusal<T> {
  readonly entry: T
  readonly code: string
  readonly message: string
}

export interface Patience {
  readonly where: string
  readonly onEvent: Listener
  /** When it aborts, a call is not retried. */
  readonly signal?: AbortSignal | undefined
  /** Gives up the call under way; without it, that is tried to its end. */
  readonly giveUp?: AbortSignal | undefined
}

/** Tries a call again while SQS is too busy for it. */
export const patiently = <T>(call: () => Promise<T>, { onEvent, signal }: Patience): Promise<T> =>
  retrying(call, { onEvent, signal, policy, reportFrom, retryOn: ['retry'] })

/** Resolves with the entries that SQS refused. */
export async function answered<T>(
  entries: readonly T[],
  call: (entries: readonly T[]) => Promise<BatchAnswer>,
  patience: Patience,
): Promise<readonly Refusal<T>[]> {
  const refused: Refusal<T>[] = []
  let left = entries
  const askAgain = async () => {
    const { Successful = [], Failed = [] } = await call(left)
    const open = new Map(left.map((entry, index) => [String(index), entry]))
    for (const { Id = '' } of Successful) open.delete(Id)
    let why = 'it says nothing about an entry'
    for (const { Id = '', Code = '', Message = '', SenderFault = false } of Failed) {
      const entry = open.get(Id)
      why = Message || Code
      if (entry === undefined || !SenderFault || isBusy(Code)) continue
      open.delete(Id)
      refused.push({ entry, code: Code, message: Message })
    }
    left = [...open.values()]
    if (left.length > 0)
      throw new LadingError(
        'QUEUE_BUSY',
        `${patience.where}: ${left.length} entries are to be tried again: ${why}`,
      )
  }
  await patiently(askAgain, patience)
  return refused
}

/** At most so many calls at once. */
const mostCalls = 16

/**
 * Sends entries that come one by one in batches: those of one turn of the event loop, and those that queue
 * up.
 */
export class Gathered<T> {
  readonly #send: (entries: readonly T[]) => Promise<readonly Refusal<T>[]>
  readonly #waiting: {
    readonly entry: T
    readonly resolve: (refusal: Refusal<T> | undefined) => void
    readonly reject: (error: unknown) => void
  }[] = []
  readonly #calls = new Set<Promise<void>>()
  #isAwaited = false

  constructor(send: (entries: readonly T[]) => Promise<readonly Refusal<T>[]>) {
    this.#send = send
  }

  /** Resolves when SQS has answered, with its reason where it refuses. */
  add(entry: T): Promise<Refusal<T> | undefined> {
    if (!this.#isAwaited) setImmediate(() => this.#next())
    this.#isAwaited = true
    return new Promise((resolve, reject) => this.#waiting.push({ entry, resolve, reject }))
  }

  /** Resolves when nothing waits. Never throws. */
  async idle(): Promise<void> {
    while (this.#isAwaited || this.#waiting.length > 0 || this.#calls.size > 0) {
      this.#next()
      await Promise.allSettled(this.#calls)
    }
  }

  #next(): void {
    this.#isAwaited = false
    while (this.#waiting.length > 0 && this.#calls.size < mostCalls) {
      const call = this.#call().finally(() => {
        this.#calls.delete(call)
        this.#next()
      })
      this.#calls.add(call)
    }
  }

  async #call(): Promise<void> {
    const batch = this.#waiting.splice(0, mostEntries)
    try {
      const refused = new Map(
        (await this.#send(batch.map(({ entry }) => entry))).map((refusal) => [refusal.entry, refusal]),
      )
      for (const { entry, resolve } of batch) resolve(refused.get(entry))
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}
