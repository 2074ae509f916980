import type { Notations } from './notation.ts'
import type { SkipWhen } from './skip.ts'

/** A larger record (without its line end) is refused: a quote was probably never closed. */
export const maxRecordBytes = 16 * 1024 * 1024

/**
 * A larger chunk is never sent by reference, so that no message can make a consumer hold more. A usual chunk
 * has 1 MiB, a record at most 16.
 */
export const maxReferenceBytes = 64 * 1024 * 1024

/**
 * How records are laid out in bytes: what a format needs to read one again. Plain JSON, kept in the
 * producer's state, in envelopes and in the ledger. All keys but `format`, `fields`, `skipWhen` and those of
 * notations belong to the format.
 */
export interface Layout extends Notations {
  /** Name of the format; CSV by default, because version 0.1.0 writes no name. */
  readonly format?: string
  /** Names of the cells, in order; empty if each record names its own. */
  readonly fields: readonly string[]
  readonly skipWhen?: SkipWhen
  /** Of a load without a written model: what was stated in place of one. */
  readonly ofTable?: unknown
  readonly [key: string]: unknown
}

/** Lines of a source that belong to no record, because an option says so. */
export interface LeftOut {
  /** Above the header. */
  readonly preamble: number
  readonly comments: number
  /** At the end. */
  readonly footer: number
}

/** What a chunk states about its load. */
export interface LoadInfo {
  readonly id: string
  /** Display name of the source. */
  readonly source: string
  /** sha256 of the whole (decompressed) source, in hexadecimal. */
  readonly sha256: string
  /** Size of the decompressed source. */
  readonly bytes: number
  /** Hash of the frozen plan, in hexadecimal. The ledger accepts only the first plan it sees for a load. */
  readonly plan: string
  readonly chunks: number
  readonly records: number
}
