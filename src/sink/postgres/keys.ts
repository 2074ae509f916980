/** The keys of a batch's parts in the ledger: which are new, and what the known ones mean. */
import type pg from 'pg'
import type { Counts } from '../ledger.ts'
import type { BatchVerdict, Part } from '../sink.ts'
import { inOrderOfEntry, type Span } from '../sql/place.ts'
import { keyReused } from '../sql/verdicts.ts'
import { lockedKeys } from './table/locked.ts'

const bytea = (hex: string): Buffer => Buffer.from(hex, 'hex')

/** Marks the parts whose keys another open transaction holds as `locked`; returns the others. */
export async function leaveOutLocked(
  client: pg.Client,
  pipeline: string,
  spans: Span[],
  verdicts: BatchVerdict[],
): Promise<Span[]> {
  const locked = await lockedKeys(
    client,
    pipeline,
    spans.map(({ part }) => part.key),
  )
  for (const { part, index } of spans) if (locked.has(part.key)) verdicts[index] = { kind: 'locked' }
  return spans.filter(({ part }) => !locked.has(part.key))
}

/**
 * Enters the keys; returns the parts whose keys are new. A known key is a duplicate only of the same content.
 */
export async function enterLedger(
  client: pg.Client,
  pipeline: string,
  spans: Span[],
  verdicts: BatchVerdict[],
): Promise<Span[]> {
  if (spans.length === 0) return []
  const sorted = spans.toSorted((a, b) => inOrderOfEntry(a.part, b.part))
  const { rows } = await client.query<{ key: string }>(
    `INSERT INTO lading.ledger (pipeline, key, sha256, load_id, outcome, records, loaded, rejected, skipped, filtered)
     SELECT $1, key, sha256, load_id, 'applied', records, loaded, records - loaded - filtered, filtered, filtered
     FROM unnest($2::text[], $3::bytea[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[])
       AS part (key, sha256, load_id, records, loaded, filtered)
     ON CONFLICT DO NOTHING RETURNING key`,
    [
      pipeline,
      sorted.map(({ part }) => part.key),
      sorted.map(({ part }) => bytea(part.sha256)),
      sorted.map(({ part }) => part.load?.id ?? null),
      sorted.map(({ part }) => part.records),
      sorted.map(({ part }) => part.rows),
      sorted.map(({ part }) => part.filtered ?? 0),
    ],
  )
  const entered = new Set(rows.map(({ key }) => key))
  const fresh = new Set(spans.filter(({ part }) => entered.delete(part.key)))
  const old = spans.filter((span) => !fresh.has(span))
  if (old.length > 0) await judgeKnownKeys(client, pipeline, old, verdicts)
  return [...fresh]
}

async function judgeKnownKeys(
  client: pg.Client,
  pipeline: string,
  spans: Span[],
  verdicts: BatchVerdict[],
): Promise<void> {
  const { rows } = await client.query<{ key: string; sha256: Buffer }>(
    'SELECT key, sha256 FROM lading.ledger WHERE pipeline = $1 AND key = ANY ($2)',
    [pipeline, spans.map(({ part }) => part.key)],
  )
  const known = new Map(rows.map(({ key, sha256 }) => [key, sha256.toString('hex')]))
  for (const { part, index } of spans) {
    verdicts[index] = known.get(part.key) === part.sha256 ? { kind: 'duplicate' } : keyReused(part.key)
  }
}

/** Parts of which not every row was loaded: they were entered as if it would be. */
export async function correct(
  client: pg.Client,
  pipeline: string,
  corrections: readonly (readonly [Part, Counts])[],
): Promise<void> {
  await client.query(
    `UPDATE lading.ledger SET loaded = part.loaded, rejected = part.rejected, skipped = part.skipped
     FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) AS part (key, loaded, rejected, skipped)
     WHERE pipeline = $1 AND ledger.key = part.key`,
    [
      pipeline,
      corrections.map(([part]) => part.key),
      corrections.map(([, counts]) => counts.loaded),
      corrections.map(([, counts]) => counts.rejected),
      corrections.map(([, counts]) => counts.skipped),
    ],
  )
}
