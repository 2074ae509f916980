/** Column types and their options. A column is data; decoding, DDL and wire encoding look at `spec` and nothing else. */
import type { Mask } from './mask.ts'

export type ColumnType =
  | { readonly kind: 'text' | 'integer' | 'bigint' | 'double' | 'boolean' | 'date' | 'timestamp' | 'uuid' | 'json' }
  | { readonly kind: 'varchar'; readonly length: number }
  | { readonly kind: 'numeric'; readonly precision?: number | undefined; readonly scale?: number | undefined }
  | { readonly kind: 'timestamptz'; readonly zone?: string | undefined }
  | { readonly kind: 'custom'; readonly sql: string }

/** What a transform may return: text or a value whose usual text form is then decoded strictly by the column's type. */
export type Transformed = string | number | bigint | boolean | null

/**
 * A value that does not come from a field of the source:
 * - `recordKey`: what tells the record apart from all others, as the ledger does; see docs/models.md for its form;
 * - `processedAt`: when the record was processed;
 * - `processedOn`: on which day that was, in a zone (an IANA name).
 */
export type Generated = { readonly value: 'recordKey' | 'processedAt' } | { readonly value: 'processedOn'; readonly zone: string }

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
  /** Carries `T` for inference only. */
  declare readonly value: T

  constructor(spec: ColumnSpec) {
    this.spec = spec
  }

  /** A record without a value here is rejected. */
  notNull(): Column<NonNullable<T>> {
    return new Column({ ...this.spec, notNull: true })
  }

  /** Stands in for a missing value; also the DEFAULT of the created table. */
  default(value: NonNullable<T>): Column<NonNullable<T>> {
    return new Column({ ...this.spec, fallback: String(value) })
  }

  /** Reads the column from the CSV column or JSON field `field` instead of the one that has its own name. */
  from(field: string): Column<T> {
    return new Column({ ...this.spec, from: field })
  }

  /** Texts that mean NULL, quoted or not, besides an unquoted empty cell. */
  nullIf(...texts: string[]): Column<T> {
    return new Column({ ...this.spec, nullIf: texts })
  }

  /**
   * Changes the text of the source before it is decoded; what it returns is decoded as strictly as a text of the source.
   * Not called for NULL. A throw rejects the record.
   */
  transform(fn: (text: string) => Transformed): Column<T> {
    return new Column({ ...this.spec, transform: fn })
  }

  /**
   * Writes the mask of the source's text instead of the text. Nothing else keeps the text either: no reject, dead letter, event or
   * error. Not called for NULL. Text columns only, and not together with `transform`.
   */
  mask(mask: Mask): Column<T> {
    return new Column({ ...this.spec, mask })
  }

  /** Fills the column with a value that is not in the source. */
  generated(value: 'recordKey' | 'processedAt'): Column<T>
  /** `zone` is UTC where it is not given. */
  generated(value: 'processedOn', options?: { readonly zone?: string }): Column<T>
  generated(value: Generated['value'], { zone = 'UTC' }: { readonly zone?: string } = {}): Column<T> {
    return new Column({ ...this.spec, generated: value === 'processedOn' ? { value, zone } : { value } })
  }
}

const column = <T>(type: ColumnType): Column<T | null> => new Column({ type, notNull: false, nullIf: [] })

/** Unicode text of any length. */
export const text = () => column<string>({ kind: 'text' })
/** Unicode text of at most `length` characters (code points). */
export const varchar = (length: number) => column<string>({ kind: 'varchar', length })
/** Whole number, 32 bits. */
export const integer = () => column<number>({ kind: 'integer' })
/** Whole number, 64 bits. */
export const bigint = () => column<bigint>({ kind: 'bigint' })
/** IEEE 754 double; NaN and infinities are refused. */
export const doublePrecision = () => column<number>({ kind: 'double' })
/** Exact decimal number, at most `precision` digits, `scale` of them behind the point; without them any number. */
export const numeric = (precision?: number, scale?: number) => column<string>({ kind: 'numeric', precision, scale })
/** true/false, t/f, yes/no, y/n, on/off, 1/0, in any case. */
export const boolean = () => column<boolean>({ kind: 'boolean' })
/** Calendar date, YYYY-MM-DD. */
export const date = () => column<string>({ kind: 'date' })
/** Date and time without a zone, to the microsecond. A text with a zone is refused. */
export const timestamp = () => column<string>({ kind: 'timestamp' })
/** Instant, to the microsecond. A text without an offset is refused, unless `zone` (an IANA name) states where it was local. */
export const timestamptz = (options: { readonly zone?: string } = {}) => column<string>({ kind: 'timestamptz', zone: options.zone })
export const uuid = () => column<string>({ kind: 'uuid' })
/** JSON document, checked and kept as the text that came. */
export const json = () => column<string>({ kind: 'json' })
/** Any other type of the database, by its SQL name; values travel as text and the database alone checks them. */
export const custom = (sql: string) => column<string>({ kind: 'custom', sql })
