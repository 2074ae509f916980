/** What can be said of the files behind URLs without opening them. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { LadingError } from '../../core/errors.ts'
import { shownUrl } from '../../core/url.ts'
import { placeOfQueue } from '../../queue/registry.ts'
import { placeOfSink } from '../../sink/registry.ts'

/** The file that a database URL names, if it does not exist: a command that only reads must not create it. */
export function absentFile(to: string): string | undefined {
  const { file } = placeOfSink(to)
  return file === undefined || existsSync(file) ? undefined : file
}

/** A wrong path must not look like a database into which nothing was loaded. */
export function requireDatabase(to: string): void {
  const path = absentFile(to)
  if (path !== undefined)
    throw new LadingError('SOURCE_MISSING', `there is no database ${path}; nothing was loaded into it`)
}

/** A queue is deleted lightly and a database is not, so each needs a file of its own. */
export function requireTwoFiles(queue: string, to: string): void {
  const [one, other] = [placeOfQueue(queue).file, placeOfSink(to).file]
  if (one === undefined || other === undefined || resolve(one) !== resolve(other)) return
  throw new LadingError('USAGE', `--queue and --to name the same file ${one}; each needs its own`)
}

/** A queue that no other process sees is of use to a command that both fills and empties it. */
export function requireSharedQueue(queue: string): void {
  if (placeOfQueue(queue).writers === 'self')
    throw new LadingError(
      'USAGE',
      `no other process sees the queue ${shownUrl(queue)}, and it ends with this one: only lading load can use it`,
    )
}

/** Whether no other process can have the database open meanwhile, if it sees it at all. */
export const isForOneProcess = (to: string): boolean => ['self', 'alone'].includes(placeOfSink(to).writers)

/** The queue or the database, if only the process that opened it can use it. */
export const ownPlace = ({
  queue,
  to,
}: {
  readonly queue: string
  readonly to: string
}): string | undefined =>
  placeOfQueue(queue).writers === 'self' ? queue : isForOneProcess(to) ? to : undefined
