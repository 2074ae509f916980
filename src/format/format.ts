/**
 * How records lie in bytes. A format reads the records of a chunk or message into cells, and knows what a
 * person sees of one record: where a field stands in it, how its values are replaced, how it is exported.
 * Nothing outside this folder knows more of any format.
 */
import type { Cells, WantedField } from '../core/cells.ts'
import type { Fault, Span } from '../core/fault.ts'
import type { Layout } from '../core/load.ts'

/** How records lie in bytes: what `addFormat` adds. */
export interface Format {
  /** In the layout; without a name there, the format is CSV. */
  readonly name: string
  /** Whether it can read records of this layout, which may come from outside. */
  accepts(layout: Layout): boolean
  /**
   * Makes a reader of records that lie as the layout says. `wanted` are the cells of a format whose records
   * name their fields, and there a field that is not wanted is refused unless `ignoreExtra`; in other formats
   * the cells are the layout's fields.
   */
  reader(layout: Layout, wanted: readonly WantedField[], ignoreExtra: boolean): RecordReader
  readonly record: RecordText
  /** False where a record may begin in the middle of a line; the column of a fault in it is unknown then. */
  readonly beginsLine?: (layout: Layout) => boolean
}

/**
 * Stands on one record at a time; its fields describe that record until the next call. It is pulled through
 * one body after the other, and allocates nothing for a record without a fault.
 */
export interface RecordReader extends Cells {
  /** Names of the cells. */
  readonly fields: readonly string[]
  readonly recordStart: number
  /** What separates it from the next record not counted. */
  readonly recordEnd: number
  /** The record, where it was opened from something else that stands there. */
  readonly text?: Buffer | undefined
  /**
   * The first thing that is wrong with the record itself, its span counted from `recordStart`. The cells mean
   * nothing then, and the boundaries still hold.
   */
  readonly fault: Fault | undefined
  /** What ends the cells, where nothing but these marks has a meaning and no record can have a fault of its text. */
  readonly marks?: CellMarks | undefined
  /** Where the next record begins. May be set to where another one does, if there are `marks`. */
  at?: number
  /** Begins with a chunk or message; the reason, if its bytes as a whole hold no records. */
  open(body: Buffer): string | undefined
  /** Goes on to the next record; false after the last one. */
  next(): boolean
  /** Stands on the one record that the bytes are; that they are none or several is a fault of it. */
  openOne(record: Buffer): void
}

/** The bytes that end the cells of a line, and quote one. */
export interface CellMarks {
  readonly delimiter: number
  readonly quote: number
  /** One more than the greatest of them and LF, in each byte of a word. */
  readonly above: number
}

/** The value of a field in the text of a record. */
export interface FieldValue {
  /** A nested value has parts. */
  readonly kind: 'null' | 'text' | 'nested'
  /** Its text, or how it stands in the record where it has none. */
  readonly bytes: Buffer
}

/** One record as a person sees, corrects and exports it. */
export interface RecordText {
  /**
   * Where the value of a field stands in the record, `cell` being its place among the layout's fields, or -1;
   * undefined where that cannot be told.
   */
  locate(record: Buffer, layout: Layout, field: string, cell: number): Span | undefined
  /**
   * The record with other texts for the values for which `replace` returns one, everything else byte by byte
   * as it stands. Undefined where the bytes are not one record of the layout. Where a record has objects
   * inside, those on the way to one of `fields` are gone into: a value in them goes by that field, or by the
   * path to it.
   */
  rewrite(
    record: Buffer,
    layout: Layout,
    replace: (field: string, value: FieldValue) => string | undefined,
    fields?: readonly string[],
  ): Buffer | undefined
  /** Without what an editor puts around a record. */
  trimmed(text: Buffer, layout: Layout): Buffer
  /** How the name of a file of exported records ends, and its first line where it needs one. */
  suffix(layout: Layout): string
  head(layout: Layout): Buffer | undefined
  /**
   * The record as a line of an exported file. `excelSafe` puts an apostrophe before what a spreadsheet would
   * take for a formula.
   */
  line(record: Buffer, layout: Layout, excelSafe: boolean): Buffer
}
