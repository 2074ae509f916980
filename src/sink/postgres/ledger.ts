/** What the ledger tells, and its housekeeping. */
import type pg from 'pg'
import type { Abortable } from '../../core/wait.ts'
import {
  deadLetterOf,
  type LedgerRow,
  messagesOf,
  namedLoadOf,
  progressOf,
  receiptOf,
  rejectGroupOf,
  rejectOf,
} from '../sql/ledger-rows.ts'
import type {
  DeadLetter,
  ForgetOptions,
  Ledger,
  ListFilter,
  LoadProgress,
  MessageCounts,
  NamedLoad,
  Page,
  Receipt,
  ReceiptFilter,
  RejectFilter,
  RejectGroup,
  StoredDeadLetter,
  StoredReject,
} from '../ledger.ts'
import { storable } from '../storable.ts'
import type { Connection } from './connection.ts'
import { forgetLoads, insertLoads, lockAgainstBatches, lockAndAsk } from './loads.ts'
import { beginBatch, transaction } from './transaction.ts'

const rejectCounts = `count(*) AS reject_rows, count(*) FILTER (WHERE state = 'open') AS open_rejects FROM lading.reject r WHERE r.state <> 'replayed'`
const letterCounts = `count(*) AS dead_letters, count(*) FILTER (WHERE discarded_at IS NULL) AS open_dead_letters,
    coalesce(sum(d.records), 0) AS dead_letter_records FROM lading.dead_letter d WHERE d.state = 'dead'`

const receiptSql = `
  SELECT load.*, sums.*, rejects.*, letters.*
  FROM lading.load
  CROSS JOIN LATERAL (SELECT ${rejectCounts} AND r.load_id = load.id) rejects
  CROSS JOIN LATERAL (SELECT ${letterCounts} AND d.load_id = load.id) letters
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.loaded), 0) AS sum_loaded, coalesce(sum(l.rejected), 0) AS sum_rejected, coalesce(sum(l.skipped), 0) AS sum_skipped,
      coalesce(sum(l.records) FILTER (WHERE l.outcome = 'dead'), 0) AS dead, count(*) AS chunks_done
    FROM lading.ledger l WHERE l.load_id = load.id) sums
  WHERE ($1::uuid[] IS NULL OR load.id = ANY ($1)) AND ($2::text IS NULL OR load.pipeline = $2)
  ORDER BY started_at DESC, id LIMIT $3`

const ofMessages = 'load_id IS NULL AND ($1::text IS NULL OR pipeline = $1)'
const messagesSql = `SELECT * FROM (SELECT ${rejectCounts} AND ${ofMessages}) rejects, (SELECT ${letterCounts} AND ${ofMessages}) letters`

/** What rejects and dead letters are chosen by, in the order of `chosenBy`. */
const chosen = `($1::text IS NULL OR one.pipeline = $1) AND ($2::uuid IS NULL OR one.load_id = $2) AND ($3::bigint IS NULL OR one.id = $3)
  AND ($4::text IS NULL OR one.code = $4) AND ($5::text IS NULL OR strpos(one.detail, $5) > 0 OR position($6::bytea IN one.`

const chosenReject = `${chosen}raw) > 0) AND ($7 OR one.state = 'open') AND ($8::text IS NULL OR coalesce(one.column_name, '') = $8)`
const chosenLetter = `${chosen}body) > 0) AND ($7 OR (one.state = 'dead' AND one.discarded_at IS NULL))`

const chosenBy = ({ pipeline, loadId, id, code, search, all }: ListFilter): unknown[] => [
  pipeline ?? null,
  loadId ?? null,
  id ?? null,
  code ?? null,
  search === undefined ? null : storable(search),
  search === undefined ? null : Buffer.from(search),
  all ?? false,
]

