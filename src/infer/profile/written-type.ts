/** A found type as the column of a model, and as SQL writes it. */
import {
  bigint,
  boolean,
  type Column,
  custom,
  date,
  doublePrecision,
  integer,
  json,
  numeric,
  text,
  timestamp,
  timestamptz,
  uuid,
} from '../../model/columns.ts'
import type { FoundType, TypeName } from './types.ts'

const makers: Readonly<Record<Exclude<TypeName, 'numeric'>, () => Column>> = {
  integer,
  bigint,
  doublePrecision,
  boolean,
  date,
  timestamp,
  timestamptz,
  time: () => custom('time'),
  uuid,
  json,
  text,
}

/** Without its notation, which belongs to the file. */
export function columnOfType({ name, precision, scale }: FoundType): Column {
  if (name !== 'numeric') return makers[name]()
  return precision === undefined ? numeric() : numeric(precision, scale ?? 0)
}
