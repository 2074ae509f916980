/**
 * Column types and their options. A column is data; decoding, DDL and wire encoding look at `spec` and
 * nothing else.
 */
import type { Fault } from '../core/fault.ts'
import { decodeBigint, decodeDouble, decodeInteger, numericDecoder } from './decode/number.ts'
import {
  decodeBoolean,
  decodeCustom,
  decodeJson,
  decodeText,
  decodeUuid,
  varcharDecoder,
} from './decode/text.ts'
import { decodeDate, decodeTimestamp, timestamptzDecoder } from './decode/time.ts'
import type { Mask } from './mask.ts'
import { type Call, isCall, misuses } from './signatures.ts'
import type { RowWriter } from './writer.ts'

/** Reads one value from the bytes of a cell and writes it, or says why it cannot and writes nothing. */
export type CellDecoder = (bytes: Buffer, start: number, end: number, writer: RowWriter) => Fault | undefined

/** What a column holds. A type is this object alone, and a line in the table of each sink that keeps it apart. */
export interface ColumnType {
  /** Its name in the tables of the sinks; one that they do not list is kept as text. */
  readonly kind: string
  /** Called once for each column of a model that has no problem. */
  readonly decoder: () => CellDecoder
  /** What is wrong with its arguments, to be read after the column's name. */
  readonly problem?: () => string | undefined
  /** Characters, of a varchar. */
  readonly length?: number | undefined
  /** Digits, of a numeric. */
  readonly precision?: number | undefined
  readonly scale?: number | undefined
  /** Where a timestamptz without an offset was local. */
  readonly zone?: string | undefined
  /** Name in SQL, where that is not the kind. */
  readonly sql?: string | undefined
}

/**
 * What a transform may return: text or a value whose usual text form is then decoded strictly by the column's
 * type.
 */
export type Transformed = string | number | bigint | boolean | null

/**
 * A value that does not come from a field of the source:
 * - `recordKey`: what tells the record apart from all others, as the ledger does; see docs/models.md for its
 *   form;
 * - `processedAt`: when the record was processed;
 * - `processedOn`: on which day that was, in a zone (an IANA name, or an offset such as `+02:00`).
 */
export type Generated =
  | { readonly value: 'recordKey' | 'processedAt' }
  | { readonly value: 'processedOn'; readonly zone: string }

export interface ColumnSpec {
  readonly type: ColumnType
  readonly notNull: boolean
  /** Name of the CSV column or JSON field, where it is not the column's own name. */
  readonly from?: string | undefined
  /** Text form of the value that stands in for a missing one. */
  readonly fallback?: string | undefined
  /** Texts that mean NULL, besides an unquoted empty cell. */
  readonly nullIf: readonly string[]
  readonly transform?: ((text: string) => Transformed) | undefined
  readonly mask?: Mask | undefined
  readonly generated?: Generated | undefined
}

/** A column of a model; every method returns a new column. `T` is the type of its value in a row. */
export class Column<T = unknown> {
  readonly spec: ColumnSpec
  /** What is wrong with how it was made; `defineModel` says it, because only there the column has a name. */
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

  /** A record without a value here is rejected. */
  notNull(...given: []): Column<NonNullable<T>> {
    return this.#with({ notNull: true }, 'notNull', given)
  }

  /** Stands in for a missing value; also the DEFAULT of the created table. */
  default(...given: [value: NonNullable<T>]): Column<NonNullable<T>> {
    return this.#with({ fallback: String(given[0]) }, 'default', given)
  }

  /** Reads the column from the CSV column or JSON field `field` instead of the one that has its own name. */
  from(...given: [field: string]): Column<T> {
    return this.#with({ from: given[0] }, 'from', given)
  }

  /** Texts that mean NULL, quoted or not, besides an unquoted empty cell. */
  nullIf(...texts: string[]): Column<T> {
    return this.#with({ nullIf: texts }, 'nullIf', texts)
  }

