/**
 * The code of a model that sees whole rows: what computes derived columns, and what refuses a record. Rows pass
 * through here on their way to the sink only where a model has such code. It sees masks, and never what they hide.
 */
import { LadingError } from '../core/errors.ts'
import type { Fault } from '../core/fault.ts'
import { visible } from '../core/found.ts'
import type { Derive, Model, Refusal } from './declared.ts'
import type { Transformed } from './column.ts'
import type { Value } from './value.ts'
import { ValueWriter } from './value-writer.ts'
import type { RowWriter } from './writer.ts'

const mostReason = 200

/** Whether rows have to pass through. */
export const hasHooks = ({ validate, columns }: Pick<Model, 'validate' | 'columns'>): boolean =>
  validate !== undefined || columns.some(isDerived)

export const isDerived = ({ generated }: Model['columns'][number]): boolean => generated?.value === 'derived'

/** Hands everything on, and remembers the values of the row that is being written. */
export class HookedRows implements RowWriter {
  readonly #rows: RowWriter
  readonly #model: Model
  readonly #values: ValueWriter

  constructor(model: Model, rows: RowWriter) {
    this.#model = model
    this.#rows = rows
    this.#values = new ValueWriter(model)
  }

  /** The value of a derived column, of those before it. Throws `HOOK_FAILED`. */
  derive(name: string, derive: Derive): Transformed {
    const value: unknown = run(this.#model, `derive of ${name}`, () => derive(this.#row()))
    if (value !== null && !scalars.includes(typeof value))
      throw failed(this.#model, `derive of ${name}`, `returned ${kindOf(value)}`)
    return value as Transformed
  }

  /** Why the model refuses the row; undefined where it does not. Throws `HOOK_FAILED`. */
  validate(): Fault | undefined {
    const model = this.#model
    const { validate } = model
    if (validate === undefined) return undefined
    const said: unknown = run(model, 'validate', () => validate(this.#row()))
    if (said === undefined || said === true) return undefined
    const { reason, column } = (typeof said === 'string' ? { reason: said } : Object(said)) as Partial<
      Exclude<Refusal, string>
    >
    if (typeof reason !== 'string' || reason.trim() === '')
      throw failed(model, 'validate', `returned ${kindOf(said)}, and not a reason`)
    if (column !== undefined && !model.columns.some(({ name }) => name === column))
      throw failed(model, 'validate', 'named a column that the model does not have')
    return { code: 'RECORD_INVALID', detail: shown(reason), column }
  }

  #row(): Readonly<Record<string, Value>> {
    const { values } = this.#values
    const { columns } = this.#model
    // For each record and hook: Object.fromEntries takes six times as long.
    const row: Record<string, Value> = {}
    for (const [index, value] of values.entries()) {
      const name = columns[index]?.name as string
      // To assign it would set what the object inherits from.
      if (name === '__proto__') Object.defineProperty(row, name, { value, enumerable: true })
      else row[name] = value
    }
    return row
  }

  startRow(): void {
    this.#values.values.length = 0
    this.#values.startRow()
    this.#rows.startRow()
  }
  endRow(): void {
    this.#rows.endRow()
  }
  dropRow(): void {
    this.#rows.dropRow()
  }
  change(change: string): void {
    this.#rows.change?.(change)
  }

  null(): void {
    this.#values.null()
    this.#rows.null()
  }
  boolean(value: boolean): void {
    this.#values.boolean(value)
    this.#rows.boolean(value)
  }
  integer(value: number): void {
    this.#values.integer(value)
    this.#rows.integer(value)
  }
  bigint(high: number, low: number): void {
    this.#values.bigint(high, low)
    this.#rows.bigint(high, low)
  }
  double(value: number): void {
    this.#values.double(value)
    this.#rows.double(value)
  }
  numeric(bytes: Buffer, start: number, end: number): void {
    this.#values.numeric(bytes, start, end)
    this.#rows.numeric(bytes, start, end)
  }
  date(days: number): void {
    this.#values.date(days)
    this.#rows.date(days)
  }
  timestamp(days: number, micros: number): void {
    this.#values.timestamp(days, micros)
    this.#rows.timestamp(days, micros)
  }
  time(micros: number): void {
    this.#values.time(micros)
    this.#rows.time(micros)
  }
  uuid(bytes: Buffer): void {
    this.#values.uuid(bytes)
    this.#rows.uuid(bytes)
  }
  text(bytes: Buffer, start: number, end: number): void {
    this.#values.text(bytes, start, end)
    this.#rows.text(bytes, start, end)
  }
  bytea(bytes: Buffer, start: number, end: number): void {
    this.#values.bytea(bytes, start, end)
    this.#rows.bytea(bytes, start, end)
  }
  json(bytes: Buffer, start: number, end: number): void {
    this.#values.json(bytes, start, end)
    this.#rows.json(bytes, start, end)
  }
  custom(text: string): void {
    this.#values.custom(text)
    this.#rows.custom(text)
  }
}

const scalars = ['string', 'number', 'bigint', 'boolean']

const kindOf = (value: unknown): string =>
  value instanceof Promise ? 'a promise' : value === null ? 'null' : `a value of type ${typeof value}`

const shown = (reason: string): string =>
  visible(reason.length > mostReason ? `${reason.slice(0, mostReason)}…` : reason)

function run<T>(model: Model, hook: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    const kind = cause instanceof Error ? cause.name : typeof cause
    throw failed(model, hook, `threw ${kind}${placeIn(cause)}`, cause)
  }
}

/** Throws `HOOK_FAILED` unless it is the answer of a `where`: what is forgotten or a promise would leave all records out, or none. */
export function requireAnswer(model: Pick<Model, 'table'>, isKept: unknown): asserts isKept is boolean {
  if (typeof isKept !== 'boolean')
    throw failed(model, 'where', `returned ${kindOf(isKept)}, and not true or false`)
}

/** What the code threw may hold values, so that only its kind and its place in the code are named. */
const failed = ({ table }: Pick<Model, 'table'>, hook: string, what: string, cause?: unknown): LadingError =>
  new LadingError('HOOK_FAILED', `the ${hook} of model ${table} ${what}`, { cause })

/** ` at FILE:LINE:COLUMN` of the code that threw. */
function placeIn(error: unknown): string {
  const frame = error instanceof Error ? /^ +at .*$/m.exec(error.stack ?? '')?.[0] : undefined
  const place = /(?:file:\/\/)?(\/[^()]+:\d+:\d+)\)?$/.exec(frame ?? '')?.[1]
  return place === undefined ? '' : ` at ${place}`
}

/** What the model's code threw, with the record it was at; anything else as it is. */
export const withRecord = (error: unknown, place: () => string): unknown =>
  error instanceof LadingError && error.code === 'HOOK_FAILED'
    ? new LadingError('HOOK_FAILED', `${place()}: ${error.message}`, { cause: error.cause })
    : error
