/**
 * Rows of the ledger's tables, as SQL drivers return them, turned into what the contract promises. The tables
 * have the same columns in every SQL sink; drivers differ in how they return counts (a bigint may come as
 * text), flags, times and bytes.
 */
import type { Code } from '../../core/errors.ts'
import type { Layout } from '../../core/load.ts'
import type {
  FilePart,
  LoadProgress,
  MessageCounts,
  NamedLoad,
  Receipt,
  RejectGroup,
  SettledLoad,
  StoredDeadLetter,
  StoredReject,
} from '../ledger.ts'

type Cell = string | number | bigint | boolean | Date | Uint8Array | null

export type LedgerRow = Readonly<Record<string, Cell>>

/** sha256 and plan, in hexadecimal. */
const hexOf = (cell: Cell | undefined): string => Buffer.from(cell as Uint8Array).toString('hex')
const isTrue = (cell: Cell | undefined): boolean => cell === true || cell === 1
const timeOf = (cell: Cell | undefined): string => (cell instanceof Date ? cell.toISOString() : String(cell))
const textOrNothing = (cell: Cell | undefined): string | undefined =>
  cell === null ? undefined : String(cell)
const jsonOrNothing = <T>(cell: Cell | undefined): T | undefined =>
  cell === null ? undefined : (JSON.parse(String(cell)) as T)

/**
 * A row of `load` with the sums over its ledger rows (`sum_loaded`, …), which count until the load is folded.
 */
export function receiptOf(row: LedgerRow): Receipt {
  const complete = isTrue(row['complete'])
  const lastAt = row['completed_at'] ?? row['last_at']
  const count = (name: string) => Number((complete ? row[name] : row[`sum_${name}`]) ?? 0)
  return {
    loadId: String(row['id']),
    pipeline: String(row['pipeline']),
    source: String(row['source']),
    sha256: hexOf(row['sha256']),
    bytes: Number(row['bytes']),
    plan: hexOf(row['plan']),
    records: Number(row['records']),
    loaded: count('loaded'),
    rejected: count('rejected'),
    skipped: count('skipped'),
    filtered: count('filtered'),
    dead: Number(row['dead']),
    chunks: Number(row['chunks']),
    chunksDone: Number(complete ? row['chunks'] : row['chunks_done']),
    rejectRows: Number(row['reject_rows']),
    openRejects: Number(row['open_rejects']),
    deadLetters: Number(row['dead_letters']),
    openDeadLetters: Number(row['open_dead_letters']),
    deadLetterRecords: Number(row['dead_letter_records']),
    startedAt: timeOf(row['started_at']),
    ...(lastAt == null ? {} : { lastAt: timeOf(lastAt) }),
    ...(row['zone_release'] === null ? {} : { zoneRelease: String(row['zone_release']) }),
    ...(isReplaced(row) && { isReplaced: true as const }),
    ...((row['abandoned_at'] ?? null) !== null && { isAbandoned: true as const }),
  }
}

/** A ledger that an older version has made and that was not prepared since has no such columns. */
const isReplaced = (row: LedgerRow): boolean =>
  (row['replaced_at'] ?? null) !== null && (row['replaced_rows'] ?? null) === null

/** A row of `load` (id, records, loaded, filtered). */
export const settledOf = (row: LedgerRow): SettledLoad => ({
  loadId: String(row['id']),
  records: Number(row['records']),
  loaded: Number(row['loaded']),
  filtered: Number(row['filtered']),
})

/** A row of counts. */
export const messagesOf = (row: LedgerRow): MessageCounts => ({
  rejects: Number(row['reject_rows']),
  openRejects: Number(row['open_rejects']),
  deadLetters: Number(row['dead_letters']),
  openDeadLetters: Number(row['open_dead_letters']),
})

/** A row of `load` (id, source, sha256, started_at). */
export const namedLoadOf = (row: LedgerRow): NamedLoad => ({
  loadId: String(row['id']),
  source: String(row['source']),
  sha256: hexOf(row['sha256']),
  startedAt: timeOf(row['started_at']),
})

/** A row of `load` (id, sha256, bytes, follows, started_at) that is `open` or not. */
export const filePartOf = (row: LedgerRow): FilePart => ({
  loadId: String(row['id']),
  sha256: hexOf(row['sha256']),
  bytes: Number(row['bytes']),
  follows: textOrNothing(row['follows']),
  isOpen: isTrue(row['open']),
  startedAt: timeOf(row['started_at']),
})

/** A row of `load` (plan, complete, loaded) and the rows of its chunks (key, loaded). */
export function progressOf(load: LedgerRow, chunks: readonly LedgerRow[]): LoadProgress {
  return {
    plan: hexOf(load['plan']),
    complete: isTrue(load['complete']),
    keys: new Set(chunks.map((row) => String(row['key']))),
    loaded: [load, ...chunks].reduce((sum, row) => sum + Number(row['loaded']), 0),
  }
}

/** A row of `reject` with the `layout` of its load. */
export function rejectOf(row: LedgerRow): StoredReject {
  return {
    id: Number(row['id']),
    pipeline: String(row['pipeline']),
    key: String(row['key']),
    loadId: textOrNothing(row['load_id']),
    record: Number(row['record']),
    line: Number(row['line']),
    byte: Number(row['byte']),
    source: String(row['source']),
    column: textOrNothing(row['column_name']),
    code: row['code'] as Code,
    detail: String(row['detail']),
    span:
      row['span_start'] === null
        ? undefined
        : { start: Number(row['span_start']), end: Number(row['span_end']) },
    raw: row['raw'] as Uint8Array,
    masked: jsonOrNothing<string[]>(row['masked']),
    layout: jsonOrNothing<Layout>(row['layout']),
    edited: (row['edited'] as Uint8Array | null) ?? undefined,
    state: row['state'] as StoredReject['state'],
    at: timeOf(row['at']),
  }
}

export const rejectGroupOf = (row: LedgerRow): RejectGroup => ({
  code: row['code'] as Code,
  column: textOrNothing(row['column_name']),
  rejects: Number(row['rejects']),
})

export function deadLetterOf(row: LedgerRow): StoredDeadLetter {
  return {
    id: Number(row['id']),
    pipeline: String(row['pipeline']),
    key: String(row['key']),
    sha256: hexOf(row['sha256']),
    records: Number(row['records']),
    headers: JSON.parse(String(row['headers'])) as Record<string, string>,
    body: row['body'] as Uint8Array,
    attempts: Number(row['attempts']),
    code: row['code'] as Code,
    detail: String(row['detail']),
    state: row['state'] === 'dead' ? (row['discarded_at'] === null ? 'dead' : 'discarded') : 'replayed',
    at: timeOf(row['at']),
  }
}
