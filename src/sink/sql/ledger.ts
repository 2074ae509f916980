/** The ledger of every SQL sink. What differs between databases is in their `LedgerDatabase`. */
import { pagesOf } from '../../core/pages.ts'
import type { LoadInfo } from '../../core/load.ts'
import type { Abortable } from '../../core/wait.ts'
import type {
  Abandoned,
  DeadLetter,
  FilePart,
  Followed,
  ForgetOptions,
  Ledger,
  ListFilter,
  LoadProgress,
  MessageCounts,
  NamedLoad,
  Page,
  Pruned,
  PrunedPage,
  PruneFilter,
  Receipt,
  ReceiptFilter,
  RejectFilter,
  RejectGroup,
  SettledLoad,
  StoredDeadLetter,
  StoredReject,
} from '../ledger.ts'
import { storable } from '../storable.ts'
import {
  filePartOf,
  type LedgerRow,
  messagesOf,
  namedLoadOf,
  progressOf,
  receiptOf,
  settledOf,
} from './ledger-rows.ts'
import * as kept from './kept.ts'
import { prunable, prune } from './prune.ts'
import { chosenLoads, equal } from './chosen-loads.ts'
import { allOf, type Sql, sql } from './statement.ts'
import {
  bury,
  fold,
  abandonLoad,
  forgetLoads,
  insertLoad,
  type LedgerDatabase,
  type LedgerDialect,
  lockLoaded,
} from './steps.ts'

const rejectCounts = sql`count(*) AS reject_rows, count(CASE WHEN state = 'open' THEN 1 END) AS open_rejects`
const letterCounts = sql`count(*) AS dead_letters, count(CASE WHEN discarded_at IS NULL THEN 1 END) AS open_dead_letters,
  sum(records) AS dead_letter_records`
const chunkSums = sql`sum(loaded) AS sum_loaded, sum(rejected) AS sum_rejected, sum(skipped) AS sum_skipped,
  sum(CASE WHEN outcome = 'dead' THEN records END) AS dead, count(*) AS chunks_done, max(committed_at) AS last_at`

/**
 * A ledger that an older version has made and that was not prepared since has no such column. The name is then
 * that of the table around the subquery; a column of the inner table keeps the sum inside.
 */
const sumFiltered = (ledger: Sql): Sql =>
  sql`(SELECT sum(filtered + 0 * part.records) FROM ${ledger} AS part WHERE part.load_id = chosen.id)`

/** Loads in one transaction: a server has room for so many locks. */
const mostFolded = 500

export class SqlLedger implements Ledger {
  readonly #database: LedgerDatabase
  readonly #dialect: LedgerDialect

  constructor(database: LedgerDatabase) {
    this.#database = database
    this.#dialect = database.dialect
  }

  isThere(options?: Abortable): Promise<boolean> {
    return this.#database.isThere(options)
  }

  /**
   * ONE statement, because a load may be folded between two. A count that has no row is null, and null is 0.
   */
  async receipts(filter: ReceiptFilter, options?: Abortable): Promise<readonly Receipt[]> {
    const { load, reject, deadLetter, ledger, amongRows } = this.#dialect
    const chosen = chosenLoads(this.#dialect, filter)
    const ofChosen = amongRows(sql`load_id`, sql`SELECT id FROM chosen`)
    const rows = await this.#ask(
      sql`WITH chosen AS (SELECT * FROM ${load} AS own WHERE ${chosen} ORDER BY started_at DESC, id ${limited(filter.limit)}),
        rejects AS (SELECT load_id, ${rejectCounts} FROM ${reject} AS reject WHERE ${ofChosen} AND state <> 'replayed' GROUP BY load_id),
        letters AS (SELECT load_id, ${letterCounts} FROM ${deadLetter} AS letter WHERE ${ofChosen} AND state = 'dead' GROUP BY load_id),
        sums AS (SELECT load_id, ${chunkSums} FROM ${ledger} AS ledger WHERE ${ofChosen} GROUP BY load_id)
      SELECT chosen.*, reject_rows, open_rejects, dead_letters, open_dead_letters, dead_letter_records,
        sum_loaded, sum_rejected, sum_skipped, dead, chunks_done, last_at, ${sumFiltered(ledger)} AS sum_filtered
      FROM chosen CROSS JOIN (SELECT 0 AS filtered) AS older LEFT JOIN rejects ON rejects.load_id = chosen.id
        LEFT JOIN letters ON letters.load_id = chosen.id LEFT JOIN sums ON sums.load_id = chosen.id
      ORDER BY started_at DESC, id`,
      options,
    )
    return rows.map(receiptOf)
  }

