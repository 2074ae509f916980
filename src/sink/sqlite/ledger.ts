/** What the ledger tells, and its housekeeping. */
import type { SqliteFile, SqliteValues } from '../../core/sqlite.ts'
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
import { insertLoad } from './write.ts'

const receiptSql = `
  SELECT load.*,
    (SELECT count(*) FROM lading_reject WHERE load_id = load.id AND state <> 'replayed') AS reject_rows,
    (SELECT count(*) FROM lading_reject WHERE load_id = load.id AND state = 'open') AS open_rejects,
    (SELECT count(*) FROM lading_dead_letter WHERE load_id = load.id AND state = 'dead') AS dead_letters,
    (SELECT count(*) FROM lading_dead_letter WHERE load_id = load.id AND state = 'dead' AND discarded_at IS NULL) AS open_dead_letters,
    (SELECT total(records) FROM lading_dead_letter WHERE load_id = load.id AND state = 'dead') AS dead_letter_records,
    total(ledger.loaded) AS sum_loaded, total(ledger.rejected) AS sum_rejected, total(ledger.skipped) AS sum_skipped,
    total(CASE ledger.outcome WHEN 'dead' THEN ledger.records END) AS dead, count(ledger.key) AS chunks_done
  FROM lading_load load LEFT JOIN lading_ledger ledger ON ledger.load_id = load.id
  WHERE ($loads IS NULL OR load.id IN (SELECT value FROM json_each($loads))) AND ($pipeline IS NULL OR load.pipeline = $pipeline)
  GROUP BY load.id ORDER BY started_at DESC, load.id LIMIT coalesce($limit, -1)`

const messagesSql = `
  SELECT rejects.*, letters.* FROM
    (SELECT count(*) AS reject_rows, total(state = 'open') AS open_rejects
     FROM lading_reject WHERE load_id IS NULL AND state <> 'replayed' AND ($pipeline IS NULL OR pipeline = $pipeline)) rejects,
    (SELECT count(*) AS dead_letters, total(discarded_at IS NULL) AS open_dead_letters
     FROM lading_dead_letter WHERE load_id IS NULL AND state = 'dead' AND ($pipeline IS NULL OR pipeline = $pipeline)) letters`

/** What rejects and dead letters are chosen by; `chosenBy` gives the values. */
const chosen = `($pipeline IS NULL OR one.pipeline = $pipeline) AND ($load IS NULL OR one.load_id = $load) AND ($id IS NULL OR one.id = $id)
  AND ($code IS NULL OR one.code = $code) AND ($text IS NULL OR instr(one.detail, $text) > 0 OR instr(one.`

const chosenReject = `${chosen}raw, $bytes) > 0) AND ($all OR one.state = 'open') AND ($column IS NULL OR coalesce(one.column_name, '') = $column)`
const chosenLetter = `${chosen}body, $bytes) > 0) AND ($all OR (one.state = 'dead' AND one.discarded_at IS NULL))`

const chosenBy = ({ pipeline, loadId, id, code, search, all }: ListFilter) => ({
  pipeline: pipeline ?? null,
  load: loadId ?? null,
  id: id ?? null,
  code: code ?? null,
  text: search === undefined ? null : storable(search),
  bytes: search === undefined ? null : Buffer.from(search),
  all: all === true ? 1 : 0,
})

const chosenRejectsBy = (filter: RejectFilter) => ({ ...chosenBy(filter), column: filter.column ?? null })

/** `guard` turns errors of the file into ours. */
export class SqliteLedger implements Ledger {
  readonly #guard: <T>(work: (file: SqliteFile) => T) => T

  constructor(guard: <T>(work: (file: SqliteFile) => T) => T) {
    this.#guard = guard
  }

