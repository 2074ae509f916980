/**
 * The contract of a sink: the target database together with the ledger of what took effect in it. Every adapter passes the
 * same conformance suite (test/contract/sink.ts). What a sink promises: `write` is ONE transaction, in which the ledger rows,
 * the records and the rejects of a batch appear together or not at all.
 */
import type { Code } from '../core/errors.ts'
import type { Fault, Reject } from '../core/fault.ts'
import type { LoadInfo } from '../core/load.ts'
import type { Abortable } from '../core/wait.ts'
import type { Model } from '../model/model.ts'
import type { RowBuffer } from '../model/writer.ts'

/** One delivery's share of a batch. */
export interface Part {
  /** Identity in the ledger, within the pipeline. */
  readonly key: string
  /** sha256 of the body, in hexadecimal: the same key with another hash is not a duplicate but a clash. */
  readonly sha256: string
  readonly load?: LoadInfo | undefined
  readonly records: number
  /** How many of the batch's encoded rows are this part's; the parts' rows lie in the buffer one after the other. */
  readonly rows: number
  /** Records that were refused before they reached the database. */
  readonly rejects: readonly Reject[]
  /** Describes the part's row `row` (from 0), which the database refused. */
  describe(row: number, fault: Fault): Reject
  /** The dead letter that this part replays: it takes effect only if that is still dead, which all parts that replay it in one batch find alike. */
  readonly replays?: number | undefined
}

export interface Batch {
  readonly pipeline: string
  readonly model: Model
  readonly parts: readonly Part[]
  readonly rows: RowBuffer
}

export interface Counts {
  readonly loaded: number
  readonly rejected: number
  /** Left out by the conflict policy. */
  readonly skipped: number
}

/** What became of a part. Only `applied` changed the table. */
export type Verdict =
  | ({ readonly kind: 'applied' } & Counts)
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'refused'; readonly code: Code; readonly detail: string }

/** A message that could not be processed as a whole. */
export interface DeadLetter {
  readonly pipeline: string
  readonly key: string
  readonly sha256: string
  readonly load?: LoadInfo | undefined
  /** Records in it, as far as known; 0 for a message that cannot be read. */
  readonly records: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly attempts: number
  readonly code: Code
  readonly detail: string
}

export interface StoredDeadLetter extends DeadLetter {
  readonly id: number
  readonly state: 'dead' | 'replayed'
  /** ISO 8601. */
  readonly at: string
}

export interface StoredReject extends Reject {
  readonly id: number
  readonly pipeline: string
  /** Load or message that the record came with. */
  readonly loadId: string | undefined
  readonly at: string
}

/** The paper of a load: records = loaded + rejected + skipped + dead + open. */
export interface Receipt extends Counts {
  readonly loadId: string
  readonly pipeline: string
  readonly source: string
  readonly sha256: string
  readonly bytes: number
  readonly plan: string
  readonly records: number
  readonly dead: number
  readonly chunks: number
  /** Chunks with a verdict, dead ones included. */
  readonly chunksDone: number
  /** Reject rows and dead letters that are really there, counted apart from the ledger. */
  readonly rejectRows: number
  readonly deadLetters: number
  /** Records in those dead letters. */
  readonly deadLetterRecords: number
  readonly startedAt: string
}

/** What has become of a load so far. */
export interface LoadProgress {
  /** Hash of the plan that it was begun with, in hexadecimal. */
  readonly plan: string
  /** Every chunk has taken effect, and the keys are folded away. */
  readonly complete: boolean
  /** The chunks with a verdict. */
  readonly keys: ReadonlySet<string>
  /** Records that took effect. */
  readonly loaded: number
}

export interface Ledger {
  /** Newest first. */
  receipts(filter: ReceiptFilter, options?: Abortable): Promise<readonly Receipt[]>
  /** What is known of a load: nothing where no chunk of it has come. */
  progress(loadId: string, options?: Abortable): Promise<LoadProgress | undefined>
  rejects(filter: ListFilter, options?: Abortable): Promise<readonly StoredReject[]>
  deadLetters(filter: ListFilter & { readonly all?: boolean }, options?: Abortable): Promise<readonly StoredDeadLetter[]>
  /** Keeps a dead letter and, where it is a chunk of a load, its verdict in the same transaction; a second call with the same message changes nothing. */
  bury(letter: DeadLetter, options?: Abortable): Promise<void>
  /**
   * Folds the ledger rows of those of the loads that are complete into one row each. It waits for nobody: a load of which a batch
   * is being written is left to a later fold, that of whoever writes the batch.
   */
  fold(loadIds: readonly string[], options?: Abortable): Promise<void>
}

/** All loads without it. */
export interface ReceiptFilter {
  readonly loads?: readonly string[] | undefined
  readonly pipeline?: string | undefined
}

/** In the order of the ids, from the first id after `after`. */
export interface ListFilter {
  readonly loadId?: string | undefined
  readonly id?: number | undefined
  readonly after?: number | undefined
  readonly limit: number
}

export interface PrepareOptions extends Abortable {
  /**
   * What happens to the indexes of the model's table, its key among them, where the sink can take them away and build them later:
   * `begin` takes them away from an empty table, `resume` leaves them away where a load has taken them away that is at work or was
   * interrupted; without either they are built then, and a load at work is waited for (`SINK_BUSY`).
   */
  readonly deferIndexes?: 'begin' | 'resume' | undefined
}

export interface Prepared {
  /** Indexes are missing until `buildIndexes`. */
  readonly deferred: boolean
  /** Why they were not taken away, where that was asked for. */
  readonly reason?: string | undefined
}

/** What became of indexes that were taken away: built, left to another load at work, or not built because they refuse a row. */
export type Built = 'nothing' | 'built' | 'left' | 'refused'

export interface Sink extends AsyncDisposable {
  readonly ledger: Ledger
  /** Makes the ledger, and with a model its table and indexes, where they are missing; throws `SCHEMA_MISMATCH` where they do not fit. */
  prepare(model?: Model, options?: PrepareOptions): Promise<Prepared>
  /** Builds the indexes that were taken away. A sink without it takes none away. */
  buildIndexes?(model: Model, options?: Abortable): Promise<Built>
  /** Empties the table, builds its indexes and forgets the loads; throws `INDEXES_BLOCKED` where the table holds a row that is not theirs. */
  startOver?(model: Model, loads: readonly string[], options?: Abortable): Promise<void>
  /** An empty buffer that encodes rows of the model for this sink. */
  rows(model: Model): RowBuffer
  /** The verdict of each part, in order. A record that the database refuses is a reject; only systems throw. */
  write(batch: Batch, options?: Abortable): Promise<readonly Verdict[]>
}