export class PostgresLedger implements Ledger {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async receipts(filter: ReceiptFilter, options?: Abortable): Promise<readonly Receipt[]> {
    const rows = await this.#query(
      receiptSql,
      [filter.loads ?? null, filter.pipeline ?? null, filter.limit ?? null],
      options,
    )
    return rows.map(receiptOf)
  }

  async progress(loadId: string, options?: Abortable): Promise<LoadProgress | undefined> {
    const [load] = await this.#query(
      'SELECT plan, complete, loaded FROM lading.load WHERE id = $1',
      [loadId],
      options,
    )
    if (load === undefined) return undefined
    const rows = await this.#query(
      'SELECT key, loaded FROM lading.ledger WHERE load_id = $1',
      [loadId],
      options,
    )
    return progressOf(load, rows)
  }

  async messages({ pipeline }: Pick<ReceiptFilter, 'pipeline'>, options?: Abortable): Promise<MessageCounts> {
    const [counts] = await this.#query(messagesSql, [pipeline ?? null], options)
    return messagesOf(counts as LedgerRow)
  }

  async named(text: string, options?: Abortable): Promise<readonly NamedLoad[]> {
    const sql = `SELECT id, source, sha256, started_at FROM lading.load
                 WHERE starts_with(id::text, lower($1)) OR source = $1 OR right($1, length(source) + 1) = '/' || source
                 ORDER BY started_at DESC, id LIMIT 100`
    return (await this.#query(sql, [storable(text)], options)).map(namedLoadOf)
  }

  async newest(
    pipeline: string,
    sources: readonly string[],
    options?: Abortable,
  ): Promise<readonly NamedLoad[]> {
    const sql = `SELECT DISTINCT ON (source) id, source, sha256, started_at FROM lading.load
                 WHERE pipeline = $1 AND source = ANY ($2) ORDER BY source, started_at DESC, id`
    return (await this.#query(sql, [pipeline, sources.map(storable)], options)).map(namedLoadOf)
  }

  async forget(
    loadIds: readonly string[],
    { signal, mostLoaded = Number.POSITIVE_INFINITY }: ForgetOptions = {},
  ): Promise<boolean> {
    if (loadIds.length === 0) return true
    const forget = async (client: pg.Client) => {
      if ((await lockAgainstBatches(client, loadIds)) > mostLoaded) return false
      await forgetLoads(client, loadIds)
      return true
    }
    return this.#connection.use((client) => transaction(client, beginBatch, () => forget(client)), signal)
  }

  async zoneReleases(
    loadIds: readonly string[],
    release: string,
    options?: Abortable,
  ): Promise<readonly string[]> {
    const keep = 'UPDATE lading.load SET zone_release = $2 WHERE id = ANY ($1) AND zone_release IS NULL'
    await this.#query(keep, [loadIds, release], options)
    // A statement of its own, whose snapshot has what another consumer kept at the same time.
    const others =
      'SELECT DISTINCT zone_release FROM lading.load WHERE id = ANY ($1) AND zone_release <> $2 ORDER BY zone_release'
    return (await this.#query(others, [loadIds, release], options)).map((row) => String(row['zone_release']))
  }

  async rejects(filter: RejectFilter & Page, options?: Abortable): Promise<readonly StoredReject[]> {
    const rows = await this.#query(
      `SELECT one.*, load.layout FROM lading.reject one LEFT JOIN lading.load ON load.id = one.load_id
       WHERE ${chosenReject} AND one.id > $9 ORDER BY one.id LIMIT $10`,
      [...chosenBy(filter), filter.column ?? null, filter.after ?? 0, filter.limit],
      options,
    )
    return rows.map(rejectOf)
  }

  async rejectGroups(filter: RejectFilter, options?: Abortable): Promise<readonly RejectGroup[]> {
    const rows = await this.#query(
      `SELECT code, column_name, count(*) AS rejects FROM lading.reject one WHERE ${chosenReject}
       GROUP BY code, column_name ORDER BY rejects DESC, code, column_name`,
      [...chosenBy(filter), filter.column ?? null],
      options,
    )
    return rows.map(rejectGroupOf)
  }

  async editReject(
    id: number,
    record: Uint8Array,
    masked: readonly string[],
    options?: Abortable,
  ): Promise<boolean> {
    const sql = `UPDATE lading.reject SET edited = $2, masked = $3, span_start = NULL, span_end = NULL
                 WHERE id = $1 AND state = 'open' RETURNING id`
    return (await this.#query(sql, [id, Buffer.from(record), JSON.stringify(masked)], options)).length > 0
  }

  async discardRejects(ids: readonly number[], options?: Abortable): Promise<number> {
    const sql =
      "UPDATE lading.reject SET state = 'discarded' WHERE id = ANY ($1) AND state = 'open' RETURNING id"
    return (await this.#query(sql, [ids], options)).length
  }

  async deadLetters(filter: ListFilter & Page, options?: Abortable): Promise<readonly StoredDeadLetter[]> {
    const rows = await this.#query(
      `SELECT * FROM lading.dead_letter one WHERE ${chosenLetter} AND id > $8 ORDER BY id LIMIT $9`,
      [...chosenBy(filter), filter.after ?? 0, filter.limit],
      options,
    )
    return rows.map(deadLetterOf)
  }

  async discardDeadLetters(ids: readonly number[], options?: Abortable): Promise<number> {
    const sql = `UPDATE lading.dead_letter SET discarded_at = now() WHERE id = ANY ($1) AND state = 'dead' AND discarded_at IS NULL RETURNING id`
    return (await this.#query(sql, [ids], options)).length
  }

  async bury(letter: DeadLetter, options?: Abortable): Promise<void> {
    const { pipeline, key, load } = letter
    const sha256 = Buffer.from(letter.sha256, 'hex')
    await this.#connection.use(async (client) => {
      if (load !== undefined) await client.query(insertLoads(pipeline, [load]))
      const known = await transaction(client, beginBatch, async () => {
        if (await hasVerdict(client, letter, sha256)) return true
        // A letter that was replayed and failed again is dead once more, with its new reason; one that turns
        // out to be of a load joins it.
        await client.query(
          `INSERT INTO lading.dead_letter (pipeline, key, sha256, load_id, records, headers, body, attempts, code, detail)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (pipeline, key, sha256)
           DO UPDATE SET state = 'dead', load_id = excluded.load_id, records = excluded.records,
             attempts = excluded.attempts, code = excluded.code, detail = excluded.detail, at = now(), discarded_at = NULL
           WHERE dead_letter.state = 'replayed' OR (dead_letter.load_id IS NULL AND excluded.load_id IS NOT NULL)`,
          [
            pipeline,
            key,
            sha256,
            load?.id ?? null,
            letter.records,
            JSON.stringify(letter.headers),
            Buffer.from(letter.body),
            letter.attempts,
            letter.code,
            storable(letter.detail),
          ],
        )
        return false
      })
      // A fold may have found the load busy with this call, and nobody else may come to fold it.
      if (known && load !== undefined) await fold(client, [load.id])
    }, options?.signal)
  }

  async fold(loadIds: readonly string[], options?: Abortable): Promise<void> {
    if (loadIds.length > 0) await this.#connection.use((client) => fold(client, loadIds), options?.signal)
  }

  #query(sql: string, values: unknown[], options: Abortable | undefined): Promise<LedgerRow[]> {
    return this.#connection.use(
      async (client) => (await client.query<LedgerRow>(sql, values)).rows,
      options?.signal,
    )
  }
}

