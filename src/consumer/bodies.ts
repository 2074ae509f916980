/**
 * Messages that refer to their bytes, or hold them encoded → messages that hold them, between the queue and
 * the batches, which count bytes. It reads lazily: of a thousand references that a queue delivers at once, the
 * bytes of two are in memory.
 */
import { asBuffer } from '../core/bytes.ts'
import type { Listener } from '../core/events.ts'
import { type ChunkEnvelope, type ChunkReference, readableEnvelope } from '../queue/envelope.ts'
import type { Delivery, MessageFault } from '../queue/queue.ts'
import { decodedBody, decodedHeaders, encodingOf } from './encoding.ts'
import type { Leases } from './intake.ts'
import { retrying } from '../core/retry.ts'
import type { ReadFault, References } from '../source/source.ts'

type Referring = ChunkEnvelope & { readonly reference: ChunkReference }

/** The envelope of a message that refers to its bytes and does not hold them. */
export function referenceIn({ headers, body }: Pick<Delivery, 'headers' | 'body'>): Referring | undefined {
  if (body.length > 0) return undefined
  // What is wrong with one that cannot be read, decoding says.
  const envelope = readableEnvelope(headers)
  return envelope?.reference === undefined ? undefined : (envelope as Referring)
}

/**
 * The bytes that a message of the pipeline refers to, or holds encoded, or why they cannot be had; undefined
 * where the message holds what there is, or is another's.
 */
export async function readBody(
  message: Pick<Delivery, 'headers' | 'body'>,
  pipeline: string,
  open: () => Promise<References>,
): Promise<Buffer | ReadFault | MessageFault | undefined> {
  if (encodingOf(message.headers) !== undefined) return decodedBody(asBuffer(message.body), message.headers)
  const envelope = referenceIn(message)
  if (envelope === undefined || envelope.pipeline !== pipeline) return undefined
  const { reference, byteStart, sha256 } = envelope
  return (await open()).read({ ...reference, byteStart, sha256 })
}

export interface ReferenceOptions {
  readonly files: References
  readonly pipeline: string
  /** What was delivered more often is not read: it is dead, whatever it holds. */
  readonly maxAttempts: number
  readonly leases: Leases
  /** Ends the waiting for a file system that does not answer. */
  readonly stop: AbortSignal
  readonly onEvent: Listener
}

/**
 * One message at a time, and the next one is read meanwhile. An array without references passes as it is, the
 * empty one included.
 */
export async function* withBodies(
  arrivals: AsyncIterable<readonly Delivery[]>,
  options: ReferenceOptions,
): AsyncGenerator<readonly Delivery[]> {
  const { files } = options
  try {
    for await (const deliveries of arrivals) {
      if (deliveries.some((each) => isElsewhere(each))) yield* oneByOne(deliveries, options)
      else {
        // Between messages no file is kept open: it may have been deleted.
        if (deliveries.length === 0) await files.close()
        yield deliveries
      }
    }
  } finally {
    await files.close()
  }
}

const isElsewhere = (delivery: Delivery): boolean =>
  referenceIn(delivery) !== undefined || encodingOf(delivery.headers) !== undefined

async function* oneByOne(
  deliveries: readonly Delivery[],
  options: ReferenceOptions,
): AsyncGenerator<readonly Delivery[]> {
  const { leases, stop, onEvent } = options
  let ahead: Promise<Delivery> | undefined
  let readAhead: Promise<unknown> | undefined
  try {
    for (const [index, delivery] of deliveries.entries()) {
      const read = () => {
        const reading = ahead ?? arrive(delivery, options)
        ahead = undefined
        return reading
      }
      const arrived = await retrying(read, { signal: stop, onEvent })
      leases.exchange(delivery, arrived)
      const next = deliveries[index + 1]
      ahead = next === undefined ? undefined : arrive(next, options)
      // Without this an error would count as unhandled until the message's turn comes.
      readAhead = ahead?.catch(() => undefined)
      yield [arrived]
      if (stop.aborted) return
    }
  } finally {
    await readAhead
  }
}

async function arrive(
  delivery: Delivery,
  { files, pipeline, maxAttempts }: ReferenceOptions,
): Promise<Delivery> {
  if (delivery.attempt > maxAttempts || delivery.fault !== undefined) return delivery
  const read = await readBody(delivery, pipeline, async () => files)
  if (read === undefined) return delivery
  const { key, headers, attempt, body } = delivery
  // Given back once: after that, the memory may hold the bytes of another.
  let held = Buffer.isBuffer(read) ? read : undefined
  return {
    key,
    headers: Buffer.isBuffer(read) ? decodedHeaders(headers) : headers,
    attempt,
    ...(Buffer.isBuffer(read) ? { body: read } : { body, fault: read }),
    // What a reference leads to is read by its hash alone.
    isProved: Buffer.isBuffer(read) && referenceIn(delivery) !== undefined,
    settle: async (outcome) => {
      await delivery.settle(outcome)
      if (outcome.kind !== 'done' || held === undefined) return
      files.give(held)
      held = undefined
    },
    origin: delivery.origin ?? delivery,
    extend: async (ms) => delivery.extend?.(ms),
    isCurrent: () => delivery.isCurrent?.() ?? true,
  }
}
