/** What an error of SQLite means to us, by its result code. */
import { type Code, LadingError } from '../../core/errors.ts'
import type { Fault } from '../../core/fault.ts'
import { sqliteCode, sqliteCodes, type SqliteTrouble, sqliteTrouble } from '../../core/sqlite.ts'
import type { InsertModel } from './ddl.ts'

const troubleCodes: Readonly<Record<SqliteTrouble, Code>> = {
  busy: 'SINK_BUSY',
  full: 'SINK_HOLD',
  passing: 'SINK_UNAVAILABLE',
  refused: 'SINK_REFUSED',
  damaged: 'SINK_CORRUPT',
}

/** What a statement meets where the table is another one than the model says. */
const schemaCodes: readonly (number | undefined)[] = [
  sqliteCodes.error,
  sqliteCodes.schema,
  sqliteCodes.tooBig,
  sqliteCodes.constraint,
  sqliteCodes.mismatch,
]

/** Extended result codes of SQLITE_CONSTRAINT (sqlite3.h). */
const constraintCodes: Readonly<Record<number, Code>> = {
  275: 'CONSTRAINT_CHECK',
  787: 'CONSTRAINT_FOREIGN_KEY',
  1299: 'CONSTRAINT_NOT_NULL',
  1555: 'CONSTRAINT_UNIQUE',
  1811: 'TRIGGER_RAISED',
  2067: 'CONSTRAINT_UNIQUE',
  2579: 'CONSTRAINT_UNIQUE',
}

export const isForeignKeyError = (error: unknown): boolean => sqliteCode(error)?.extended === 787

/** Turns any error of the file into a `LadingError`. */
export function sinkError(error: unknown, path: string): LadingError {
  if (error instanceof LadingError) return error
  const detail = `SQLite ${path}: ${error instanceof Error ? error.message : String(error)}`
  const trouble = sqliteTrouble(error)
  if (trouble !== undefined) return new LadingError(troubleCodes[trouble], detail, { cause: error })
  return new LadingError(
    schemaCodes.includes(sqliteCode(error)?.primary) ? 'SCHEMA_MISMATCH' : 'INTERNAL',
    detail,
    { cause: error },
  )
}

/**
 * The error as the refusal of one row; undefined where it concerns the system, or where that is uncertain.
 */
export function rowFault(error: unknown, model: InsertModel): Fault | undefined {
  const code = sqliteCode(error)
  if (code === undefined) return undefined
  const refused: readonly number[] = [sqliteCodes.constraint, sqliteCodes.mismatch, sqliteCodes.tooBig]
  if (!refused.includes(code.primary)) return undefined
  const { message } = error as Error
  return {
    code: constraintCodes[code.extended] ?? 'VALUE_REFUSED',
    detail: message,
    column: columnIn(message, model, code.extended),
  }
}

/**
 * Of the codes that blame a value, SQLITE_CONSTRAINT_NOTNULL and SQLITE_CONSTRAINT_DATATYPE, the message ends
 * with its column.
 */
function columnIn(message: string, { table, columns }: InsertModel, extended: number): string | undefined {
  if (extended !== 1299 && extended !== 3091) return undefined
  // The name of the table is as the file has it.
  const text = message.toLowerCase()
  return columns.find(({ name }) => text.endsWith(` ${table}.${name}`.toLowerCase()))?.name
}

/**
 * Whether an expression of the table, or of a trigger, may have failed for one row: SQLite says so of a
 * statement that it cannot compile in the same way.
 */
export const isUncertain = (error: unknown): boolean => sqliteCode(error)?.primary === sqliteCodes.error

/** The refusal of one row by an expression. */
export const expressionFault = (error: unknown): Fault => ({
  code: 'TRIGGER_RAISED',
  detail: (error as Error).message,
})
