/** The one transaction of a replay of rejects: rows, rejects and counts together, or nothing. */
import type pg from 'pg'
import { transaction } from '../../driver/postgres/transaction.ts'
import type { ReplayBatch, Verdict } from '../sink.ts'
import { replayEntries } from '../sql/replay.ts'
import type { CopyBuffer } from './copy/rows.ts'
import { dialect, run } from './ledger.ts'
import { Placement } from './place.ts'
import { beginBatch } from './transaction.ts'

export async function replayRejects(
  client: pg.Client,
  batch: ReplayBatch<CopyBuffer>,
  isInserted: boolean,
): Promise<readonly Verdict[]> {
  const placement = new Placement(client, batch.model, batch.rows, isInserted)
  return transaction(client, beginBatch, () =>
    replayEntries({ dialect, placement, run: (steps) => run(client, steps) }, batch),
  )
}
