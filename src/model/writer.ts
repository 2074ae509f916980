/**
 * Receives a record's values from a decoder: one call per column, in the model's order, between `startRow`
 * and `endRow`. A sink's encoder implements it, so that bytes become wire format without an object in
 * between.
 */
export interface RowWriter {
  startRow(): void
  endRow(): void
  /** Discards everything since `startRow`. */
  dropRow(): void

  null(): void
  boolean(value: boolean): void
  /** A whole number in the range of a 32-bit integer. */
  integer(value: number): void
  /** A 64-bit integer, `high * 2^32 + low`; -2^31 ≤ `high` < 2^31 and 0 ≤ `low` < 2^32. */
  bigint(high: number, low: number): void
  /** Finite. */
  double(value: number): void
  /**
   * Decimal digits in ASCII, with an optional `-` and an optional point. No exponent and no leading zeros; at
   * least one digit on each side of the point. Only valid during the call.
   */
  numeric(bytes: Buffer, start: number, end: number): void
  /** Days since 1970-01-01. */
  date(days: number): void
  /**
   * Days since 1970-01-01 and microseconds of that day; UTC for a timestamptz. Two numbers, because a double
   * cannot hold all sums exactly.
   */
  timestamp(days: number, micros: number): void
  /** Microseconds since midnight, up to those of a whole day (24:00). */
  time(micros: number): void
  /** 16 bytes, only valid during the call. */
  uuid(bytes: Buffer): void
  /** Valid UTF-8 without NUL; only valid during the call. */
  text(bytes: Buffer, start: number, end: number): void
  /** Any bytes; only valid during the call. */
  bytea(bytes: Buffer, start: number, end: number): void
  /** A valid JSON document, in UTF-8; only valid during the call. */
  json(bytes: Buffer, start: number, end: number): void
  /** Text in the database's input format, for a `custom` column. */
  custom(text: string): void
  /**
   * The last value of a row of a model that changes rows (change.ts): what of the row its record has named. A
   * writer without it takes every row as a whole one.
   */
  change?(change: string): void
}

/** Encoded rows that a sink keeps until it writes them, numbered from 0 in order of `endRow`. */
export interface RowBuffer extends RowWriter {
  readonly rows: number
  readonly bytes: number
  clear(): void
}
