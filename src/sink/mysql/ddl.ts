/** The table that is made for a model. */
import { type ColumnType, json, timestamptz, uuid } from '../../model/columns.ts'
import type { Index, Model, ModelColumn } from '../../model/model.ts'
import type { TableName } from '../../model/table.ts'
import { literal } from './literal.ts'
import type { Product } from './session.ts'

/** A name as SQL text, in a session of ours (ANSI_QUOTES). */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

export const identifiers = (names: readonly string[]): string => names.map(identifier).join(', ')

/** A schema of the model is a database of the server. */
export const qualified = ({ schema, table }: TableName): string =>
  schema === undefined ? identifier(table) : `${identifier(schema)}.${identifier(table)}`

/** Texts are equal if their bytes are: no two keys of a file become one, by case, accents or spaces. */
export const collations: Readonly<Record<Product, string>> = {
  mariadb: 'utf8mb4_nopad_bin',
  mysql: 'utf8mb4_0900_bin',
}

/** Of a numeric of any size. */
const [anyDigits, anyScale] = [65, 30]

/** A longer text lies outside the row anyway, and all VARCHARs of a row share 65,535 bytes. */
const mostVarchar = 4000
/** Bytes of all columns of an index are at most 3072, four for each character. */
const keyCharacters = 700

export function sqlType(type: ColumnType, keyLength?: number): string {
  switch (type.kind) {
    case 'integer':
      return 'INT'
    case 'bigint':
      return 'BIGINT'
    case 'double':
      return 'DOUBLE'
    case 'numeric':
      return type.precision === undefined
        ? `DECIMAL(${anyDigits}, ${anyScale})`
        : `DECIMAL(${type.precision}, ${type.scale ?? 0})`
    case 'boolean':
      return 'TINYINT(1)'
    case 'date':
      return 'DATE'
    case 'timestamp':
    case 'timestamptz':
      return 'DATETIME(6)'
    case 'timeOfDay':
      return 'TIME(6)'
    case 'uuid':
      return 'CHAR(36) CHARACTER SET ascii COLLATE ascii_bin'
    case 'bytes':
      return keyLength === undefined ? 'LONGBLOB' : `VARBINARY(${keyLength})`
    case 'varchar':
    case 'enumeration':
      if (type.length !== undefined && type.length <= mostVarchar) return `VARCHAR(${type.length})`
      return textType(keyLength)
    default:
      return textType(keyLength)
  }
}

const textType = (keyLength: number | undefined): string =>
  keyLength === undefined ? 'LONGTEXT' : `VARCHAR(${keyLength})`

/**
 * Kinds of which the type in the table does not say what they are: its comment does, and the types that it may be
 * about.
 */
const notes: Readonly<Record<string, { readonly bases: readonly string[]; readonly type: ColumnType }>> = {
  timestamptz: { bases: ['datetime'], type: timestamptz().spec.type },
  uuid: { bases: ['char'], type: uuid().spec.type },
  json: { bases: ['longtext'], type: json().spec.type },
}

/** What the comment of a column says of its type. */
export function noteIn(comment: string): (typeof notes)[string] | undefined {
  const kind = /^(\w+)(?: \(UTC\))?$/.exec(comment)?.[1] ?? ''
  return Object.hasOwn(notes, kind) ? notes[kind] : undefined
}

const noteOf = ({ kind }: ColumnType): string => (kind === 'timestamptz' ? `${kind} (UTC)` : kind)

const isLong = (type: ColumnType): boolean => sqlType(type).startsWith('LONG')

/** By column: characters, or bytes, that it may have as part of a key. */
function keyLengths(model: Model): ReadonlyMap<string, number> {
  const long = new Set(model.columns.filter(({ type }) => isLong(type)).map(({ name }) => name))
  const lengths = new Map<string, number>()
  const keys = [
    model.primaryKey,
    ...model.indexes.filter(({ unique }) => unique).map(({ columns }) => columns),
  ]
  for (const key of keys) {
    const parts = key.filter((name) => long.has(name))
    for (const name of parts)
      lengths.set(
        name,
        Math.min(lengths.get(name) ?? keyCharacters, Math.floor(keyCharacters / parts.length)),
      )
  }
  return lengths
}

export function createTable(model: Model, product: Product): string {
  const lengths = keyLengths(model)
  const lines = model.columns.map((column) => columnLine(column, lengths.get(column.name)))
  if (model.primaryKey.length > 0) lines.push(`PRIMARY KEY (${identifiers(model.primaryKey)})`)
  // With the table, because each statement of this kind is a transaction of its own.
  lines.push(...model.indexes.flatMap((index) => indexLine(model, index, lengths)))
  return `CREATE TABLE ${qualified(model)} (\n  ${lines.join(',\n  ')}\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=${collations[product]}`
}

function columnLine({ name, type, notNull, fallback }: ModelColumn, keyLength: number | undefined): string {
  const parts = [identifier(name), sqlType(type, keyLength), notNull ? 'NOT NULL' : 'NULL']
  if (fallback !== undefined) parts.push(`DEFAULT (${defaultLiteral(type, fallback)})`)
  if (Object.hasOwn(notes, type.kind)) parts.push(`COMMENT ${literal(noteOf(type))}`)
  if (type.values !== undefined)
    parts.push(`CHECK (${identifier(name)} IN (${type.values.map(literal).join(', ')}))`)
  return parts.join(' ')
}

/** Characters at the beginning of a long text that an index has. */
const prefixCharacters = 191

/** Block ranges are no index of this database; what a hash index answers, its B-trees answer. */
function indexLine(
  model: Model,
  { method, unique, columns }: Index,
  lengths: ReadonlyMap<string, number>,
): readonly string[] {
  if (method === 'brin') return []
  const long = (name: string) =>
    !lengths.has(name) && model.columns.some((column) => column.name === name && isLong(column.type))
  const parts = columns.map((name) => identifier(name) + (long(name) ? `(${prefixCharacters})` : ''))
  return [`${unique ? 'UNIQUE ' : ''}INDEX (${parts.join(', ')})`]
}

function defaultLiteral(type: ColumnType, given: string): string {
  const text = type.canonical?.(given) ?? given
  switch (type.kind) {
    case 'boolean':
      return text === 'true' ? '1' : '0'
    case 'bytes':
      return `x'${text.slice(2)}'`
    default:
      return literal(text)
  }
}
