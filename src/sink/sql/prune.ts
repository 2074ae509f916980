/** What of a SQL ledger is old and may go. */
import type { Abortable } from '../../core/wait.ts'
import type { Pruned, PrunedPage, PruneFilter } from '../ledger.ts'
import type { LedgerRow } from './ledger-rows.ts'
import { allOf, raw, type Sql, sql } from './statement.ts'
import { forgetLoads, type LedgerDatabase, type LedgerDialect, lockEntries, type Steps } from './steps.ts'

interface Page {
  readonly after?: string | undefined
  readonly limit: number
}

/** What stands in place of the body of a letter that goes on counting. */
const emptied = 'lading prune has removed the body'

/** How the entries of one kind are found and removed. */
interface Kind {
  /** The table, known as `one`. */
  readonly from: Sql
  readonly chosen: Sql
  /** Of its content. */
  readonly bytes: Sql
  /** Columns that identify an entry, in their order. */
  readonly key: readonly string[]
  /** Removes those of the entries that are still to go, and returns their keys. */
  readonly remove: (entries: readonly LedgerRow[]) => Steps<readonly LedgerRow[]>
}

/** Counted by the receipts of loads, so that only their content can go. */
const counts = sql`one.load_id IS NOT NULL`

function rejectsOf(dialect: LedgerDialect, { open, ...filter }: PruneFilter): Kind {
  const { reject, among, octets } = dialect
  const discarded = open === true ? sql`one.state IN ('discarded', 'open')` : sql`one.state = 'discarded'`
  const isEmpty = sql`octet_length(one.raw) = 0 AND one.edited IS NULL AND one.detail = '' AND one.state <> 'open'`
  const goes = sql`(one.state = 'replayed' OR (${discarded} AND NOT (${counts} AND ${isEmpty})))`
  return {
    from: sql`${reject} AS one`,
    chosen: allOf([old(sql`one.at`, filter), goes]),
    bytes: sql`octet_length(one.raw) + coalesce(octet_length(one.edited), 0) + ${octets(sql`one.detail`)}`,
    key: ['id'],
    *remove(entries) {
      const mine = among(
        sql`id`,
        entries.map(({ id }) => Number(id)),
      )
      const empty = sql`state = 'discarded', raw = ${Buffer.alloc(0)}, edited = NULL, masked = NULL, span_start = NULL, span_end = NULL,
        detail = ''`
      return yield* removeEntries(dialect, reject, mine, discarded, empty)
    },
  }
}

function lettersOf(dialect: LedgerDialect, { open, ...filter }: PruneFilter): Kind {
  const { deadLetter, among, now, octets } = dialect
  const discarded =
    open === true ? sql`one.state = 'dead'` : sql`one.state = 'dead' AND one.discarded_at IS NOT NULL`
  const isEmpty = sql`octet_length(one.body) = 0 AND one.discarded_at IS NOT NULL`
  const goes = sql`(one.state = 'replayed' OR (${discarded} AND NOT (${counts} AND ${isEmpty})))`
  return {
    from: sql`${deadLetter} AS one`,
    chosen: allOf([old(sql`one.at`, filter), goes]),
    bytes: sql`octet_length(one.body) + ${octets(sql`one.headers`)} + ${octets(sql`one.detail`)}`,
    key: ['id'],
    *remove(entries) {
      const mine = among(
        sql`id`,
        entries.map(({ id }) => Number(id)),
      )
      const empty = sql`body = ${Buffer.alloc(0)}, detail = ${emptied}, discarded_at = coalesce(discarded_at, ${now})`
      return yield* removeEntries(dialect, deadLetter, mine, discarded, empty)
    },
  }
}

/** Of the entries that count, the content goes; the others go as a whole. Returns both. */
function* removeEntries(
  dialect: LedgerDialect,
  table: Sql,
  mine: Sql,
  discarded: Sql,
  empty: Sql,
): Steps<readonly LedgerRow[]> {
  const kept = yield* lockEntries(dialect, table, allOf([mine, discarded, counts]))
  const rest = sql`(one.state = 'replayed' OR (${discarded} AND NOT (${counts})))`
  const gone = yield* lockEntries(dialect, table, allOf([mine, rest]))
  yield sql`UPDATE ${table} SET ${empty} WHERE ${dialect.among(sql`id`, kept)}`
  yield sql`DELETE FROM ${table} WHERE ${dialect.among(sql`id`, gone)}`
  return [...kept, ...gone].map((id) => ({ id }))
}

