/** The one transaction of a replay of rejects: rows, rejects and counts together, or nothing. */
import type { Fault } from '../../core/fault.ts'
import type { RejectReplay, ReplayBatch, Verdict } from '../sink.ts'
import { storable } from '../storable.ts'
import { sql } from '../sql/statement.ts'
import { dialect } from './ledger.ts'
import { noRows, type Placed, place } from './place.ts'
import type { ColumnRows } from './rows.ts'
import type { Session } from './session.ts'
import { targetOf } from './target.ts'
import { entriesOf } from './write.ts'

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

/** What a record counts as once its reject is settled; `elsewhere`: under a key of its own. */
interface Move {
  readonly id: number
  readonly origin: Origin
  readonly to: 'loaded' | 'skipped' | 'elsewhere'
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
    const moves: Move[] = []
    for (const [index, each] of planned.entries())
      verdicts[index] = await settleOne(session, batch.pipeline, each, placed, verdicts, moves)
    await settle(session, batch.pipeline, moves)
  }
  if (runs.length === 0) await session.transaction(() => finish(noRows))
  else await place(await targetOf(session, batch.model), batch.rows, runs, true, finish)
  return verdicts
}

async function planOf(
  session: Session,
  { pipeline, replays }: ReplayBatch<ColumnRows>,
): Promise<readonly Planned[]> {
  const ids = replays.map(({ id }) => id)
  const rows = await session.all<{ id: number; key: string; load_id: string | null }>(
    sql`SELECT id, key, load_id FROM lading_reject WHERE ${dialect.among(sql`id`, ids)} AND pipeline = ${pipeline} AND state = 'open'`,
  )
  const origins = new Map(rows.map(({ id, key, load_id }) => [id, { key, loadId: load_id }]))
  const claims = replays.flatMap(({ claim }) => claim ?? [])
  const holders = await entriesOf(session, pipeline, claims)
  const firsts = new Map<number, number>()
  let row = -1
  return replays.map((replay, index) => {
    const { id, fault, claim } = replay
    if (fault === undefined) row++
    const first = firsts.get(id)
    if (fault === undefined) firsts.set(id, first ?? index)
    return {
      replay,
      row,
      origin: origins.get(id),
      holder: claim && holders.get(claim.key)?.sha256,
      first,
    }
  })
}

/** Within the transaction, after the rows. */
async function settleOne(
  session: Session,
  pipeline: string,
  { replay, row, origin, holder, first }: Planned,
  { refused, skipped }: Placed,
  verdicts: readonly Verdict[],
  moves: Move[],
): Promise<Verdict> {
  const { id, claim } = replay
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
    moves.push({ id, origin, to: 'elsewhere' })
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
  moves.push({ id, origin, to: claim !== undefined ? 'elsewhere' : loaded === 1 ? 'loaded' : 'skipped' })
  return { kind: 'applied', loaded, rejected: 0, skipped: 1 - loaded }
}

/** Each statement reads all of the ledger, so that it is for many. */
const mostMoved = 200

/**
 * Settles the rejects: their records count as what they are now, in the load's own row if it is folded, else in the
 * ledger's row.
 */
async function settle(session: Session, pipeline: string, moves: readonly Move[]): Promise<void> {
  const ids = moves.map(({ id }) => id)
  if (ids.length === 0) return
  await session.all(sql`UPDATE lading_reject SET state = 'replayed' WHERE ${dialect.among(sql`id`, ids)}`)
  const loads = [...new Set(moves.flatMap(({ origin }) => origin.loadId ?? []))]
  const rows = await session.all<{ id: string }>(
    sql`SELECT id FROM lading_load WHERE ${dialect.among(sql`id`, loads)} AND complete`,
  )
  const complete = new Set(rows.map(({ id }) => id))
  const isFolded = ({ origin }: Move) => origin.loadId !== null && complete.has(origin.loadId)
  for (const [id, own] of Map.groupBy(moves.filter(isFolded), ({ origin }) => String(origin.loadId)))
    await session.all(
      sql`UPDATE lading_load SET rejected = rejected - ${own.length}, loaded = loaded + ${countOf(own, 'loaded')}, skipped = skipped + ${countOf(own, 'skipped')},
        replaced_rows = replaced_rows + ${countOf(own, 'loaded')} WHERE id = ${id}`,
    )
  const others = moves.filter((each) => !isFolded(each))
  const entries = Array.from(
    Map.groupBy(others, ({ origin }) => origin.key),
    ([key, own]) =>
      sql`(${key}, ${own.length}, ${countOf(own, 'loaded')}, ${countOf(own, 'skipped')}, ${countOf(own, 'elsewhere')})`,
  )
  for (let at = 0; at < entries.length; at += mostMoved) {
    const moved = entries.slice(at, at + mostMoved).reduce((all, each) => sql`${all}, ${each}`)
    await session.all(
      sql`UPDATE lading_ledger AS own SET rejected = own.rejected - moved.n, loaded = own.loaded + moved.loaded, skipped = own.skipped + moved.skipped,
        records = own.records - moved.elsewhere
        FROM (VALUES ${moved}) AS moved (key, n, loaded, skipped, elsewhere) WHERE own.pipeline = ${pipeline} AND own.key = moved.key`,
    )
  }
}

const countOf = (moves: readonly Move[], to: Move['to']): number =>
  moves.filter((each) => each.to === to).length

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
