/** The one transaction of a replay of rejects: rows, rejects and counts together, or nothing. */
import type { ReplayBatch, Verdict } from '../sink.ts'
import { replayEntries } from '../sql/replay.ts'
import { dialect, run } from './ledger.ts'
import { Placement, type TableWays } from './place.ts'
import type { LoadRows } from './rows.ts'
import type { Session } from './session.ts'
import { transaction } from './transaction.ts'

export async function replayRejects(
  session: Session,
  batch: ReplayBatch<LoadRows>,
  ways: TableWays,
): Promise<readonly Verdict[]> {
  const placement = new Placement(session, batch.model, batch.rows, ways)
  return transaction(session, () =>
    replayEntries({ dialect, placement, run: (steps) => run(session, steps) }, batch),
  )
}
