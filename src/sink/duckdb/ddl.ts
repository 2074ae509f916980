import { createHash } from 'node:crypto'
import type { ColumnType } from '../../model/columns.ts'
import type { Model, ModelColumn } from '../../model/model.ts'
import type { TableName } from '../../model/table.ts'
import { cellOf, kindOfExisting } from './cells.ts'

/** A name as SQL text. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

export const identifiers = (names: readonly string[]): string => names.map(identifier).join(', ')

export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** Without it a schema and a file of one name would be mistaken for each other. */
export const qualified = (catalog: string, { schema = 'main', table }: TableName): string =>
  [catalog, schema, table].map(identifier).join('.')

/** Where it is not the type in which rows travel. */
const keptTypes: Readonly<Record<string, string>> = { json: 'JSON' }

/** The type of a column that Lading makes. */
export function sqlType(type: ColumnType): string {
  if ((type.kind === 'custom' || type.kind === kindOfExisting) && type.sql !== undefined) return type.sql
  return keptTypes[type.kind] ?? cellOf(type).type.toString()
}

export function createTable(catalog: string, model: Model): string {
  const lines = model.columns.map(columnLine)
  if (model.primaryKey.length > 0) lines.push(`PRIMARY KEY (${identifiers(model.primaryKey)})`)
  return `CREATE TABLE ${qualified(catalog, model)} (\n  ${lines.join(',\n  ')}\n)`
}

function columnLine({ name, type, notNull, fallback }: ModelColumn): string {
  const parts = [identifier(name), sqlType(type)]
  if (notNull) parts.push('NOT NULL')
  if (fallback !== undefined) parts.push(`DEFAULT ${defaultLiteral(type, fallback)}`)
  if (type.values !== undefined)
    parts.push(`CHECK (${identifier(name)} IN (${type.values.map(literal).join(', ')}))`)
  return parts.join(' ')
}

function defaultLiteral(type: ColumnType, given: string): string {
  const text = type.canonical?.(given) ?? given
  // No function, nor a CAST that is one: of a table with a comment, DuckDB could not replay its log
  // (findings/duckdb-altered-table-stops-the-log.sh).
  if (type.kind === 'json') return literal(text)
  if (type.kind === 'bytes')
    return `CAST(${literal(text.slice(2).replaceAll(/../g, String.raw`\x$&`))} AS BLOB)`
  return `CAST(${literal(text)} AS ${sqlType(type)})`
}

/** Every column has the least and the greatest value of each block, which is what block range and hash indexes are for. */
export const createIndexes = (catalog: string, model: Model): string[] =>
  model.indexes
    .filter(({ method }) => method === 'btree')
    .map(({ unique, columns }, number) => {
      const name = identifier(
        `${model.table}_${columns.join('_')}_idx_${shortHash([model.table, number, ...columns])}`,
      )
      return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${name} ON ${qualified(catalog, model)} (${identifiers(columns)})`
    })

/** Names of indexes are the whole schema's, and names that are joined say no more where one ends and the next begins. */
const shortHash = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 8)
