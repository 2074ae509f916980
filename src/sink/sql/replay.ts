/** The one transaction of a replay of rejects: rows, rejects and counts together, or nothing. */
import type { Fault } from '../../core/fault.ts'
import type { RejectReplay, ReplayBatch, Verdict } from '../sink.ts'
import { storable } from '../storable.ts'
import { mayLeaveOut } from './conflict.ts'
import type { LedgerRow } from './ledger-rows.ts'
import { adjacent, type Placing, placeRun, type Stretch } from './place.ts'
import { sql } from './statement.ts'
import { fromHex, type LedgerDialect, type Steps } from './steps.ts'

/** A session within the transaction. */
export interface Replaying {
  readonly dialect: LedgerDialect
  readonly placement: Placing
  readonly run: <T>(steps: Steps<T>) => Promise<T>
}

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

export async function replayEntries(
  { dialect, placement, run }: Replaying,
  batch: ReplayBatch,
): Promise<readonly Verdict[]> {
  const { pipeline } = batch
  const verdicts: Verdict[] = []
  const { complete, fresh, known } = await run(claim(dialect, batch, verdicts))
  const placed = await place(placement, batch, fresh)
  const moves: Move[] = known.map(({ origin }) => ({ origin, to: 'elsewhere' }))
  const refused: (readonly [Entry, Fault])[] = []
  const skippedClaims: string[] = []
  for (const entry of fresh) {
    const { replay, index, origin } = entry
    const outcome = placed.get(entry) ?? (replay.fault as Fault)
    if (typeof outcome === 'string') {
      const counts = { loaded: 0, rejected: 0, skipped: 0 }
      verdicts[index] = { kind: 'applied', ...counts, [outcome]: 1 }
      moves.push({ origin, to: replay.claim === undefined ? outcome : 'elsewhere' })
      if (outcome === 'skipped' && replay.claim !== undefined) skippedClaims.push(replay.claim.key)
    } else {
      refused.push([entry, outcome])
      verdicts[index] = { kind: 'refused', code: outcome.code, detail: outcome.detail }
    }
  }
  const settled = [...known, ...fresh.filter(({ index }) => verdicts[index]?.kind === 'applied')]
  await run(settle(dialect, pipeline, settled, skippedClaims))
  await run(keepReasons(dialect, pipeline, refused))
  await run(move(dialect, pipeline, moves, complete))
  return verdicts
}

/** Loads are locked before rejects, in the same order as `forget`. */
function* claim(
  dialect: LedgerDialect,
  batch: ReplayBatch,
  verdicts: Verdict[],
): Steps<{ complete: ReadonlySet<string>; fresh: readonly Entry[]; known: readonly Entry[] }> {
  const { load, reject, among, forUpdate } = dialect
  const { pipeline, replays } = batch
  const ofReplays = among(
    sql`id`,
    replays.map(({ id }) => id),
  )
  const loads = yield sql`SELECT DISTINCT load_id FROM ${reject} WHERE ${ofReplays} AND load_id IS NOT NULL`
  const ids = loads.map((row) => String(row['load_id'])).toSorted()
  yield* dialect.lockChanging(ids)
  // A separate statement, because its snapshot must be taken after the locks.
  const folded = yield sql`SELECT id FROM ${load} WHERE ${among(sql`id`, ids)} AND complete`
  // A concurrent replay of one of them waits here, and then finds it settled.
  const rows =
    yield sql`SELECT id, "key", load_id FROM ${reject} WHERE ${ofReplays} AND pipeline = ${pipeline} AND state = 'open' ORDER BY id ${forUpdate}`
  const open = new Map(rows.map((row) => [Number(row['id']), originOf(row)]))
  const claimed = yield* claimKeys(dialect, pipeline, entriesOf(batch, open, verdicts), verdicts)
  return { complete: new Set(folded.map(({ id }) => String(id))), ...claimed }
}

const originOf = (row: LedgerRow): Origin => ({
  key: String(row['key']),
  loadId: row['load_id'] === null ? null : String(row['load_id']),
})

