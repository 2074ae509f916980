/**
 * Tables that Lading has made. One that is still empty and unchanged is made again when its model has
 * changed, so that a first try with a wrong model leaves nothing behind. A single row, or anything that
 * others have added to the table, keeps it.
 */
import type { Model } from '../../model/model.ts'
import { shownTable, type TableName } from '../../model/table.ts'
import { createTable, qualified } from './ddl.ts'
import { isServerError } from './errors.ts'
import { literal } from './literal.ts'
import { ofTriggers, placeSql, relationOf, schemaSql } from './relation.ts'
import type { Session } from './session.ts'

/** Of `migrations`. */
export const madeTables: readonly string[] = [
  `CREATE TABLE lading_made (
    -- Name of the table, with its database where that is another one.
    target VARBINARY(512) NOT NULL PRIMARY KEY,
    -- By what statement it was made, and what it was like then.
    definition LONGBLOB NOT NULL,
    state LONGBLOB NOT NULL
  ) ENGINE=InnoDB`,
]

const targetOf = (name: TableName): string => literal(shownTable(name))

/** What the table is like: itself, its triggers, and the views and tables that refer to it. */
async function stateOf(session: Session, name: TableName): Promise<string> {
  const { schema, table } = name
  const [itself] = await session.query(`SHOW CREATE TABLE ${qualified(name)}`)
  const others = await session.query(
    `SELECT trigger_name AS what, action_statement AS how FROM information_schema.triggers WHERE ${placeSql(name, ofTriggers)}
     UNION ALL SELECT concat(table_schema, '.', table_name), 'view' FROM information_schema.views
       WHERE position(${literal('`' + table.replaceAll('`', '``') + '`')} IN view_definition) > 0
         AND position(concat('\`', ${schemaSql(schema)}, '\`') IN view_definition) > 0
     UNION ALL SELECT concat(table_schema, '.', table_name), constraint_name FROM information_schema.key_column_usage
       WHERE ${placeSql(name, ['referenced_table_schema', 'referenced_table_name'])} ORDER BY 1, 2`,
  )
  const statement = String(itself?.['Create Table']).replace(/ AUTO_INCREMENT=\d+/, '')
  return JSON.stringify([statement, others.map((row) => [row['what'], String(row['how'])])])
}

/** While no other session prepares. */
export async function makeTable(session: Session, model: Model): Promise<void> {
  const definition = createTable(model, session.product)
  await session.run(definition)
  await session.run(
    `REPLACE INTO lading_made (target, definition, state)
     VALUES (${targetOf(model)}, ${literal(definition)}, ${literal(await stateOf(session, model))})`,
  )
}

/** Whether Lading has made the table, for another model. */
export async function isOutdated(session: Session, model: Model): Promise<boolean> {
  if (model.origin === 'table') return false
  const [made] = await session.query(`SELECT definition FROM lading_made WHERE target = ${targetOf(model)}`)
  return made !== undefined && String(made['definition']) !== createTable(model, session.product)
}

/** Whether Lading has made the table, and it is as it was then, without a row. Needs no ledger. */
export async function isDraft(session: Session, name: TableName): Promise<boolean> {
  if ((await relationOf(session, { table: 'lading_made' })) === undefined) return false
  return (await isAsMade(session, name)) && !(await hasRows(session, name))
}

async function isAsMade(session: Session, name: TableName): Promise<boolean> {
  const [made] = await session.query(`SELECT state FROM lading_made WHERE target = ${targetOf(name)}`)
  return made !== undefined && String(made['state']) === (await stateOf(session, name))
}

export async function hasRows(session: Session, name: TableName): Promise<boolean> {
  return (await session.query(`SELECT 1 AS one FROM ${qualified(name)} LIMIT 1`)).length > 0
}

/** ER_LOCK_WAIT_TIMEOUT, and of a table to which others refer ER_ROW_IS_REFERENCED_2, ER_FK_CANNOT_DROP_PARENT */
const inUse: readonly number[] = [1205, 1217, 1451, 3730]

/**
 * Recreates the table if Lading made it for another model and it is empty and unused; returns whether it did.
 * While no other session prepares.
 */
export async function remakeTable(session: Session, model: Model): Promise<boolean> {
  if (!(await isOutdated(session, model)) || !(await isAsMade(session, model))) return false
  // A row that another session inserts between the look and the end of the table would be lost.
  await session.run('SET SESSION lock_wait_timeout = 1')
  try {
    await session.run(`LOCK TABLES ${qualified(model)} WRITE`)
    if (await hasRows(session, model)) return false
    await session.run(`DROP TABLE ${qualified(model)}`)
  } catch (error) {
    if (isServerError(error) && inUse.includes(error.errno)) return false
    throw error
  } finally {
    await session.run('UNLOCK TABLES')
    await session.run('SET SESSION lock_wait_timeout = 30')
  }
  await makeTable(session, model)
  return true
}
