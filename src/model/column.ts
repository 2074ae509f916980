/** A column and its options. It is data: decoding, DDL and wire encoding read only its `spec`. */
import type { Fault } from '../core/fault.ts'
import type { Notation } from '../core/notation.ts'
import type { Mask } from './mask.ts'
import type { Value } from './value.ts'
import { type Call, isCall, misuses } from './signatures.ts'
import type { RowWriter } from './writer.ts'

/** Decodes a cell's bytes into `writer`; on a fault, returns it and writes nothing. */
export type CellDecoder = (bytes: Buffer, start: number, end: number, writer: RowWriter) => Fault | undefined

/**
 * The type of a column: this object, plus a line in the table of each sink that has a type of its own for it.
 */
export interface ColumnType {
  /** The type's name in the sinks' tables; a sink stores an unlisted kind as text. */
  readonly kind: string
  /** Called once per column of a valid model. `zone` is that of a timestamp or timestamptz, in place of its own. */
  readonly decoder: (zone?: string) => CellDecoder
  /** What is wrong with its arguments; a message puts the column's name before it. */
  readonly problem?: () => string | undefined
  /** Most characters of a varchar or an enumeration. */
  readonly length?: number | undefined
  /** Most digits of a numeric. */
  readonly precision?: number | undefined
  readonly scale?: number | undefined
  /** The zone of a timestamptz written without an offset, and of a timestamp written with one. */
  readonly zone?: string | undefined
  /** SQL name, if it is not the kind. */
  readonly sql?: string | undefined
  /** Of a column of an ordinary table in SQLite, which changes values that its affinity does not keep. */
  readonly affinity?: 'INTEGER' | 'REAL' | 'TEXT' | 'NUMERIC' | 'BLOB' | undefined
  /** The only texts that the column takes. */
  readonly values?: readonly string[] | undefined
  /** Of the elements of an array. */
  readonly element?: ColumnType | undefined
  /** The text of a value as PostgreSQL writes it, where the decoder accepts another one. */
  readonly canonical?: ((text: string) => string) | undefined
}

/** What a transform may return. The column's type decodes the value's usual text form, strictly. */
export type Transformed = string | number | bigint | boolean | null

/**
 * A value that does not come from the source:
 * - `recordKey`: identifies the record uniquely, as in the ledger; see docs/models.md for its form;
 * - `processedAt`: the time when the record was processed;
 * - `processedOn`: the day of that time in a zone (an IANA name, or an offset such as `+02:00`);
 * - `derived`: computed from the other columns by the model's `derive`.
 */
export type Generated =
  | { readonly value: 'recordKey' | 'processedAt' }
  | { readonly value: 'processedOn'; readonly zone: string }
  | { readonly value: 'derived'; readonly by: (row: Readonly<Record<string, Value>>) => Transformed }

export interface ColumnSpec {
  readonly type: ColumnType
  readonly notNull: boolean
  /** The CSV column or JSON field, if it has another name than the column, or several of them. */
  readonly from?: string | readonly string[] | undefined
  /** Text form of the default value. */
  readonly fallback?: string | undefined
  /** Texts that mean NULL, in addition to an unquoted empty cell. */
  readonly nullIf: readonly string[]
  /** How its values are written. */
  readonly written?: Notation | undefined
  readonly transform?: ((text: string) => Transformed) | undefined
  readonly mask?: Mask | undefined
  readonly generated?: Generated | undefined
}

/** A column of a model; every method returns a new column. `T` is the type of its value in a row. */
export class Column<T = unknown> {
  readonly spec: ColumnSpec
  /** Invalid arguments so far; `defineModel` reports them, because it knows the column's name. */
  readonly #misuses: readonly string[]
  /** Carries `T` for inference only. */
  declare readonly value: T

  constructor(spec: ColumnSpec, misused: readonly string[] = []) {
    this.spec = spec
    this.#misuses = misused
  }

  static misusesOf(column: Column): readonly string[] {
    return column.#misuses
  }

  /** Rejects a record without a value here. */
  notNull(...given: []): Column<NonNullable<T>> {
    return this.#with({ notNull: true }, 'notNull', given)
  }

  /** Replaces a missing value; also the DEFAULT in the created table. */
  default(...given: [value: NonNullable<T>]): Column<NonNullable<T>> {
    return this.#with({ fallback: String(given[0]) }, 'default', given)
  }

  /**
   * Reads the column from the CSV column or JSON field `field` instead of the one with its own name. The texts
   * of several are joined by a space, without those that have no value.
   */
  from(...fields: [field: string, ...others: string[]]): Column<T> {
    return this.#with({ from: fields.length === 1 ? fields[0] : fields }, 'from', fields)
  }

  /** Texts that mean NULL, quoted or not, in addition to an unquoted empty cell. */
  nullIf(...texts: string[]): Column<T> {
    return this.#with({ nullIf: texts }, 'nullIf', texts)
  }

  /**
   * States how the values are written, where that is not the form that the type reads:
   * `.written({ decimal: ',', thousands: '.' })`, `.written({ pattern: 'DD.MM.YYYY' })`.
   */
  written(...given: [notation: Notation]): Column<T> {
    return this.#with({ written: given[0] }, 'written', given)
  }

  /**
   * Changes the source text before decoding. Its result is decoded as strictly as source text. Not called for
   * NULL. A throw rejects the record.
   */
  transform(...given: [fn: (text: string) => Transformed]): Column<T> {
    return this.#with({ transform: given[0] }, 'transform', given)
  }

  /**
   * Writes a mask instead of the source text. Rejects, dead letters, events and errors do not contain the
   * text either. Not called for NULL. Text columns only, and not together with `transform`.
   */
  mask(...given: [mask: Mask]): Column<T> {
    return this.#with({ mask: given[0] }, 'mask', given)
  }

  /** Fills the column with a value that is not in the source. */
  generated(...given: [value: 'recordKey' | 'processedAt']): Column<T>
  /** `zone` is UTC by default. */
  generated(...given: [value: 'processedOn', options?: { readonly zone?: string }]): Column<T>
  generated(
    ...given: [value: 'recordKey' | 'processedAt' | 'processedOn', options?: { readonly zone?: string }]
  ): Column<T> {
    const [value, options] = given
    const zone = options?.zone ?? 'UTC'
    return this.#with(
      { generated: value === 'processedOn' ? { value, zone } : { value } },
      'generated',
      given,
    )
  }

  #with<U>(change: Partial<ColumnSpec>, call: Call, given: readonly unknown[]): Column<U> {
    return new Column({ ...this.spec, ...change }, [...this.#misuses, ...misuses(call, given)])
  }
}

/** Makes a column function called `name`. `T` is the type of a value in a row, `Given` the arguments. */
export function columnType<T, Given extends unknown[] = []>(
  name: string,
  typeOf: (...given: Given) => ColumnType,
): (...given: Given) => Column<T | null> {
  const make = (...given: Given): Column<T | null> => {
    // A column among the arguments, as of an array, has its own.
    const within = given.flatMap((each) => (each instanceof Column ? Column.misusesOf(each) : []))
    const misused = [...(isCall(name) ? misuses(name, given) : []), ...within]
    return new Column({ type: typeOf(...given), notNull: false, nullIf: [] }, misused)
  }
  // An error message shows the name if the function itself is used as a column.
  return Object.defineProperty(make, 'name', { value: name })
}
