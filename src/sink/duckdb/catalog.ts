/** What a file says of a table, as far as rows that are written depend on it. */
import { asPattern } from '../../core/text.ts'
import type { Model } from '../../model/model.ts'
import type { TableName } from '../../model/table.ts'
import { type Sql, sql } from '../sql/statement.ts'
import { partsOf } from '../sql/index-parts.ts'
import { identifier } from './ddl.ts'
import type { Session } from './session.ts'

export interface CatalogColumn {
  readonly name: string
  /** As DuckDB writes it. */
  readonly type: string
  readonly comment: string | null
  readonly notNull: boolean
  /** In SQL; of a column that the table computes, what it computes. */
  readonly fallback: string | null
  readonly isGenerated: boolean
}

/** What no two rows share: plain columns, or expressions. */
export interface CatalogKey {
  readonly name: string
  readonly isPrimary: boolean
  /** In SQL, each for itself. */
  readonly compared: readonly string[]
  /** Undefined for expressions. */
  readonly columns: readonly string[] | undefined
}

export interface Check {
  readonly expression: string
}

export interface ForeignKey {
  readonly columns: readonly string[]
  readonly parent: string
  readonly referred: readonly string[]
}

export interface Catalog {
  /** As the file writes the name. */
  readonly table: string
  readonly columns: readonly CatalogColumn[]
  readonly keys: readonly CatalogKey[]
  readonly checks: readonly Check[]
  readonly foreignKeys: readonly ForeignKey[]
}

/** Within the file, of a table by its name; names have no case in DuckDB. */
export const isOf = (session: Session, { schema = 'main', table }: TableName): Sql =>
  sql`database_name = ${session.catalog} AND lower(schema_name) = lower(${schema}) AND lower(table_name) = lower(${table})`

export async function kindOf(session: Session, name: TableName): Promise<'table' | 'view' | undefined> {
  const { schema = 'main', table } = name
  const [found] = await session.all<{ kind: 'table' | 'view' }>(
    sql`SELECT 'table' AS kind FROM duckdb_tables() WHERE ${isOf(session, name)}
      UNION ALL SELECT 'view' FROM duckdb_views() WHERE database_name = ${session.catalog} AND lower(schema_name) = lower(${schema}) AND lower(view_name) = lower(${table})`,
  )
  return found?.kind
}

interface Constraint {
  readonly kind: string
  readonly name: string
  readonly expression: string | null
  readonly columns: readonly string[]
  readonly parent: string | null
  readonly referred: readonly string[]
}

/** Undefined where there is no such table. */
export async function catalogOf(session: Session, name: TableName): Promise<Catalog | undefined> {
  const [table] = await session.all<{ name: string; sql: string }>(
    sql`SELECT table_name AS name, sql FROM duckdb_tables() WHERE ${isOf(session, name)}`,
  )
  if (table === undefined) return undefined
  const columns = await columnsOf(session, name, table.sql)
  const constraints = await session.all<Constraint>(
    sql`SELECT constraint_type AS kind, constraint_name AS name, expression, constraint_column_names AS columns,
        referenced_table AS parent, referenced_column_names AS referred
      FROM duckdb_constraints() WHERE ${isOf(session, name)} ORDER BY constraint_index`,
  )
  const indexes = await session.all<{ name: string; sql: string }>(
    sql`SELECT index_name AS name, sql FROM duckdb_indexes() WHERE ${isOf(session, name)} AND is_unique ORDER BY index_name`,
  )
  const ofKind = (...kinds: string[]) => constraints.filter(({ kind }) => kinds.includes(kind))
  // A key that a table refers to is listed a second time, with that table.
  const own = ofKind('PRIMARY KEY', 'UNIQUE').map((key): CatalogKey => ({
    name: key.name,
    isPrimary: key.kind === 'PRIMARY KEY',
    compared: key.columns.map(identifier),
    columns: key.columns,
  }))
  return {
    table: table.name,
    columns,
    keys: [...own, ...indexes.map((index) => indexKey(index, columns))],
    checks: ofKind('CHECK').map(({ expression }) => ({ expression: expression ?? 'true' })),
    foreignKeys: ofKind('FOREIGN KEY').flatMap(({ columns: referring, parent, referred }) =>
      parent === null ? [] : [{ columns: referring, parent, referred }],
    ),
  }
}

/** Of a table or a view; `text` is the statement that would make the table. */
export async function columnsOf(
  session: Session,
  name: TableName,
  text = '',
): Promise<readonly CatalogColumn[]> {
  const columns = await session.all<Omit<CatalogColumn, 'isGenerated'>>(
    sql`SELECT column_name AS name, data_type AS type, comment, NOT is_nullable AS "notNull", column_default AS fallback
      FROM duckdb_columns() WHERE ${isOf(session, name)} ORDER BY column_index`,
  )
  return columns.map((column) => ({ ...column, isGenerated: isGenerated(text, column) }))
}

/** The catalogue keeps what a column computes where it keeps the defaults of others. */
function isGenerated(text: string, { name, type }: Pick<CatalogColumn, 'name' | 'type'>): boolean {
  const names = [name, identifier(name)].map((each) => asPattern(each))
  // A type may have commas.
  const types = String.raw`(?:${asPattern(type)}|[^,]*?)`
  return new RegExp(String.raw`[(,] ?(?:${names.join('|')}) ${types} ?GENERATED ALWAYS AS ?\(`).test(text)
}

function indexKey(index: { name: string; sql: string }, columns: readonly { name: string }[]): CatalogKey {
  const { compared } = partsOf(index.sql)
  const named = compared.map(
    (part) => columns.find(({ name }) => part === name || part === identifier(name))?.name,
  )
  const plain = named.filter((name) => name !== undefined)
  return {
    name: index.name,
    isPrimary: false,
    compared: compared.map((part, at) => (named[at] === undefined ? part : identifier(named[at]))),
    columns: plain.length === compared.length ? plain : undefined,
  }
}

/** The key that decides what a record takes the place of. */
export function decidingKey({ keys }: Catalog, { primaryKey, arbiter }: Model): CatalogKey | undefined {
  const expressions = arbiter?.expressions
  if (expressions !== undefined) return keys.find(({ compared }) => `${compared}` === `${expressions}`)
  return keys.find(
    ({ columns }) =>
      columns !== undefined &&
      columns.length === primaryKey.length &&
      columns.every((name) => primaryKey.includes(name)),
  )
}
