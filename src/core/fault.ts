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
  /** The model's column at fault, if there is one. */
  readonly column?: string | undefined
  /** Where in the record, if known. An empty span marks where something is missing. */
  readonly span?: Span | undefined
}

/** A fault with the position of its record, so that a person finds it in the file. */
export interface Reject extends Fault {
  /** 1-based number of the record in its source, not counting the header. */
  readonly record: number
  /** 1-based physical line where the record begins; 0 for a source without lines. */
  readonly line: number
  /** 0-based byte offset of the record in the (decompressed) source. */
  readonly byte: number
  /** Display name of the source. */
  readonly source: string
  /**
   * The original record, cut at `maxRawBytes`; with masks, only what may be kept of it. `span` refers to
   * these bytes.
   */
  readonly raw: Uint8Array
  /** Fields masked in `raw`; empty if it is the original record, undefined if this is unknown. */
  readonly masked?: readonly string[] | undefined
}

/** Bytes of raw text kept with a reject: enough for any record that a person wants to read. */
export const maxRawBytes = 65_536