  async pipelines(options?: Abortable): Promise<readonly string[]> {
    const { load } = this.#dialect
    const rows = await this.#ask(
      sql`SELECT DISTINCT pipeline FROM ${load} ORDER BY pipeline LIMIT 100`,
      options,
    )
    return rows.map((row) => String(row['pipeline']))
  }

  async settled(loads: readonly string[], options?: Abortable): Promise<readonly SettledLoad[]> {
    const { load, reject, deadLetter, among } = this.#dialect
    const none = (table: Sql, state: Sql) =>
      sql`NOT EXISTS (SELECT 1 FROM ${table} AS kept WHERE kept.load_id = own.id AND ${state})`
    const settled = sql`SELECT id, records, loaded, coalesce(filtered, 0) AS filtered FROM ${load} AS own
      WHERE ${among(sql`id`, loads)} AND complete AND rejected = 0 AND loaded + skipped = records AND coalesce(filtered, 0) <= skipped AND (replaced_at IS NULL OR replaced_rows IS NOT NULL)
        AND abandoned_at IS NULL AND ${none(reject, sql`state <> 'replayed'`)} AND ${none(deadLetter, sql`state = 'dead'`)}`
    return (await this.#ask(settled, options)).map(settledOf)
  }

  async progress(loadId: string, options?: Abortable): Promise<LoadProgress | undefined> {
    const { load, ledger } = this.#dialect
    const [found] = await this.#ask(
      sql`SELECT plan, complete, loaded FROM ${load} WHERE id = ${loadId}`,
      options,
    )
    if (found === undefined) return undefined
    return progressOf(
      found,
      await this.#ask(sql`SELECT "key", loaded FROM ${ledger} WHERE load_id = ${loadId}`, options),
    )
  }

  async messages({ pipeline }: Pick<ReceiptFilter, 'pipeline'>, options?: Abortable): Promise<MessageCounts> {
    const { reject, deadLetter } = this.#dialect
    const ofMessages = allOf([sql`load_id IS NULL`, equal(sql`pipeline`, pipeline)])
    const [counts] = await this.#ask(
      sql`SELECT * FROM (SELECT ${rejectCounts} FROM ${reject} AS reject WHERE ${ofMessages} AND state <> 'replayed') rejects,
        (SELECT ${letterCounts} FROM ${deadLetter} AS letter WHERE ${ofMessages} AND state = 'dead') letters`,
      options,
    )
    return messagesOf(counts as LedgerRow)
  }

  async named(text: string, options?: Abortable): Promise<readonly NamedLoad[]> {
    const { load, among } = this.#dialect
    const name = storable(text)
    const begins = sql`substr(id || '', 1, ${name.length}) = ${name.toLowerCase()}`
    const rows = await this.#ask(
      sql`SELECT id, source, sha256, started_at FROM ${load} WHERE ${begins} OR ${among(sql`source`, endsOf(name))}
        ORDER BY started_at DESC, id LIMIT 100`,
      options,
    )
    return rows.map(namedLoadOf)
  }

  async newest(
    pipeline: string,
    sources: readonly string[],
    options?: Abortable,
  ): Promise<readonly NamedLoad[]> {
    const { load } = this.#dialect
    const rows = await this.#ask(
      sql`SELECT id, source, sha256, started_at
        FROM (SELECT id, source, sha256, started_at, row_number() OVER (PARTITION BY source ORDER BY started_at DESC, id) AS place
              FROM ${load} WHERE ${this.#ofSources(pipeline, sources)}) own
        WHERE place = 1 ORDER BY source`,
      options,
    )
    return rows.map(namedLoadOf)
  }

  async parts(pipeline: string, source: string, options?: Abortable): Promise<readonly FilePart[]> {
    const { load, ledger } = this.#dialect
    const isFollowed = sql`EXISTS (SELECT 1 FROM ${load} AS next WHERE next.follows = own.id)`
    const done = sql`(SELECT count(*) FROM ${ledger} AS part WHERE part.load_id = own.id)`
    const rows = await this.#ask(
      sql`WITH own AS (SELECT * FROM ${load} AS one WHERE ${this.#ofSources(pipeline, [source])}),
        last AS (SELECT id FROM own WHERE NOT ${isFollowed} ORDER BY started_at DESC, id LIMIT 1),
        open AS (SELECT id, follows FROM own WHERE NOT complete AND ${done} < chunks
                 AND (follows IS NOT NULL OR id IN (SELECT id FROM last) OR ${isFollowed}))
      SELECT id, sha256, bytes, follows, started_at, id IN (SELECT id FROM open) AS open, id IN (SELECT id FROM last) AS last
      FROM own WHERE id IN (SELECT id FROM last UNION SELECT id FROM open UNION SELECT follows FROM open)
      ORDER BY last DESC, bytes`,
      options,
    )
    return rows.map(filePartOf)
  }

  async follow(pipeline: string, info: LoadInfo, follows: string, options?: Abortable): Promise<Followed> {
    const { load } = this.#dialect
    await this.#ask(insertLoad(this.#dialect, pipeline, info, follows), options)
    const rows = await this.#ask(
      sql`SELECT id, follows FROM ${load} WHERE follows = ${follows} OR id = ${info.id}`,
      options,
    )
    const follower = rows.find((row) => row['follows'] === follows)
    if (follower === undefined) return 'known'
    return follower['id'] === info.id ? 'entered' : 'taken'
  }

  async forget(loadIds: readonly string[], { mostLoaded, ...options }: ForgetOptions = {}): Promise<boolean> {
    if (loadIds.length === 0) return true
    const dialect = this.#dialect
    return this.#database.transact(function* () {
      if ((yield* lockLoaded(dialect, loadIds)) > (mostLoaded ?? Number.POSITIVE_INFINITY)) return false
      yield* forgetLoads(dialect, loadIds)
      return true
    }, options)
  }

  abandon(pipeline: string, info: LoadInfo, options?: Abortable): Promise<Abandoned> {
    return this.#database.transact(() => abandonLoad(this.#dialect, pipeline, info), options)
  }

  async zoneReleases(
    loadIds: readonly string[],
    release: string,
    options?: Abortable,
  ): Promise<readonly string[]> {
    const { load, among } = this.#dialect
    const ofLoads = among(sql`id`, loadIds)
    await this.#ask(
      sql`UPDATE ${load} SET zone_release = ${release} WHERE ${ofLoads} AND zone_release IS NULL`,
      options,
    )
    // A statement of its own, whose snapshot has what another consumer wrote at the same time.
    const others = await this.#ask(
      sql`SELECT DISTINCT zone_release FROM ${load} WHERE ${ofLoads} AND zone_release <> ${release} ORDER BY zone_release`,
      options,
    )
    return others.map((row) => String(row['zone_release']))
  }

  rejects(filter: RejectFilter & Page, options?: Abortable): Promise<readonly StoredReject[]> {
    return kept.rejects(this.#database, filter, options)
  }

  rejectGroups(filter: RejectFilter, options?: Abortable): Promise<readonly RejectGroup[]> {
    return kept.rejectGroups(this.#database, filter, options)
  }

  editReject(
    id: number,
    record: Uint8Array,
    masked: readonly string[],
    options?: Abortable,
  ): Promise<boolean> {
    return kept.editReject(this.#database, id, record, masked, options)
  }

  discardRejects(ids: readonly number[], options?: Abortable): Promise<number> {
    return kept.discardRejects(this.#database, ids, options)
  }

  deadLetters(filter: ListFilter & Page, options?: Abortable): Promise<readonly StoredDeadLetter[]> {
    return kept.deadLetters(this.#database, filter, options)
  }

  discardDeadLetters(ids: readonly number[], options?: Abortable): Promise<number> {
    return kept.discardDeadLetters(this.#database, ids, options)
  }

  async bury(letter: DeadLetter, options?: Abortable): Promise<void> {
    const { load, pipeline } = letter
    if (load !== undefined) await this.#ask(insertLoad(this.#dialect, pipeline, load), options)
    const isNew = await this.#database.transact(() => bury(this.#dialect, letter), options)
    // Another session may have skipped this load in its fold, because this transaction was at work.
    if (!isNew && load !== undefined) await this.fold([load.id], options)
  }

  async fold(loadIds: readonly string[], options?: Abortable): Promise<void> {
    const { load, among } = this.#dialect
    for (const page of pagesOf(loadIds, mostFolded)) {
      const ofPage = among(sql`id`, page)
      const rows = await this.#ask(sql`SELECT id FROM ${load} WHERE ${ofPage} AND NOT complete`, options)
      const open = rows.map((row) => String(row['id']))
      if (open.length > 0) await this.#database.transact(() => fold(this.#dialect, open), options)
    }
  }

  prunable(filter: PruneFilter, options?: Abortable): Promise<Pruned> {
    return prunable(this.#database, filter, options)
  }

  prune(
    filter: PruneFilter,
    page: { readonly after?: string | undefined; readonly limit: number },
    options?: Abortable,
  ): Promise<PrunedPage> {
    return prune(this.#database, filter, page, options)
  }

  #ofSources(pipeline: string, sources: readonly string[]): Sql {
    const { among, sourcesHint } = this.#dialect
    const names = sources.map(storable)
    return allOf([sql`pipeline = ${pipeline}`, sourcesHint?.(names), among(sql`source`, names)])
  }

  #ask(statement: Sql, options: Abortable | undefined): Promise<readonly LedgerRow[]> {
    return this.#database.ask(statement, options)
  }
}

/** A path, and what of it stands behind each of its slashes. */
const endsOf = (path: string): string[] => [
  path,
  ...[...path.matchAll(/\//g)].map(({ index }) => path.slice(index + 1)),
]

const limited = (limit: number | undefined): Sql => (limit === undefined ? sql`` : sql`LIMIT ${limit}`)
