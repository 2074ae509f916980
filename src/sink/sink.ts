/**
 * The contract of a sink: the target database together with the ledger of what took effect in it. Every
 * adapter passes the same conformance suite (test/contract/sink/). What a sink promises: `write` is ONE
 * transaction, in which the ledger rows, the records and the rejects of a batch appear together or not at
 * all. What can be known of a sink before it is opened is data: its address (address.ts).
 */
import type { Code } from '../core/errors.ts'
import type { Fault, Reject } from '../core/fault.ts'
import type { Layout, LoadInfo } from '../core/load.ts'
import type { Settlement } from '../core/settlement.ts'
import type { Abortable } from '../core/wait.ts'
import type { Model } from '../model/model.ts'
import type { TableFacts, WantedTable } from '../model/table.ts'
import type { RowBuffer } from '../model/writer.ts'
import type { Counts, Ledger } from './ledger.ts'

/** One delivery's share of a batch. */
export interface Part {
  /** Identity in the ledger, within the pipeline. */
  readonly key: string
  /** sha256 of the body, in hexadecimal. The same key with another hash is no duplicate: `KEY_REUSED`. */
  readonly sha256: string
  readonly load?: LoadInfo | undefined
  /** How the load's records are written; stored with a load that has rejects. */
  readonly layout?: Layout | undefined
  readonly records: number
  /** Encoded rows of this part. The rows of the parts lie in the batch's buffer one after the other. */
  readonly rows: number
  /** Records that were refused before they reached the database. */
  readonly rejects: readonly Reject[]
  /** Records that are left out on purpose; they count as skipped. None by default. */
  readonly filtered?: number | undefined
  /**
   * Describes the part's row `row` (from 0), which the database refused. A sink calls it inside the batch's
   * transaction, under its locks: it must be synchronous and quick, touch no database, and give the same
   * answer again if the transaction is repeated. It cannot cross threads, because masks are functions.
   */
  describe(row: number, fault: Fault): Reject
}

/** `Rows` is the buffer that the sink itself made with `rows`. Nothing touches it until it is written. */
export interface Batch<Rows extends RowBuffer = RowBuffer> {
  readonly pipeline: string
  readonly model: Model
  readonly parts: readonly Part[]
  readonly rows: Rows
  /**
   * Lets the sink leave out, as `locked`, parts whose keys another open transaction has entered, after it has
   * waited for them once. By default it waits for them each time (`SINK_BUSY`).
   */
  readonly leaveLocked?: boolean
  /**
   * Settles the messages of the batch. A sink that has `settles` runs it as the last of the transaction, unless a part
   * is refused or locked: then more has to be done before its message may be settled, and none is.
   */
  readonly settlement?: Settlement | undefined
}

/** What became of a part. Only `applied` changed the table. */
export type Verdict =
  | ({ readonly kind: 'applied' } & Counts)
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'refused'; readonly code: Code; readonly detail: string }

/** A `locked` part had no effect and can be written later. */
export type BatchVerdict = Verdict | { readonly kind: 'locked' }

/** A reject whose record was decoded again. */
export interface RejectReplay {
  readonly id: number
  /** Why the record still makes no row. Without it, the next row of the batch is the record's. */
  readonly fault?: Fault | undefined
  /** Adds the place in the record to a fault that the database reports; the rules of `Part.describe` hold. */
  describe(fault: Fault): Fault
  /** The record's own identity in the ledger, if records have one. No two in a batch share it. */
  readonly claim?: { readonly key: string; readonly sha256: string } | undefined
}

/** Rejects that are tried again, in one transaction. */
export interface ReplayBatch<Rows extends RowBuffer = RowBuffer> {
  readonly pipeline: string
  readonly model: Model
  readonly replays: readonly RejectReplay[]
  readonly rows: Rows
}

/** How a table is prepared. */
export interface PrepareOptions extends Abortable {
  /**
   * What to do with the indexes of the model's table, its key among them, if the sink can drop them and build
   * them later. `begin` drops them from an empty table. `resume` leaves them away if a load at work, or an
   * interrupted one, has dropped them. By default they are built, after waiting for a load at work
   * (`SINK_BUSY`).
   */
  readonly deferIndexes?: 'begin' | 'resume' | undefined
  /** Limit for connecting, in milliseconds, if shorter than the sink's own. */
  readonly connectMs?: number | undefined
  /**
   * How long a silent consumer keeps a delivery, in milliseconds. A session of Lading that stands still in a
   * transaction for about so long, while others wait for its locks, may be ended: its messages have other
   * consumers by then.
   */
  readonly leaseMs?: number | undefined
}

/** What became of a table when it was prepared. */
export interface Prepared {
  /** Indexes are missing until `buildIndexes`. */
  readonly deferred: boolean
  /** Why the indexes were not dropped although `begin` asked for it. */
  readonly reason?: string | undefined
  /** The table was empty, made by Lading for another model, and was made again. */
  readonly remade?: boolean | undefined
  /** The model has a key, but the table has no unique index that would refuse a second record of one key. */
  readonly keyless?: boolean | undefined
  /** Why rows are inserted, which takes longer than to copy them. */
  readonly inserts?: string | undefined
  /** Columns in which the table takes no NULL, although the model does: a NULL there need not be tried. */
  readonly notNull?: readonly string[] | undefined
}

/** `left`: another load at work builds them. `refused`: a row violates one of them. */
export type Built = 'nothing' | 'built' | 'left' | 'refused'

