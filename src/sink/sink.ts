/**
 * The contract of a sink: the target database together with the ledger of what took effect in it. Every
 * adapter passes the same conformance suite (test/contract/sink/). What a sink promises: `write` is ONE
 * transaction, in which the ledger rows, the records and the rejects of a batch appear together or not at
 * all.
 */
import type { Code } from '../core/errors.ts'
import type { Fault, Reject } from '../core/fault.ts'
import type { Layout, LoadInfo } from '../core/load.ts'
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
  /** How the load's records are written, which is kept with a load that has rejects. */
  readonly layout?: Layout | undefined
  readonly records: number
  /**
   * How many of the batch's encoded rows are this part's; the parts' rows lie in the buffer one after the
   * other.
   */
  readonly rows: number
  /** Records that were refused before they reached the database. */
  readonly rejects: readonly Reject[]
  /** Describes the part's row `row` (from 0), which the database refused. */
  describe(row: number, fault: Fault): Reject
}

export interface Batch {
  readonly pipeline: string
  readonly model: Model
  readonly parts: readonly Part[]
  readonly rows: RowBuffer
  /**
   * Parts whose keys another session has entered without saying yet what becomes of them may be left out, as
   * `locked`, after the sink has waited for them once. Without it they are waited for (`SINK_BUSY`).
   */
  readonly leaveLocked?: boolean
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

/**
 * What became of a part in a batch that may leave some out: of a `locked` one nothing, and it can be written
 * later.
 */
export type BatchVerdict = Verdict | { readonly kind: 'locked' }

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
  /** One that was discarded still counts as dead: its records were not loaded. */
  readonly state: 'dead' | 'replayed' | 'discarded'
  /** ISO 8601. */
  readonly at: string
}

export interface StoredReject extends Reject {
  readonly id: number
  readonly pipeline: string
  /** Key in the ledger of the chunk or message that the record came with. */
  readonly key: string
  /** Load that the record came with; undefined for a message of somebody else's. */
  readonly loadId: string | undefined
  /** How the record is written; undefined for a JSON object, and where nobody wrote it down. */
  readonly layout: Layout | undefined
  /** The record as a person mended it; `span` and `masked` are about this text then. */
  readonly edited: Uint8Array | undefined
  /** One that was discarded still counts as rejected: it was not loaded. */
  readonly state: 'open' | 'replayed' | 'discarded'
  readonly at: string
}

/** Rejects that are open and failed the same way. */
export interface RejectGroup {
  readonly code: Code
  readonly column: string | undefined
  readonly rejects: number
}

/** A reject whose record was decoded once more. */
export interface RejectReplay {
  readonly id: number
  /** Why the record still makes no row; without it, the next row of the batch is the record's. */
  readonly fault?: Fault | undefined
  /** Finds the place in the record of a fault that the database names. */
  describe(fault: Fault): Fault
  /** The record's own identity in the ledger, where records are told apart. No two in a batch share one. */
  readonly claim?: { readonly key: string; readonly sha256: string } | undefined
}

export interface ReplayBatch {
  readonly pipeline: string
  readonly model: Model
  readonly replays: readonly RejectReplay[]
  readonly rows: RowBuffer
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
  /** Those of them that were not discarded: what a person still has to decide on. */
  readonly openRejects: number
  readonly openDeadLetters: number
  /** Records in those dead letters. */
  readonly deadLetterRecords: number
  readonly startedAt: string
  /** Release of the time-zone data by which local times were read first, where the model has zones. */
  readonly zoneRelease?: string
}

/** Rejects and dead letters of messages that belong to no load, and those of them that were not discarded. */
export interface MessageCounts {
  readonly rejects: number
  readonly openRejects: number
  readonly deadLetters: number
  readonly openDeadLetters: number
}

