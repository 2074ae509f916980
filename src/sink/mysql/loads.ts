/**
 * The loads that a batch's parts belong to: their rows, and the locks that keep them from being folded
 * meanwhile.
 */
import { LadingError } from '../../core/errors.ts'
import type { Layout, LoadInfo } from '../../core/load.ts'
import type { Batch } from '../sink.ts'
import { storable } from '../storable.ts'
import { hexLiteral, literal } from './literal.ts'
import type { Session } from './session.ts'
import { inStatements } from './statements.ts'

/** A load of a batch, and how its records are written. */
export interface BatchLoad {
  readonly load: LoadInfo
  readonly layout: Layout | undefined
}

export interface KnownLoad {
  readonly plan: string
  readonly complete: boolean
}

export function loadsOf({ parts }: Pick<Batch, 'parts'>): Map<string, BatchLoad> {
  const loads = new Map<string, BatchLoad>()
  for (const { load, layout } of parts)
    if (load !== undefined && !loads.has(load.id)) loads.set(load.id, { load, layout })
  return loads
}

/**
 * Creates missing rows of the loads, outside the batch's transaction: two consumers of one load must not wait
 * for each other. The layout goes with them, because a row that is changed while others share its lock deadlocks.
 */
export async function registerLoads(
  session: Session,
  pipeline: string,
  loads: ReadonlyMap<string, BatchLoad>,
): Promise<void> {
  if (loads.size === 0) return
  const known = await session.query(
    `SELECT id, layout IS NULL AS bare FROM lading_load WHERE id IN (${literal([...loads.keys()])})`,
  )
  const bare = new Map(known.map((row) => [String(row['id']), Number(row['bare']) === 1]))
  const missing = [...loads.values()].filter(({ load }) => !bare.has(load.id))
  for (const values of inStatements(missing.map((each) => rowOf(pipeline, each))))
    await session.run(
      `INSERT INTO lading_load (id, pipeline, source, sha256, bytes, plan, chunks, records, layout)
       VALUES ${values} ON DUPLICATE KEY UPDATE pipeline = pipeline`,
    )
  // Entered by what knows no layout: as one that follows another, or with a dead letter.
  for (const { load, layout } of loads.values())
    if (bare.get(load.id) === true && layout !== undefined)
      await session.run(
        `UPDATE lading_load SET layout = ${literal(JSON.stringify(layout))} WHERE id = ${literal(load.id)} AND layout IS NULL`,
      )
}

function rowOf(pipeline: string, { load, layout }: BatchLoad): string {
  const { id, source, sha256, bytes, plan, chunks, records } = load
  const written = layout === undefined ? null : JSON.stringify(layout)
  return `(${literal(id)}, ${literal(pipeline)}, ${literal(storable(source))}, ${hexLiteral(sha256)}, ${bytes}, ${hexLiteral(plan)}, ${chunks},
    ${records}, ${literal(written)})`
}

/** Keeps the loads from being folded, in the order of their ids; what is known of each. */
export async function lockLoads(
  session: Session,
  ids: readonly string[],
): Promise<ReadonlyMap<string, KnownLoad>> {
  if (ids.length === 0) return new Map()
  const rows = await session.query(
    `SELECT id, plan, complete FROM lading_load WHERE id IN (${literal(ids)}) ORDER BY id LOCK IN SHARE MODE`,
  )
  const known = new Map(
    rows.map((row) => [
      String(row['id']),
      { plan: (row['plan'] as Buffer).toString('hex'), complete: row['complete'] === 1 },
    ]),
  )
  // Forgotten since they were registered.
  // v8 ignore next -- another process has to forget it between two statements
  if (known.size < ids.length)
    throw new LadingError('SINK_BUSY', 'a load was forgotten while a batch of it was written')
  return known
}