/** A table that lacks indexes that a load has dropped, without a load at work that would build them. */
export interface MissingIndexes {
  /** With its schema, if the name alone would not find the table. */
  readonly table: string
  readonly indexes: number
}

/**
 * Rows that are to replace those of a table, gathered in a table of their own. One is at work for a table at a
 * time. Disposed of, it removes what was gathered and not taken, and what the ledger has of that; so does the next
 * one, after a run that was killed.
 */
export interface Replacement extends AsyncDisposable {
  /** The given one, of the empty table that gathers, with the constraints of the other. */
  readonly model: Model
  /** Of the loads that gather. */
  readonly pipeline: string
  /**
   * Whether the rows of the table are those that these loads brought by the last replacement, as far as their
   * number and the ledger tell.
   */
  isCurrent(loads: readonly string[], options?: Abortable): Promise<boolean>
  /**
   * In ONE transaction: the table holds the gathered rows and no others, the pipeline of the table has these
   * loads under their own ids and no others, and their rejects. Whoever reads the table sees the old rows until then.
   * Throws `REPLACE_REFUSED`, and changes nothing, where the loads are not complete or the table refuses a row.
   */
  take(loads: readonly GatheredLoad[], options?: Abortable): Promise<Replaced>
}

/** A load that gathered rows for a `Replacement`. */
export interface GatheredLoad {
  /** Its id while it gathered. */
  readonly gathered: string
  readonly id: string
}

/** Numbers of rows. */
export interface Replaced {
  readonly before: number
  readonly rows: number
}

/** A target database, as `openSink` opens it or as a program implements it. */
export interface Sink<Rows extends RowBuffer = RowBuffer> extends AsyncDisposable {
  readonly ledger: Ledger
  /**
   * Names the database, independent of how its URL is written, without user, password or options: a URL of
   * scheme, host (with a port that is not the default) and database, or the real path of a file. Chunks that
   * are published for one place are not accepted at another.
   */
  readonly place: string
  /** Names the database and who uses it, where `write` runs the settlements of a queue that lies in it. */
  readonly settles?: string
  /**
   * Whether its rows take what changes others: `RowWriter.change`, for models with `onConflict: 'merge'` and for
   * deletions.
   */
  readonly changesRows?: boolean
  /** The columns that a table may have, unless they are more than anybody has. */
  readonly mostColumns?: number
  /**
   * Creates what is missing of the ledger and, with a model, of its table and indexes. Throws
   * `SCHEMA_MISMATCH` if an existing table does not fit.
   */
  prepare(model?: Model, options?: PrepareOptions): Promise<Prepared>
  /**
   * What the catalogue says of a table or view; undefined where there is none of the name. Creates nothing,
   * not even the ledger. Throws `SCHEMA_MISMATCH` for a schema that does not exist, and `USAGE` for a table of
   * the ledger or of the database itself, and where several names differ in case alone. A sink without this
   * method takes loads with a written model alone.
   */
  table?(
    name: WantedTable,
    options?: Abortable & Pick<PrepareOptions, 'connectMs'>,
  ): Promise<TableFacts | undefined>
  /** Why `prepare` would refuse the model's table, which exists: one line each. Creates nothing. */
  misfits?(model: Model): Promise<readonly string[]>
  /** An empty buffer that encodes rows of the model for this sink. */
  rows(model: Model): Rows
  /** Whether the model's table, which `prepare` has created or checked, holds no row. */
  isEmpty(model: Model, options?: Abortable): Promise<boolean>
  /**
   * The verdict of each part, in order. A record that the database refuses is a reject; only a failure of the
   * system throws.
   */
  write(batch: Batch<Rows>, options?: Abortable): Promise<readonly BatchVerdict[]>
  /**
   * Replays a dead letter in ONE transaction: the verdict of each part, in order. The letter becomes
   * `replayed`, and its parts are no longer counted as dead. If a part is refused, the letter stays dead. If
   * the letter is not dead, every part is a duplicate, so two replays at a time take effect once.
   */
  replayLetter(letter: number, batch: Batch<Rows>, options?: Abortable): Promise<readonly Verdict[]>
  /**
   * Replays rejects in ONE transaction: the verdict of each, in order. A record that is loaded now, or
   * skipped by the conflict policy, is no longer counted as rejected, and its reject becomes `replayed`. A
   * record that is refused again stays open, with its new reason. A reject that is not open is a duplicate,
   * so two replays at a time take effect once.
   */
  replayRejects(batch: ReplayBatch<Rows>, options?: Abortable): Promise<readonly Verdict[]>
  /** Builds the indexes that were dropped. A sink without this method never drops any. */
  buildIndexes?(model: Model, options?: Abortable): Promise<Built>
  missingIndexes?(options?: Abortable): Promise<readonly MissingIndexes[]>
  /**
   * Empties the table, builds its indexes and forgets the loads. Throws `INDEXES_BLOCKED` unless everything
   * in the table is proven to come from these loads.
   */
  startOver?(model: Model, loads: readonly string[], options?: Abortable): Promise<void>
  /**
   * Begins to gather rows that are to replace those of the model's table, which `prepare` has created or checked;
   * `pipeline` is that of its loads. Throws `REPLACE_REFUSED` for a table whose rows cannot be replaced as a whole, and
   * `SINK_BUSY` while another replacement of it is at work. A sink without this method replaces none.
   */
  replacing?(model: Model, pipeline: string, options?: Abortable): Promise<Replacement>
  /**
   * What makes the model's table, with its present rows, slower than it should be, and what to do about it.
   */
  warnings?(model: Model, options?: Abortable): Promise<readonly string[]>
}
