import { cellBytes, type Cells, escaped, unquoted } from '../core/cells.ts'
import type { Fault } from '../core/fault.ts'
import { visible } from '../core/found.ts'
import type { Notations } from '../core/notation.ts'
import type { CellDecoder, Transformed } from './columns.ts'
import { changesRows, isDeletion, isSent, isUnsent } from './change.ts'
import { HookedRows, hasHooks } from './hooks.ts'
import type { Written } from './notation/notation.ts'
import { cellsByColumn, type Model } from './model.ts'
import { type CellPart, type ColumnPlan, type ModelChange, type Origin, planOf } from './plan.ts'
import type { RowWriter } from './writer.ts'

export type { Origin } from './plan.ts'

const nowhere: Origin = { keyOf: () => '', at: 0 }

/**
 * Decodes the cells of records into rows of a model. `fields` names the cells, in order. If it has one entry
 * per column, in order, two columns may read the same field, each from its own cell.
 */
export class RecordDecoder {
  readonly #plans: readonly ColumnPlan[]
  /** The cells of columns whose text is decoded as it stands; -1 for the other columns. */
  readonly #plainCells: Int32Array
  readonly #decoders: readonly CellDecoder[]
  readonly #writer: RowWriter
  /** Undefined where the model has no code that sees rows. */
  readonly #hooks: HookedRows | undefined
  readonly #changes: boolean
  readonly #merges: boolean

