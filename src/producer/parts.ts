/** What a load is told of sources that were loaded before. */
import type { LoadInfo } from '../core/load.ts'
import type { FilePart, Followed } from '../sink/ledger.ts'
import type { LoadOutline } from './planned-load.ts'
import type { Prefix } from './prefix.ts'

/** What the target's ledger knows of a load; undefined where it knows nothing. */
export interface KnownLoad {
  readonly plan: string
  readonly complete: boolean
  readonly keys: ReadonlySet<string>
  /** Its rows were replaced by those of other loads since. */
  readonly isReplaced?: true
  /** A person gave it up. */
  readonly isAbandoned?: true
}

/** What the ledger is asked about. */
export interface AskedLoad extends LoadOutline {
  /** Whether the source begins with these bytes; absent where it was not read. */
  readonly beginsWith?: (prefix: Prefix) => Promise<boolean>
}

/** A load with nothing to do: its source is the same as when it was planned, and was not read. */
export interface DoneLoad {
  readonly load: LoadOutline
  readonly plan: undefined
  readonly known: KnownLoad | undefined
  /** Why there is nothing to do, where it is not that the same name and content is loaded. */
  readonly reason?: string
}

/** The ledger's account of files that grow. */
export interface Parts {
  /** See `Ledger.parts`. */
  of(source: string): Promise<readonly FilePart[]>
  /** See `Ledger.follow`. */
  follow(load: LoadInfo, follows: string): Promise<Followed>
  /** A load with nothing to do. */
  done(loadId: string): Promise<DoneLoad>
}
