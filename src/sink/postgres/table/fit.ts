/** Whether a column that exists keeps every value of a model's column exactly as it is. */
import type { ColumnType } from '../../../model/columns.ts'
import { sqlType } from './ddl.ts'

/** The type of a column as the catalog has it; that of its base where it is a domain. */
export interface CatalogType {
  /** pg_type.typname. */
  readonly type: string
  /** As a person writes it, with its length or precision. */
  readonly shown: string
  /** Length or precision in the type's own encoding (pg_attribute.atttypmod); -1 without one. */
  readonly typmod: number
  readonly enumerated: boolean
}

/**
 * What is wrong with the column, to be read after its name, and what would fit; undefined where nothing is
 * wrong.
 */
export function misfit(type: ColumnType, column: CatalogType): string | undefined {
  const compatible = binaryTypes[type.kind]
  if (compatible === undefined) return undefined
  const said = `is ${column.shown}, the model says ${sqlType(type)}`
  const cure = `(write ${modelType(column)})`
  if (isText(type) && column.type === 'bpchar')
    return `${said}: it would pad texts with spaces, or drop spaces at their end (alter the column to ${column.shown.replace(/^character\b/, 'varchar')}, or write ${modelType(column)})`
  if (isText(type) && column.enumerated) return undefined
  if (!compatible.includes(column.type)) return `${said} ${cure}`
  return hasRoom(type, column)
    ? undefined
    : `${said}: it would round, cut or refuse values that the model allows ${cure}`
}

/** How a model writes the column. */
export function modelType({ type, shown, typmod, enumerated }: CatalogType): string {
  const [written, unlimited] = enumerated ? ['text'] : (writtenTypes[type] ?? [])
  const isTime = type === 'timestamp' || type === 'timestamptz'
  if (written !== undefined && (typmod === -1 || (isTime && typmod === 6))) return `${unlimited ?? written}()`
  // Times with fewer digits and numerics with a scale below zero have no type of their own.
  const size = /\((\d+)(?:,(\d+))?\)$/
    .exec(shown)
    ?.slice(1)
    .filter((each) => each !== undefined)
  const hasOwn = written !== undefined && !isTime && size !== undefined
  return hasOwn ? `${written}(${size.join(', ')})` : `custom('${shown}')`
}

/** By pg_type.typname; the second where there is no length. */
const writtenTypes: Readonly<Record<string, readonly string[]>> = {
  text: ['text'],
  citext: ['text'],
  varchar: ['varchar', 'text'],
  int4: ['integer'],
  int8: ['bigint'],
  float8: ['doublePrecision'],
  numeric: ['numeric'],
  bool: ['boolean'],
  date: ['date'],
  timestamp: ['timestamp'],
  timestamptz: ['timestamptz'],
  uuid: ['uuid'],
  json: ['json'],
}

const isText = ({ kind }: ColumnType): boolean => kind === 'text' || kind === 'varchar'

const texts: readonly string[] = ['text', 'varchar', 'citext']

/**
 * By the type's kind: the types of PostgreSQL (pg_type.typname) that take what we write for it in binary. A
 * type without a line travels as text, and any type of a column will do.
 */
const binaryTypes: Readonly<Record<string, readonly string[]>> = {
  text: texts,
  varchar: texts,
  integer: ['int4'],
  bigint: ['int8'],
  double: ['float8'],
  numeric: ['numeric'],
  boolean: ['bool'],
  date: ['date'],
  timestamp: ['timestamp'],
  timestamptz: ['timestamptz'],
  uuid: ['uuid'],
  json: ['json'],
}

export const hasBinaryForm = ({ kind }: ColumnType): boolean => Object.hasOwn(binaryTypes, kind)

function hasRoom(type: ColumnType, { typmod }: CatalogType): boolean {
  if (typmod === -1) return true
  switch (type.kind) {
    case 'text':
      return false
    case 'varchar':
      return type.length !== undefined && typmod - varlenaHeader >= type.length
    case 'numeric':
      return type.precision !== undefined && hasDigits(type.precision, type.scale ?? 0, typmod)
    case 'timestamp':
    case 'timestamptz':
      return typmod === 6
    default:
      return true
  }
}

/** Bytes by which typmods of varchar and numeric are greater than what they encode (VARHDRSZ). */
const varlenaHeader = 4

/**
 * The typmod of numeric(p, s) holds p in its upper and s, which may be negative, in its lower 11 bits
 * (numeric.c, make_numeric_typmod).
 */
function hasDigits(precision: number, scale: number, typmod: number): boolean {
  const encoded = typmod - varlenaHeader
  const columnScale = ((encoded & 0x7ff) ^ 1024) - 1024
  return columnScale >= scale && (encoded >> 16) - columnScale >= precision - scale
}
