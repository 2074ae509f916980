/**
 * Where bytes lie. Everything outside this folder knows a source by this contract and finds one through the
 * registry; an adapter is a folder, and what only changes the bytes (a compression) is a decorator.
 */
import type { Abortable } from '../core/wait.ts'

export interface Source {
  /** The name by which its load is known. */
  readonly name: string
  /** As a person named it: errors begin with it. */
  readonly path: string
  /** Where the registry finds it again in a later run. */
  readonly location: string
  /** Whether it exists for one run only, as a copy of standard input does. */
  readonly isTransient: boolean
  /** Whether nobody but this thread can open it, because its location does not show the secrets that takes. */
  readonly isPrivate?: boolean | undefined
  /** Bytes as they are stored; 0 for a source that is gone. */
  size(): Promise<number>
  /** Identifies the content without reading it: another text means that the source changed. */
  state(): Promise<string>
  /**
   * As the source is stored at this moment, for later runs; undefined where there is nothing to compare in a
   * later run, or the source is gone. Lets nothing else run meanwhile.
   */
  stamp?(): Stamp | undefined
  /**
   * A small source as a whole, with the state in which it was read; undefined for any other. It costs a small
   * part of what `bytes` does, and lets nothing else run meanwhile.
   */
  whole?(): Whole | undefined
  /**
   * Begins to read what `bytes` would read first, where that waits for a server; resolves when it is there. Never
   * rejects: who reads the bytes meets the error.
   */
  ahead?(options?: ReadOptions & Abortable): Promise<void>
  /** The plain bytes, from the beginning. A piece holds until the next one is asked for. */
  bytes(options?: ReadOptions): AsyncGenerator<Buffer>
  /** Opens the source for reads at any offset; undefined if it can only be read from its beginning. */
  ranges(): Promise<RangeReader | undefined>
  /**
   * By what messages refer to it: its path below the real folder `root`, or below a folder whose URL `root` is;
   * without a root, its whole path from `/` on, or its URL. Undefined if its bytes must travel.
   */
  reference(root?: string): Promise<string | undefined>
}

/** Of a source, without reading it. A source with the same text, taken in a run before, has the same bytes. */
export interface Stamp {
  readonly text: string
  /** Bytes as they are stored. */
  readonly size: number
  /**
   * Whether a change that comes after this moment shows in the text: not while the last one is so young that
   * the clock of the file system may tell the same time of both.
   */
  readonly isSettled: boolean
}

/** The plain bytes of a source, and its `state`. */
export interface Whole {
  readonly bytes: Buffer
  readonly state: string
}

export interface ReadOptions {
  /** Wanted size of a piece in bytes: small if only the beginning is wanted. */
  readonly pieceBytes?: number
}

export interface RangeReader extends AsyncDisposable {
  /**
   * Reads from byte `at` on; returns the number of bytes, fewer than `into` takes at the end of the source.
   */
  read(into: Buffer, at: number): Promise<number>
}

export interface ByteRange {
  readonly byteStart: number
  readonly bytes: number
}

/** What a message refers to instead of holding it. */
export interface Reference extends ByteRange {
  readonly path: string
  readonly sha256: string
}

/** Why there are no bytes. It names the path, and never anything of what is in the file. */
export interface ReadFault {
  readonly code: 'REFERENCE_REFUSED' | 'REFERENCE_UNREADABLE' | 'CHECKSUM'
  readonly detail: string
}

/** Reads what messages refer to. */
export interface References {
  /** The bytes, or why there are none; throws `REFERENCE_HOLD` for what passes. One call at a time. */
  read(reference: Reference): Promise<Buffer | ReadFault>
  /** Takes back bytes that are no longer used: their memory may hold those that are read next. */
  give(bytes: Buffer): void
  close(): Promise<void>
}

/** The bytes of all sources, as they are stored. */
export async function sizeOf(sources: Iterable<Source> | AsyncIterable<Source>): Promise<number> {
  let bytes = 0
  for await (const source of sources) bytes += await source.size()
  return bytes
}
