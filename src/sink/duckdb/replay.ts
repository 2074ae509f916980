/** The one transaction of a replay of rejects: rows, rejects and counts together, or nothing. */
import type { Fault } from '../../core/fault.ts'
import type { RejectReplay, ReplayBatch, Verdict } from '../sink.ts'
import { storable } from '../storable.ts'
import { sql } from '../sql/statement.ts'
import { entriesOfKeys } from './ledger.ts'
import { noRows, type Placed, place } from './place.ts'
import type { ColumnRows } from './rows.ts'
import type { Session } from './session.ts'
import { targetOf } from './target.ts'

interface Origin {
  readonly key: string
  readonly loadId: string | null
}

/** What is known of a replay before rows are written: why none is, or the number of its row. */
interface Planned {
  readonly replay: RejectReplay
  readonly row: number
  readonly origin: Origin | undefined
  /** The sha256 of what took effect under the key of its record. */
  readonly holder: string | undefined
  /** An earlier replay of the batch is of the same reject. */
  readonly first: number | undefined
}

export async function replayRejects(
  session: Session,
  batch: ReplayBatch<ColumnRows>,
): Promise<readonly Verdict[]> {
  const planned = await planOf(session, batch)
  const runs = planned.flatMap(({ replay, row, origin, holder, first }) =>
    replay.fault === undefined && origin !== undefined && holder === undefined && first === undefined
      ? [{ start: row, end: row + 1 }]
      : [],
  )
  const verdicts: Verdict[] = []
  const finish = async (placed: Placed) => {
    for (const [index, each] of planned.entries())
      verdicts[index] = await settleOne(session, batch.pipeline, each, placed, verdicts)
  }
  if (runs.length === 0) await session.transaction(() => finish(noRows))
  else await place(await targetOf(session, batch.model), batch.rows, runs, true, finish)
  return verdicts
}

async function planOf(
  session: Session,
  { pipeline, replays }: ReplayBatch<ColumnRows>,
): Promise<readonly Planned[]> {
  const firsts = new Map<number, number>()
  const planned: Planned[] = []
  let row = -1
  for (const [index, replay] of replays.entries()) {
    if (replay.fault === undefined) row++
    const first = firsts.get(replay.id)
    if (replay.fault === undefined) firsts.set(replay.id, first ?? index)
    const [origin] = await session.all<{ key: string; load_id: string | null }>(
      sql`SELECT key, load_id FROM lading_reject WHERE id = ${replay.id} AND pipeline = ${pipeline} AND state = 'open'`,
    )
    planned.push({
      replay,
      row,
      origin: origin && { key: origin.key, loadId: origin.load_id },
      holder: replay.claim && (await holderOf(session, pipeline, replay.claim.key)),
      first,
    })
  }
  return planned
}

async function holderOf(session: Session, pipeline: string, key: string): Promise<string | undefined> {
  const rows = await session.all<{ pipeline: string; sha256: Uint8Array }>(entriesOfKeys([key]))
  const row = rows.find((each) => each.pipeline === pipeline)
  return row && Buffer.from(row.sha256).toString('hex')
}

/** Within the transaction, after the rows. */
async function settleOne(
  session: Session,
  pipeline: string,
  { replay, row, origin, holder, first }: Planned,
  { refused, skipped }: Placed,
  verdicts: readonly Verdict[],
): Promise<Verdict> {
  const { claim } = replay
  if (origin === undefined) return { kind: 'duplicate' }
  if (first !== undefined) {
    const earlier = verdicts[first] as Verdict
    return earlier.kind === 'refused' ? earlier : { kind: 'duplicate' }
  }
  if (replay.fault !== undefined) return await keepReason(session, replay, replay.fault)
  if (holder !== undefined && holder !== claim?.sha256)
    return {
      kind: 'refused',
      code: 'KEY_REUSED',
      detail: 'the key of the record has taken effect with other content',
    }
  if (holder !== undefined) {
    await settle(session, pipeline, replay, origin, 'elsewhere')
    return { kind: 'duplicate' }
  }
  const fault = refused.get(row)
  if (fault !== undefined) return await keepReason(session, replay, replay.describe(fault))
  const loaded = skipped.has(row) ? 0 : 1
  if (claim !== undefined)
    await session.all(
      sql`INSERT INTO lading_ledger (pipeline, key, sha256, outcome, records, loaded, rejected, skipped)
        VALUES (${pipeline}, ${claim.key}, ${Buffer.from(claim.sha256, 'hex')}, 'applied', 1, ${loaded}, 0, ${1 - loaded})`,
    )
  await settle(
    session,
    pipeline,
    replay,
    origin,
    claim !== undefined ? 'elsewhere' : loaded === 1 ? 'loaded' : 'skipped',
  )
  return { kind: 'applied', loaded, rejected: 0, skipped: 1 - loaded }
}

/**
 * Settles the reject: its record counts as what it is now, in the load's own row if it is folded, else in the
 * ledger's row.
 */
async function settle(
  session: Session,
  pipeline: string,
  { id }: RejectReplay,
  { key, loadId }: Origin,
  to: 'loaded' | 'skipped' | 'elsewhere',
): Promise<void> {
  await session.all(sql`UPDATE lading_reject SET state = 'replayed' WHERE id = ${id}`)
  const [loaded, skipped, elsewhere] = [
    Number(to === 'loaded'),
    Number(to === 'skipped'),
    Number(to === 'elsewhere'),
  ]
  if (loadId !== null) {
    const folded =
      await session.all(sql`UPDATE lading_load SET rejected = rejected - 1, loaded = loaded + ${loaded}, skipped = skipped + ${skipped},
        replaced_rows = replaced_rows + ${loaded} WHERE id = ${loadId} AND complete RETURNING id`)
    if (folded.length > 0) return
  }
  await session.all(
    sql`UPDATE lading_ledger SET rejected = rejected - 1, loaded = loaded + ${loaded}, skipped = skipped + ${skipped}, records = records - ${elsewhere}
      WHERE pipeline = ${pipeline} AND key = ${key}`,
  )
}

/** A record that is refused again stays a reject, for its new reason. */
async function keepReason(
  session: Session,
  { id }: RejectReplay,
  { code, detail, column, span }: Fault,
): Promise<Verdict> {
  const name = column === undefined ? null : storable(column)
  await session.all(
    sql`UPDATE lading_reject SET code = ${code}, detail = ${storable(detail)}, column_name = ${name}, span_start = ${span?.start ?? null},
      span_end = ${span?.end ?? null} WHERE id = ${id}`,
  )
  return { kind: 'refused', code, detail }
}
