/** Whether a column that exists keeps every value of a model's column exactly as it is. */
import {
  bigint,
  boolean,
  bytea,
  type ColumnType,
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
  varchar,
} from '../../../model/columns.ts'
import { arrayOf, asText } from './checked.ts'
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
export function modelType(column: CatalogType): string {
  const { kind, sql, length, precision, scale } = typeOf(column, column.shown)
  if (kind === 'custom' || kind === 'array') return `custom('${sql ?? column.shown}')`
  const size = [length, precision, scale].filter((each) => each !== undefined)
  return `${writtenKinds[kind] ?? kind}(${size.join(', ')})`
}

/** By kind, where the model's function has another name. */
const writtenKinds: Readonly<Record<string, string>> = {
  double: 'doublePrecision',
  timeOfDay: 'time',
  bytes: 'bytea',
}

/**
 * The type of a model that writes the column without a loss: one with a binary form that says beforehand what
 * does not fit, or else `declared`, whose values travel as text and which PostgreSQL alone reads.
 */
export function typeOf(column: CatalogType, declared: string): ColumnType {
  if (column.enumerated) return text().spec.type
  const type = modelTypes[column.type]?.(column) ?? arrayType(declared, column)
  return type !== undefined && hasRoom(type, column) ? type : asText(declared, column.type)
}

/** Boxes are the only elements that no comma separates. */
function arrayType(declared: string, { type }: CatalogType): ColumnType | undefined {
  const element = /^(?!box)(.*)\[\]$/.exec(declared)?.[1]
  return element === undefined ? undefined : arrayOf(element, type.replace(/^_/, ''))
}

/** By pg_type.typname. Times with fewer digits, and numerics with a scale below zero, have no type of their own. */
const modelTypes: Readonly<Record<string, (column: CatalogType) => ColumnType | undefined>> = {
  text: () => text().spec.type,
  citext: () => text().spec.type,
  varchar: ({ typmod }) => (typmod === -1 ? text() : varchar(typmod - varlenaHeader)).spec.type,
  int4: () => integer().spec.type,
  int8: () => bigint().spec.type,
  float8: () => doublePrecision().spec.type,
  numeric: ({ typmod }) => {
    if (typmod === -1) return numeric().spec.type
    const { digits, scale } = numericSize(typmod)
    return scale < 0 || scale > digits ? undefined : numeric(digits, scale).spec.type
  },
  bool: () => boolean().spec.type,
  date: () => date().spec.type,
  timestamp: () => timestamp().spec.type,
  timestamptz: () => timestamptz().spec.type,
  time: () => time().spec.type,
  bytea: () => bytea().spec.type,
  uuid: () => uuid().spec.type,
  json: () => json().spec.type,
}

const isText = ({ kind }: ColumnType): boolean =>
  kind === 'text' || kind === 'varchar' || kind === 'enumeration'

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
  timeOfDay: ['time'],
  uuid: ['uuid'],
  bytes: ['bytea'],
  enumeration: texts,
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
    case 'enumeration':
      return type.length !== undefined && typmod - varlenaHeader >= type.length
    case 'timestamp':
    case 'timestamptz':
    case 'timeOfDay':
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
function numericSize(typmod: number): { readonly digits: number; readonly scale: number } {
  const encoded = typmod - varlenaHeader
  return { digits: encoded >> 16, scale: ((encoded & 0x7ff) ^ 1024) - 1024 }
}

function hasDigits(precision: number, scale: number, typmod: number): boolean {
  const column = numericSize(typmod)
  return column.scale >= scale && column.digits - column.scale >= precision - scale
}
