/**
 * The profile of a load: every column of all its sources, from every record. Records are pulled from a reader
 * as bytes of cells; no text is made of a value unless it is kept.
 */
import { hash, linesIn } from '../../core/bytes.ts'
import { quoted } from '../../core/cells.ts'
import { viewOf } from '../../core/words.ts'
import type { Notation, Notations } from '../../core/notation.ts'
import { statedOf } from '../../model/notation/stated.ts'
import type { RecordReader } from '../../format/format.ts'
import { ColumnProfile } from './column.ts'
import { type Facts, noFacts, type Place } from './facts.ts'
import { Pass } from './pass.ts'

const quote = 0x22

export interface ProfileOptions extends Notations {
  /** Whether strings of the format are texts, whatever is in them. */
  readonly hasStrings?: boolean
  readonly dialect?: { readonly delimiter?: string } | undefined
}

/** Plain data, so that a thread can send it. */
export interface ProfileFacts {
  readonly records: number
  readonly faults: number
  readonly lastLines: number
  readonly columns: readonly Facts[]
  /** Of a column that no record has. */
  readonly absent: Facts
}

/**
 * Of some sources. The profile of the sources behind them can be joined to it, and then it is that of all:
 * what was stated of their notations must be the same.
 */
export class Profile implements Place {
  /** In the order in which fields were first seen. */
  readonly columns: ColumnProfile[] = []
  /** Records that can be read, and those that cannot. */
  records = 0
  faults = 0
  source = ''
  aside: Place['aside']
  /** Of the last record of the last source. */
  lastLines = 1
  readonly #byField = new Map<string, ColumnProfile>()
  /** Of the source: a column for each cell, and its records so far. */
  #cells: readonly ColumnProfile[] = []
  #names: readonly Buffer[] = []
  #sourceRecords = 0
  readonly #absent = new ColumnProfile(noFacts('', undefined))
  #hasStrings = false
  #hasSemicolons = false
  #notations: Notations = {}
  readonly #pass = new Pass()
  #reader: RecordReader | undefined
  #firstLine = 1
  #run: Buffer = Buffer.alloc(0)
  #recordStart = 0
  #recordEnd = 0

  /** Plain data, of whole sources. */
  get facts(): ProfileFacts {
    const { records, faults, lastLines } = this
    const columns = this.columns.map((column) => column.facts)
    return { records, faults, lastLines, columns, absent: this.#absent.facts }
  }

  /** Adds what another profile found of the sources that follow. */
  join({ records, faults, lastLines, columns, absent }: ProfileFacts): void {
    const fields = new Set(columns.map(({ field }) => field))
    for (const column of this.columns) if (!fields.has(column.field)) column.join(absent)
    for (const column of columns) this.#columnOf(column.field, column.notation).join(column)
    this.#absent.join(absent)
    this.records += records
    this.faults += faults
    if (records > 0) this.lastLines = lastLines
  }

  /** Begins with the next source. `fields` name the cells of its reader. */
  begin(source: string, fields: readonly string[], options: ProfileOptions = {}): void {
    this.source = source
    this.#sourceRecords = 0
    this.#cells = []
    this.#names = []
    this.#hasStrings = options.hasStrings === true
    this.#hasSemicolons = options.dialect?.delimiter === ';'
    this.#notations = options
    this.setFields(fields)
  }

  /** The fields of the records that follow: those of the records before them, and others. */
  setFields(fields: readonly string[]): void {
    const before = new Set(this.#cells)
    this.#cells = fields.map((field) => this.#columnOf(field, statedOf(field, this.#notations)))
    this.#names = fields.map((field) => Buffer.from(field))
    for (const column of this.#cells) {
      if (before.has(column)) continue
      column.beginSource(this.#hasSemicolons, this.#hasStrings)
      column.addMissing(this.#sourceRecords)
    }
  }

  end(): void {
    if (this.#sourceRecords > 0) this.lastLines = 1 + linesIn(this.#run, this.#recordStart, this.#recordEnd)
    const present = new Set(this.#cells)
    for (const column of [...this.columns, this.#absent]) {
      if (!present.has(column)) column.addMissing(this.#sourceRecords)
      column.endSource()
    }
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
    this.#sourceRecords++
    this.#reader = reader
    this.#firstLine = firstLine
    this.#run = run
    this.#recordStart = reader.recordStart
    this.#recordEnd = reader.recordEnd
    const { bytes, starts, ends, quoting } = reader
    const view = viewOf(bytes)
    this.aside = this.#asideOf(reader)
    const { aside } = this
    const hasStrings = this.#hasStrings
    const cells = this.#cells
    for (let cell = 0; cell < cells.length; cell++) {
      const column = cells[cell] as ColumnProfile
      const kind = quoting[cell] as number
      if (kind > quoted) this.#addEscaped(column, reader, cell)
      else {
        const start = starts[cell] as number
        const end = ends[cell] as number
        const isString = hasStrings && kind === quoted && bytes[start - 1] === quote
        if (aside !== undefined || isString || !column.repeats(bytes, view, start, end, kind))
          column.add(bytes, start, end, kind, isString, this, view)
      }
    }
  }

  /**
   * Passes over the records behind the one that was added last, as long as they add nothing but their number. The
   * last of them is left to `add`, because it may be the last of its source.
   */
  passOver(reader: RecordReader): void {
    const { bytes, marks, at } = reader
    if (
      marks === undefined ||
      at === undefined ||
      this.#hasStrings ||
      !this.#pass.mayPass(this.#cells, marks)
    )
      return
    this.#pass.over(this.#cells, bytes, viewOf(bytes), at, marks)
    reader.at = this.#pass.next
    this.records += this.#pass.passed
    this.#sourceRecords += this.#pass.passed
  }

  #asideOf(reader: RecordReader): Place['aside'] {
    if (reader.bytes[reader.recordStart] === hash) return 'remark'
    return !this.#hasStrings && this.#sourceRecords > 1 && this.#isTitle(reader) ? 'title' : undefined
  }

  /** Whether each cell holds the name of its field; of almost all records, the first one does not. */
  #isTitle({ bytes, starts, ends, count }: RecordReader): boolean {
    const names = this.#names
    for (let cell = 0; cell < names.length; cell++) {
      const name = names[cell] as Buffer
      const start = starts[cell] as number
      if (
        (ends[cell] as number) - start !== name.length ||
        !bytes.subarray(start, start + name.length).equals(name)
      )
        return false
    }
    return count === names.length
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

  /** Records before it had no such field. */
  #columnOf(field: string, notation: Notation | undefined): ColumnProfile {
    const known = this.#byField.get(field)
    if (known !== undefined) return known
    const column = new ColumnProfile(noFacts(field, notation))
    column.join(this.#absent.facts)
    this.#byField.set(field, column)
    this.columns.push(column)
    return column
  }
}