function messagesOf({ ledger, among, octets, forUpdate }: LedgerDialect, filter: PruneFilter): Kind {
  const chosen = allOf([old(sql`one.committed_at`, filter), sql`one.load_id IS NULL`])
  return {
    from: sql`${ledger} AS one`,
    chosen,
    bytes: sql`${octets(sql`one.pipeline`)} + ${octets(sql`one."key"`)} + octet_length(one.sha256)`,
    key: ['pipeline', 'key'],
    *remove(entries) {
      const removed: LedgerRow[] = []
      for (const [pipeline, listed] of Map.groupBy(entries, (entry) => String(entry['pipeline']))) {
        const keys = among(
          sql`"key"`,
          listed.map(({ key }) => String(key)),
        )
        const own =
          yield sql`SELECT pipeline, "key" FROM ${ledger} AS one WHERE pipeline = ${pipeline} AND ${keys} AND ${chosen} ${forUpdate}`
        const names = own.map(({ key }) => String(key))
        yield sql`DELETE FROM ${ledger} WHERE pipeline = ${pipeline} AND ${among(sql`"key"`, names)}`
        removed.push(...own)
      }
      return removed
    },
  }
}

function loadsOf(dialect: LedgerDialect, { open, ...filter }: PruneFilter): Kind {
  const { load, reject, deadLetter, among, octets } = dialect
  const none = (table: Sql, state: Sql) =>
    sql`NOT EXISTS (SELECT 1 FROM ${table} AS kept WHERE kept.load_id = one.id AND ${state})`
  const kept = sql`(SELECT count(*) FROM ${reject} AS kept WHERE kept.load_id = one.id AND state <> 'replayed')`
  const isOld = allOf([
    old(sql`one.completed_at`, filter),
    sql`one.complete AND one.rejected = ${kept}`,
    // Of a file that grows, they tell together how much of it is loaded.
    sql`one.follows IS NULL AND NOT EXISTS (SELECT 1 FROM ${load} AS next WHERE next.follows = one.id)`,
    open === true ? undefined : none(reject, sql`state = 'open'`),
    open === true ? undefined : none(deadLetter, sql`state = 'dead' AND discarded_at IS NULL`),
  ])
  return {
    from: sql`${load} AS one`,
    chosen: isOld,
    bytes: sql`${octets(sql`one.source`)} + octet_length(one.sha256) + octet_length(one.plan) + coalesce(${octets(sql`one.layout`)}, 0)
      + coalesce((SELECT sum(octet_length(kept.raw) + ${octets(sql`kept.detail`)}) FROM ${reject} AS kept WHERE kept.load_id = one.id), 0)`,
    key: ['id'],
    *remove(entries) {
      const free = yield* dialect.lockFreeLoads(entries.map(({ id }) => String(id)))
      if (free.length === 0) return []
      const still =
        yield sql`SELECT one.id FROM ${load} AS one WHERE ${among(sql`one.id`, free)} AND ${isOld}`
      yield* forgetLoads(
        dialect,
        still.map(({ id }) => String(id)),
      )
      return still
    },
  }
}

const old = (time: Sql, { before, pipeline }: Omit<PruneFilter, 'open'>): Sql =>
  allOf([sql`${time} < ${before}`, pipeline === undefined ? undefined : sql`one.pipeline = ${pipeline}`])

const kinds = { rejects: rejectsOf, letters: lettersOf, messages: messagesOf, loads: loadsOf }

export async function prunable(
  database: LedgerDatabase,
  filter: PruneFilter,
  options?: Abortable,
): Promise<Pruned> {
  const { from, chosen, bytes } = kinds[filter.what](database.dialect, filter)
  const [row] = await database.ask(
    sql`SELECT count(*) AS entries, coalesce(sum(${bytes}), 0) AS bytes FROM ${from} WHERE ${chosen}`,
    options,
  )
  return { entries: Number(row?.['entries']), bytes: Number(row?.['bytes']) }
}

export async function prune(
  database: LedgerDatabase,
  filter: PruneFilter,
  { after, limit }: Page,
  options?: Abortable,
): Promise<PrunedPage> {
  const { from, chosen, bytes, key, remove } = kinds[filter.what](database.dialect, filter)
  const columns = raw(key.map((name) => `one."${name}"`).join(', '))
  const behind = after === undefined ? undefined : sql`(${columns}) > (${valuesOf(JSON.parse(after))})`
  const entries = await database.ask(
    sql`SELECT ${columns}, ${bytes} AS bytes FROM ${from} WHERE ${allOf([chosen, behind])} ORDER BY ${columns} LIMIT ${limit}`,
    options,
  )
  const nameOf = (entry: LedgerRow) => JSON.stringify(key.map((name) => String(entry[name])))
  const last = entries.at(-1)
  if (last === undefined) return { entries: 0, bytes: 0, next: undefined }
  const gone = await database.transact(() => remove(entries), options)
  const removed = new Set(gone.map(nameOf))
  return {
    ...(filter.what === 'loads' && { loads: gone.map(({ id }) => String(id)) }),
    entries: removed.size,
    bytes: entries.reduce((sum, each) => (removed.has(nameOf(each)) ? sum + Number(each['bytes']) : sum), 0),
    next: entries.length < limit ? undefined : nameOf(last),
  }
}

const valuesOf = (values: readonly (string | number)[]): Sql =>
  values.map((value) => sql`${value}`).reduce((all, each) => sql`${all}, ${each}`)
