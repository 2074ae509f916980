/** The one transaction of a batch: ledger, rows and rejects together, or nothing. */
import type pg from 'pg'
import { transaction } from '../../driver/postgres/transaction.ts'
import type { Settlement } from '../../core/settlement.ts'
import type { Batch, BatchVerdict, Verdict } from '../sink.ts'
import { lockAndAsk, lockLoads, registerLoads } from './loads.ts'
import { correct, enterLedger, leaveOutLocked } from './keys.ts'
import type { DirectPath } from './direct.ts'
import { tableError } from './errors.ts'
import { Placement } from './place.ts'
import { placeSpans, type Span, spansOf } from '../sql/place.ts'
import { insertRejects } from './rejects.ts'
import type { CopyBuffer } from './copy/rows.ts'
import { mayLeaveOut } from '../sql/conflict.ts'
import { beginBatch } from './transaction.ts'
import { tableAtFault, type Unanimity } from '../sql/unanimous.ts'
import { planMismatch } from '../sql/verdicts.ts'

/** What a session's batches before say of the next one. */
export interface Past {
  /** Fingerprints of models whose tables take no COPY. */
  readonly inserting: ReadonlySet<string>
  readonly direct: DirectPath
  readonly unanimity: Unanimity
}

export async function writeBatch(
  client: pg.Client,
  batch: Batch<CopyBuffer>,
  past: Past,
  leaveLocked: boolean,
): Promise<readonly BatchVerdict[]> {
  const isCopied = !leaveLocked && !past.inserting.has(batch.model.fingerprint)
  const verdicts = isCopied ? await past.direct.write(client, batch) : undefined
  if (verdicts === undefined) return writeCarefully(client, batch, past, leaveLocked)
  past.unanimity.clear()
  return verdicts
}

/** Part by part where it must be. */
async function writeCarefully(
  client: pg.Client,
  batch: Batch<CopyBuffer>,
  past: Past,
  leaveLocked: boolean,
): Promise<readonly BatchVerdict[]> {
  const plans = await registerLoads(client, batch)
  const work = () => writeParts(client, batch, plans, past, leaveLocked)
  let settlement: Settlement | undefined
  const verdicts = await transaction(client, beginBatch, work, (given) => {
    if (given.every(isConcluded)) settlement = batch.settlement
    return settlement?.sql
  })
  settlement?.committed()
  return verdicts
}

/** Nothing is left to be done for its message. */
const isConcluded = ({ kind }: BatchVerdict): boolean => kind === 'applied' || kind === 'duplicate'

/** Within a transaction. `plans`: the plan of each of the batch's loads. */
async function writeParts(
  client: pg.Client,
  batch: Batch<CopyBuffer>,
  plans: ReadonlyMap<string, string>,
  past: Past,
  leaveLocked: boolean,
): Promise<readonly BatchVerdict[]> {
  const verdicts: BatchVerdict[] = []
  const complete = await lockAndAsk(client, [...plans.keys()])
  const open = spansOf(batch.parts).filter(({ part: { load }, index }) => {
    if (load !== undefined && complete.has(load.id)) verdicts[index] = { kind: 'duplicate' }
    else if (load !== undefined && plans.get(load.id) !== load.plan) verdicts[index] = planMismatch(load)
    return verdicts[index] === undefined
  })
  const free = leaveLocked ? await leaveOutLocked(client, batch.pipeline, open, verdicts) : open
  const applied = await enterLedger(client, batch.pipeline, free, verdicts)
  await placeParts(client, batch, applied, verdicts, past)
  return verdicts
}

/** Loads are locked before the letter, as `forget` does. */
export async function replayLetter(
  client: pg.Client,
  letter: number,
  batch: Batch<CopyBuffer>,
  past: Past,
): Promise<readonly Verdict[]> {
  const plans = await registerLoads(client, batch)
  return transaction(client, beginBatch, async () => {
    await client.query(lockLoads([...plans.keys()]))
    const take = "UPDATE lading.dead_letter SET state = 'replayed' WHERE id = $1 AND state = 'dead'"
    const { rowCount } = await client.query(take, [letter])
    if (rowCount !== 1) return batch.parts.map(() => ({ kind: 'duplicate' }))
    for (const { key, load } of batch.parts) {
      if (load === undefined || plans.get(load.id) !== load.plan) continue
      const revive = "DELETE FROM lading.ledger WHERE pipeline = $1 AND key = $2 AND outcome = 'dead'"
      await client.query(revive, [batch.pipeline, key])
    }
    const verdicts = (await writeParts(client, batch, plans, past, false)) as readonly Verdict[]
    if (verdicts.some(({ kind }) => kind === 'refused'))
      await client.query("UPDATE lading.dead_letter SET state = 'dead' WHERE id = $1", [letter])
    return verdicts
  })
}

async function placeParts(
  client: pg.Client,
  batch: Batch<CopyBuffer>,
  spans: readonly Span[],
  verdicts: BatchVerdict[],
  past: Past,
): Promise<void> {
  const { direct, inserting, unanimity } = past
  const isStaged = inserting.has(batch.model.fingerprint) || direct.expectsConflict(batch.model)
  const placement = new Placement(client, batch.model, batch.rows, isStaged)
  const { rejects, corrections, refused } = await placeSpans(
    placement,
    spans,
    mayLeaveOut(batch.model),
    verdicts,
  )
  const fault = tableAtFault(placement, unanimity, refused)
  if (fault !== undefined)
    throw tableError(
      fault,
      'every row is refused with the same error, so it is the fault of a trigger or a function of the table',
    )
  await insertRejects(client, batch.pipeline, rejects)
  if (corrections.length > 0) await correct(client, batch.pipeline, corrections)
}
