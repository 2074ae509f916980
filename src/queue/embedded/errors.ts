import { LadingError } from '../../core/errors.ts'
import { sqliteCode, sqliteCodes } from '../../core/sqlite.ts'

/** An error of the queue's file as one of ours. */
export function queueError(error: unknown, path: string): LadingError {
  if (error instanceof LadingError) return error
  const code = sqliteCode(error)
  const errno = error instanceof Error && 'syscall' in error && 'code' in error ? error.code : undefined
  const detail = `queue ${path}: ${error instanceof Error ? error.message : String(error)}`
  const options = { cause: error }
  if (errno !== undefined)
    return new LadingError(errno === 'ENOSPC' || errno === 'EDQUOT' ? 'QUEUE_HOLD' : 'QUEUE_UNAVAILABLE', detail, options)
  switch (code?.primary) {
    case sqliteCodes.busy:
    case sqliteCodes.locked:
      return new LadingError('QUEUE_BUSY', detail, options)
    case sqliteCodes.full:
    case sqliteCodes.ioError:
    case sqliteCodes.readonly:
      return new LadingError('QUEUE_HOLD', detail, options)
    case sqliteCodes.cantOpen:
      return new LadingError('QUEUE_UNAVAILABLE', detail, options)
    case sqliteCodes.corrupt:
    case sqliteCodes.notADatabase:
      return new LadingError('QUEUE_CORRUPT', detail, options)
    default:
      return new LadingError(code === undefined ? 'INTERNAL' : 'QUEUE_CORRUPT', detail, options)
  }
}
