/** What waits to be handed out is kept ours. */
import type { Delivery } from './queue.ts'

/** Extends the leases of what is `held` at a third of their length, until the answer is called. */
export function renewing(
  held: () => Iterable<Required<Pick<Delivery, 'extend'>>>,
  leaseMs: number,
): () => void {
  const timer = setInterval(() => {
    // A lease that cannot be extended is lost at worst, and then the message comes again.
    for (const each of held()) each.extend(leaseMs).catch(() => undefined)
  }, leaseMs / 3)
  return () => clearInterval(timer)
}
