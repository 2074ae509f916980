/** What an adapter of a queue is asked by `lading doctor`. It answers with findings, and writes nothing that stays. */
import { LadingError } from '../core/errors.ts'
import { type Abortable, unlessAborted } from '../core/wait.ts'

export interface QueueQuestions extends Abortable {
  /** Whether a load would make the queue if there is none. */
  readonly create: boolean
}

/** The connection once it is open; one that opens after the signal has aborted is closed. Throws `ABORTED` then. */
export async function openedFor<T extends { close(): unknown }>(
  opening: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const connection = await unlessAborted(opening, signal)
  if (connection !== undefined) return connection
  opening.then((late) => late.close()).catch(() => undefined)
  throw new LadingError('ABORTED', 'stopped before the server answered')
}
