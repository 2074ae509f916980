/**
 * Types that DuckDB lacks and keeps as VARCHAR: a comment of the column notes which one it is, as a model writes it.
 * Only so can a later load, which has no model, know that a VARCHAR holds numbers.
 */
import {
  array,
  bigint,
  boolean,
  bytea,
  Column,
  type ColumnType,
  date,
  doublePrecision,
  integer,
  interval,
  json,
  numeric,
  text,
  time,
  timestamp,
  timestamptz,
  uuid,
  varchar,
} from '../../model/columns.ts'
import type { Model } from '../../model/model.ts'
import { identifier, literal, qualified, sqlType } from './ddl.ts'

/** By kind, where the model's function has another name. */
const writtenKinds: Readonly<Record<string, string>> = {
  double: 'doublePrecision',
  timeOfDay: 'time',
  bytes: 'bytea',
}

/** How a model writes the type. */
export function written({ kind, sql, length, precision, scale, values, element }: ColumnType): string {
  if (kind === 'custom') return `custom('${sql}')`
  if (values !== undefined) return `enumeration(${values.map((each) => `'${each}'`).join(', ')})`
  const given = element === undefined ? [length, precision, scale] : [written(element)]
  return `${writtenKinds[kind] ?? kind}(${given.filter((each) => each !== undefined).join(', ')})`
}

const makers = {
  text,
  varchar,
  integer,
  bigint,
  doublePrecision,
  numeric,
  boolean,
  date,
  time,
  timestamp,
  timestamptz,
  interval,
  bytea,
  uuid,
  json,
}

const notedKinds = ['numeric', 'varchar', 'array']

/** A person may have written more about the column. */
const note = /\blading: (array\()?([a-z]+)(?:\((\d*)(?:, ?(\d+))?\))?/i

/** The type that the comment of a VARCHAR notes. */
export function notedType(comment: string | null): ColumnType | undefined {
  const [, isArray, name = '', ...given] = note.exec(comment ?? '') ?? []
  if (!Object.hasOwn(makers, name)) return undefined
  const make = makers[name as 'numeric']
  const column = make(...given.filter(Boolean).map(Number))
  if (Column.misusesOf(column).length > 0) return undefined
  const { type } = (isArray === undefined ? column : array(column)).spec
  return notedKinds.includes(type.kind) ? type : undefined
}

/** For a table that was just made. */
export const noteTypes = (catalog: string, model: Model): string[] =>
  model.columns.flatMap(({ name, type }) => {
    const comment = `lading: ${written(type)}`
    if (sqlType(type) !== 'VARCHAR' || notedType(comment) === undefined) return []
    return `COMMENT ON COLUMN ${qualified(catalog, model)}.${identifier(name)} IS ${literal(comment)}`
  })
