/**
 * Pass 1 over a source: where its records end, and everything that is wrong with the source as a whole. Every
 * format has a splitter; it must find the same records as the reader of its layout, whatever the bytes.
 */
import type { Layout, LeftOut } from '../core/load.ts'

/**
 * Sees a source piece by piece from its start to its end. Every method throws a `LadingError` for a fault of
 * the structure, with file and line: nothing of such a source is published.
 */
export interface Splitter {
  /** How the records lie: known when the head has been read, or with the end of the first record. */
  readonly layout: Layout
  /** Whether everything that precedes the first record has been read: a mark, a header, a bracket. */
  readonly isPastHead: boolean
  /** Whether no record can follow what has been scanned, in formats where other things may. */
  readonly isPastRecords?: boolean
  /** Complete records so far. */
  readonly records: number
  /** LF bytes so far, those of the head included. */
  readonly lines: number
  /**
   * Bytes of the record that has begun and not ended, once past the head; undefined where what ends records
   * is not the end of a line, so that a file of them cannot be added to.
   */
  readonly openBytes?: number
  /** Takes the next piece; returns the index after the head in it, its length if the head goes on. */
  begin(piece: Buffer): number
  /**
   * Scans the piece on from index `from`: the index just after the first record that ends at `min` or beyond,
   * or after the last one where more follows that holds none; or -1 when the piece is used up without one.
   */
  cut(from: number, min: number): number
  /** Ends the source, and with it the last record. */
  finish(): void
  /** Lines so far that belong to no record by what the options say. */
  readonly leftOut?: Pick<LeftOut, 'preamble' | 'comments'>
  /** What a person should know of the head, when it has been read. */
  readonly warnings?: readonly string[]
}

/** What a model expects of a head that names the fields. */
export interface ExpectedFields {
  /** As errors name it. */
  readonly table: string
  /** The names that columns read, in the order of the columns. */
  readonly names: readonly string[]
  /** Whether values must not be shown. */
  readonly isMasked: boolean
  /** Whether a column without a name gets one, and a name that stands twice a suffix. */
  readonly namesColumns?: boolean
  /** What is wrong with a head of these fields, one line each. */
  problems(fields: readonly string[]): readonly string[]
}

/** Of whoever reads a source without a model. */
export const anyFields: ExpectedFields = {
  table: '',
  names: [],
  isMasked: false,
  namesColumns: true,
  problems: () => [],
}

/** Makes the splitter of one source; errors begin with `path`. */
export type MakeSplitter = (path: string, expected: ExpectedFields) => Splitter
