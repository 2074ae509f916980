/** The columns of tables that exist, as types of a model that let through only what the column keeps exactly. */
import {
  bigint,
  boolean,
  bytea,
  type ColumnType,
  custom,
  date,
  doublePrecision,
  enumeration,
  integer,
  json,
  numeric,
  text,
  time,
  timestamp,
  timestamptz,
  uuid,
} from '../../model/columns.ts'
import { checked } from '../../model/checked.ts'
import type { CatalogColumn } from './catalog.ts'
import { kindOfExisting } from './cells.ts'
import { notedType } from './note.ts'

/** By what DuckDB calls them. */
const plainTypes: Readonly<Record<string, () => ColumnType>> = {
  INTEGER: () => integer().spec.type,
  BIGINT: () => bigint().spec.type,
  DOUBLE: () => doublePrecision().spec.type,
  BOOLEAN: () => boolean().spec.type,
  VARCHAR: () => text().spec.type,
  BLOB: () => bytea().spec.type,
  JSON: () => json().spec.type,
  UUID: () => uuid().spec.type,
  DATE: () => date().spec.type,
  TIME: () => time().spec.type,
  TIMESTAMP: () => timestamp().spec.type,
  'TIMESTAMP WITH TIME ZONE': () => timestamptz().spec.type,
  TINYINT: () => within('TINYINT', integer()),
  SMALLINT: () => within('SMALLINT', integer()),
  UTINYINT: () => within('UTINYINT', integer()),
  USMALLINT: () => within('USMALLINT', integer()),
  UINTEGER: () => within('UINTEGER', bigint()),
  UBIGINT: () => within('UBIGINT', numeric(20, 0)),
  HUGEINT: () => within('HUGEINT', numeric(38, 0)),
  UHUGEINT: () => within('UHUGEINT', numeric(38, 0)),
  FLOAT: () => within('FLOAT', doublePrecision()),
  TIMESTAMP_S: () => within('TIMESTAMP_S', timestamp()),
  TIMESTAMP_MS: () => within('TIMESTAMP_MS', timestamp()),
  TIMESTAMP_NS: () => within('TIMESTAMP_NS', timestamp()),
}

/** `problem` names a type that nothing is written to. */
export function typeOf({ type: declared, comment }: Pick<CatalogColumn, 'type' | 'comment'>): ColumnType {
  const plain = (declared === 'VARCHAR' ? notedType(comment) : undefined) ?? plainTypes[declared]?.()
  if (plain !== undefined) return plain
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(declared) ?? []
  if (precision !== undefined) return numeric(Number(precision), Number(scale)).spec.type
  const values = valuesOf(declared)
  if (values !== undefined) return enumeration(...values).spec.type
  if (!isNested(declared)) return textual(declared)
  return {
    ...text().spec.type,
    problem: () =>
      `it is ${declared}, and Lading writes no nested values: load them as JSON into another column and convert them there`,
  }
}

/** Texts of types that DuckDB alone reads, by their names, where it would round, cut or add to others. */
const exactTexts: Readonly<Record<string, readonly [RegExp, string]>> = {
  BIGNUM: [/^[+-]?\d+$/, 'a whole number'],
  INTERVAL: [/^(?!.*\.\d{7})/s, 'an interval of whole microseconds'],
  TIME_NS: [/^[^.]*(?:\.\d{1,9})?$/s, 'a time of at most 9 digits of a second'],
  'TIME WITH TIME ZONE': [
    /^[^.+-]*(?:\.\d{1,6})?[+-]\d[\d:]*$/s,
    'a time with its zone, and at most 6 digits of a second',
  ],
}

function textual(declared: string): ColumnType {
  const { type } = custom(declared).spec
  const [exact, what] = exactTexts[declared] ?? []
  if (exact === undefined || what === undefined) return type
  return checked(type, (bytes, start, end) => exact.test(bytes.toString('utf8', start, end)), what)
}

export const isNested = (declared: string): boolean =>
  /\]$|^(?:STRUCT|MAP|UNION|VARIANT|GEOMETRY)\b/.test(declared)

/** Of an ENUM. */
export function valuesOf(declared: string): readonly string[] | undefined {
  if (!declared.startsWith('ENUM(')) return undefined
  return Array.from(declared.matchAll(/'((?:[^']|'')*)'/g), ([, value = '']) => value.replaceAll("''", "'"))
}

interface Based {
  readonly spec: { readonly type: ColumnType }
}

/** Travels as a value of a larger type; what the column would change or refuse is found before it is written. */
const within = (sql: string, { spec: { type } }: Based): ColumnType => ({
  kind: kindOfExisting,
  sql,
  element: type,
  decoder: type.decoder,
})