  /**
   * Changes the text of the source before it is decoded; what it returns is decoded as strictly as a text of
   * the source. Not called for NULL. A throw rejects the record.
   */
  transform(...given: [fn: (text: string) => Transformed]): Column<T> {
    return this.#with({ transform: given[0] }, 'transform', given)
  }

  /**
   * Writes the mask of the source's text instead of the text. Nothing else keeps the text either: no reject,
   * dead letter, event or error. Not called for NULL. Text columns only, and not together with `transform`.
   */
  mask(...given: [mask: Mask]): Column<T> {
    return this.#with({ mask: given[0] }, 'mask', given)
  }

  /** Fills the column with a value that is not in the source. */
  generated(...given: [value: 'recordKey' | 'processedAt']): Column<T>
  /** `zone` is UTC where it is not given. */
  generated(...given: [value: 'processedOn', options?: { readonly zone?: string }]): Column<T>
  generated(...given: [value: Generated['value'], options?: { readonly zone?: string }]): Column<T> {
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

/**
 * The function that makes columns of a type, named `name`. `T` is the type of a value in a row, `Given` the
 * arguments that the type takes.
 */
export function columnType<T, Given extends unknown[] = []>(
  name: string,
  typeOf: (...given: Given) => ColumnType,
): (...given: Given) => Column<T | null> {
  const make = (...given: Given): Column<T | null> => {
    const misused = isCall(name) ? misuses(name, given) : []
    return new Column({ type: typeOf(...given), notNull: false, nullIf: [] }, misused)
  }
  // Where the function stands instead of a column, the message names it.
  return Object.defineProperty(make, 'name', { value: name })
}

/** A type without arguments. */
function plain(kind: string, decode: CellDecoder): () => ColumnType {
  const type = { kind, decoder: () => decode }
  return () => type
}

/** Unicode text of any length. */
export const text = columnType<string>('text', plain('text', decodeText))
/** Unicode text of at most `length` characters (code points). */
export const varchar = columnType<string, [length: number]>('varchar', (length) => ({
  kind: 'varchar',
  length,
  decoder: () => varcharDecoder(length),
}))
/** Whole number, 32 bits. */
export const integer = columnType<number>('integer', plain('integer', decodeInteger))
/** Whole number, 64 bits. */
export const bigint = columnType<bigint>('bigint', plain('bigint', decodeBigint))
/** IEEE 754 double; NaN and infinities are refused. */
export const doublePrecision = columnType<number>('doublePrecision', plain('double', decodeDouble))
/**
 * Exact decimal number, at most `precision` digits, `scale` of them behind the point; without them any
 * number.
 */
export const numeric = columnType<string, [precision?: number, scale?: number]>(
  'numeric',
  (precision, scale) => ({
    kind: 'numeric',
    precision,
    scale,
    decoder: () => numericDecoder(precision, scale),
  }),
)
/** true/false, t/f, yes/no, y/n, on/off, 1/0, in any case. */
export const boolean = columnType<boolean>('boolean', plain('boolean', decodeBoolean))
/** Calendar date, YYYY-MM-DD. */
export const date = columnType<string>('date', plain('date', decodeDate))
/** Date and time without a zone, to the microsecond. A text with a zone is refused. */
export const timestamp = columnType<string>('timestamp', plain('timestamp', decodeTimestamp))
/**
 * Instant, to the microsecond. A text without an offset is refused, unless `zone` (an IANA name, or an offset
 * such as `+02:00`) states where it was local.
 */
export const timestamptz = columnType<string, [options?: { readonly zone?: string }]>(
  'timestamptz',
  (options) => ({
    kind: 'timestamptz',
    zone: options?.zone,
    decoder: () => timestamptzDecoder(options?.zone),
  }),
)
export const uuid = columnType<string>('uuid', plain('uuid', decodeUuid))
/** JSON document, checked and kept as the text that came. */
export const json = columnType<string>('json', plain('json', decodeJson))
/**
 * Any other type of the database, by its SQL name; values travel as text and the database alone checks them.
 */
export const custom = columnType<string, [sql: string]>('custom', (sql) => ({
  kind: 'custom',
  sql,
  decoder: () => decodeCustom,
}))
