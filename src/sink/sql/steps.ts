/**
 * What changes the ledger in a transaction, as steps: each yields a statement and gets its rows. A driver
 * that waits and one that does not run the same steps, and neither has to pretend that it is the other.
 */
import type { LoadInfo } from '../../core/load.ts'
import type { Abortable } from '../../core/wait.ts'
import type { Abandoned, DeadLetter } from '../ledger.ts'
import { storable } from '../storable.ts'
import type { LedgerRow } from './ledger-rows.ts'
import { type Sql, sql } from './statement.ts'

export type Steps<T> = Generator<Sql, T, readonly LedgerRow[]>

/** Runs the steps by a driver that waits; a step may catch the error of its statement. */
export async function runSteps<T>(
  steps: Steps<T>,
  ask: (statement: Sql) => Promise<readonly LedgerRow[]>,
): Promise<T> {
  let step = steps.next()
  while (step.done !== true)
    step = await ask(step.value).then(
      (rows) => steps.next(rows),
      (error: unknown) => steps.throw(error),
    )
  return step.value
}

/** Where databases differ, in the ledger's statements. */
export interface LedgerDialect {
  readonly load: Sql
  readonly ledger: Sql
  readonly reject: Sql
  readonly deadLetter: Sql
  readonly now: Sql
  /** Whether the column holds one of the values, by its index if it has one. */
  readonly among: (column: Sql, values: readonly (string | number)[]) => Sql
  /** Whether the column holds one of the values of a query, by its index however many rows the table has. */
  readonly amongRows: (column: Sql, query: Sql) => Sql
  /** What is true of the loads of these sources, and is found by an index where the source itself has none. */
  readonly sourcesHint?: (sources: readonly string[]) => Sql
  /** Where in the column, from 1, the text or the bytes stand; 0 if they do not. */
  readonly position: (searched: string | Uint8Array, column: Sql) => Sql
  /** Bytes of a text; those of bytes are `octet_length` everywhere. */
  readonly octets: (text: Sql) => Sql
  /** What an INSERT ends with that leaves alone what has its key already. */
  readonly unlessThere: Sql
  /** Runs an INSERT of one row with that end; whether the row is a new one. */
  readonly entering: (insert: Sql) => Steps<boolean>
  /** An UPDATE of `table` by the rows of `from`; the names of what is set are those of the one alone. */
  readonly updateFrom: (table: Sql, from: Sql, set: Sql, where: Sql) => Sql
  /** What a SELECT ends with whose rows are changed next. */
  readonly forUpdate: Sql
  /** Keeps the loads from being folded or forgotten until the end of the transaction. */
  readonly lockLoads: (ids: readonly string[]) => Steps<void>
  /** As `lockLoads`, for a transaction that changes their rows. */
  readonly lockChanging: (ids: readonly string[]) => Steps<void>
  /**
   * Keeps batches of the loads out until the end of the transaction; waits for those that are being written.
   */
  readonly lockBatches: (ids: readonly string[]) => Steps<void>
  /** As `lockBatches` for the loads that no batch is being written to: returns their ids, and never waits. */
  readonly lockFreeLoads: (ids: readonly string[]) => Steps<readonly string[]>
}

/** Of databases that look up what such a query gives. */
export const inRows: LedgerDialect['amongRows'] = (column, query) => sql`${column} IN (${query})`

/** Databases that have ON CONFLICT, RETURNING and UPDATE … FROM. */
export const conflictDialect: Pick<LedgerDialect, 'unlessThere' | 'entering' | 'updateFrom'> = {
  unlessThere: sql`ON CONFLICT DO NOTHING`,
  *entering(insert) {
    return (yield sql`${insert} ON CONFLICT DO NOTHING RETURNING 1 AS entered`).length > 0
  },
  updateFrom: (table, from, set, where) => sql`UPDATE ${table} SET ${set} FROM ${from} WHERE ${where}`,
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
  { load, unlessThere }: LedgerDialect,
  pipeline: string,
  info: LoadInfo,
  follows: string | null = null,
): Sql => {
  const { id, source, sha256, bytes, plan, chunks, records } = info
  return sql`INSERT INTO ${load} (id, pipeline, source, sha256, bytes, plan, chunks, records, follows)
    VALUES (${id}, ${pipeline}, ${storable(source)}, ${fromHex(sha256)}, ${bytes}, ${fromHex(plan)}, ${chunks}, ${records}, ${follows})
    ${unlessThere}`
}

