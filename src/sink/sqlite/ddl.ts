import { createHash } from 'node:crypto'
import { changesRows } from '../../model/change.ts'
import {
  boolean,
  type ColumnType,
  date,
  json,
  numeric,
  time,
  timestamp,
  timestamptz,
  uuid,
} from '../../model/columns.ts'
import type { Model, ModelColumn } from '../../model/model.ts'

/** A name as SQL text. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

export const identifiers = (names: readonly string[]): string => names.map(identifier).join(', ')

export type SqliteType = 'INTEGER' | 'REAL' | 'TEXT' | 'BLOB'

/**
 * By the type's kind, for those whose values SQLite compares as they are meant: their type in a STRICT table,
 * in which SQLite refuses what does not fit instead of changing it. Times are TEXT of fixed width, so that
 * their order is that of time. A type without a line is TEXT: a numeric, because REAL would lose digits.
 */
const orderedTypes: Readonly<Record<string, SqliteType>> = {
  text: 'TEXT',
  varchar: 'TEXT',
  integer: 'INTEGER',
  bigint: 'INTEGER',
  double: 'REAL',
  boolean: 'INTEGER',
  date: 'TEXT',
  timestamp: 'TEXT',
  timestamptz: 'TEXT',
  timeOfDay: 'TEXT',
  uuid: 'TEXT',
  bytes: 'BLOB',
  enumeration: 'TEXT',
}

export const sqlType = ({ kind }: ColumnType): SqliteType => orderedTypes[kind] ?? 'TEXT'

/** Whether equal values have one text, and a greater one the greater text. */
export const isOrdered = ({ kind, affinity }: ColumnType): boolean =>
  affinity !== undefined || Object.hasOwn(orderedTypes, kind)

export function createTable(model: Model): string {
  const notes = model.origin === 'inferred'
  const lines = model.columns.map((column) => columnLine(column) + (notes ? typeNote(column.type) : ''))
  const { primaryKey } = model
  if (primaryKey.length > 0) lines.push(`PRIMARY KEY (${identifiers(primaryKey)})`)
  // Without a rowid the key is the table: half the file, and one tree to write instead of two.
  return `CREATE TABLE ${identifier(model.table)} (\n  ${lines.join(',\n  ')}\n) STRICT${primaryKey.length > 0 ? ', WITHOUT ROWID' : ''}`
}

function columnLine({ name, type, notNull, fallback }: ModelColumn): string {
  const parts = [identifier(name), sqlType(type)]
  if (notNull) parts.push('NOT NULL')
  if (fallback !== undefined) parts.push(`DEFAULT ${defaultLiteral(type, fallback)}`)
  if (type.values !== undefined)
    parts.push(`CHECK (${identifier(name)} IN (${type.values.map(literal).join(', ')}))`)
  return parts.join(' ')
}

/**
 * What SQLite's own types do not say, where no module of a person says it: the schema keeps comments. Only so
 * can a later load know that a TEXT holds dates.
 */
function typeNote({ kind, precision, scale = 0 }: ColumnType): string {
  if (!Object.hasOwn(notedTypes, kind)) return ''
  return ` /* ${kind}${precision === undefined ? '' : `(${precision},${scale})`} */`
}

const notedTypes = { boolean, date, timestamp, timestamptz, timeOfDay: time, uuid, json, numeric }

const note = /^ {2}"((?:[^"]|"")+)" .*? \/\* ([a-zA-Z]+)(?:\((\d+),(\d+)\))? \*\/,?$/gm

/** By column, the types that the schema of a table notes. */
export function notedColumns(sql: string): ReadonlyMap<string, ColumnType> {
  const found = Array.from(sql.matchAll(note), ([, name = '', kind = '', precision, scale]) => {
    if (kind === 'numeric' && precision !== undefined)
      return [name, numeric(Number(precision), Number(scale)).spec.type] as const
    return [
      name,
      Object.hasOwn(notedTypes, kind) ? notedTypes[kind as 'date']().spec.type : undefined,
    ] as const
  })
  return new Map(
    found.flatMap(([name, type]) =>
      type === undefined ? [] : [[name.replaceAll('""', '"'), type] as const],
    ),
  )
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

function defaultLiteral(type: ColumnType, given: string): string {
  const text = type.canonical?.(given) ?? given
  if (type.kind === 'boolean') return text === 'true' ? '1' : '0'
  if (type.kind === 'bytes') return `x'${text.slice(2)}'`
  return sqlType(type) === 'TEXT' ? literal(text) : text
}

/**
 * SQLite has one kind of index; block range and hash indexes answer what its B-trees answer anyway, and are
 * left out.
 */
export function createIndexes(model: Model): string[] {
  return model.indexes
    .filter(({ method }) => method === 'btree')
    .map(({ unique, columns }, number) => {
      const name = identifier(
        `${model.table}_${columns.join('_')}_idx_${shortHash([model.table, number, ...columns])}`,
      )
      return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${name} ON ${identifier(model.table)} (${identifiers(columns)})`
    })
}

/**
 * Names of indexes are the whole file's, and names that are joined say no more where one ends and the next
 * begins.
 */
const shortHash = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 8)

/** What an INSERT depends on. */
export interface InsertModel extends Pick<
  Model,
  'table' | 'primaryKey' | 'onConflict' | 'deletes' | 'arbiter'
> {
  readonly version?: string | undefined
  readonly columns: readonly { readonly name: string }[]
}

/** An expression may give one key to several texts of a column. */
export const notInKey = ({ columns, primaryKey, arbiter }: InsertModel): string[] =>
  columns
    .map(({ name }) => name)
    .filter((name) => arbiter?.expressions !== undefined || !primaryKey.includes(name))

/** Whether the conflict policy itself may leave a row out, without an error. */
export const mayLeaveOut = (model: InsertModel): boolean =>
  model.onConflict === 'skip' ||
  model.version !== undefined ||
  (model.onConflict === 'update' && notInKey(model).length === 0 && !changesRows(model))

export function insertRows(model: InsertModel, rows: number): string {
  const names = model.columns.map(({ name }) => name)
  const row = `(${names.map(() => '?').join(', ')})`
  // OR ABORT, because a constraint may say that its conflicts roll back the transaction or replace the row.
  const insert = `INSERT OR ABORT INTO ${identifier(model.table)} (${identifiers(names)}) VALUES ${Array(rows).fill(row).join(', ')}`
  // Of a row that changes others, what was there is gone, or has been changed.
  if (model.onConflict === 'error' || changesRows(model)) return insert
  const { expressions, predicate } = model.arbiter ?? {}
  const where = predicate === undefined ? '' : ` WHERE ${predicate}`
  const target = `(${expressions?.join(', ') ?? identifiers(model.primaryKey)})${where}`
  const conflict = `${insert} ON CONFLICT ${target} DO`
  const others = notInKey(model).map(identifier)
  if (model.onConflict === 'skip' || others.length === 0) return `${conflict} NOTHING`
  const update = `${conflict} UPDATE SET ${others.map((name) => `${name} = excluded.${name}`).join(', ')}`
  if (model.version === undefined) return update
  const version = `${identifier(model.table)}.${identifier(model.version)}`
  return `${update} WHERE ${version} IS NULL OR ${version} <= excluded.${identifier(model.version)}`
}
