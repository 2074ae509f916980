import { existsSync } from 'node:fs'
import type { PlannedLoad } from '../../producer/state.ts'
import { openReceipt } from '../../sink/receipt.ts'
import type { Receipt } from '../../sink/ledger.ts'

interface Wanted {
  readonly id: string | undefined
  readonly pipeline?: string | undefined
  readonly state: string
  /** Of the database. */
  readonly place: string
}

/**
 * Receipts of loads that this producer planned for the database, or for any and that have arrived in none,
 * and of which the ledger knows nothing: every record of theirs is open.
 */
export async function plannedReceipts(
  { id, pipeline, state, place }: Wanted,
  known: readonly Receipt[],
): Promise<readonly Receipt[]> {
  // Looking makes no files; and a producer elsewhere leaves its state there.
  if (!existsSync(state)) return []
  const { ProducerState } = await import('../../producer/state.ts')
  // No queue has an empty id, and the plans of all queues count: the one that is lost is not there to be
  // asked for its own.
  using plans = new ProducerState(state, '', place)
  const arrived = new Set(known.map(({ loadId }) => loadId))
  const wanted = plans.ids(pipeline).filter((each) => !arrived.has(each) && (id === undefined || each === id))
  return wanted
    .flatMap((each) => plans.findAnywhere(each) ?? [])
    .flatMap((plan) => (plan.records > 0 ? [receiptOf(plan)] : []))
}

function receiptOf({
  id,
  pipeline,
  name,
  sha256,
  bytes,
  plan,
  records,
  chunks,
  publishedAt = '',
}: PlannedLoad): Receipt {
  return openReceipt({
    loadId: id,
    pipeline,
    source: name,
    sha256,
    bytes,
    plan,
    records,
    chunks,
    startedAt: publishedAt,
  })
}
