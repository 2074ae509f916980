/**
 * The contract of the ledger that a sink keeps beside its table: what took effect, what was refused, and what
 * a person does about it afterwards. The same conformance suite covers it (test/contract/sink/).
 */
import type { Code } from '../core/errors.ts'
import type { Reject } from '../core/fault.ts'
import type { Layout, LoadInfo } from '../core/load.ts'
import type { Abortable } from '../core/wait.ts'

/** Records, by what became of them. */
export interface Counts {
  readonly loaded: number
  readonly rejected: number
  /** Left out: by the conflict policy, or on purpose. */
  readonly skipped: number
}

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

/** A message that could not be processed as a whole, as the ledger keeps it. */
export interface StoredDeadLetter extends DeadLetter {
  readonly id: number
  /** A discarded letter still counts as dead: its records were not loaded. */
  readonly state: 'dead' | 'replayed' | 'discarded'
  /** ISO 8601. */
  readonly at: string
}

/** A record that was not loaded, as the ledger keeps it. */
export interface StoredReject extends Reject {
  readonly id: number
  readonly pipeline: string
  /** Key in the ledger of the chunk or message that held the record. */
  readonly key: string
  /** Load of the record; undefined for an external message. */
  readonly loadId: string | undefined
  /**
   * How the record is written; undefined for a JSON object of an external message, and where it is unknown.
   */
  readonly layout: Layout | undefined
  /** The record as a person edited it; `span` and `masked` then refer to this text. */
  readonly edited: Uint8Array | undefined
  /** A discarded reject still counts as rejected: it was not loaded. */
  readonly state: 'open' | 'replayed' | 'discarded'
  /** ISO 8601. */
  readonly at: string
}

/** Open rejects that failed the same way. */
export interface RejectGroup {
  readonly code: Code
  readonly column: string | undefined
  readonly rejects: number
}

