/** What a replacement of a table's rows changes in the ledger, as steps. */
import { LadingError } from '../../core/errors.ts'
import type { Fault } from '../../core/fault.ts'
import { sha256Of } from '../../core/sha256.ts'
import { type Model, tableName } from '../../model/model.ts'
import { gatheringPipeline } from '../receipt.ts'
import type { GatheredLoad } from '../sink.ts'
import { sql } from './statement.ts'
import { forgetLoads, type LedgerDialect, type Steps } from './steps.ts'

export const gatheringModel = (model: Model, place: Pick<Model, 'schema' | 'table'>): Model => ({
  ...model,
  ...place,
  origin: 'table',
  fingerprint: sha256Of(JSON.stringify([model.fingerprint, place])),
})

export const refused = (model: Model, why: string): LadingError =>
  new LadingError('REPLACE_REFUSED', `table ${tableName(model)}: ${why}`)

/** What a trigger raises may quote a record. */
export const refusedBy = (model: Model, { code, detail }: Fault): LadingError =>
  refused(model, code === 'TRIGGER_RAISED' ? 'a trigger refuses a row' : detail)

export function* idsOf({ load }: LedgerDialect, pipeline: string): Steps<readonly string[]> {
  const rows = yield sql`SELECT id FROM ${load} WHERE pipeline = ${pipeline}`
  return rows.map((row) => String(row['id']))
}

/** Forgets a replacement that was not taken. */
export function* forgetGathered(dialect: LedgerDialect, pipeline: string): Steps<void> {
  const ids = yield* idsOf(dialect, gatheringPipeline(pipeline))
  if (ids.length === 0) return
  yield* dialect.lockBatches(ids)
  yield* forgetLoads(dialect, ids)
}

/** Whether these loads alone have rows in the table, all of one replacement that brought so many, with replays since. */
export function* isCurrent(
  { load }: LedgerDialect,
  pipeline: string,
  ids: readonly string[],
  rows: number,
): Steps<boolean> {
  const loads =
    yield sql`SELECT id, replaced_at, replaced_rows FROM ${load} WHERE pipeline = ${pipeline} AND (replaced_at IS NULL OR replaced_rows IS NOT NULL)`
  const wanted = new Set(ids)
  const times = new Set(
    loads.map((row) => (row['replaced_at'] === null ? undefined : String(row['replaced_at']))),
  )
  const brought = loads.reduce((sum, row) => sum + Number(row['replaced_rows']), 0)
  return (
    loads.length === wanted.size &&
    times.size === 1 &&
    !times.has(undefined) &&
    brought === rows &&
    loads.every((row) => wanted.has(String(row['id'])))
  )
}

/** Throws `REPLACE_REFUSED` unless the gathering pipeline has these loads alone, and all of them complete. */
export function* requireGathered(
  dialect: LedgerDialect,
  model: Model,
  pipeline: string,
  loads: readonly GatheredLoad[],
): Steps<void> {
  const found =
    yield sql`SELECT id, complete FROM ${dialect.load} WHERE pipeline = ${gatheringPipeline(pipeline)}`
  const complete = new Set(found.filter((row) => Boolean(row['complete'])).map((row) => String(row['id'])))
  if (found.length !== loads.length || loads.some(({ gathered }) => !complete.has(gathered)))
    throw refused(model, 'not every record has been loaded or rejected')
}

/**
 * Once the rows are in the table. Of a complete load the ledger keeps no keys. Of those whose rows were replaced it keeps
 * that they are over: chunks of them may still be in a queue.
 */
export function* takeLoads(
  dialect: LedgerDialect,
  pipeline: string,
  loads: readonly GatheredLoad[],
  rows: number,
): Steps<void> {
  const { load, ledger, reject, deadLetter, now, among } = dialect
  const own = new Set(loads.map(({ id }) => id))
  const earlier = yield* idsOf(dialect, pipeline)
  yield* forgetLoads(
    dialect,
    earlier.filter((id) => own.has(id)),
  )
  for (const kept of [reject, deadLetter, ledger])
    yield sql`DELETE FROM ${kept} WHERE ${among(sql`load_id`, earlier)}`
  yield sql`UPDATE ${load} SET complete = true, completed_at = ${now}, loaded = 0, rejected = 0, skipped = records, filtered = records,
    replaced_at = ${now}, replaced_rows = NULL
    WHERE ${among(
      sql`id`,
      earlier.filter((id) => !own.has(id)),
    )}`
  for (const [index, { gathered, id }] of loads.entries()) {
    yield sql`INSERT INTO ${load} (id, pipeline, source, sha256, bytes, plan, chunks, records, complete, loaded, rejected, skipped, started_at,
        completed_at, layout, zone_release, filtered, replaced_at, replaced_rows)
      SELECT ${id}, ${pipeline}, source, sha256, bytes, plan, chunks, records, complete, loaded, rejected, skipped, started_at,
        completed_at, layout, zone_release, filtered, ${now}, ${index === 0 ? rows : 0} FROM ${load} WHERE id = ${gathered}`
    for (const kept of [reject, deadLetter])
      yield sql`UPDATE ${kept} SET load_id = ${id}, pipeline = ${pipeline} WHERE load_id = ${gathered}`
    yield sql`DELETE FROM ${load} WHERE id = ${gathered}`
  }
  // SQLite's clock goes on between two statements, and one replacement has one time.
  yield sql`UPDATE ${load} SET replaced_at = ${now} WHERE ${among(sql`id`, [...own])}`
}
