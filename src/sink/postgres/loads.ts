/** The loads that a batch's parts belong to: their rows, and the locks that keep them from being folded meanwhile. */
import type pg from 'pg'
import type { LoadInfo } from '../../core/load.ts'
import type { Batch } from '../sink.ts'
import { storable } from '../storable.ts'

const bytea = (hex: string): Buffer => Buffer.from(hex, 'hex')

/** Makes the loads' rows where they are missing, outside the batch's transaction: two consumers of one load must not wait for each other. */
export async function registerLoads(client: pg.Client, batch: Batch): Promise<Map<string, string>> {
  const loads = new Map<string, LoadInfo>()
  for (const { load } of batch.parts) if (load !== undefined && !loads.has(load.id)) loads.set(load.id, load)
  if (loads.size === 0) return new Map()
  await insertLoads(client, batch.pipeline, [...loads.values()])
  const { rows } = await client.query<{ id: string; plan: Buffer }>('SELECT id, plan FROM lading.load WHERE id = ANY ($1)', [
    [...loads.keys()],
  ])
  return new Map(rows.map(({ id, plan }) => [id, plan.toString('hex')]))
}

export async function insertLoads(client: pg.Client, pipeline: string, loads: readonly LoadInfo[]): Promise<void> {
  await client.query(
    `INSERT INTO lading.load (id, pipeline, source, sha256, bytes, plan, chunks, records)
     SELECT id, $1, source, sha256, bytes, plan, chunks, records
     FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bigint[], $6::bytea[], $7::bigint[], $8::bigint[])
       AS load (id, source, sha256, bytes, plan, chunks, records)
     WHERE NOT EXISTS (SELECT FROM lading.load old WHERE old.id = load.id) ORDER BY id ON CONFLICT DO NOTHING`,
    [
      pipeline,
      loads.map((load) => load.id),
      loads.map((load) => storable(load.source)),
      loads.map((load) => bytea(load.sha256)),
      loads.map((load) => load.bytes),
      loads.map((load) => bytea(load.plan)),
      loads.map((load) => load.chunks),
      loads.map((load) => load.records),
    ],
  )
}

/** Keeps the loads from being folded while the batch is written, and tells which have been folded before. */
export async function lockLoads(client: pg.Client, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  await client.query('SELECT pg_advisory_xact_lock_shared(hashtextextended(id, 0)) FROM unnest($1::text[]) id ORDER BY id', [ids])
  // A statement of its own, because its snapshot must be taken after the locks were had.
  const { rows } = await client.query<{ id: string }>('SELECT id FROM lading.load WHERE id = ANY ($1) AND complete', [ids])
  return new Set(rows.map(({ id }) => id))
}
