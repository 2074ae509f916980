/** The cells of a record: what a reader of a format finds, and what a model makes rows of. */

/** How the bytes of a cell stand for its text; an empty cell that is `unquoted` has no value. */
export const unquoted = 0
/** They are the text, also where that is empty. */
export const quoted = 1
/** They are the text once `unescaped` has undone what is escaped in them. */
export const escaped = 2

/** Byte ranges, so that no string is made that nobody needs. Cell `i` is `bytes[starts[i], ends[i])`. */
export interface Cells {
  readonly bytes: Buffer
  readonly count: number
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** `unquoted`, `quoted` or `escaped`. */
  readonly quoting: Uint8Array
  unescaped(cell: number): Buffer
}

/** The bytes of a cell's text. */
export const cellBytes = (cells: Cells, cell: number): Buffer =>
  cells.quoting[cell] === escaped
    ? cells.unescaped(cell)
    : cells.bytes.subarray(cells.starts[cell] ?? 0, cells.ends[cell] ?? 0)

/**
 * How the value of a field is wanted, in formats whose values are of several kinds: as its text, and refused
 * where it has parts; as it stands in the record; or as its text, and as it stands where it has parts. `key`
 * is as `text`, for a field that no column reads.
 */
export type Take = 'text' | 'source' | 'either' | 'key'

/** A field that is wanted of a record, in a cell of its own. */
export interface WantedField {
  readonly name: string
  readonly take: Take
  /** Name of the column that reads it, for faults. */
  readonly column?: string | undefined
}