  /** `notations`: those of the layout. */
  constructor(model: Model, fields: readonly string[], writer: RowWriter, notations?: Notations) {
    this.#hooks = hasHooks(model) ? new HookedRows(model, writer) : undefined
    const cells = cellsByColumn(model, fields)
    this.#plans = model.columns.map((column) => ({
      ...planOf(column, cells.get(column.name) ?? [], notations, this.#hooks),
      isKey: model.primaryKey.includes(column.name),
    }))
    this.#plainCells = Int32Array.from(this.#plans, (plan) => (isPlain(plan) ? plan.cell : -1))
    this.#decoders = this.#plans.map(({ decode }) => decode)
    this.#writer = this.#hooks ?? writer
    this.#changes = changesRows(model)
    this.#merges = model.onConflict === 'merge'
  }

  /**
   * Writes the record, number `record` of its origin, as one row; on a fault, returns it and writes nothing.
   */
  decode(cells: Cells, origin = nowhere, record = 0): Fault | undefined {
    if (this.#changes) return this.#decodeChange(cells, origin, record, false)
    const [writer, plainCells, decoders] = [this.#writer, this.#plainCells, this.#decoders]
    const { bytes, starts, ends, quoting } = cells
    writer.startRow()
    for (let column = 0; column < plainCells.length; column++) {
      const cell = plainCells[column] as number
      const start = starts[cell] as number
      const end = ends[cell] as number
      const fault =
        cell >= 0 && start < end && quoting[cell] !== escaped
          ? (decoders[column] as CellDecoder)(bytes, start, end, writer)
          : this.#decodeColumn(column, cells, origin, record)
      if (fault !== undefined) {
        writer.dropRow()
        return { ...fault, column: this.#plans[column]?.name }
      }
    }
    return this.#hooks === undefined ? void writer.endRow() : this.#endHooked(this.#hooks)
  }

  #endHooked(hooks: HookedRows): Fault | undefined {
    const fault = hooks.validate()
    if (fault === undefined) hooks.endRow()
    else hooks.dropRow()
    return fault
  }

  #decodeColumn(column: number, cells: Cells, origin: Origin, record: number): Fault | undefined {
    const plan = this.#plans[column] as ColumnPlan
    const writer = this.#writer
    return plan.cell < 0 ? fill(plan, cells, writer, origin, record) : decodeCell(plan, cells, writer)
  }

  /** As `decode`, for a record that deletes the row of its key; the model must take that. */
  delete(cells: Cells, origin = nowhere, record = 0): Fault | undefined {
    return this.#decodeChange(cells, origin, record, true)
  }

  #decodeChange(cells: Cells, origin: Origin, record: number, deletes: boolean): Fault | undefined {
    const writer = this.#writer
    let change = ''
    writer.startRow()
    for (const plan of this.#plans) {
      const isAsked = plan.isKey || !(deletes || this.#isUnsent(plan, cells))
      const decode = () =>
        plan.cell < 0 ? fill(plan, cells, writer, origin, record) : decodeCell(plan, cells, writer)
      const fault = isAsked ? decode() : decodeUnsent(plan, writer)
      if (fault !== undefined) {
        writer.dropRow()
        return { ...fault, column: plan.name }
      }
      change += isAsked ? isSent : isUnsent
    }
    writer.change?.(deletes ? isDeletion : this.#merges ? change : '')
    // Of a deletion nothing is known but the key.
    return this.#hooks === undefined || deletes ? void writer.endRow() : this.#endHooked(this.#hooks)
  }

  #isUnsent({ cell, parts, generate }: ColumnPlan, cells: Cells): boolean {
    if (!this.#merges || generate !== undefined) return false
    return (parts ?? [{ cell }]).every((part) => part.cell < 0 || cells.isAbsent?.(part.cell) === true)
  }
}

const isPlain = ({ nullIf, change }: ColumnPlan): boolean => nullIf.length === 0 && change === undefined

/** A value that is not asked of a record: what a new row has, or nothing. */
function decodeUnsent({ fallback, decode }: ColumnPlan, writer: RowWriter): Fault | undefined {
  if (fallback !== undefined) return decode(fallback, 0, fallback.length, writer)
  writer.null()
  return undefined
}

/** A column without a cell of its own. */
function fill(
  plan: ColumnPlan,
  cells: Cells,
  writer: RowWriter,
  origin: Origin,
  record: number,
): Fault | undefined {
  if (plan.generate !== undefined) return plan.generate(origin, record, writer)
  if (plan.derive !== undefined) return decodeValue(plan, 'derive', plan.derive(), writer)
  return plan.parts === undefined ? decodeMissing(plan, writer) : decodeParts(plan, plan.parts, cells, writer)
}

/** The texts of the cells, joined by a space, without those that have no value. */
function decodeParts(
  plan: ColumnPlan,
  parts: readonly CellPart[],
  cells: Cells,
  writer: RowWriter,
): Fault | undefined {
  const texts: string[] = []
  for (const { cell, read } of parts) {
    const isMissing =
      cell < 0 || (cells.starts[cell] === cells.ends[cell] && cells.quoting[cell] === unquoted)
    const text = isMissing ? null : read(cellBytes(cells, cell).toString('utf8'))
    if (text !== null) texts.push(text)
  }
  if (texts.length === 0) return decodeMissing(plan, writer)
  const { written, model } = plan.change ?? {}
  return decodeChanged(plan, written, model, texts.join(' '), writer)
}

function decodeCell(plan: ColumnPlan, cells: Cells, writer: RowWriter): Fault | undefined {
  const { cell } = plan
  let bytes = cells.bytes
  let start = cells.starts[cell] as number
  let end = cells.ends[cell] as number
  const quoting = cells.quoting[cell]
  if (start === end && quoting === unquoted) return decodeMissing(plan, writer)
  if (quoting === escaped) {
    bytes = cells.unescaped(cell)
    start = 0
    end = bytes.length
  }
  for (const text of plan.nullIf)
    if (text.compare(bytes, start, end) === 0) return decodeMissing(plan, writer)
  if (plan.change !== undefined) {
    const { written, ofLiteral, model } = plan.change
    const own = cells.isLiteral?.(cell) === true ? ofLiteral : written
    return decodeChanged(plan, own, model, bytes.toString('utf8', start, end), writer)
  }
  return plan.decode(bytes, start, end, writer)
}

function decodeMissing(plan: ColumnPlan, writer: RowWriter): Fault | undefined {
  if (plan.fallback !== undefined) return plan.decode(plan.fallback, 0, plan.fallback.length, writer)
  if (plan.missing !== undefined) return plan.missing
  writer.null()
  return undefined
}

function decodeChanged(
  plan: ColumnPlan,
  written: Written | undefined,
  model: ModelChange | undefined,
  source: string,
  writer: RowWriter,
): Fault | undefined {
  const text = written === undefined ? source : written(source)
  if (text === null) return decodeMissing(plan, writer)
  if (typeof text !== 'string') return text
  if (model !== undefined) return decodeByModel(plan, model, text, writer)
  const bytes = Buffer.from(text)
  return plan.decode(bytes, 0, bytes.length, writer)
}

function decodeByModel(
  plan: ColumnPlan,
  { by, change }: ModelChange,
  text: string,
  writer: RowWriter,
): Fault | undefined {
  let value: Transformed
  try {
    value = change(text)
  } catch (error) {
    // An error of a mask may contain the value, which is personal data.
    return {
      code: 'TRANSFORM_FAILED',
      detail: `the ${by} of the model threw${by === 'mask' ? '' : messageOf(error)}`,
    }
  }
  return decodeValue(plan, by, value, writer)
}

/** A value that the model's code made of others. */
function decodeValue(
  plan: ColumnPlan,
  by: 'transform' | 'mask' | 'derive',
  value: Transformed,
  writer: RowWriter,
): Fault | undefined {
  if (value === null || value === undefined) return decodeMissing(plan, writer)
  if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol') {
    return {
      code: 'TRANSFORM_FAILED',
      detail: `the ${by} of the model returned neither text, number, boolean nor null`,
    }
  }
  const changed = String(value)
  if (changed.includes('\0')) return { code: 'NUL_BYTE', detail: `the ${by} of the model returned a NUL` }
  if (!changed.isWellFormed())
    return { code: 'LONE_SURROGATE', detail: `the ${by} of the model returned half a surrogate pair` }
  const bytes = Buffer.from(changed)
  return plan.decode(bytes, 0, bytes.length, writer)
}

/** The message that the model's own code threw, short and on one line. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : error
  if (typeof message !== 'string' || message === '') return ''
  const most = 200
  return `: ${visible(message.length > most ? `${message.slice(0, most)}…` : message)}`
}