  async receipts(filter: ReceiptFilter): Promise<readonly Receipt[]> {
    const loads = filter.loads === undefined ? null : JSON.stringify(filter.loads)
    return this.#all(receiptSql, {
      loads,
      pipeline: filter.pipeline ?? null,
      limit: filter.limit ?? null,
    }).map(receiptOf)
  }

  async progress(loadId: string): Promise<LoadProgress | undefined> {
    const [load] = this.#all('SELECT plan, complete, loaded FROM lading_load WHERE id = ?', loadId)
    if (load === undefined) return undefined
    const rows = this.#all('SELECT key, loaded FROM lading_ledger WHERE load_id = ?', loadId)
    return progressOf(load, rows)
  }

  async messages({ pipeline }: Pick<ReceiptFilter, 'pipeline'>): Promise<MessageCounts> {
    return messagesOf(this.#all(messagesSql, { pipeline: pipeline ?? null })[0] as LedgerRow)
  }

  async named(text: string): Promise<readonly NamedLoad[]> {
    const sql = `SELECT id, source, sha256, started_at FROM lading_load
                 WHERE substr(id, 1, length($name)) = lower($name) OR source = $name OR substr($name, -length(source) - 1) = '/' || source
                 ORDER BY started_at DESC, id LIMIT 100`
    return this.#all(sql, { name: storable(text) }).map(namedLoadOf)
  }

  async newest(pipeline: string, sources: readonly string[]): Promise<readonly NamedLoad[]> {
    // Of a group, SQLite takes the other columns from the row that has the maximum.
    const sql = `SELECT id, source, sha256, max(started_at) AS started_at FROM lading_load
                 WHERE pipeline = ? AND source IN (SELECT value FROM json_each(?)) GROUP BY source`
    return this.#all(sql, pipeline, JSON.stringify(sources.map(storable))).map(namedLoadOf)
  }

  async forget(
    loadIds: readonly string[],
    { mostLoaded = Number.POSITIVE_INFINITY }: ForgetOptions = {},
  ): Promise<boolean> {
    const ids = JSON.stringify(loadIds)
    const loadedSql = `SELECT coalesce(sum(iif(complete, loaded, (SELECT sum(l.loaded) FROM lading_ledger l WHERE l.load_id = lading_load.id))), 0) AS loaded
                       FROM lading_load WHERE id IN (SELECT value FROM json_each(?))`
    return this.#guard((file) =>
      file.transaction(() => {
        if ((file.get<{ loaded: number }>(loadedSql, ids)?.loaded ?? 0) > mostLoaded) return false
        for (const table of ['reject', 'dead_letter', 'ledger'])
          file.run(`DELETE FROM lading_${table} WHERE load_id IN (SELECT value FROM json_each(?))`, ids)
        file.run('DELETE FROM lading_load WHERE id IN (SELECT value FROM json_each(?))', ids)
        return true
      }),
    )
  }

  async zoneReleases(loadIds: readonly string[], release: string): Promise<readonly string[]> {
    const ids = JSON.stringify(loadIds)
    const chosenLoads = 'id IN (SELECT value FROM json_each(?))'
    this.#run(
      `UPDATE lading_load SET zone_release = ? WHERE ${chosenLoads} AND zone_release IS NULL`,
      release,
      ids,
    )
    const others = `SELECT DISTINCT zone_release FROM lading_load WHERE ${chosenLoads} AND zone_release <> ? ORDER BY zone_release`
    return this.#all(others, ids, release).map((row) => String(row['zone_release']))
  }

  async rejects(filter: RejectFilter & Page): Promise<readonly StoredReject[]> {
    const sql = `SELECT one.*, load.layout FROM lading_reject one LEFT JOIN lading_load load ON load.id = one.load_id
                 WHERE ${chosenReject} AND one.id > ? ORDER BY one.id LIMIT ?`
    return this.#all(sql, chosenRejectsBy(filter), filter.after ?? 0, filter.limit).map(rejectOf)
  }

  async rejectGroups(filter: RejectFilter): Promise<readonly RejectGroup[]> {
    const sql = `SELECT code, column_name, count(*) AS rejects FROM lading_reject one WHERE ${chosenReject}
                 GROUP BY code, column_name ORDER BY rejects DESC, code, column_name`
    return this.#all(sql, chosenRejectsBy(filter)).map(rejectGroupOf)
  }

  async editReject(id: number, record: Uint8Array, masked: readonly string[]): Promise<boolean> {
    const sql = `UPDATE lading_reject SET edited = ?, masked = ?, span_start = NULL, span_end = NULL WHERE id = ? AND state = 'open'`
    return this.#run(sql, record, JSON.stringify(masked), id) > 0
  }

  async discardRejects(ids: readonly number[]): Promise<number> {
    const sql = `UPDATE lading_reject SET state = 'discarded' WHERE id IN (SELECT value FROM json_each(?)) AND state = 'open'`
    return this.#run(sql, JSON.stringify(ids))
  }

  async deadLetters(filter: ListFilter & Page): Promise<readonly StoredDeadLetter[]> {
    const sql = `SELECT * FROM lading_dead_letter one WHERE ${chosenLetter} AND id > ? ORDER BY id LIMIT ?`
    return this.#all(sql, chosenBy(filter), filter.after ?? 0, filter.limit).map(deadLetterOf)
  }

  async discardDeadLetters(ids: readonly number[]): Promise<number> {
    const sql = `UPDATE lading_dead_letter SET discarded_at = strftime('%Y-%m-%dT%H:%M:%fZ')
                 WHERE id IN (SELECT value FROM json_each(?)) AND state = 'dead' AND discarded_at IS NULL`
    return this.#run(sql, JSON.stringify(ids))
  }

  async bury(letter: DeadLetter): Promise<void> {
    const { pipeline, key, load } = letter
    const sha256 = Buffer.from(letter.sha256, 'hex')
    this.#guard((file) =>
      file.transaction(() => {
        if (hasVerdict(file, letter, sha256)) return
        // A letter that was replayed and failed again is dead once more, with its new reason; one that turns
        // out to be of a load joins it.
        const sql = `INSERT INTO lading_dead_letter (pipeline, key, sha256, load_id, records, headers, body, attempts, code, detail)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (pipeline, key, sha256)
                     DO UPDATE SET state = 'dead', load_id = excluded.load_id, records = excluded.records,
                       attempts = excluded.attempts, code = excluded.code, detail = excluded.detail, at = excluded.at, discarded_at = NULL
                     WHERE state = 'replayed' OR (load_id IS NULL AND excluded.load_id IS NOT NULL)`
        const message = [
          pipeline,
          key,
          sha256,
          load?.id ?? null,
          letter.records,
          JSON.stringify(letter.headers),
          letter.body,
        ] as const
        file.run(sql, ...message, letter.attempts, letter.code, storable(letter.detail))
      }),
    )
  }

  async fold(loadIds: readonly string[]): Promise<void> {
    if (loadIds.length > 0)
      this.#guard((file) => file.transaction(() => loadIds.forEach((id) => fold(file, id))))
  }

  #run(sql: string, ...values: SqliteValues): number {
    return this.#guard((file) => file.run(sql, ...values))
  }

  #all(sql: string, ...values: SqliteValues): LedgerRow[] {
    return this.#guard((file) => file.all<LedgerRow>(sql, ...values))
  }
}

