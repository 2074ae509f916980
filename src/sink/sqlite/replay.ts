/** The one transaction of a replay of rejects: rows, rejects and counts together, or nothing. */
import type { Fault } from '../../core/fault.ts'
import type { SqliteFile } from '../../core/sqlite.ts'
import type { RejectReplay, ReplayBatch, Verdict } from '../sink.ts'
import { storable } from '../storable.ts'
import { type Insert, insertingIn } from './insert.ts'
import type { ValueRows } from './rows.ts'

interface Origin {
  readonly key: string
  readonly load_id: string | null
}

export function replayRejects(file: SqliteFile, batch: ReplayBatch<ValueRows>): readonly Verdict[] {
  return insertingIn(file, batch.model, (insert) => replayEach(file, batch, insert))
}

function replayEach(file: SqliteFile, batch: ReplayBatch<ValueRows>, insert: Insert): readonly Verdict[] {
  let row = -1
  return batch.replays.map((replay) => {
    if (replay.fault === undefined) row++
    return replayOne(file, batch, replay, row, insert)
  })
}

function replayOne(
  file: SqliteFile,
  batch: ReplayBatch<ValueRows>,
  replay: RejectReplay,
  row: number,
  insert: Insert,
): Verdict {
  const { pipeline, model } = batch
  const sql = "SELECT key, load_id FROM lading_reject WHERE id = ? AND pipeline = ? AND state = 'open'"
  const origin = file.get<Origin>(sql, replay.id, pipeline)
  if (origin === undefined) return { kind: 'duplicate' }
  const { claim } = replay
  if (replay.fault !== undefined) return keepReason(file, replay, replay.fault)
  const holder = claim && holderOf(file, pipeline, claim.key)
  if (holder !== undefined) {
    if (holder !== claim?.sha256) {
      return {
        kind: 'refused',
        code: 'KEY_REUSED',
        detail: 'the key of the record has taken effect with other content',
      }
    }
    settle(file, pipeline, replay, origin, 'elsewhere')
    return { kind: 'duplicate' }
  }
  let fault: Fault | undefined
  const rows = { model, rows: batch.rows }
  const changed = insert(file, rows, row, row + 1, (_, each) => (fault = each))
  if (fault !== undefined) return keepReason(file, replay, replay.describe(fault))
  const to = changed === 1 ? 'loaded' : 'skipped'
  if (claim !== undefined) {
    const enter = `INSERT INTO lading_ledger (pipeline, key, sha256, outcome, records, loaded, rejected, skipped)
                   VALUES (?, ?, ?, 'applied', 1, ?, 0, ?)`
    file.run(enter, pipeline, claim.key, Buffer.from(claim.sha256, 'hex'), changed, 1 - changed)
  }
  settle(file, pipeline, replay, origin, claim === undefined ? to : 'elsewhere')
  return { kind: 'applied', loaded: changed, rejected: 0, skipped: 1 - changed }
}

/** The sha256 of what took effect under the key. */
function holderOf(file: SqliteFile, pipeline: string, key: string): string | undefined {
  const sql = 'SELECT sha256 FROM lading_ledger WHERE pipeline = ? AND key = ?'
  const row = file.get<{ sha256: Uint8Array }>(sql, pipeline, key)
  return row === undefined ? undefined : Buffer.from(row.sha256).toString('hex')
}

/**
 * Settles the reject: its record counts as what it is now, in the load's own row if it is folded, else in the
 * ledger's row.
 */
function settle(
  file: SqliteFile,
  pipeline: string,
  { id }: RejectReplay,
  origin: Origin,
  to: 'loaded' | 'skipped' | 'elsewhere',
): void {
  file.run("UPDATE lading_reject SET state = 'replayed' WHERE id = ?", id)
  const [loaded, skipped, elsewhere] = [
    Number(to === 'loaded'),
    Number(to === 'skipped'),
    Number(to === 'elsewhere'),
  ]
  const folded =
    'UPDATE lading_load SET rejected = rejected - 1, loaded = loaded + ?, skipped = skipped + ?, replaced_rows = replaced_rows + ? WHERE id = ? AND complete'
  if (origin.load_id !== null && file.run(folded, loaded, skipped, loaded, origin.load_id) > 0) return
  const sql = `UPDATE lading_ledger SET rejected = rejected - 1, loaded = loaded + ?, skipped = skipped + ?, records = records - ?
               WHERE pipeline = ? AND key = ?`
  file.run(sql, loaded, skipped, elsewhere, pipeline, origin.key)
}

/** A record that is refused again stays a reject, for its new reason. */
function keepReason(file: SqliteFile, { id }: RejectReplay, { code, detail, column, span }: Fault): Verdict {
  const sql =
    'UPDATE lading_reject SET code = ?, detail = ?, column_name = ?, span_start = ?, span_end = ? WHERE id = ?'
  const name = column === undefined ? null : storable(column)
  file.run(sql, code, storable(detail), name, span?.start ?? null, span?.end ?? null, id)
  return { kind: 'refused', code, detail }
}