function entriesOf({ replays }: ReplayBatch, open: Map<number, Origin>, verdicts: Verdict[]): Entry[] {
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
function* claimKeys(
  dialect: LedgerDialect,
  pipeline: string,
  entries: readonly Entry[],
  verdicts: Verdict[],
): Steps<{ fresh: readonly Entry[]; known: readonly Entry[] }> {
  const fresh: Entry[] = []
  const known: Entry[] = []
  for (const entry of entries) {
    const { claim: own, fault } = entry.replay
    const holder = own === undefined || fault !== undefined ? undefined : yield* enter(dialect, pipeline, own)
    if (holder === undefined) fresh.push(entry)
    else if (holder === own?.sha256) {
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
function* enter(
  { ledger, entering }: LedgerDialect,
  pipeline: string,
  { key, sha256 }: NonNullable<RejectReplay['claim']>,
): Steps<string | undefined> {
  const insert = sql`INSERT INTO ${ledger} (pipeline, "key", sha256, outcome, records, loaded, rejected, skipped)
    VALUES (${pipeline}, ${key}, ${fromHex(sha256)}, 'applied', 1, 1, 0, 0)`
  if (yield* entering(insert)) return undefined
  const [row] = yield sql`SELECT sha256 FROM ${ledger} WHERE pipeline = ${pipeline} AND "key" = ${key}`
  return row === undefined ? '' : Buffer.from(row['sha256'] as Uint8Array).toString('hex')
}

/** The outcome of each row; for a refused one a fault with its place in the record. */
async function place(placement: Placing, { model }: ReplayBatch, entries: readonly Entry[]) {
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

function* settle(
  { reject, ledger, among }: LedgerDialect,
  pipeline: string,
  entries: readonly Entry[],
  skippedClaims: readonly string[],
): Steps<void> {
  const ids = entries.map(({ replay }) => replay.id)
  if (ids.length > 0) yield sql`UPDATE ${reject} SET state = 'replayed' WHERE ${among(sql`id`, ids)}`
  if (skippedClaims.length > 0)
    yield sql`UPDATE ${ledger} SET loaded = 0, skipped = 1 WHERE pipeline = ${pipeline} AND ${among(sql`"key"`, skippedClaims)}`
}

/** Rejects that are refused again stay open, and their keys become free. */
function* keepReasons(
  { reject, ledger, among }: LedgerDialect,
  pipeline: string,
  refused: readonly (readonly [Entry, Fault])[],
): Steps<void> {
  for (const [{ replay }, { code, detail, column, span }] of refused) {
    const name = column === undefined ? null : storable(column)
    yield sql`UPDATE ${reject} SET code = ${code}, detail = ${storable(detail)}, column_name = ${name}, span_start = ${span?.start ?? null},
      span_end = ${span?.end ?? null} WHERE id = ${replay.id}`
  }
  const keys = refused.flatMap(([{ replay }]) =>
    replay.claim === undefined || replay.fault !== undefined ? [] : [replay.claim.key],
  )
  if (keys.length > 0)
    yield sql`DELETE FROM ${ledger} WHERE pipeline = ${pipeline} AND ${among(sql`"key"`, keys)}`
}

/**
 * Subtracts the records from the rejected and adds them to what they are now: in the load's own row if it is
 * folded, else in the ledger's row.
 */
function* move(
  { load, ledger }: LedgerDialect,
  pipeline: string,
  moves: readonly Move[],
  complete: ReadonlySet<string>,
): Steps<void> {
  const isFolded = ({ origin }: Move) => origin.loadId !== null && complete.has(origin.loadId)
  const folded = Map.groupBy(moves.filter(isFolded), ({ origin }) => String(origin.loadId))
  // Sorted, so that two replays wait for each other instead of deadlocking.
  for (const [id, own] of [...folded].toSorted(byName)) {
    const loaded = countOf(own, 'loaded')
    yield sql`UPDATE ${load} SET rejected = rejected - ${own.length}, loaded = loaded + ${loaded}, skipped = skipped + ${countOf(own, 'skipped')},
      replaced_rows = replaced_rows + ${loaded} WHERE id = ${id}`
  }
  const others = moves.filter((each) => !isFolded(each))
  for (const [key, own] of [...Map.groupBy(others, ({ origin }) => origin.key)].toSorted(byName)) {
    yield sql`UPDATE ${ledger} SET rejected = rejected - ${own.length}, loaded = loaded + ${countOf(own, 'loaded')},
      skipped = skipped + ${countOf(own, 'skipped')}, records = records - ${countOf(own, 'elsewhere')}
      WHERE pipeline = ${pipeline} AND "key" = ${key}`
  }
}

const countOf = (moves: readonly Move[], to: Move['to']): number =>
  moves.filter((each) => each.to === to).length

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)
