import type { Code } from './errors.ts'

/** Bytes of a record, from `start` to before `end`, 0-based. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Why one record cannot be loaded. Bad data is a value: it is returned, never thrown. */
export interface Fault {
  readonly code: Code
  /** What was found and what was expected, in one line. */
  readonly detail: string
  /** Name of the model's column, where one is to blame. */
  readonly column?: string | undefined
  /** Where in the record, as far as that is known: an empty one is the place where something is missing. */
  readonly span?: Span | undefined
}

/** A fault with the place of its record: what a person needs to find it in the file. */
export interface Reject extends Fault {
  /** 1-based number of the record within its source, the header not counted. */
  readonly record: number
  /** 1-based physical line on which the record begins; 0 where a source has no lines. */
  readonly line: number
  /** 0-based byte offset of the record in the (decompressed) source. */
  readonly byte: number
  /** Name of the source, as a person knows it. */
  readonly source: string
  /**
   * The record as it came, cut at `maxRawBytes`; of a model with masks, what may be kept of it. `span` is a
   * part of this text.
   */
  readonly raw: Uint8Array
  /**
   * Fields whose values in `raw` are masks, none where it is the record as it came; undefined where nobody
   * wrote that down.
   */
  readonly masked?: readonly string[] | undefined
}

/**
 * Raw text beyond this many bytes is not kept with a reject: enough for any record a person wants to read.
 */
export const maxRawBytes = 65_536
