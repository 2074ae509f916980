/** Records of one layout → rows of the model. */
import { cellBytes } from '../../core/cells.ts'
import type { Fault, Span } from '../../core/fault.ts'
import type { Layout } from '../../core/load.ts'
import type { Format, RecordReader } from '../../format/format.ts'
import { formatOf } from '../../format/registry.ts'
import { skipProblem } from '../../core/skip.ts'
import { fieldProblems, type FieldMask, skipFields, wantedFields } from '../../model/fields.ts'
import { deletedField, mayChangeRows } from '../../model/change.ts'
import { cellsByColumn, type Model, sourceColumns, sourceNames, tableName } from '../../model/model.ts'
import { notationsProblem } from '../../model/notation/notation.ts'
import { type Origin, RecordDecoder } from '../../model/record.ts'
import type { RowWriter } from '../../model/writer.ts'
import { type Filter, filterOf } from './filter.ts'
import { isRedacted, Keeping } from './keeping.ts'

export interface RecordsOptions {
  readonly model: Model
  readonly ignoreExtra: boolean
  /** The field that identifies a record. */
  readonly keyField?: string | undefined
  /** Fields of which values were redacted, in bytes that were masked before they were kept. */
  readonly redacted?: readonly string[] | undefined
}

/** Why records cannot be decoded. */
export interface Unfit {
  readonly code: 'ENVELOPE_NEWER' | 'BAD_ENVELOPE' | 'MODEL_MISMATCH'
  readonly detail: string
}

/** A cell whose value may have been redacted. */
interface RedactableCell {
  readonly cell: number
  readonly field: string
  readonly column: string | undefined
}

const mayDelete = (model: Model, { unwrap }: Layout): boolean =>
  model.deletes === true || (Array.isArray(unwrap) && unwrap.includes('debezium'))

export class Records {
  readonly layout: Layout
  readonly reader: RecordReader
  /** Undefined where the model masks nothing. */
  readonly keeping: Keeping | undefined
  /** Undefined where no record is left out on purpose. */
  readonly filter: Filter | undefined
  readonly #model: Model
  readonly #format: Format
  readonly #decoder: RecordDecoder
  /** The cell that says whether the record deletes its row, or -1. */
  readonly #deletedCell: number
  readonly #keyField: string | undefined
  readonly #keyMask: FieldMask | undefined
  readonly #redactable: readonly RedactableCell[]
  /** Of each column that is read from the source, in the reader and in the layout. */
  readonly #cellsOf: ReadonlyMap<string, readonly number[]>
  readonly #cellsInLayout: ReadonlyMap<string, readonly number[]>

  private constructor(format: Format, layout: Layout, options: RecordsOptions, rows: RowWriter) {
    const { model, ignoreExtra, keyField, redacted = [] } = options
    this.layout = layout
    this.#model = model
    this.#format = format
    // Behind those that columns read, that of the key as the last one.
    const key = keyField === undefined ? [] : [{ name: keyField, take: 'key' as const }]
    const wanted = wantedFields(model)
    const isMark = mayDelete(model, layout) && wanted.every(({ name }) => name !== deletedField)
    const mark = isMark ? [{ name: deletedField, take: 'key' as const }] : []
    this.#deletedCell = isMark ? wanted.length : -1
    const skipping = skipFields(model, layout.skipWhen)
      .filter((name) => !wanted.some((each) => each.name === name))
      .map((name) => ({ name, take: 'either' as const }))
    this.reader = format.reader(layout, [...wanted, ...mark, ...skipping, ...key], ignoreExtra)
    this.filter = filterOf(model, layout, this.reader)
    this.#decoder = new RecordDecoder(model, this.reader.fields, rows, layout)
    this.keeping = Keeping.of(model, keyField, layout)
    this.#keyField = keyField
    this.#keyMask = keyField === undefined ? undefined : this.keeping?.maskOf(keyField)
    this.#cellsOf = cellsByColumn(model, this.reader.fields)
    this.#cellsInLayout = cellsByColumn(model, layout.fields)
    this.#redactable = this.#cells().filter(({ cell, field }) => cell >= 0 && redacted.includes(field))
  }

