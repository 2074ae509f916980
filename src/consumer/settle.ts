/** What becomes of deliveries in the queue once their batch has its verdicts, or is given up. */
import { LadingError, toLadingError } from '../core/errors.ts'
import { unlessAborted, within } from '../core/wait.ts'
import type { Delivery } from '../queue/queue.ts'
import type { Leases } from './intake.ts'

/** How long a queue may take to get back what is in hand, in milliseconds. */
const giveBackWithinMs = 3_000

/**
 * Settles the deliveries of a committed batch. Returns the queue's error if one of them could not be settled:
 * the queue counts it as unfinished, and its prefetch would fill up with such, so it has to be opened again.
 * A settlement that is lost, or cut short by `abandon`, means one more delivery, which the ledger recognizes.
 */
export async function settleDone(
  deliveries: readonly Delivery[],
  leases: Leases,
  abandon: AbortSignal,
): Promise<LadingError | undefined> {
  const settle = async (delivery: Delivery) => {
    await delivery.settle({ kind: 'done' })
    leases.release(delivery)
  }
  const settled = (await unlessAborted(Promise.allSettled(deliveries.map(settle)), abandon)) ?? []
  const failed = settled.find((each) => each.status === 'rejected')
  return failed && asQueueError(failed.reason)
}

/** Gives back everything in hand at once, so that no message waits until its lease runs out. */
export async function giveBack(leases: Leases): Promise<void> {
  const { held } = leases
  for (const delivery of held) leases.release(delivery)
  // A queue that does not answer has them back when it misses this process.
  await within(
    giveBackWithinMs,
    Promise.allSettled(held.map((delivery) => delivery.settle({ kind: 'release' }))),
  )
}

function asQueueError(thrown: unknown): LadingError {
  const error = toLadingError(thrown)
  return error.code.startsWith('QUEUE_')
    ? error
    : new LadingError('QUEUE_UNAVAILABLE', `a message cannot be settled: ${error.message}`, { cause: thrown })
}
