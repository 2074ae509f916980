/**
 * The one transaction of a batch: ledger, rows and rejects together, or nothing. All of it is synchronous, as
 * SQLite is.
 */
import type { Reject } from '../../core/fault.ts'
import type { SqliteFile } from '../../core/sqlite.ts'
import type { LoadInfo } from '../../core/load.ts'
import type { Part, Verdict } from '../sink.ts'
import { keyReused, planMismatch } from '../sql/verdicts.ts'
import { storable } from '../storable.ts'
import { type Insert, type InsertBatch, insertingIn } from './insert.ts'

export interface WritableBatch extends InsertBatch {
  readonly pipeline: string
  readonly parts: readonly Part[]
}

export function writeBatch(file: SqliteFile, batch: WritableBatch): readonly Verdict[] {
  return insertingIn(file, batch.model, (insert) => writeParts(file, batch, insert))
}

export function replayLetter(file: SqliteFile, letter: number, batch: WritableBatch): readonly Verdict[] {
  const { pipeline, parts, model } = batch
  return insertingIn(file, model, (insert) => {
    const take = "UPDATE lading_dead_letter SET state = 'replayed' WHERE id = ? AND state = 'dead'"
    if (file.run(take, letter) === 0) return parts.map(() => ({ kind: 'duplicate' }))
    const revive = `DELETE FROM lading_ledger WHERE pipeline = ? AND key = ? AND outcome = 'dead'
                    AND EXISTS (SELECT 1 FROM lading_load WHERE id = lading_ledger.load_id AND plan = ?)`
    for (const { key, load } of parts) if (load) file.run(revive, pipeline, key, blob(load.plan))
    const verdicts = writeParts(file, batch, insert)
    if (verdicts.some(({ kind }) => kind === 'refused'))
      file.run("UPDATE lading_dead_letter SET state = 'dead' WHERE id = ?", letter)
    return verdicts
  })
}

function writeParts(file: SqliteFile, batch: WritableBatch, insert: Insert): readonly Verdict[] {
  let end = 0
  return batch.parts.map((part) => {
    const start = end
    end += part.rows
    return (
      judgeLoad(file, batch.pipeline, part) ??
      judgeKey(file, batch.pipeline, part) ??
      apply(file, batch, part, start, end, insert)
    )
  })
}

const blob = (hex: string): Buffer => Buffer.from(hex, 'hex')
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex')

/**
 * Creates the load's row if it is missing. Returns a verdict if the load is complete or was begun with
 * another plan.
 */
function judgeLoad(file: SqliteFile, pipeline: string, { load }: Part): Verdict | undefined {
  if (load === undefined) return undefined
  insertLoad(file, pipeline, load)
  const row = file.get<{ plan: Uint8Array; complete: number }>(
    'SELECT plan, complete FROM lading_load WHERE id = ?',
    load.id,
  )
  if (row?.complete === 1) return { kind: 'duplicate' }
  if (row === undefined || hex(row.plan) === load.plan) return undefined
  return planMismatch(load)
}

function insertLoad(file: SqliteFile, pipeline: string, load: LoadInfo): void {
  const sql = `INSERT INTO lading_load (id, pipeline, source, sha256, bytes, plan, chunks, records) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT DO NOTHING`
  file.run(
    sql,
    load.id,
    pipeline,
    storable(load.source),
    blob(load.sha256),
    load.bytes,
    blob(load.plan),
    load.chunks,
    load.records,
  )
}

/** A key that is there already is a duplicate only if its content is the same. */
function judgeKey(file: SqliteFile, pipeline: string, part: Part): Verdict | undefined {
  const sql = 'SELECT sha256 FROM lading_ledger WHERE pipeline = ? AND key = ?'
  const known = file.get<{ sha256: Uint8Array }>(sql, pipeline, part.key)
  if (known === undefined) return undefined
  if (hex(known.sha256) === part.sha256) return { kind: 'duplicate' }
  return keyReused(part.key)
}

function apply(
  file: SqliteFile,
  batch: WritableBatch,
  part: Part,
  start: number,
  end: number,
  insert: Insert,
): Verdict {
  const { pipeline } = batch
  const refused: Reject[] = []
  const changed = insert(file, batch, start, end, (row, fault) =>
    refused.push(part.describe(row - start, fault)),
  )
  const rejects = [...part.rejects, ...refused]
  if (rejects.length > 0) keepLayout(file, part)
  for (const reject of rejects) insertReject(file, pipeline, part, reject)
  const { filtered = 0 } = part
  const rejected = part.records - part.rows - filtered + refused.length
  const skipped = part.rows - refused.length - changed + filtered
  const sql = `INSERT INTO lading_ledger (pipeline, key, sha256, load_id, outcome, records, loaded, rejected, skipped, filtered)
               VALUES (?, ?, ?, ?, 'applied', ?, ?, ?, ?, ?)`
  file.run(
    sql,
    pipeline,
    part.key,
    blob(part.sha256),
    part.load?.id ?? null,
    part.records,
    changed,
    rejected,
    skipped,
    filtered,
  )
  return { kind: 'applied', loaded: changed, rejected, skipped }
}

function keepLayout(file: SqliteFile, { load, layout }: Part): void {
  if (load === undefined || layout === undefined) return
  file.run(
    'UPDATE lading_load SET layout = ? WHERE id = ? AND layout IS NULL',
    JSON.stringify(layout),
    load.id,
  )
}

function insertReject(file: SqliteFile, pipeline: string, part: Part, reject: Reject): void {
  const sql = `INSERT INTO lading_reject (pipeline, key, load_id, record, line, byte, source, column_name, code, detail, raw, masked, span_start, span_end)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
  const { record, line, byte, source, column, code, detail, raw, span } = reject
  const masked = reject.masked === undefined ? null : JSON.stringify(reject.masked)
  const place = [
    record,
    line,
    byte,
    storable(source),
    column === undefined ? null : storable(column),
  ] as const
  file.run(
    sql,
    pipeline,
    part.key,
    part.load?.id ?? null,
    ...place,
    code,
    storable(detail),
    raw,
    masked,
    span?.start ?? null,
    span?.end ?? null,
  )
}
