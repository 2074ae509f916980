import { identifier } from '../../../driver/postgres/identifier.ts'
import type { ColumnType } from '../../../model/columns.ts'
import type { Index, Model, ModelColumn } from '../../../model/model.ts'
import type { TableName } from '../../../model/table.ts'

export const identifiers = (names: readonly string[]): string => names.map(identifier).join(', ')

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

export const qualified = ({ schema, table }: TableName): string =>
  schema === undefined ? identifier(table) : `${identifier(schema)}.${identifier(table)}`

export function sqlType(type: ColumnType): string {
  switch (type.kind) {
    case 'double':
      return 'double precision'
    case 'varchar':
      return `varchar(${type.length})`
    case 'numeric':
      return type.precision === undefined ? 'numeric' : `numeric(${type.precision}, ${type.scale ?? 0})`
    case 'array':
      return `${type.element === undefined ? 'text' : sqlType(type.element)}[]`
    default:
      return type.sql ?? type.kind
  }
}

export function createTable(model: Model): string {
  const lines = model.columns.map(columnLine)
  if (model.primaryKey.length > 0) lines.push(`PRIMARY KEY (${identifiers(model.primaryKey)})`)
  return `CREATE TABLE ${qualified(model)} (\n  ${lines.join(',\n  ')}\n)`
}

function columnLine({ name, type, notNull, fallback }: ModelColumn): string {
  const parts = [identifier(name), sqlType(type)]
  if (notNull) parts.push('NOT NULL')
  if (fallback !== undefined) parts.push(`DEFAULT ${literal(type.canonical?.(fallback) ?? fallback)}`)
  if (type.values !== undefined)
    parts.push(`CHECK (${identifier(name)} IN (${type.values.map(literal).join(', ')}))`)
  return parts.join(' ')
}

export function createIndex(model: Model, { method, unique, columns }: Index): string {
  return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ON ${qualified(model)} USING ${method} (${identifiers(columns)})`
}