  /** Rows are written to `rows`. */
  static of(layout: Layout, options: RecordsOptions, rows: RowWriter): Records | Unfit {
    const format = formatOf(layout)
    if (format === undefined) {
      const name = layout.format ?? 'csv'
      const code = layout.format === undefined ? 'BAD_ENVELOPE' : 'ENVELOPE_NEWER'
      return {
        code,
        detail: `its records have a layout of format ${JSON.stringify(name)} that cannot be read`,
      }
    }
    const unreadable = notationsProblem(layout) ?? skipProblem(layout.skipWhen)
    if (unreadable !== undefined)
      return { code: 'BAD_ENVELOPE', detail: `its records have a layout that cannot be read: ${unreadable}` }
    const { model, ignoreExtra } = options
    // Without fields in the layout, each record names its own.
    const problems =
      layout.fields.length === 0 ? [] : [...fieldProblems(model, layout.fields, ignoreExtra, layout.skipWhen)]
    if (problems.length === 0) return new Records(format, layout, options, rows)
    return { code: 'MODEL_MISMATCH', detail: `does not fit ${tableName(model)}: ${problems.join(', ')}` }
  }

  #cells(): RedactableCell[] {
    const { fields } = this.reader
    const cells: RedactableCell[] = sourceColumns(this.#model).flatMap((column) =>
      sourceNames(column).map((field, index) => ({
        cell: this.#cellsOf.get(column.name)?.[index] ?? -1,
        field,
        column: column.name,
      })),
    )
    const field = this.#keyField
    return field === undefined ? cells : [...cells, { cell: fields.length - 1, field, column: undefined }]
  }

  /**
   * Writes the record that the reader stands on, number `record` of the origin, as one row, or writes nothing
   * and says why.
   */
  decode(origin: Origin, record: number): Fault | undefined {
    return (
      this.reader.fault ??
      (this.#redactable.length === 0 ? undefined : this.#redactedFault()) ??
      (this.#keyField === undefined ? undefined : this.#keyFault(this.#keyField)) ??
      (this.#isDeletion() ? this.#delete(origin, record) : this.#decoder.decode(this.reader, origin, record))
    )
  }

  #isDeletion(): boolean {
    return this.#deletedCell >= 0 && cellBytes(this.reader, this.#deletedCell).toString('latin1') === 'true'
  }

  #delete(origin: Origin, record: number): Fault | undefined {
    if (this.#model.deletes === true) return this.#decoder.delete(this.reader, origin, record)
    const detail = mayChangeRows(this.#model)
      ? 'the consumer does not unwrap debezium'
      : "the model has no onConflict 'update' or 'merge', or it has a version"
    return { code: 'DELETE_REFUSED', detail: `the record deletes a row, and ${detail}` }
  }

  /**
   * The fault with its place in the text of its record; a `masked` text is another one than it was found in.
   */
  placed(text: Buffer, fault: Fault, masked: boolean): Fault {
    return { ...fault, span: this.#spanOf(text, fault, masked) }
  }

  #spanOf(text: Buffer, { span, column: name }: Fault, masked: boolean): Span | undefined {
    if (span !== undefined && !masked)
      return { start: Math.min(span.start, text.length), end: Math.min(span.end, text.length) }
    const column = this.#model.columns.find((each) => each.name === name)
    if (column === undefined) return undefined
    const cells = this.#cellsInLayout.get(column.name)
    const spans = sourceNames(column)
      .map((field, index) => this.#format.record.locate(text, this.layout, field, cells?.[index] ?? -1))
      .filter((each) => each !== undefined)
    if (spans.length === 0) return undefined
    return {
      start: Math.min(...spans.map(({ start }) => start)),
      end: Math.max(...spans.map(({ end }) => end)),
    }
  }

  /** The text of the key field, or its mask. Throws what the mask throws. */
  keyText(): string {
    const text = cellBytes(this.reader, this.reader.fields.length - 1).toString('utf8')
    return this.#keyMask?.(text) ?? text
  }

  #keyFault(field: string): Fault | undefined {
    const { starts, ends, fields } = this.reader
    const cell = fields.length - 1
    if ((starts[cell] as number) >= (ends[cell] as number)) {
      return {
        code: 'KEY_MISSING',
        detail: `field ${JSON.stringify(field)}, which is the key of a record, is missing or empty`,
      }
    }
    try {
      this.keyText()
      return undefined
    } catch {
      return { code: 'TRANSFORM_FAILED', detail: 'the mask of the model threw' }
    }
  }

  #redactedFault(): Fault | undefined {
    const one = this.#redactable.find(({ cell }) =>
      isRedacted(cellBytes(this.reader, cell).toString('latin1')),
    )
    return (
      one && {
        code: 'VALUE_REDACTED',
        detail: `the value of field ${JSON.stringify(one.field)} was not kept`,
        column: one.column,
      }
    )
  }
}
