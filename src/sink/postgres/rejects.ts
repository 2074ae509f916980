import { asBuffer } from '../../core/bytes.ts'
import type pg from 'pg'
import type { Reject } from '../../core/fault.ts'
import type { Part } from '../sink.ts'
import { storable } from '../storable.ts'

/** Keeps the records of parts that were refused, and how they are written. */
export async function insertRejects(
  client: pg.Client,
  pipeline: string,
  rejects: readonly (readonly [Part, Reject])[],
): Promise<void> {
  if (rejects.length === 0) return
  await keepLayouts(
    client,
    new Map(
      rejects.flatMap(([{ load, layout }]) => (load && layout ? [[load.id, JSON.stringify(layout)]] : [])),
    ),
  )
  await client.query(
    `INSERT INTO lading.reject (pipeline, key, load_id, record, line, byte, source, column_name, code, detail, raw, masked, span_start, span_end)
     SELECT $1, * FROM unnest($2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[],
       $11::bytea[], $12::text[], $13::int[], $14::int[])`,
    [
      pipeline,
      rejects.map(([part]) => part.key),
      rejects.map(([part]) => part.load?.id ?? null),
      rejects.map(([, reject]) => reject.record),
      rejects.map(([, reject]) => reject.line),
      rejects.map(([, reject]) => reject.byte),
      rejects.map(([, reject]) => storable(reject.source)),
      rejects.map(([, reject]) => (reject.column === undefined ? null : storable(reject.column))),
      rejects.map(([, reject]) => reject.code),
      rejects.map(([, reject]) => storable(reject.detail)),
      rejects.map(([, reject]) => asBuffer(reject.raw)),
      rejects.map(([, { masked }]) => (masked === undefined ? null : JSON.stringify(masked))),
      rejects.map(([, { span }]) => span?.start ?? null),
      rejects.map(([, { span }]) => span?.end ?? null),
    ],
  )
}

/** With the first rejects of a load, so that the others need not wait for each other. */
async function keepLayouts(client: pg.Client, layouts: ReadonlyMap<string, string>): Promise<void> {
  if (layouts.size === 0) return
  const ids = [...layouts.keys()].toSorted()
  const { rows } = await client.query<{ id: string }>(
    'SELECT id FROM lading.load WHERE id = ANY ($1) AND layout IS NULL ORDER BY id',
    [ids],
  )
  for (const { id } of rows) {
    await client.query('UPDATE lading.load SET layout = $2 WHERE id = $1 AND layout IS NULL', [
      id,
      layouts.get(id),
    ])
  }
}