/** Whether the message has its verdict already; if not, a chunk of a load gets that of the dead. */
async function hasVerdict(
  client: pg.Client,
  { pipeline, key, load, records }: DeadLetter,
  sha256: Buffer,
): Promise<boolean> {
  if (load === undefined) {
    const known = await client.query(
      'SELECT FROM lading.ledger WHERE pipeline = $1 AND key = $2 AND sha256 = $3',
      [pipeline, key, sha256],
    )
    return known.rows.length > 0
  }
  if ((await lockAndAsk(client, [load.id])).size > 0) return true
  const { rowCount } = await client.query(
    `INSERT INTO lading.ledger (pipeline, key, sha256, load_id, outcome, records, loaded, rejected, skipped)
     VALUES ($1, $2, $3, $4, 'dead', $5, 0, 0, 0) ON CONFLICT DO NOTHING`,
    [pipeline, key, sha256, load.id, records],
  )
  return rowCount === 0
}

/** A load with a dead chunk stays unfolded, so that the chunk can still be replayed. */
async function fold(client: pg.Client, ids: readonly string[]): Promise<void> {
  await transaction(client, beginBatch, async () => {
    const free = await lockFreeLoads(client, ids)
    if (free.length === 0) return
    const { rows } = await client.query<{ id: string }>(
      `UPDATE lading.load SET complete = true, completed_at = now(), loaded = sums.loaded, rejected = sums.rejected, skipped = sums.skipped
       FROM (SELECT load_id, count(*) AS chunks, sum(loaded) AS loaded, sum(rejected) AS rejected, sum(skipped) AS skipped
             FROM lading.ledger WHERE load_id = ANY ($1) AND outcome = 'applied' GROUP BY load_id) sums
       WHERE id = sums.load_id AND NOT complete AND sums.chunks = load.chunks RETURNING id`,
      [free],
    )
    if (rows.length > 0)
      await client.query('DELETE FROM lading.ledger WHERE load_id = ANY ($1)', [rows.map(({ id }) => id)])
  })
}

/**
 * Keeps further batches of the loads out, as far as none is being written. Those of which one is are left: it
 * may be that of a stopped consumer, which a fold would wait for as long as it is stopped, and whoever writes
 * a batch folds its loads afterwards.
 */
async function lockFreeLoads(client: pg.Client, ids: readonly string[]): Promise<string[]> {
  const sql = 'SELECT id FROM unnest($1::text[]) id WHERE pg_try_advisory_xact_lock(hashtextextended(id, 0))'
  const { rows } = await client.query<{ id: string }>(sql, [ids])
  return rows.map(({ id }) => id)
}
