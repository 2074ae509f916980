/** The one transaction of a replay of rejects: rows, rejects and counts together, or nothing. */
import type pg from 'pg'
import { transaction } from '../../driver/postgres/transaction.ts'
import type { Fault } from '../../core/fault.ts'
import type { RejectReplay, ReplayBatch, Verdict } from '../sink.ts'
import { storable } from '../storable.ts'
import { lockAndAsk } from './loads.ts'
import { adjacent, Placement, placeRun, type Stretch } from './place.ts'
import type { CopyBuffer } from './copy/rows.ts'
import { mayLeaveOut } from './staging.ts'
import { beginBatch } from './transaction.ts'

/** What a reject's record counts for. */
interface Origin {
  readonly key: string
  readonly loadId: string | null
}

/** One reject that is open, with its row. */
interface Entry extends Stretch {
  readonly replay: RejectReplay
  readonly index: number
  readonly origin: Origin
}

/** What a record counts as once its reject is settled; `elsewhere`: under a key of its own. */
interface Move {
  readonly origin: Origin
  readonly to: 'loaded' | 'skipped' | 'elsewhere'
}

export async function replayRejects(
  client: pg.Client,
  batch: ReplayBatch<CopyBuffer>,
  isInserted: boolean,
): Promise<readonly Verdict[]> {
  const { pipeline } = batch
  return transaction(client, beginBatch, async () => {
    const ids = batch.replays.map(({ id }) => id)
    const complete = await lockAndAsk(client, await loadsOf(client, ids))
    const verdicts: Verdict[] = []
    const open = await lockOpen(client, pipeline, ids)
    const claimed = await claimKeys(client, pipeline, entriesOf(batch, open, verdicts), verdicts)
    const placed = await place(client, batch, claimed.fresh, isInserted)
    const moves: Move[] = claimed.known.map(({ origin }) => ({ origin, to: 'elsewhere' }))
    const refused: (readonly [Entry, Fault])[] = []
    for (const entry of claimed.fresh) {
      const { replay, index, origin } = entry
      const outcome = placed.get(entry) ?? (replay.fault as Fault)
      if (typeof outcome === 'string') {
        const counts = { loaded: 0, rejected: 0, skipped: 0 }
        verdicts[index] = { kind: 'applied', ...counts, [outcome]: 1 }
        moves.push({ origin, to: replay.claim === undefined ? outcome : 'elsewhere' })
        if (outcome === 'skipped' && replay.claim !== undefined)
          await skipClaim(client, pipeline, replay.claim.key)
      } else {
        refused.push([entry, outcome])
        verdicts[index] = { kind: 'refused', code: outcome.code, detail: outcome.detail }
      }
    }
    await settle(client, [
      ...claimed.known,
      ...claimed.fresh.filter(({ index }) => verdicts[index]?.kind === 'applied'),
    ])
    await keepReasons(client, pipeline, refused)
    await move(client, pipeline, moves, complete)
    return verdicts
  })
}

/** Loads are locked before rejects, in the same order as `forget`. */
async function loadsOf(client: pg.Client, ids: readonly number[]): Promise<string[]> {
  const sql = 'SELECT DISTINCT load_id FROM lading.reject WHERE id = ANY ($1) AND load_id IS NOT NULL'
  const { rows } = await client.query<{ load_id: string }>(sql, [ids])
  return rows.map(({ load_id }) => load_id)
}

/** A concurrent replay of one of them waits here, and then finds it settled. */
async function lockOpen(
  client: pg.Client,
  pipeline: string,
  ids: readonly number[],
): Promise<Map<number, Origin>> {
  const { rows } = await client.query<{ id: string; key: string; load_id: string | null }>(
    "SELECT id, key, load_id FROM lading.reject WHERE id = ANY ($1) AND pipeline = $2 AND state = 'open' ORDER BY id FOR UPDATE",
    [ids, pipeline],
  )
  return new Map(rows.map(({ id, key, load_id }) => [Number(id), { key, loadId: load_id }]))
}

function entriesOf(
  { replays }: ReplayBatch<CopyBuffer>,
  open: Map<number, Origin>,
  verdicts: Verdict[],
): Entry[] {
  const entries: Entry[] = []
  let end = 0
  for (const [index, replay] of replays.entries()) {
    const start = end
    if (replay.fault === undefined) end++
    const origin = open.get(replay.id)
    // Named twice, it is replayed once.
    open.delete(replay.id)
    if (origin === undefined) verdicts[index] = { kind: 'duplicate' }
    else entries.push({ replay, index, origin, start, end })
  }
  return entries
}

/**
 * Enters the keys of records that have one of their own. `known`: key and content took effect in the
 * meantime.
 */
async function claimKeys(
  client: pg.Client,
  pipeline: string,
  entries: readonly Entry[],
  verdicts: Verdict[],
) {
  const fresh: Entry[] = []
  const known: Entry[] = []
  for (const entry of entries) {
    const { claim, fault } = entry.replay
    const holder =
      claim === undefined || fault !== undefined ? undefined : await enter(client, pipeline, claim)
    if (holder === undefined) fresh.push(entry)
    else if (holder === claim?.sha256) {
      known.push(entry)
      verdicts[entry.index] = { kind: 'duplicate' }
    } else {
      verdicts[entry.index] = {
        kind: 'refused',
        code: 'KEY_REUSED',
        detail: 'the key of the record has taken effect with other content',
      }
    }
  }
  return { fresh, known }
}