/** Whether the message has its verdict already; if not, a chunk of a load gets that of the dead. */
function hasVerdict(file: SqliteFile, { pipeline, key, load, records }: DeadLetter, sha256: Buffer): boolean {
  if (load === undefined) {
    return (
      file.get(
        'SELECT 1 FROM lading_ledger WHERE pipeline = ? AND key = ? AND sha256 = ?',
        pipeline,
        key,
        sha256,
      ) !== undefined
    )
  }
  insertLoad(file, pipeline, load)
  if (file.get('SELECT 1 FROM lading_load WHERE id = ? AND complete', load.id) !== undefined) return true
  const sql = `INSERT INTO lading_ledger (pipeline, key, sha256, load_id, outcome, records, loaded, rejected, skipped)
               VALUES (?, ?, ?, ?, 'dead', ?, 0, 0, 0) ON CONFLICT DO NOTHING`
  return file.run(sql, pipeline, key, sha256, load.id, records) === 0
}

/** A load with a dead chunk stays unfolded, so that the chunk can still be replayed. */
function fold(file: SqliteFile, id: string): void {
  const sql = `UPDATE lading_load SET complete = 1, completed_at = strftime('%Y-%m-%dT%H:%M:%fZ'),
                 loaded = sums.loaded, rejected = sums.rejected, skipped = sums.skipped
               FROM (SELECT count(*) AS chunks, sum(loaded) AS loaded, sum(rejected) AS rejected, sum(skipped) AS skipped
                     FROM lading_ledger WHERE load_id = $id AND outcome = 'applied') sums
               WHERE id = $id AND NOT complete AND sums.chunks = lading_load.chunks`
  if (file.run(sql, { id }) === 1) file.run('DELETE FROM lading_ledger WHERE load_id = ?', id)
}
