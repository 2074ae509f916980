/** The one transaction of a batch: ledger, rows and rejects together, or nothing. */
import type { Batch, BatchVerdict, Verdict } from '../sink.ts'
import { mayLeaveOut } from '../sql/conflict.ts'
import { placeSpans, type Span, spansOf } from '../sql/place.ts'
import { tableAtFault, type Unanimity } from '../sql/unanimous.ts'
import { planMismatch } from '../sql/verdicts.ts'
import { tableError } from './errors.ts'
import { correct, enterLedger, lockedKeys } from './keys.ts'
import { literal } from './literal.ts'
import { type KnownLoad, loadsOf, lockLoads, registerLoads } from './loads.ts'
import { Placement, type TableWays } from './place.ts'
import { insertRejects } from './rejects.ts'
import type { LoadRows } from './rows.ts'
import type { Session } from './session.ts'
import { transaction } from './transaction.ts'

/** What a session's batches before say of the next one. */
export interface Past {
  readonly ways: TableWays
  readonly unanimity: Unanimity
}

export async function writeBatch(
  session: Session,
  batch: Batch<LoadRows>,
  past: Past,
  leaveLocked: boolean,
): Promise<readonly BatchVerdict[]> {
  const ids = await register(session, batch)
  const keys = leaveLocked ? batch.parts.map(({ key }) => key) : []
  const locked = await lockedKeys(session, batch.pipeline, keys)
  return transaction(session, async () =>
    writeParts(session, batch, await lockLoads(session, ids), past, locked),
  )
}

/** Loads are locked before the letter, as `forget` does. */
export async function replayLetter(
  session: Session,
  letter: number,
  batch: Batch<LoadRows>,
  past: Past,
): Promise<readonly Verdict[]> {
  const ids = await register(session, batch)
  return transaction(session, async () => {
    const loads = await lockLoads(session, ids)
    const taken = await session.run(
      `UPDATE lading_dead_letter SET state = 'replayed' WHERE id = ${letter} AND state = 'dead'`,
    )
    if (taken.changed !== 1) return batch.parts.map(() => ({ kind: 'duplicate' }))
    for (const { key, load } of batch.parts)
      if (load !== undefined && loads.get(load.id)?.plan === load.plan)
        await session.run(
          `DELETE FROM lading_ledger WHERE pipeline = ${literal(batch.pipeline)} AND "key" = ${literal(key)} AND outcome = 'dead'`,
        )
    const verdicts = (await writeParts(session, batch, loads, past)) as readonly Verdict[]
    if (verdicts.some(({ kind }) => kind === 'refused'))
      await session.run(`UPDATE lading_dead_letter SET state = 'dead' WHERE id = ${letter}`)
    return verdicts
  })
}

async function register(session: Session, batch: Batch<LoadRows>): Promise<readonly string[]> {
  const loads = loadsOf(batch)
  await registerLoads(session, batch.pipeline, loads)
  return [...loads.keys()]
}

/** Within a transaction. */
async function writeParts(
  session: Session,
  batch: Batch<LoadRows>,
  loads: ReadonlyMap<string, KnownLoad>,
  { ways, unanimity }: Past,
  locked: ReadonlySet<string> = new Set(),
): Promise<readonly BatchVerdict[]> {
  const { model, pipeline, parts, rows } = batch
  const verdicts: BatchVerdict[] = []
  const open: Span[] = []
  for (const span of spansOf(parts)) {
    const { load } = span.part
    const known = load && loads.get(load.id)
    if (known?.complete === true) verdicts[span.index] = { kind: 'duplicate' }
    else if (load !== undefined && known?.plan !== load.plan) verdicts[span.index] = planMismatch(load)
    else if (locked.has(span.part.key)) verdicts[span.index] = { kind: 'locked' }
    else open.push(span)
  }
  const fresh = await enterLedger(session, pipeline, open, verdicts)
  const placement = new Placement(session, model, rows, ways)
  const { rejects, corrections, refused } = await placeSpans(placement, fresh, mayLeaveOut(model), verdicts)
  const fault = tableAtFault(placement, unanimity, refused)
  if (fault !== undefined) throw tableError(fault)
  await insertRejects(session, pipeline, rejects)
  await correct(session, pipeline, corrections)
  return verdicts
}
