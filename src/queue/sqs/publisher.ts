/**
 * Messages → SQS, as many in one call as it takes. A message is in the queue when SQS has named it in its
 * answer.
 */
import { grouped } from '../grouped.ts'
import type { Outgoing } from '../queue.ts'
import { answered, mostEntries, type Patience } from './batch.ts'
import { entryError } from './errors.ts'
import { bytesOf, type Entry, entryOf } from './message.ts'
import { sendMessageBatch } from './operations.ts'
import type { Service } from './service.ts'

/** Of all entries of a call together. */
const mostBatchBytes = 1024 * 1024
const mostCalls = 8

export interface PublishOptions extends Patience {
  /** The most bytes of a message of this queue. */
  readonly limit: number
  readonly isFifo: boolean
}

/** Everything is measured before anything is sent. */
export async function publish(
  service: Service,
  messages: readonly Outgoing[],
  options: PublishOptions,
): Promise<void> {
  const entries: Entry[] = []
  for (const message of messages) entries.push(await entryOf(message, options.limit, options.isFifo))
  const waiting = grouped(entries, bytesOf, mostEntries, mostBatchBytes)
  const sender = async () => {
    for (const batch of waiting) await send(service, batch, options)
  }
  // A queue that keeps an order keeps that in which it is sent to.
  const senders = Array.from({ length: options.isFifo ? 1 : mostCalls }, sender)
  const failed = (await Promise.allSettled(senders)).find((each) => each.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** Throws where SQS refuses one of them. */
export async function send(service: Service, batch: readonly Entry[], patience: Patience): Promise<void> {
  const call = (entries: readonly Entry[]) => {
    const numbered = entries.map((entry, index) => ({ ...entry, Id: String(index) }))
    const input = { QueueUrl: service.url, Entries: numbered }
    return service.move(sendMessageBatch, input, { signal: patience.giveUp })
  }
  const [refusal] = await answered(batch, call, patience)
  if (refusal !== undefined) throw entryError(refusal.code, refusal.message, service.where)
}
