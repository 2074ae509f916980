/** A found type as the column of a model, and as SQL writes it. */
import {
  bigint,
  boolean,
  type Column,
  date,
  doublePrecision,
  integer,
  json,
  numeric,
  text,
  time,
  timestamp,
  timestamptz,
  uuid,
} from '../../model/columns.ts'
import type { FoundType, TypeName } from './found-type.ts'
import { LadingError } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'

const makers: Readonly<Record<Exclude<TypeName, 'numeric'>, () => Column>> = {
  integer,
  bigint,
  doublePrecision,
  boolean,
  date,
  timestamp,
  timestamptz,
  time,
  uuid,
  json,
  text,
}

/** Without its notation, which belongs to the file. */
export function columnOfType({ name, precision, scale }: FoundType): Column {
  if (name !== 'numeric') return makers[name]()
  return precision === undefined ? numeric() : numeric(precision, scale ?? 0)
}

/** Names of types as SQL and people write them. */
const typeNames: Readonly<Record<string, TypeName>> = {
  int: 'integer',
  int4: 'integer',
  int8: 'bigint',
  double: 'doublePrecision',
  'double precision': 'doublePrecision',
  float: 'doublePrecision',
  decimal: 'numeric',
  bool: 'boolean',
  ...Object.fromEntries(Object.keys(makers).map((name) => [name.toLowerCase(), name as TypeName])),
  numeric: 'numeric',
}

/** Of a column, as `--columns` states it: `bigint`, `numeric(12,2)`. Throws `USAGE`. */
export function parseType(field: string, stated: string): FoundType {
  const [, written = '', precision, scale] =
    /^\s*([a-z\d ]+?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?\s*$/i.exec(stated) ?? []
  const name = Object.hasOwn(typeNames, written.toLowerCase()) ? typeNames[written.toLowerCase()] : undefined
  if (name === undefined || (precision !== undefined && name !== 'numeric')) {
    const near = nearest(written, Object.keys(typeNames))
    throw new LadingError(
      'USAGE',
      `${JSON.stringify(stated)} is no type for ${field}${near === undefined ? '' : `; did you mean ${near}?`} (integer, bigint, numeric, numeric(12,2), double, boolean, date, time, timestamp, timestamptz, uuid, json, text)`,
    )
  }
  return { name, ...(precision !== undefined && { precision: Number(precision), scale: Number(scale ?? 0) }) }
}
