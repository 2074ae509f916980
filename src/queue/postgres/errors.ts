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

/** Fails if the queue has been removed: messages that are published to it would never be delivered. */
export const requireThere = (queue: number): string =>
  `SELECT 1 / count(*) FROM lading_queue.queue WHERE id = ${queue}`
const notThere = '22012'

/** The server does not say in which schema a table is. */
const grant = /GRANT [^;]+ ON (?:TABLE|SCHEMA) \S+ TO (.+) allows it/
const grants =
  'GRANT USAGE ON SCHEMA lading_queue TO $1; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA lading_queue TO $1 allows it'

export function queueError(thrown: unknown, queue: string): LadingError {
  const error = sinkError(thrown)
  const cause = error.cause ?? thrown
  if (isDatabaseError(cause) && cause.code === notThere)
    return new LadingError('QUEUE_MISSING', `queue ${queue}: it was removed`, { cause })
  const isMissing = isDatabaseError(cause) && missing.includes(cause.code)
  const code = isMissing ? 'QUEUE_MISSING' : codes[error.code]
  return code === undefined
    ? error
    : new LadingError(code, `queue ${queue}: ${error.message.replace(grant, grants)}`, { cause })
}