/** The sha256 of what took effect under the key before; undefined if the key was free and is entered now. */
async function enter(
  client: pg.Client,
  pipeline: string,
  { key, sha256 }: NonNullable<RejectReplay['claim']>,
) {
  const { rowCount } = await client.query(
    `INSERT INTO lading.ledger (pipeline, key, sha256, outcome, records, loaded, rejected, skipped)
     VALUES ($1, $2, $3, 'applied', 1, 1, 0, 0) ON CONFLICT DO NOTHING`,
    [pipeline, key, Buffer.from(sha256, 'hex')],
  )
  if (rowCount === 1) return undefined
  const sql = 'SELECT sha256 FROM lading.ledger WHERE pipeline = $1 AND key = $2'
  const { rows } = await client.query<{ sha256: Buffer }>(sql, [pipeline, key])
  return rows[0]?.sha256.toString('hex') ?? ''
}

async function skipClaim(client: pg.Client, pipeline: string, key: string): Promise<void> {
  await client.query('UPDATE lading.ledger SET loaded = 0, skipped = 1 WHERE pipeline = $1 AND key = $2', [
    pipeline,
    key,
  ])
}

/** The outcome of each row; for a refused one a fault with its place in the record. */
async function place(
  client: pg.Client,
  { model, rows }: ReplayBatch<CopyBuffer>,
  entries: readonly Entry[],
  isInserted: boolean,
) {
  const placement = new Placement(client, model, rows, isInserted)
  const placed = new Map<Entry, 'loaded' | 'skipped' | Fault>()
  for (const run of adjacent(entries.filter(({ start, end }) => start < end))) {
    const outcome = await placeRun(placement, run, mayLeaveOut(model))
    for (const entry of run) {
      const { skipped, refusals } =
        outcome(entry.start, entry.end) ?? (await placement.place(entry.start, entry.end))
      const [refusal] = refusals
      if (refusal !== undefined) placed.set(entry, entry.replay.describe(refusal.fault))
      else placed.set(entry, skipped > 0 ? 'skipped' : 'loaded')
    }
  }
  return placed
}

async function settle(client: pg.Client, entries: readonly Entry[]): Promise<void> {
  const ids = entries.map(({ replay }) => replay.id)
  if (ids.length > 0)
    await client.query("UPDATE lading.reject SET state = 'replayed' WHERE id = ANY ($1)", [ids])
}

/** Rejects that are refused again stay open, and their keys become free. */
async function keepReasons(
  client: pg.Client,
  pipeline: string,
  refused: readonly (readonly [Entry, Fault])[],
): Promise<void> {
  if (refused.length === 0) return
  await client.query(
    `UPDATE lading.reject SET code = now.code, detail = now.detail, column_name = now.column_name, span_start = now.start, span_end = now.stop
     FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[]) AS now (id, code, detail, column_name, start, stop)
     WHERE reject.id = now.id`,
    [
      refused.map(([{ replay }]) => replay.id),
      refused.map(([, { code }]) => code),
      refused.map(([, { detail }]) => storable(detail)),
      refused.map(([, { column }]) => (column === undefined ? null : storable(column))),
      refused.map(([, { span }]) => span?.start ?? null),
      refused.map(([, { span }]) => span?.end ?? null),
    ],
  )
  const keys = refused.flatMap(([{ replay }]) =>
    replay.claim === undefined || replay.fault !== undefined ? [] : [replay.claim.key],
  )
  if (keys.length > 0)
    await client.query('DELETE FROM lading.ledger WHERE pipeline = $1 AND key = ANY ($2)', [pipeline, keys])
}

/**
 * Subtracts the records from the rejected and adds them to what they are now: in the load's own row if it is
 * folded, else in the ledger's row.
 */
async function move(
  client: pg.Client,
  pipeline: string,
  moves: readonly Move[],
  complete: ReadonlySet<string>,
): Promise<void> {
  const isFolded = ({ origin }: Move) => origin.loadId !== null && complete.has(origin.loadId)
  // Sorted, so that two replays wait for each other instead of deadlocking.
  for (const [id, own] of [...Map.groupBy(moves.filter(isFolded), ({ origin }) => origin.loadId)].toSorted(
    byName,
  )) {
    const sql =
      'UPDATE lading.load SET rejected = rejected - $2, loaded = loaded + $3, skipped = skipped + $4, replaced_rows = replaced_rows + $3 WHERE id = $1'
    await client.query(sql, [id, own.length, countOf(own, 'loaded'), countOf(own, 'skipped')])
  }
  const others = moves.filter((each) => !isFolded(each))
  for (const [key, own] of [...Map.groupBy(others, ({ origin }) => origin.key)].toSorted(byName)) {
    await client.query(
      `UPDATE lading.ledger SET rejected = rejected - $3, loaded = loaded + $4, skipped = skipped + $5, records = records - $6
       WHERE pipeline = $1 AND key = $2`,
      [pipeline, key, own.length, countOf(own, 'loaded'), countOf(own, 'skipped'), countOf(own, 'elsewhere')],
    )
  }
}

const countOf = (moves: readonly Move[], to: Move['to']): number =>
  moves.filter((each) => each.to === to).length

const byName = ([a]: readonly [string | null, unknown], [b]: readonly [string | null, unknown]): number =>
  String(a) < String(b) ? -1 : 1