/** A load as a person names it. */
export interface NamedLoad {
  readonly loadId: string
  readonly source: string
  /** sha256 of the whole source, in hexadecimal. */
  readonly sha256: string
  /** ISO 8601. */
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

export interface ForgetOptions extends Abortable {
  /** Without it, any number. */
  readonly mostLoaded?: number | undefined
}

export interface Ledger {
  /** Newest first. */
  receipts(filter: ReceiptFilter, options?: Abortable): Promise<readonly Receipt[]>
  /** What is known of a load: nothing where no chunk of it has come. */
  progress(loadId: string, options?: Abortable): Promise<LoadProgress | undefined>
  /** What was not loaded of messages that belong to no load, of one pipeline or all. */
  messages(filter: Pick<ReceiptFilter, 'pipeline'>, options?: Abortable): Promise<MessageCounts>
  /**
   * Loads whose id begins with the text, or whose source the text names, also with a path before it; the
   * newest first, at most 100.
   */
  named(text: string, options?: Abortable): Promise<readonly NamedLoad[]>
  /** The newest load of each of these sources in the pipeline; none of a source that was never loaded. */
  newest(pipeline: string, sources: readonly string[], options?: Abortable): Promise<readonly NamedLoad[]>
  /**
   * Forgets the loads, their rejects and their dead letters, in one transaction, so that they can be loaded
   * from scratch. Rows that they put into a table stay. Forgets nothing, and answers false, where more than
   * `mostLoaded` of their records have taken effect.
   */
  forget(loadIds: readonly string[], options?: ForgetOptions): Promise<boolean>
  /**
   * Keeps `release`, of the time-zone data by which local times are read, with those of the loads that have
   * none yet; the other releases that the loads have.
   */
  zoneReleases(loadIds: readonly string[], release: string, options?: Abortable): Promise<readonly string[]>
  rejects(filter: RejectFilter & Page, options?: Abortable): Promise<readonly StoredReject[]>
  /** The largest first. */
  rejectGroups(filter: RejectFilter, options?: Abortable): Promise<readonly RejectGroup[]>
  /**
   * Keeps what a person made of an open reject's record, beside the record as it came, and which of its
   * fields hold masks; false where the reject is not open.
   */
  editReject(id: number, record: Uint8Array, masked: readonly string[], options?: Abortable): Promise<boolean>
  /** Takes open rejects out of sight, for good; returns how many were open. They still count as rejected. */
  discardRejects(ids: readonly number[], options?: Abortable): Promise<number>
  deadLetters(filter: ListFilter & Page, options?: Abortable): Promise<readonly StoredDeadLetter[]>
  /** As `discardRejects`. A letter that is discarded can still be replayed. */
  discardDeadLetters(ids: readonly number[], options?: Abortable): Promise<number>
  /**
   * Keeps a dead letter and, where it is a chunk of a load, its verdict in the same transaction; a second
   * call with the same message changes nothing.
   */
  bury(letter: DeadLetter, options?: Abortable): Promise<void>
  /**
   * Folds the ledger rows of those of the loads that are complete into one row each. It waits for nobody: a
   * load of which a batch is being written is left to a later fold, that of whoever writes the batch.
   */
  fold(loadIds: readonly string[], options?: Abortable): Promise<void>
}

/** All loads without it. */
export interface ReceiptFilter {
  readonly loads?: readonly string[] | undefined
  readonly pipeline?: string | undefined
  /** The newest so many. */
  readonly limit?: number | undefined
}

export interface ListFilter {
  readonly pipeline?: string | undefined
  readonly loadId?: string | undefined
  readonly id?: number | undefined
  readonly code?: string | undefined
  /** A text that stands in the record or message, or in the detail, written exactly so. */
  readonly search?: string | undefined
  /** Those that were replayed or discarded too. */
  readonly all?: boolean | undefined
}

export interface RejectFilter extends ListFilter {
  /** Name of the model's column; the empty text for those of no column. */
  readonly column?: string | undefined
}

/** In the order of the ids, from the first id after `after`. */
export interface Page {
  readonly after?: number | undefined
  readonly limit: number
}

export interface PrepareOptions extends Abortable {
  /**
   * What happens to the indexes of the model's table, its key among them, where the sink can take them away
   * and build them later: `begin` takes them away from an empty table, `resume` leaves them away where a load
   * has taken them away that is at work or was interrupted; without either they are built then, and a load at
   * work is waited for (`SINK_BUSY`).
   */
  readonly deferIndexes?: 'begin' | 'resume' | undefined
  /** How long connecting may take, in milliseconds, where that is less than usual. */
  readonly connectMs?: number | undefined
  /**
   * How long a delivery stays with a consumer that says nothing, in milliseconds. A session of lading that
   * stands still in a transaction for about so long, while others wait for its locks, is that of a consumer
   * whose messages are others' by now, and may be ended.
   */
  readonly leaseMs?: number | undefined
}

export interface Prepared {
  /** Indexes are missing until `buildIndexes`. */
  readonly deferred: boolean
  /** Why they were not taken away, where that was asked for. */
  readonly reason?: string | undefined
  /** The table was empty, and ours, and was made again because its model says something else now. */
  readonly remade?: boolean | undefined
  /** The model has a key, and the table no unique index that would refuse a second record of the same key. */
  readonly keyless?: boolean | undefined
  /** Columns in which the table takes no NULL, although the model does: a NULL there need not be tried. */
  readonly notNull?: readonly string[] | undefined
}

/**
 * What became of indexes that were taken away: built, left to another load at work, or not built because they
 * refuse a row.
 */
export type Built = 'nothing' | 'built' | 'left' | 'refused'

/** A table that lacks indexes which a load took away, though none is at work that would build them. */
export interface MissingIndexes {
  /** With its schema, where a name without it would not find the table. */
  readonly table: string
  readonly indexes: number
}

export interface Sink extends AsyncDisposable {
  readonly ledger: Ledger
  /**
   * Names the database, however its URL is written, without user, password or options:
   * `postgresql://host/database` (with the port where it is not 5432), the real path of a SQLite file, or
   * `sqlite::memory:`. Chunks that are published for one place are not taken for another.
   */
  readonly place: string
  /**
   * Makes the ledger, and with a model its table and indexes, where they are missing; throws
   * `SCHEMA_MISMATCH` where they do not fit.
   */
  prepare(model?: Model, options?: PrepareOptions): Promise<Prepared>
  /** Builds the indexes that were taken away. A sink without it takes none away. */
  buildIndexes?(model: Model, options?: Abortable): Promise<Built>
  /** Tables whose indexes are missing, with no load at work that will build them. */
  missingIndexes?(options?: Abortable): Promise<readonly MissingIndexes[]>
  /**
   * Empties the table, builds its indexes and forgets the loads; throws `INDEXES_BLOCKED` where it is not
   * proven that everything in the table is theirs.
   */
  startOver?(model: Model, loads: readonly string[], options?: Abortable): Promise<void>
  /**
   * What about the model's table, as it is filled now, costs more than it should, and what to do about it. A
   * sink without it knows nothing of the kind.
   */
  warnings?(model: Model, options?: Abortable): Promise<readonly string[]>
  /** An empty buffer that encodes rows of the model for this sink. */
  rows(model: Model): RowBuffer
  /** Whether the model's table, which `prepare` has made or checked, holds no row. */
  isEmpty(model: Model, options?: Abortable): Promise<boolean>
  /**
   * The verdict of each part, in order. A record that the database refuses is a reject; only systems throw.
   */
  write(batch: Batch, options?: Abortable): Promise<readonly BatchVerdict[]>
  /**
   * Replays a dead letter in ONE transaction: the verdict of each part, in order. The letter becomes
   * `replayed`, and its parts are no longer counted as dead. If a part is refused, the letter stays dead. If
   * the letter is not dead, every part is a duplicate, so two replays at a time take effect once.
   */
  replayLetter(letter: number, batch: Batch, options?: Abortable): Promise<readonly Verdict[]>
  /**
   * Replays rejects in ONE transaction: the verdict of each, in order. A record that is loaded now, or
   * skipped by the conflict policy, is no longer counted as rejected, and its reject becomes `replayed`. A
   * record that is refused again stays open, with its new reason. A reject that is not open is a duplicate,
   * so two replays at a time take effect once.
   */
  replayRejects(batch: ReplayBatch, options?: Abortable): Promise<readonly Verdict[]>
}
