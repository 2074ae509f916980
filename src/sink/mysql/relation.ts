/** A table, as the server's catalogue has it. */
import { LadingError } from '../../core/errors.ts'
import { listed } from '../../core/listed.ts'
import { shownTable, type TableFacts, type TableName } from '../../model/table.ts'
import type { LedgerRow } from '../sql/ledger-rows.ts'
import { literal } from './literal.ts'
import type { Session } from './session.ts'

const systems: readonly string[] = ['mysql', 'sys', 'information_schema', 'performance_schema']
const ledger = /^lading_(load|ledger|reject|dead_letter|made|migration)$/i

/** Whose table it is, where no load may write to it. */
export function ownerOf({ schema, table }: TableName): string | undefined {
  if (ledger.test(table)) return 'the ledger'
  return systems.includes(schema?.toLowerCase() ?? '') ? 'the server itself' : undefined
}

/** In the catalogue, the schema of a table is its database. */
export const placeSql = (
  { schema, table }: TableName,
  [schemaColumn, nameColumn]: readonly [string, string] = ['table_schema', 'table_name'],
): string => `${schemaColumn} = ${schemaSql(schema)} AND ${nameColumn} = ${literal(table)}`

/** Where the catalogue has triggers by their table. */
export const ofTriggers = ['event_object_schema', 'event_object_table'] as const

export const schemaSql = (schema: string | undefined): string =>
  schema === undefined ? 'DATABASE()' : literal(schema)

export interface Relation {
  readonly name: string
  readonly kind: TableFacts['kind']
  /** Of a view none. */
  readonly engine: string | undefined
}

/** Whether names of tables have no case is the server's to say, and the catalogue compares them without. */
export async function relationOf(session: Session, name: TableName): Promise<Relation | undefined> {
  const rows = await session.query(
    `SELECT table_name AS name, table_type AS type, engine AS engine, create_options AS options, @@lower_case_table_names AS folded
     FROM information_schema.tables WHERE ${placeSql(name)}`,
  )
  const found = rows.find(
    (row) => row['name'] === name.table || (Number(row['folded']) > 0 && sameName(row, name)),
  )
  return found && relationIn(found)
}

const sameName = (row: LedgerRow, { table }: TableName): boolean =>
  String(row['name']).toLowerCase() === table.toLowerCase()

function relationIn(row: LedgerRow): Relation {
  const isPartitioned = /\bpartitioned\b/i.test(String(row['options']))
  return {
    name: String(row['name']),
    kind: kinds[String(row['type'])] ?? 'other',
    ...(isPartitioned && { kind: 'partitioned' }),
    engine: row['engine'] === null ? undefined : String(row['engine']),
  }
}

const kinds: Readonly<Record<string, TableFacts['kind']>> = {
  'BASE TABLE': 'table',
  'SYSTEM VERSIONED': 'table',
  VIEW: 'view',
}

export async function namesInAnyCase(session: Session, wanted: TableName): Promise<readonly TableName[]> {
  const { schema, table } = wanted
  const rows = await session.query(
    `SELECT table_schema AS "schema", table_name AS "table" FROM information_schema.tables
     WHERE lower(table_name) = lower(${literal(table)}) AND
       ${schema === undefined ? 'table_schema = DATABASE()' : `lower(table_schema) = lower(${literal(schema)})`}
     ORDER BY table_schema, table_name`,
  )
  return rows.map((row) => ({
    ...(schema !== undefined && { schema: String(row['schema']) }),
    table: String(row['table']),
  }))
}

const mostNamed = 20

/** Throws `SCHEMA_MISMATCH` where the table names a database that does not exist. */
export async function requireSchema(session: Session, name: TableName): Promise<void> {
  const { schema } = name
  if (schema === undefined) return
  const rows = await session.query('SELECT schema_name AS name FROM information_schema.schemata ORDER BY 1')
  const names = rows.map((row) => String(row['name']))
  if (names.includes(schema)) return
  const own = names.filter((each) => !systems.includes(each))
  throw new LadingError(
    'SCHEMA_MISMATCH',
    `table ${shownTable(name)}: the server has no database ${schema}, only ${listed(own, mostNamed)}`,
  )
}
