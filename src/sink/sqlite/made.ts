/**
 * Tables that Lading has made. One that is still empty and unchanged is made again when its model has
 * changed, so that a first try with a wrong model leaves nothing behind. A single row, or anything that
 * others have added to the table, keeps it.
 */
import { asPattern } from '../../core/text.ts'
import type { SqliteFile } from '../../core/sqlite.ts'
import type { Model } from '../../model/model.ts'
import { createIndexes, createTable, identifier } from './ddl.ts'

/** In `migrations`. */
export const madeTables = `
  -- Tables that were made for a model, by what statements, and all that the schema said of them then.
  CREATE TABLE lading_made (
    target TEXT PRIMARY KEY COLLATE NOCASE,
    definition TEXT NOT NULL,
    state TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`

const statements = (model: Model): readonly string[] => [createTable(model), ...createIndexes(model)]

const definition = (model: Model): string => statements(model).join(';\n')

/**
 * The table with its indexes and triggers, and whatever else mentions it: views, and tables that refer to it.
 */
function stateOf(file: SqliteFile, { table }: Pick<Model, 'table'>): string {
  const mention = new RegExp(`(^|\\W)${asPattern(table)}(\\W|$)`, 'i')
  const rows = file.all<{ tbl_name: string; name: string; sql: string | null }>(
    'SELECT tbl_name, name, sql FROM sqlite_schema ORDER BY name',
  )
  const concerned = rows.filter(
    ({ tbl_name, sql }) => !tbl_name.startsWith('lading_') && mention.test(`${tbl_name} ${sql}`),
  )
  return JSON.stringify(concerned.map(({ name, sql }) => [name, sql]))
}

/** Within a transaction. */
export function makeTable(file: SqliteFile, model: Model): void {
  for (const statement of statements(model)) file.exec(statement)
  file.run(
    'INSERT OR REPLACE INTO lading_made VALUES (?, ?, ?)',
    model.table,
    definition(model),
    stateOf(file, model),
  )
}

/** Whether Lading has made the table, and it is as it was then, without a row. */
export function isDraft(file: SqliteFile, name: Pick<Model, 'table'>): boolean {
  if (file.get("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'lading_made'") === undefined)
    return false
  const made = file.get<{ state: string }>('SELECT state FROM lading_made WHERE target = ?', name.table)
  return made?.state === stateOf(file, name) && isEmpty(file, name)
}

const isEmpty = (file: SqliteFile, { table }: Pick<Model, 'table'>): boolean =>
  file.get(`SELECT 1 FROM ${identifier(table)} LIMIT 1`) === undefined

/**
 * Recreates the table if Lading made it for another model and it is empty; returns whether it did. Within a
 * transaction.
 */
export function remakeTable(file: SqliteFile, model: Model): boolean {
  if (model.origin === 'table') return false
  const made = file.get<{ definition: string; state: string }>(
    'SELECT definition, state FROM lading_made WHERE target = ?',
    model.table,
  )
  if (made === undefined || made.definition === definition(model) || made.state !== stateOf(file, model))
    return false
  if (!isEmpty(file, model)) return false
  file.exec(`DROP TABLE ${identifier(model.table)}`)
  makeTable(file, model)
  return true
}