/** Returns false, and changes nothing, if the message has its verdict already. */
export function* bury(dialect: LedgerDialect, letter: DeadLetter): Steps<boolean> {
  if (yield* hasVerdict(dialect, letter)) return false
  const { pipeline, key, load, records, headers, body, attempts, code, detail } = letter
  const loadId = load?.id ?? null
  const insert = sql`INSERT INTO ${dialect.deadLetter} (pipeline, "key", sha256, load_id, records, headers, body, attempts, code, detail)
    VALUES (${pipeline}, ${key}, ${fromHex(letter.sha256)}, ${loadId}, ${records}, ${JSON.stringify(headers)}, ${body},
      ${attempts}, ${code}, ${storable(detail)})`
  if (yield* dialect.entering(insert)) return true
  // A letter that was replayed and failed again is dead again, with its new reason. One that turns out to
  // belong to a load joins it.
  const isOver = load === undefined ? sql`state = 'replayed'` : sql`(state = 'replayed' OR load_id IS NULL)`
  yield sql`UPDATE ${dialect.deadLetter} SET state = 'dead', load_id = ${loadId}, records = ${records}, attempts = ${attempts},
      code = ${code}, detail = ${storable(detail)}, "at" = ${dialect.now}, discarded_at = NULL
    WHERE pipeline = ${pipeline} AND "key" = ${key} AND sha256 = ${fromHex(letter.sha256)} AND ${isOver}`
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
      yield sql`SELECT 1 FROM ${ledger} WHERE pipeline = ${pipeline} AND "key" = ${key} AND sha256 = ${fromHex(sha256)}`
    return known.length > 0
  }
  yield* dialect.lockLoads([load.id])
  if ((yield sql`SELECT 1 FROM ${dialect.load} WHERE id = ${load.id} AND complete`).length > 0) return true
  const insert = sql`INSERT INTO ${ledger} (pipeline, "key", sha256, load_id, outcome, records, loaded, rejected, skipped)
    VALUES (${pipeline}, ${key}, ${fromHex(sha256)}, ${load.id}, 'dead', ${records}, 0, 0, 0)`
  return !(yield* dialect.entering(insert))
}

/** A load with a dead chunk stays unfolded, so that the chunk can still be replayed. */
export function* fold(dialect: LedgerDialect, ids: readonly string[]): Steps<void> {
  const free = yield* dialect.lockFreeLoads(ids)
  if (free.length === 0) return
  const { load, ledger, among } = dialect
  yield dialect.updateFrom(
    load,
    sql`(SELECT load_id, count(*) AS done, sum(loaded) AS sum_loaded, sum(rejected) AS sum_rejected, sum(skipped) AS sum_skipped,
        sum(filtered) AS sum_filtered, max(committed_at) AS last_at
      FROM ${ledger} WHERE ${among(sql`load_id`, free)} AND outcome = 'applied' GROUP BY load_id) sums`,
    sql`complete = true, completed_at = last_at, loaded = sum_loaded, rejected = sum_rejected, skipped = sum_skipped, filtered = sum_filtered`,
    // The ids again: otherwise every load there is would be joined with the sums of these.
    sql`${among(sql`id`, free)} AND id = sums.load_id AND NOT complete AND done = chunks`,
  )
  yield sql`DELETE FROM ${ledger} WHERE ${among(sql`load_id`, free)} AND load_id IN (SELECT id FROM ${load} WHERE ${among(sql`id`, free)} AND complete)`
}

/** Keeps batches of the loads out; returns how many of their records have taken effect. */
export function* lockLoaded(dialect: LedgerDialect, ids: readonly string[]): Steps<number> {
  yield* dialect.lockBatches(ids)
  const { load, ledger, among } = dialect
  const [row] =
    yield sql`SELECT coalesce(sum(CASE WHEN complete THEN loaded ELSE (SELECT sum(part.loaded) FROM ${ledger} AS part WHERE part.load_id = own.id) END), 0) AS loaded
    FROM ${load} AS own WHERE ${among(sql`id`, ids)}`
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

/** Rows and rejects stay. A dead letter could still be loaded, so a person must replay or discard it first. */
export function* abandonLoad(dialect: LedgerDialect, pipeline: string, info: LoadInfo): Steps<Abandoned> {
  const { load, ledger, deadLetter, now } = dialect
  const { id } = info
  yield* dialect.lockBatches([id])
  yield insertLoad(dialect, pipeline, info)
  const [known] = yield sql`SELECT complete FROM ${load} WHERE id = ${id}`
  if (known?.['complete']) return 'complete'
  const letters =
    yield sql`SELECT 1 FROM ${deadLetter} WHERE load_id = ${id} AND state = 'dead' AND discarded_at IS NULL LIMIT 1`
  if (letters.length > 0) return 'letters'
  yield sql`DELETE FROM ${deadLetter} WHERE load_id = ${id} AND state = 'dead'`
  const [sums] = yield sql`SELECT coalesce(sum(loaded), 0) AS loaded, coalesce(sum(rejected), 0) AS rejected,
      coalesce(sum(skipped), 0) - coalesce(sum(filtered), 0) AS repeated FROM ${ledger} WHERE load_id = ${id} AND outcome = 'applied'`
  const [loaded, rejected, repeated] = ['loaded', 'rejected', 'repeated'].map((name) => Number(sums?.[name]))
  const skipped = sql`records - ${loaded as number} - ${rejected as number}`
  yield sql`UPDATE ${load} SET complete = true, completed_at = ${now}, abandoned_at = ${now}, loaded = ${loaded as number}, rejected = ${rejected as number},
    skipped = ${skipped}, filtered = ${skipped} - ${repeated as number} WHERE id = ${id}`
  yield sql`DELETE FROM ${ledger} WHERE load_id = ${id}`
  return 'abandoned'
}

/** Entries of a table that have the condition, kept from others until the end of the transaction: their ids. */
export function* lockEntries(dialect: LedgerDialect, table: Sql, condition: Sql): Steps<readonly number[]> {
  const entries =
    yield sql`SELECT id FROM ${table} AS one WHERE ${condition} ORDER BY id ${dialect.forUpdate}`
  return entries.map(({ id }) => Number(id))
}

export const fromHex = (hex: string): Buffer => Buffer.from(hex, 'hex')
