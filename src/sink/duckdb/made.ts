/**
 * Tables that Lading has made. One that is still empty and unchanged is made again when its model has
 * changed, so that a first try with a wrong model leaves nothing behind. A single row, or anything that
 * others have added to the table, keeps it.
 */
import { asPattern } from '../../core/text.ts'
import type { Model } from '../../model/model.ts'
import type { TableName } from '../../model/table.ts'
import { raw, sql } from '../sql/statement.ts'
import { createIndexes, createTable, qualified } from './ddl.ts'
import { noteTypes } from './note.ts'
import type { Session } from './session.ts'

/** In `migrations`. */
export const madeTables = `
  -- Tables that were made for a model, by what statements, and all that the schema said of them then.
  CREATE TABLE lading_made (
    target VARCHAR PRIMARY KEY,
    definition VARCHAR NOT NULL,
    state VARCHAR NOT NULL
  )`

const targetOf = ({ schema = 'main', table }: TableName): string =>
  JSON.stringify([schema, table].map((each) => each.toLowerCase()))

const statements = (catalog: string, model: Model): readonly string[] => [
  createTable(catalog, model),
  ...noteTypes(catalog, model),
  ...createIndexes(catalog, model),
]

/** As every file would have it, whatever its name. */
const definition = (model: Model): string => statements('', model).join(';\n')

/** The table with its comments and indexes, and whatever else mentions it: views, and tables that refer to it. */
async function stateOf(session: Session, { table }: TableName): Promise<string> {
  const rows = await session.all<{ name: string; of: string; sql: string | null }>(
    sql`SELECT table_name AS name, table_name AS of, sql FROM duckdb_tables() WHERE database_name = ${session.catalog}
      UNION ALL SELECT 'comment', table_name, comment FROM duckdb_tables() WHERE database_name = ${session.catalog} AND comment IS NOT NULL
      UNION ALL SELECT column_name, table_name, comment FROM duckdb_columns() WHERE database_name = ${session.catalog} AND comment IS NOT NULL
      UNION ALL SELECT index_name, table_name, sql FROM duckdb_indexes() WHERE database_name = ${session.catalog}
      UNION ALL SELECT view_name, view_name, sql FROM duckdb_views() WHERE database_name = ${session.catalog} AND NOT internal
      ORDER BY ALL`,
  )
  const mention = new RegExp(`(^|\\W)${asPattern(table)}(\\W|$)`, 'i')
  const concerned = rows.filter(
    (row) => !row.of.startsWith('lading_') && mention.test(`${row.of} ${row.sql}`),
  )
  return JSON.stringify(concerned.map((row) => [row.name, row.sql]))
}

/** Within a transaction. */
export async function makeTable(session: Session, model: Model): Promise<void> {
  for (const statement of statements(session.catalog, model)) await session.exec(statement)
  await session.all(
    sql`INSERT OR REPLACE INTO lading_made VALUES (${targetOf(model)}, ${definition(model)}, ${await stateOf(session, model)})`,
  )
}

/** Whether Lading has made the table, and it is as it was then, without a row. */
export async function isDraft(session: Session, name: TableName): Promise<boolean> {
  const [made] = await madeOf(session, name)
  return made !== undefined && made.state === (await stateOf(session, name)) && (await isEmpty(session, name))
}

async function madeOf(session: Session, name: TableName) {
  const isThere = await session.all(
    sql`SELECT 1 FROM duckdb_tables() WHERE database_name = ${session.catalog} AND table_name = 'lading_made'`,
  )
  if (isThere.length === 0) return []
  return await session.all<{ definition: string; state: string }>(
    sql`SELECT definition, state FROM lading_made WHERE target = ${targetOf(name)}`,
  )
}

export const isEmpty = async (session: Session, name: TableName): Promise<boolean> =>
  (await session.all(sql`SELECT 1 FROM ${raw(qualified(session.catalog, name))} LIMIT 1`)).length === 0

/**
 * Recreates the table if Lading made it for another model and it is empty; returns whether it did. Within a
 * transaction.
 */
export async function remakeTable(session: Session, model: Model): Promise<boolean> {
  if (model.origin === 'table') return false
  const [made] = await madeOf(session, model)
  if (made === undefined || made.definition === definition(model)) return false
  if (!(await isDraft(session, model))) return false
  await session.exec(`DROP TABLE ${qualified(session.catalog, model)}`)
  await makeTable(session, model)
  return true
}
