import { type Code, LadingError } from '../../core/errors.ts'
import { type SqliteTrouble, sqliteTrouble } from '../../core/sqlite.ts'

const codes: Readonly<Record<SqliteTrouble, Code>> = {
  busy: 'QUEUE_BUSY',
  full: 'QUEUE_HOLD',
  passing: 'QUEUE_UNAVAILABLE',
  refused: 'QUEUE_REFUSED',
  damaged: 'QUEUE_CORRUPT',
}

/** An error of the queue's file as a LadingError. */
export function queueError(error: unknown, path: string): LadingError {
  if (error instanceof LadingError) return error
  const trouble = sqliteTrouble(error)
  const detail = `queue ${path}: ${error instanceof Error ? error.message : String(error)}`
  return new LadingError(trouble === undefined ? 'INTERNAL' : codes[trouble], detail, { cause: error })
}
