/**
 * What changes the ledger in a transaction, as steps: each yields a statement and gets its rows. A driver
 * that waits and one that does not run the same steps, and neither has to pretend that it is the other.
 */
import type { LoadInfo } from '../../core/load.ts'
import type { Abortable } from '../../core/wait.ts'
import type { DeadLetter } from '../ledger.ts'
import { storable } from '../storable.ts'
import type { LedgerRow } from './ledger-rows.ts'
import { type Sql, sql } from './statement.ts'

export type Steps<T> = Generator<Sql, T, readonly LedgerRow[]>

/** Where databases differ, in the ledger's statements. */
export interface LedgerDialect {
  readonly load: Sql
  readonly ledger: Sql
  readonly reject: Sql
  readonly deadLetter: Sql
  readonly now: Sql
  /** Whether the column holds one of the values, by its index if it has one. */
  readonly among: (column: Sql, values: readonly (string | number)[]) => Sql
  /** Where in the column, from 1, the text or the bytes stand; 0 if they do not. */
  readonly position: (searched: string | Uint8Array, column: Sql) => Sql
  /** Bytes of a text; those of bytes are `octet_length` everywhere. */
  readonly octets: (text: Sql) => Sql
  /** Keeps the loads from being folded or forgotten until the end of the transaction. */
  readonly lockLoads: (ids: readonly string[]) => Steps<void>
  /**
   * Keeps batches of the loads out until the end of the transaction; waits for those that are being written.
   */
  readonly lockBatches: (ids: readonly string[]) => Steps<void>
  /** As `lockBatches` for the loads that no batch is being written to: returns their ids, and never waits. */
  readonly lockFreeLoads: (ids: readonly string[]) => Steps<readonly string[]>
}

export interface LedgerDatabase {
  readonly dialect: LedgerDialect
  /** Whether its tables are there; makes nothing. */
  isThere(options?: Abortable): Promise<boolean>
  /** Runs one statement. */
  ask(statement: Sql, options?: Abortable): Promise<readonly LedgerRow[]>
  /** Runs the steps in one transaction. */
  transact<T>(steps: () => Steps<T>, options?: Abortable): Promise<T>
}

export const insertLoad = (
  { load }: LedgerDialect,
  pipeline: string,
  info: LoadInfo,
  follows: string | null = null,
): Sql => {
  const { id, source, sha256, bytes, plan, chunks, records } = info
  return sql`INSERT INTO ${load} (id, pipeline, source, sha256, bytes, plan, chunks, records, follows)
    VALUES (${id}, ${pipeline}, ${storable(source)}, ${fromHex(sha256)}, ${bytes}, ${fromHex(plan)}, ${chunks}, ${records}, ${follows})
    ON CONFLICT DO NOTHING`
}

/** Returns false, and changes nothing, if the message has its verdict already. */
export function* bury(dialect: LedgerDialect, letter: DeadLetter): Steps<boolean> {
  if (yield* hasVerdict(dialect, letter)) return false
  const { pipeline, key, load, records, headers, body, attempts, code, detail } = letter
  // A letter that was replayed and failed again is dead again, with its new reason. One that turns out to
  // belong to a load joins it.
  yield sql`INSERT INTO ${dialect.deadLetter} AS old (pipeline, key, sha256, load_id, records, headers, body, attempts, code, detail)
    VALUES (${pipeline}, ${key}, ${fromHex(letter.sha256)}, ${load?.id ?? null}, ${records}, ${JSON.stringify(headers)}, ${body},
      ${attempts}, ${code}, ${storable(detail)})
    ON CONFLICT (pipeline, key, sha256) DO UPDATE SET state = 'dead', load_id = excluded.load_id, records = excluded.records,
      attempts = excluded.attempts, code = excluded.code, detail = excluded.detail, "at" = ${dialect.now}, discarded_at = NULL
    WHERE old.state = 'replayed' OR (old.load_id IS NULL AND excluded.load_id IS NOT NULL)`
  return true
}

/** If the message has no verdict and is a chunk of a load, it gets that of the dead. */
function* hasVerdict(
  dialect: LedgerDialect,
  { pipeline, key, load, records, sha256 }: DeadLetter,
): Steps<boolean> {
  const { ledger } = dialect
  if (load === undefined) {
    const known =
      yield sql`SELECT 1 FROM ${ledger} WHERE pipeline = ${pipeline} AND key = ${key} AND sha256 = ${fromHex(sha256)}`
    return known.length > 0
  }
  yield* dialect.lockLoads([load.id])
  if ((yield sql`SELECT 1 FROM ${dialect.load} WHERE id = ${load.id} AND complete`).length > 0) return true
  const entered =
    yield sql`INSERT INTO ${ledger} (pipeline, key, sha256, load_id, outcome, records, loaded, rejected, skipped)
    VALUES (${pipeline}, ${key}, ${fromHex(sha256)}, ${load.id}, 'dead', ${records}, 0, 0, 0) ON CONFLICT DO NOTHING RETURNING key`
  return entered.length === 0
}

/** A load with a dead chunk stays unfolded, so that the chunk can still be replayed. */
export function* fold(dialect: LedgerDialect, ids: readonly string[]): Steps<void> {
  const free = yield* dialect.lockFreeLoads(ids)
  if (free.length === 0) return
  const { load, ledger, among } = dialect
  const folded =
    yield sql`UPDATE ${load} AS load SET complete = true, completed_at = sums.last_at, loaded = sums.loaded, rejected = sums.rejected, skipped = sums.skipped,
      filtered = sums.filtered
    FROM (SELECT load_id, count(*) AS chunks, sum(loaded) AS loaded, sum(rejected) AS rejected, sum(skipped) AS skipped, sum(filtered) AS filtered,
            max(committed_at) AS last_at
          FROM ${ledger} WHERE ${among(sql`load_id`, free)} AND outcome = 'applied' GROUP BY load_id) sums
    WHERE id = sums.load_id AND NOT complete AND sums.chunks = load.chunks RETURNING id`
  const done = folded.map((row) => String(row['id']))
  if (done.length > 0) yield sql`DELETE FROM ${ledger} WHERE ${among(sql`load_id`, done)}`
}

/** Keeps batches of the loads out; returns how many of their records have taken effect. */
export function* lockLoaded(dialect: LedgerDialect, ids: readonly string[]): Steps<number> {
  yield* dialect.lockBatches(ids)
  const { load, ledger, among } = dialect
  const [row] =
    yield sql`SELECT coalesce(sum(CASE WHEN complete THEN loaded ELSE (SELECT sum(l.loaded) FROM ${ledger} l WHERE l.load_id = load.id) END), 0) AS loaded
    FROM ${load} AS load WHERE ${among(sql`id`, ids)}`
  return Number(row?.['loaded'])
}

/** After `lockLoaded`. */
export function* forgetLoads(
  { load, ledger, reject, deadLetter, among }: LedgerDialect,
  ids: readonly string[],
): Steps<void> {
  for (const table of [reject, deadLetter, ledger])
    yield sql`DELETE FROM ${table} WHERE ${among(sql`load_id`, ids)}`
  yield sql`DELETE FROM ${load} WHERE ${among(sql`id`, ids)}`
}

const fromHex = (hex: string): Buffer => Buffer.from(hex, 'hex')
