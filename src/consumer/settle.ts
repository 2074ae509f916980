/** What becomes of deliveries in the queue once their batch has its verdicts, or is given up. */
import { LadingError, toLadingError } from '../core/errors.ts'
import { unlessAborted, within } from '../core/wait.ts'
import type { Delivery, Outcome } from '../queue/queue.ts'
import type { Leases } from './intake.ts'

/** How long a queue may take to get back what is in hand, in milliseconds. */
const giveBackWithinMs = 3_000

const done: Outcome = { kind: 'done' }

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
  const release = async (settlement: Promise<void>, settled: readonly Delivery[]) => {
    await settlement
    for (const delivery of settled) leases.release(delivery)
  }
  const released = [...settlementsOf(deliveries)].map(([settlement, settled]) => release(settlement, settled))
  const outcomes = (await unlessAborted(Promise.allSettled(released), abandon)) ?? []
  const failed = outcomes.find((each) => each.status === 'rejected')
  return failed && asQueueError(failed.reason)
}

/** A queue may have one promise for thousands of deliveries: nothing else is made for each of them then. */
function settlementsOf(deliveries: readonly Delivery[]): ReadonlyMap<Promise<void>, readonly Delivery[]> {
  const settlements = new Map<Promise<void>, Delivery[]>()
  for (const delivery of deliveries) {
    const settlement = delivery.settle(done)
    const beside = settlements.get(settlement)
    if (beside === undefined) settlements.set(settlement, [delivery])
    else beside.push(delivery)
  }
  return settlements
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
