/**
 * Where a decoder puts the values of a record: one call per column, in the order of the model's columns,
 * between `startRow` and `endRow`. A sink implements it as its encoder, so that bytes become wire format
 * without an object in between.
 */
export interface RowWriter {
  startRow(): void
  endRow(): void
  /** Takes back everything since `startRow`. */
  dropRow(): void

  null(): void
  boolean(value: boolean): void
  /** A whole number in the range of a 32-bit integer. */
  integer(value: number): void
  /**
   * A 64-bit integer: `high * 2^32 + low`, `high` from -2^31 to before 2^31 and `low` from 0 to before 2^32.
   */
  bigint(high: number, low: number): void
  /** Finite. */
  double(value: number): void
  /**
   * Decimal digits, a `-` before and a point among them where there is one; no exponent, at least one digit
   * before the point, no zero in front that could go, and at least one digit behind the point. ASCII, only
   * valid during the call.
   */
  numeric(bytes: Buffer, start: number, end: number): void
  /** Days since 1970-01-01. */
  date(days: number): void
  /**
   * Days since 1970-01-01 and microseconds of that day; UTC for a timestamptz. Two numbers, because their sum
   * in microseconds is not exact in a double.
   */
  timestamp(days: number, micros: number): void
  /** Its 16 bytes; only valid during the call. */
  uuid(bytes: Buffer): void
  /** Valid UTF-8 without NUL; only valid during the call. */
  text(bytes: Buffer, start: number, end: number): void
  /** A valid JSON document, in UTF-8; only valid during the call. */
  json(bytes: Buffer, start: number, end: number): void
  /** Text in the database's own input form, for a column type that lading does not know. */
  custom(text: string): void
}

/**
 * Encoded rows, kept by a sink until they are written. Rows are numbered from 0 in the order of their
 * `endRow`.
 */
export interface RowBuffer extends RowWriter {
  readonly rows: number
  readonly bytes: number
  clear(): void
}
