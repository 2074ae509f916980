/** Deliveries → batches, and the leases of everything that is in hand. */
import { claimsChunk } from '../queue/envelope.ts'
import type { Delivery } from '../queue/queue.ts'
import { aloneFrom } from '../queue/window.ts'

export interface BatchLimits {
  /** A batch is written when it holds this many bytes of messages, or when nothing more is waiting. */
  readonly bytes: number
  /** Or this many messages. */
  readonly messages: number
}

/**
 * What a chunk takes beside its body: its header, its envelope, and its part of the statements for the ledger.
 * Chunks of small files take more of it than of records.
 */
const bytesBeside = 2.5 * 1024

const sizeOf = ({ body, headers }: Delivery): number => body.length + (claimsChunk(headers) ? bytesBeside : 0)

/** The first batch is smaller by this factor, so that the database begins to work while the next is decoded. */
const firstShare = 4

/**
 * Groups deliveries into batches. Nothing waits for a clock: a batch is written when it is full or when the
 * queue has no more just now, so that a slow trickle has no delay and a flood is written in large
 * transactions.
 */
export async function* batches(
  arrivals: AsyncIterable<readonly Delivery[]>,
  limits: BatchLimits,
): AsyncGenerator<readonly Delivery[]> {
  let batch: Delivery[] = []
  let bytes = 0
  let most = limits.bytes / firstShare
  for await (const deliveries of arrivals) {
    for (const delivery of deliveries) {
      // It may be what crashes consumers: if it does, no other message is affected.
      if (delivery.attempt >= aloneFrom) {
        yield [delivery]
        continue
      }
      batch.push(delivery)
      bytes += sizeOf(delivery)
      if (bytes < most && batch.length < limits.messages) continue
      yield batch
      most = limits.bytes
      batch = []
      bytes = 0
    }
    if (deliveries.length === 0) {
      // An empty batch tells the caller that the queue is idle.
      yield batch
      batch = []
      bytes = 0
    }
  }
  if (batch.length > 0) yield batch
}

/** Keeps the deliveries in hand ours: extends their leases at a third of their length. */
export class Leases implements Disposable {
  readonly #held = new Set<Delivery>()
  readonly #timer: NodeJS.Timeout | undefined

  constructor(leaseMs: number | undefined) {
    if (leaseMs === undefined) return
    this.#timer = setInterval(() => {
      // A lease that cannot be extended is lost at worst, and then the message comes again.
      for (const delivery of this.#held) delivery.extend?.(leaseMs).catch(() => undefined)
    }, leaseMs / 3)
  }

  async *hold(arrivals: AsyncIterable<readonly Delivery[]>): AsyncGenerator<readonly Delivery[]> {
    for await (const deliveries of arrivals) {
      for (const delivery of deliveries) this.#held.add(delivery)
      yield deliveries
    }
  }

  /** The same message goes on as another object. */
  exchange(delivery: Delivery, by: Delivery): void {
    if (this.#held.delete(delivery)) this.#held.add(by)
  }

  release(delivery: Delivery): void {
    this.#held.delete(delivery)
  }

  get count(): number {
    return this.#held.size
  }

  get held(): readonly Delivery[] {
    return [...this.#held]
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
