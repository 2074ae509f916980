/** Rows that set some columns of the row of their key, or delete it. */
import type { SqliteFile, SqliteValue } from '../../core/sqlite.ts'
import { isDeletion, isSent } from '../../model/change.ts'
import { identifier, type InsertModel, insertRows, notInKey } from './ddl.ts'

/**
 * Writes one row, its change behind its values; returns whether it took effect. It updates first: an INSERT
 * would refuse NULL in columns that the record does not name, before it finds that the row is there.
 */
export function rowChanger(
  file: SqliteFile,
  model: InsertModel,
): (values: readonly SqliteValue[]) => boolean {
  const table = identifier(model.table)
  const names = model.columns.map(({ name }) => name)
  const others = notInKey(model)
  const where = model.primaryKey.map((name) => `${identifier(name)} = ?`).join(' AND ')
  const sets = others.map((name) => `${identifier(name)} = CASE WHEN ? THEN ? ELSE ${identifier(name)} END`)
  // A table of keys alone has nothing to set.
  const update = `UPDATE OR ABORT ${table} SET ${sets.length === 0 ? `${identifier(names[0] as string)} = ${identifier(names[0] as string)}` : sets.join(', ')} WHERE ${where}`
  const [updating, deleting, inserting] = [
    update,
    `DELETE FROM ${table} WHERE ${where}`,
    insertRows(model, 1),
  ].map((sql) => file.prepare(sql)) as [Statement, Statement, Statement]
  return (values) => {
    const change = values[names.length] as string
    const key = model.primaryKey.map((name) => values[names.indexOf(name)] as SqliteValue)
    if (change === isDeletion) {
      deleting.run(...key)
      return true
    }
    const sent = others.flatMap((name) => {
      const index = names.indexOf(name)
      return [change === '' || change[index] === isSent ? 1 : 0, values[index] as SqliteValue]
    })
    return (
      updating.run(...sent, ...key).changes > 0 || inserting.run(...values.slice(0, names.length)).changes > 0
    )
  }
}

type Statement = ReturnType<SqliteFile['prepare']>
