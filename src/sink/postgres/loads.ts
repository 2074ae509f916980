/**
 * The loads that a batch's parts belong to: their rows, and the locks that keep them from being folded
 * meanwhile.
 */
import type pg from 'pg'
import { arrayLiteral, literal } from '../../driver/postgres/literal.ts'
import type { LoadInfo } from '../../core/load.ts'
import type { Batch } from '../sink.ts'
import { storable } from '../storable.ts'

/**
 * Creates missing rows of the loads, outside the batch's transaction: two consumers of one load must not wait
 * for each other.
 */
export async function registerLoads(client: pg.Client, batch: Batch): Promise<Map<string, string>> {
  const loads = loadsOf(batch)
  if (loads.size === 0) return new Map()
  await client.query(insertLoads(batch.pipeline, [...loads.values()]))
  const { rows } = await client.query<{ id: string; plan: Buffer }>(
    'SELECT id, plan FROM lading.load WHERE id = ANY ($1)',
    [[...loads.keys()]],
  )
  return new Map(rows.map(({ id, plan }) => [id, plan.toString('hex')]))
}

export function loadsOf({ parts }: Batch): Map<string, LoadInfo> {
  const loads = new Map<string, LoadInfo>()
  for (const { load } of parts) if (load !== undefined && !loads.has(load.id)) loads.set(load.id, load)
  return loads
}

/** The statement that makes the rows of those loads that have none. */
export function insertLoads(pipeline: string, loads: readonly LoadInfo[]): string {
  const column = (type: string, value: (load: LoadInfo) => string | number) =>
    arrayLiteral(type, loads.map(value))
  return `INSERT INTO lading.load (id, pipeline, source, sha256, bytes, plan, chunks, records)
    SELECT id, ${literal(pipeline)}, source, decode(sha256, 'hex'), bytes, decode(plan, 'hex'), chunks, records
    FROM unnest(${column('uuid', ({ id }) => id)}, ${column('text', ({ source }) => storable(source))}, ${column('text', ({ sha256 }) => sha256)},
      ${column('bigint', ({ bytes }) => bytes)}, ${column('text', ({ plan }) => plan)}, ${column('bigint', ({ chunks }) => chunks)},
      ${column('bigint', ({ records }) => records)})
      AS load (id, source, sha256, bytes, plan, chunks, records)
    WHERE NOT EXISTS (SELECT FROM lading.load old WHERE old.id = load.id) ORDER BY id ON CONFLICT DO NOTHING`
}

/** The statement that keeps loads from being folded until the end of the transaction. */
export const lockLoads = (ids: readonly string[]): string =>
  `SELECT pg_advisory_xact_lock_shared(hashtextextended(id, 0)) FROM unnest(${arrayLiteral('text', ids)}) id ORDER BY id`

/** The statement that finds those of the loads that are open and have the same plan. */
export function openLoads(loads: readonly LoadInfo[]): string {
  const column = (type: string, value: (load: LoadInfo) => string) => arrayLiteral(type, loads.map(value))
  return `SELECT FROM unnest(${column('uuid', ({ id }) => id)}, ${column('text', ({ plan }) => plan)}) AS part (id, plan)
    JOIN lading.load ON load.id = part.id AND load.plan = decode(part.plan, 'hex') WHERE NOT complete`
}

/** Locks the loads and returns those that are folded already. */
export async function lockAndAsk(client: pg.Client, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  await client.query(lockLoads(ids))
  // A separate statement, because its snapshot must be taken after the locks.
  const { rows } = await client.query<{ id: string }>(
    'SELECT id FROM lading.load WHERE id = ANY ($1) AND complete',
    [ids],
  )
  return new Set(rows.map(({ id }) => id))
}