/** The account of a load: records = loaded + rejected + skipped + dead + open. */
export interface Receipt extends Counts {
  readonly loadId: string
  readonly pipeline: string
  readonly source: string
  readonly sha256: string
  readonly bytes: number
  readonly plan: string
  readonly records: number
  readonly dead: number
  /** Of the skipped: those that the model or an option leaves out on purpose. */
  readonly filtered: number
  readonly chunks: number
  /** Chunks with a verdict, dead ones included. */
  readonly chunksDone: number
  /** Stored rejects and dead letters, counted independently of the ledger's sums. */
  readonly rejectRows: number
  readonly deadLetters: number
  /** Those of them that were not discarded: what a person still has to decide on. */
  readonly openRejects: number
  readonly openDeadLetters: number
  /** Records in those dead letters. */
  readonly deadLetterRecords: number
  readonly startedAt: string
  /** When the last of its chunks got a verdict, ISO 8601; missing where none has one. */
  readonly lastAt?: string
  /** The first release of the time-zone data that local times were read by, if the model has zones. */
  readonly zoneRelease?: string
  /** Its rows were replaced by those of other loads since; its records count as skipped, on purpose. */
  readonly isReplaced?: true
  /** A person gave it up: its records without a verdict count as skipped, on purpose. */
  readonly isAbandoned?: true
  /** Its records are gathered to replace the rows of its table, which has none of them yet. */
  readonly isGathered?: true
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

/**
 * A load of which nothing is left to do or to decide on: every record was loaded or skipped, its sums add up,
 * and it has no reject and no dead letter.
 */
export interface SettledLoad {
  readonly loadId: string
  readonly records: number
  readonly loaded: number
  readonly filtered: number
}

/** A load of a file that grows: what was added behind that of the load that it follows. */
export interface FilePart {
  readonly loadId: string
  /** sha256 of the file from its beginning to the end of this part, in hexadecimal. */
  readonly sha256: string
  /** Where in the file the part ends. */
  readonly bytes: number
  /** Undefined for a load that was not entered by `follow`. */
  readonly follows: string | undefined
  /** Whether chunks of it have no verdict. */
  readonly isOpen: boolean
  /** ISO 8601. */
  readonly startedAt: string
}

/** `taken`: another load follows already. `known`: the ledger has the load, and it does not follow that one. */
export type Followed = 'entered' | 'taken' | 'known'

/** `letters`: it has dead letters that are neither replayed nor discarded, and goes on. */
export type Abandoned = 'abandoned' | 'complete' | 'letters'

/** What has become of a load so far. */
export interface LoadProgress {
  /** Hash of the plan that it was begun with, in hexadecimal. */
  readonly plan: string
  /** Every chunk has taken effect, and its key is folded into the load's own row. */
  readonly complete: boolean
  /** The keys of the chunks with a verdict. */
  readonly keys: ReadonlySet<string>
  /** Records that took effect. */
  readonly loaded: number
  /** See `Receipt`. */
  readonly isReplaced?: true
  readonly isAbandoned?: true
}

/** Which loads are forgotten. */
export interface ForgetOptions extends Abortable {
  /** Default: any number. */
  readonly mostLoaded?: number | undefined
}

/**
 * What of the ledger may go when it is old. `rejects` and `letters`: those that were replayed or discarded; of a load
 * that stays, what was discarded loses its content and goes on counting. `messages`: keys of messages that belong to
 * no load. `loads`: complete ones with everything of theirs, so that the same file would be loaded again; not those of files that
 * grow.
 */
export type Prunable = 'rejects' | 'letters' | 'messages' | 'loads'

/** Which of it goes. */
export interface PruneFilter {
  readonly what: Prunable
  /** ISO 8601; what is younger stays. */
  readonly before: string
  readonly pipeline?: string | undefined
  /** Open rejects and dead letters go too: discarded, if they go on counting. */
  readonly open?: boolean | undefined
}

/** What went, or would go. */
export interface Pruned {
  readonly entries: number
  /** Of their texts and bytes; tables and indexes take more. */
  readonly bytes: number
}

/** What went of one page. */
export interface PrunedPage extends Pruned {
  /** Where the next page begins; undefined at the end. */
  readonly next: string | undefined
  /** Ids of the loads that went, if loads were pruned. */
  readonly loads?: readonly string[]
}

/** What the target database knows of loads, rejects and dead letters; `sink.ledger` is one. */
export interface Ledger {
  /**
   * Whether there is a ledger to ask: the other methods need one, which `prepare` makes. Makes nothing; a ledger
   * without this method is always there.
   */
  isThere?(options?: Abortable): Promise<boolean>
  /** The pipelines of its loads, at most 100. A ledger without this method tells none. */
  pipelines?(options?: Abortable): Promise<readonly string[]>
  /** Newest first. */
  receipts(filter: ReceiptFilter, options?: Abortable): Promise<readonly Receipt[]>
  /**
   * Those of the loads that are settled, in any order: what takes little to ask of very many loads. A ledger
   * without this method is asked for receipts.
   */
  settled?(loads: readonly string[], options?: Abortable): Promise<readonly SettledLoad[]>
  /** Undefined for a load of which no chunk has arrived. */
  progress(loadId: string, options?: Abortable): Promise<LoadProgress | undefined>
  /** What was not loaded of messages that belong to no load, of one pipeline or all. */
  messages(filter: Pick<ReceiptFilter, 'pipeline'>, options?: Abortable): Promise<MessageCounts>
  /**
   * Loads whose id begins with the text, or whose source is the end of the path in the text; newest first, at
   * most 100.
   */
  named(text: string, options?: Abortable): Promise<readonly NamedLoad[]>
  /** The newest load of each of these sources in the pipeline; none for a source that was never loaded. */
  newest(pipeline: string, sources: readonly string[], options?: Abortable): Promise<readonly NamedLoad[]>
  /**
   * Of the loads of this source in the pipeline: first the last one, which no other follows; behind it, in any
   * order, those that are open and belong to it or are followed, and those that these follow. Empty for a
   * source that was never loaded. A ledger without this method takes no files that grow.
   */
  parts?(pipeline: string, source: string, options?: Abortable): Promise<readonly FilePart[]>
  /**
   * Enters a load of which nothing has arrived yet, as the one that follows `follows`, an id. Only one load
   * follows another, however many are entered at once.
   */
  follow?(pipeline: string, load: LoadInfo, follows: string, options?: Abortable): Promise<Followed>
  /**
   * Forgets the loads, their rejects and their dead letters, in one transaction, so that they can be loaded
   * from scratch. Rows in the table stay. Returns false and forgets nothing if more than `mostLoaded` of
   * their records have taken effect.
   */
  forget(loadIds: readonly string[], options?: ForgetOptions): Promise<boolean>
  /**
   * Gives up a load that was begun, whether anything of it has arrived or not, in one transaction: its records without a verdict count as skipped, on purpose, and its
   * discarded dead letters go. What still waits of it in a queue is a repeat from then on. A ledger without this method gives
   * up none.
   */
  abandon?(pipeline: string, load: LoadInfo, options?: Abortable): Promise<Abandoned>
  /**
   * Records `release`, of the time-zone data that local times are read by, with those of the loads that have
   * none yet. Returns the other releases that the loads have.
   */
  zoneReleases(loadIds: readonly string[], release: string, options?: Abortable): Promise<readonly string[]>
  rejects(filter: RejectFilter & Page, options?: Abortable): Promise<readonly StoredReject[]>
  /** Largest first. */
  rejectGroups(filter: RejectFilter, options?: Abortable): Promise<readonly RejectGroup[]>
  /**
   * Stores an edited text of an open reject's record beside the original, and the names of its fields that
   * hold masks. Returns false if the reject is not open.
   */
  editReject(id: number, record: Uint8Array, masked: readonly string[], options?: Abortable): Promise<boolean>
  /** Discards open rejects for good; returns how many were open. They still count as rejected. */
  discardRejects(ids: readonly number[], options?: Abortable): Promise<number>
  deadLetters(filter: ListFilter & Page, options?: Abortable): Promise<readonly StoredDeadLetter[]>
  /** Like `discardRejects`, but a discarded letter can still be replayed. */
  discardDeadLetters(ids: readonly number[], options?: Abortable): Promise<number>
  /**
   * Stores a dead letter and, if it is a chunk of a load, its verdict in the same transaction. A message that
   * has its verdict already changes nothing.
   */
  bury(letter: DeadLetter, options?: Abortable): Promise<void>
  /**
   * Folds the ledger rows of each complete load into one row. It never waits: a load that a batch is being
   * written to is skipped, because the writer of that batch folds it afterwards.
   */
  fold(loadIds: readonly string[], options?: Abortable): Promise<void>
  /** What `prune` would remove. A ledger without these two methods keeps everything. */
  prunable?(filter: PruneFilter, options?: Abortable): Promise<Pruned>
  /**
   * Removes at most `limit` entries, from where the last page ended, in transactions of their own; keeps out no batch
   * for longer, and skips loads that one is being written to.
   */
  prune?(
    filter: PruneFilter,
    page: { readonly after?: string | undefined; readonly limit: number },
    options?: Abortable,
  ): Promise<PrunedPage>
}

/** Default: all loads. */
export interface ReceiptFilter {
  readonly loads?: readonly string[] | undefined
  readonly pipeline?: string | undefined
  /** Only the newest so many. */
  readonly limit?: number | undefined
  /** With records that have no verdict; with all of them loaded or skipped; with some that were not loaded. */
  readonly standing?: Standing | undefined
  /** A text that the name of the source contains, in upper or lower case. */
  readonly named?: string | undefined
  /** Only loads that come behind this one, by its id. */
  readonly after?: string | undefined
}

export type Standing = 'open' | 'complete' | 'rejects'

/** Which entries a list has: those for which all of it holds. */
export interface ListFilter {
  readonly pipeline?: string | undefined
  /** Of this load, or of any of these. */
  readonly loadId?: string | readonly string[] | undefined
  readonly id?: number | undefined
  readonly code?: string | undefined
  /** A text that occurs in the record, message or detail, byte for byte. */
  readonly search?: string | undefined
  /** Include what was replayed or discarded. */
  readonly all?: boolean | undefined
}

/** Which rejects a list has. */
export interface RejectFilter extends ListFilter {
  /** Name of the model's column; empty for rejects of no column. */
  readonly column?: string | undefined
}

/** In the order of the ids, beginning behind `after`. */
export interface Page {
  readonly after?: number | undefined
  readonly limit: number
}
