/** How the values of a column lie in memory, as DuckDB's vectors have them. */
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  type DuckDBType,
  INTEGER,
  TIME,
  TIMESTAMP,
  TIMESTAMPTZ,
  UUID,
  VARCHAR,
} from '@duckdb/node-api'
import type { ColumnType } from '../../model/columns.ts'

/** The kind of a type that only tables of others have; `element` is the type in which its values travel. */
export const kindOfExisting = 'existing'

/** DuckDB's own limit. */
const mostDigits = 38

export interface Cell {
  readonly type: DuckDBType
  /** Bytes of a value; of a text or of bytes those of its entry (duckdb_string_t). */
  readonly width: number
  readonly isText: boolean
  /** Digits behind the point, of a decimal number. */
  readonly scale?: number
}

const fixed = (type: DuckDBType, width: number): Cell => ({ type, width, isText: false })
const text: Cell = { type: VARCHAR, width: 16, isText: true }

/** By the type's kind; what has no line here travels as text. */
const cells: Readonly<Record<string, Cell>> = {
  integer: fixed(INTEGER, 4),
  bigint: fixed(BIGINT, 8),
  double: fixed(DOUBLE, 8),
  boolean: fixed(BOOLEAN, 1),
  date: fixed(DATE, 4),
  timestamp: fixed(TIMESTAMP, 8),
  timestamptz: fixed(TIMESTAMPTZ, 8),
  timeOfDay: fixed(TIME, 8),
  uuid: fixed(UUID, 16),
  bytes: { type: BLOB, width: 16, isText: true },
}

export function cellOf({ kind, precision, scale = 0, element }: ColumnType): Cell {
  if (kind === kindOfExisting && element !== undefined) return cellOf(element)
  if (kind !== 'numeric') return cells[kind] ?? text
  // DuckDB has no decimal numbers of any precision: those that are not bounded are kept as text.
  if (precision === undefined || precision > mostDigits) return text
  const width = precision <= 4 ? 2 : precision <= 9 ? 4 : precision <= 18 ? 8 : 16
  return { type: DECIMAL(precision, scale), width, isText: false, scale }
}
