/** What an error of the database means for a queue in it. */
import { type Code, LadingError } from '../../core/errors.ts'
import { isDatabaseError, sinkError } from '../../driver/postgres/errors.ts'

const codes: Partial<Readonly<Record<Code, Code>>> = {
  SINK_UNAVAILABLE: 'QUEUE_UNAVAILABLE',
  SINK_BUSY: 'QUEUE_BUSY',
  SINK_HOLD: 'QUEUE_HOLD',
  SINK_REFUSED: 'QUEUE_REFUSED',
  SINK_CORRUPT: 'QUEUE_CORRUPT',
  SCHEMA_MISMATCH: 'QUEUE_CORRUPT',
  SINK_FAILED: 'QUEUE_REFUSED',
}

/** Undefined table, undefined schema: the queue was removed. */
const missing: readonly (string | undefined)[] = ['42P01', '3F000']

export function queueError(thrown: unknown, queue: string): LadingError {
  const error = sinkError(thrown)
  const cause = error.cause ?? thrown
  const isMissing = isDatabaseError(cause) && missing.includes(cause.code)
  const code = isMissing ? 'QUEUE_MISSING' : codes[error.code]
  return code === undefined ? error : new LadingError(code, `queue ${queue}: ${error.message}`, { cause })
}
