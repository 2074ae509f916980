/** The cells of a record: a format's reader fills them, a model decodes them into rows. */

/** The bytes are the text; an empty `unquoted` cell has no value. */
export const unquoted = 0
/** The bytes are the text, even if it is empty. */
export const quoted = 1
/** The bytes contain escapes; `unescaped` returns the text. */
export const escaped = 2

/** Byte ranges, so that no string is created without need. Cell `i` is `bytes[starts[i], ends[i])`. */
export interface Cells {
  readonly bytes: Buffer
  readonly count: number
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** `unquoted`, `quoted` or `escaped`. */
  readonly quoting: Uint8Array
  /** Whether a cell with bytes is a number, `true` or `false` of the format and not a string, in formats that have both. */
  isLiteral?(cell: number): boolean
  unescaped(cell: number): Buffer
  /** Whether the record does not name the cell's field, in formats whose records may leave fields out. */
  isAbsent?(cell: number): boolean
}

/** The bytes of a cell's text. */
export const cellBytes = (cells: Cells, cell: number): Buffer =>
  cells.quoting[cell] === escaped
    ? cells.unescaped(cell)
    : cells.bytes.subarray(cells.starts[cell] ?? 0, cells.ends[cell] ?? 0)

/**
 * How to read a value, in formats with several kinds of values:
 * - `text`: its text; objects and arrays are refused;
 * - `source`: its source text, unchanged;
 * - `either`: its text, or the source text of an object or array;
 * - `key`: as `text`, for a field that no column reads.
 */
export type Take = 'text' | 'source' | 'either' | 'key'

/** A field to read from each record, into its own cell. */
export interface WantedField {
  readonly name: string
  readonly take: Take
  /** The column that reads it, for faults. */
  readonly column?: string | undefined
}
