/** How each column of a model is read from the cells of a record: found out once, when a decoder is made. */
import type { Fault } from '../core/fault.ts'
import type { Notation, Notations } from '../core/notation.ts'
import type { CellDecoder, Transformed } from './columns.ts'
import { generatorOf } from './generated.ts'
import { type ModelColumn, sourceNames } from './model.ts'
import { textWritten, valueWritten, type Written, writtenBy } from './notation/notation.ts'
import { notationOf, withoutSigns } from './notation/stated.ts'
import type { HookedRows } from './hooks.ts'
import type { RowWriter } from './writer.ts'

/** The origin of records, for generated columns. */
export interface Origin {
  /** Identifies record number `record` uniquely. */
  keyOf(record: number): string
  /** When the records are processed, in milliseconds since 1970-01-01. */
  readonly at: number
}

export interface ColumnPlan {
  readonly name: string
  readonly isKey: boolean
  /** Index of the cell; -1 if the source has none, or the column has several. */
  readonly cell: number
  readonly parts: readonly CellPart[] | undefined
  readonly decode: CellDecoder
  /** The fault of a record without a value; undefined if the column becomes NULL. */
  readonly missing: Fault | undefined
  readonly fallback: Buffer | undefined
  readonly nullIf: readonly Buffer[]
  readonly change: Change | undefined
  /** The value that the model computes from those of the row before it. */
  readonly derive: (() => Transformed) | undefined
  readonly generate: ((origin: Origin, record: number, writer: RowWriter) => Fault | undefined) | undefined
}

/** One of several cells that make a value. */
export interface CellPart {
  readonly cell: number
  /** Null is no value. */
  readonly read: (text: string) => string | null
}

/** What changes the source text, in this order. */
export interface Change {
  /** Applies `nullIf` too, because what comes before it may leave one of its texts. */
  readonly written: Written | undefined
  /** The same of a literal, such as a number of JSON, which has the signs of its format. */
  readonly ofLiteral: Written | undefined
  readonly model: ModelChange | undefined
}

export interface ModelChange {
  readonly by: 'transform' | 'mask'
  readonly change: (text: string) => Transformed
}

export function planOf(
  column: ModelColumn,
  cells: readonly number[],
  notations?: Notations,
  hooks?: HookedRows,
): Omit<ColumnPlan, 'isKey'> {
  const { generated } = column
  const parts = cells.length > 1 ? partsOf(column, cells, notations) : undefined
  const change = changeOf(column, notations)
  return {
    name: column.name,
    cell: parts === undefined ? (cells[0] ?? -1) : -1,
    parts,
    decode: column.type.decoder(),
    missing: missingFault(column),
    fallback: column.fallback === undefined ? undefined : Buffer.from(column.fallback),
    nullIf: change?.written === undefined ? column.nullIf.map((text) => Buffer.from(text)) : [],
    change,
    generate:
      generated === undefined || generated.value === 'derived'
        ? undefined
        : generatorOf(generated, column.type.decoder()),
    derive:
      generated?.value === 'derived' ? () => hooks?.derive(column.name, generated.by) ?? null : undefined,
  }
}

function missingFault({ notNull, tableNotNull }: ModelColumn): Fault | undefined {
  if (notNull) return { code: 'NULL_NOT_ALLOWED', detail: 'the column must have a value' }
  return tableNotNull === true
    ? { code: 'CONSTRAINT_NOT_NULL', detail: 'the column of the table is NOT NULL' }
    : undefined
}

function partsOf(
  column: ModelColumn,
  cells: readonly number[],
  notations: Notations | undefined,
): readonly CellPart[] {
  return sourceNames(column).map((field, index) => ({
    cell: cells[index] ?? -1,
    read: textWritten(notationOf(column.written, field, column.type, notations) ?? {}, column.nullIf),
  }))
}

function changeOf(column: ModelColumn, notations?: Notations): Change | undefined {
  const { type, nullIf } = column
  const [field, ...others] = sourceNames(column)
  const isWhole = others.length === 0
  const notation = notationOf(column.written, isWhole ? field : undefined, type, notations)
  const model = modelChangeOf(column)
  if (notation === undefined && model === undefined) return undefined
  // The parts of a value have been read already.
  const by = (part: Notation): Written | undefined =>
    isWhole ? writtenBy(part, type, nullIf) : valueWritten(part, type)
  return {
    written: notation && by(notation),
    ofLiteral: notation && by(withoutSigns(notation)),
    model,
  }
}

function modelChangeOf({ transform, mask }: ModelColumn): ModelChange | undefined {
  if (mask !== undefined) return { by: 'mask', change: (text) => mask.apply(text) }
  return transform === undefined ? undefined : { by: 'transform', change: transform }
}
