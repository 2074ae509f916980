/** What an error of SQLite means to us, by its result code. */
import { type Code, LadingError } from '../../core/errors.ts'
import type { Fault } from '../../core/fault.ts'
import { sqliteCode, sqliteCodes } from '../../core/sqlite.ts'

const systemCodes: Readonly<Record<number, Code>> = {
  [sqliteCodes.busy]: 'SINK_BUSY',
  [sqliteCodes.locked]: 'SINK_BUSY',
  [sqliteCodes.full]: 'SINK_HOLD',
  [sqliteCodes.ioError]: 'SINK_HOLD',
  [sqliteCodes.readonly]: 'SINK_REFUSED',
  [sqliteCodes.cantOpen]: 'SINK_UNAVAILABLE',
  [sqliteCodes.corrupt]: 'SINK_CORRUPT',
  [sqliteCodes.notADatabase]: 'SINK_CORRUPT',
}

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

/** Any error of the file as one of ours. */
export function sinkError(error: unknown, path: string): LadingError {
  if (error instanceof LadingError) return error
  const code = sqliteCode(error)
  const detail = `SQLite ${path}: ${error instanceof Error ? error.message : String(error)}`
  if (code === undefined) {
    // An error of the file system: the folder of the file cannot be made.
    return new LadingError(error instanceof Error && 'syscall' in error ? 'SINK_UNAVAILABLE' : 'INTERNAL', detail, { cause: error })
  }
  return new LadingError(systemCodes[code.primary] ?? 'SCHEMA_MISMATCH', detail, { cause: error })
}

/** The error as the refusal of one row; undefined where it concerns the system. */
export function rowFault(error: unknown): Fault | undefined {
  const code = sqliteCode(error)
  if (code === undefined) return undefined
  const refused: readonly number[] = [sqliteCodes.constraint, sqliteCodes.mismatch, sqliteCodes.tooBig]
  if (!refused.includes(code.primary)) return undefined
  return { code: constraintCodes[code.extended] ?? 'VALUE_REFUSED', detail: (error as Error).message }
}
