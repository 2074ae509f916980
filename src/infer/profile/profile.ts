/**
 * The profile of a load: every column of all its sources, from every record. Records are pulled from a reader
 * as bytes of cells; no text is made of a value unless it is kept.
 */
import { linesIn } from '../../core/bytes.ts'
import { quoted } from '../../core/cells.ts'
import type { Notations } from '../../core/notation.ts'
import type { RecordReader } from '../../format/format.ts'
import { ColumnProfile, type Place } from './column.ts'
import { StatedNotation } from './stated.ts'

const quote = 0x22
const hash = 0x23

export interface ProfileOptions extends Notations {
  /** Whether strings of the format are texts, whatever is in them. */
  readonly hasStrings?: boolean
}

export class Profile implements Place {
  /** In the order in which fields were first seen. */
  readonly columns: ColumnProfile[] = []
  /** Records that can be read, and those that cannot. */
  records = 0
  faults = 0
  source = ''
  isRemark = false
  /** Of the last record of the last source. */
  lastLines = 1
  readonly #byField = new Map<string, ColumnProfile>()
  /** Of the source: a column for each cell, and columns that it lacks. */
  #cells: readonly ColumnProfile[] = []
  #absent: readonly ColumnProfile[] = []
  #hasStrings = false
  #notations: Notations = {}
  #reader: RecordReader | undefined
  #firstLine = 1
  #run: Buffer = Buffer.alloc(0)
  #recordStart = 0
  #recordEnd = 0

  /** Begins with the next source. `fields` name the cells of its reader. */
  begin(source: string, fields: readonly string[], options: ProfileOptions = {}): void {
    this.source = source
    this.#hasStrings = options.hasStrings === true
    this.#notations = options
    this.setFields(fields)
  }

  /** The fields of the records that follow. */
  setFields(fields: readonly string[]): void {
    this.#cells = fields.map((field) => this.#columnOf(field))
    this.#absent = this.columns.filter((column) => !this.#cells.includes(column))
  }

  end(): void {
    this.lastLines = 1 + linesIn(this.#run, this.#recordStart, this.#recordEnd)
    for (const column of this.columns) column.endSource()
  }

  /**
   * Looks at the record on which the reader stands. `firstLine` is the line on which the bytes begin that it has
   * opened, `run`.
   */
  add(reader: RecordReader, firstLine: number, run = reader.bytes): void {
    if (reader.fault !== undefined) {
      this.faults++
      return
    }
    this.records++
    this.#reader = reader
    this.#firstLine = firstLine
    this.#run = run
    this.#recordStart = reader.recordStart
    this.#recordEnd = reader.recordEnd
    const { bytes, starts, ends, quoting } = reader
    this.isRemark = bytes[reader.recordStart] === hash
    const cells = this.#cells
    for (let cell = 0; cell < cells.length; cell++) {
      const column = cells[cell] as ColumnProfile
      const kind = quoting[cell] as number
      if (kind > quoted) this.#addEscaped(column, reader, cell)
      else {
        const start = starts[cell] as number
        const isString = this.#hasStrings && kind === quoted && bytes[start - 1] === quote
        column.add(bytes, start, ends[cell] as number, kind, isString, this)
      }
    }
    for (const column of this.#absent) column.addMissing()
  }

  /** Of the record that is looked at. */
  line(): number {
    const { recordStart } = this.#reader as RecordReader
    return this.#firstLine + linesIn(this.#run, 0, recordStart)
  }

  #addEscaped(column: ColumnProfile, reader: RecordReader, cell: number): void {
    const bytes = reader.unescaped(cell)
    column.add(bytes, 0, bytes.length, quoted, this.#hasStrings, this)
  }

  #columnOf(field: string): ColumnProfile {
    const known = this.#byField.get(field)
    if (known !== undefined) return known
    const { notation, notations = {} } = this.#notations
    const own = Object.hasOwn(notations, field) ? notations[field] : undefined
    const isStated = own !== undefined || notation !== undefined
    const column = new ColumnProfile(
      field,
      isStated ? new StatedNotation({ ...notation, ...own }) : undefined,
    )
    // Records before it had no such field.
    column.missing = this.records
    this.#byField.set(field, column)
    this.columns.push(column)
    return column
  }
}
