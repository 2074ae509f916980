import type pg from 'pg'
import type { Reject } from '../../core/fault.ts'
import type { Part } from '../sink.ts'
import { storable } from '../storable.ts'

/** Keeps the records of parts that were refused. */
export async function insertRejects(client: pg.Client, pipeline: string, rejects: readonly (readonly [Part, Reject])[]): Promise<void> {
  if (rejects.length === 0) return
  await client.query(
    `INSERT INTO lading.reject (pipeline, key, load_id, record, line, byte, source, column_name, code, detail, raw)
     SELECT $1, * FROM unnest($2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[])`,
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
      rejects.map(([, reject]) => Buffer.from(reject.raw.buffer, reject.raw.byteOffset, reject.raw.byteLength)),
    ],
  )
}
