/** Indexes of an empty table, left for the end of a load. */
import { LadingError } from '../core/errors.ts'
import { ignoreEvents, type Listener } from '../core/events.ts'
import type { Abortable } from '../core/wait.ts'
import { changesRows } from '../model/change.ts'
import { type Model, tableName } from '../model/model.ts'
import type { Sources } from '../producer/sources.ts'
import type { Queue } from '../queue/queue.ts'
import type { Built, Prepared, PrepareOptions, Sink } from '../sink/sink.ts'

/** `auto` where it pays and nothing stands against it, `always` or not at all. */
export type DeferIndexes = 'auto' | 'always' | 'never'

/** Bytes of files from which on it pays: below, a load is over before building would have saved anything. */
const worthwhileBytes = 32 * 1024 * 1024

export interface IndexOptions extends Abortable {
  readonly paths: readonly string[]
  readonly model: Model
  readonly queue: Queue
  readonly sink: Sink
  readonly deferIndexes?: DeferIndexes
  readonly limit?: number | undefined
  readonly onEvent?: Listener
}

/**
 * What `prepare` is to do with the indexes. Building them shows duplicates, and then everything is loaded
 * again with the indexes in place; so every row must come from a file that can be read again.
 */
export async function indexPlan(
  options: IndexOptions,
  sources: Pick<Sources, 'bytes'>,
): Promise<PrepareOptions['deferIndexes']> {
  const { paths, model, queue, limit, deferIndexes = 'auto' } = options
  if (deferIndexes === 'never') return undefined
  if (changesRows(model)) {
    if (deferIndexes === 'auto') return undefined
    throw new LadingError('DEFER_REFUSED', 'records that change rows find them by the key')
  }
  if (deferIndexes === 'always') {
    if (!paths.includes('-')) return 'begin'
    throw new LadingError(
      'DEFER_REFUSED',
      'standard input cannot be read a second time, should a row be refused when they are built',
    )
  }
  const { ready, inFlight } = await queue.depth()
  // What waits already may not come from these files.
  const isRepeatable = !paths.includes('-') && ready + (inFlight ?? 0) === 0
  // Where rows have versions, there will be several of one key. A few records of each file are loaded soon.
  if (!isRepeatable || model.version !== undefined || limit !== undefined) return 'resume'
  return (await sources.bytes()) >= worthwhileBytes ? 'begin' : 'resume'
}

/**
 * Throws `DEFER_REFUSED` where the indexes had to be taken away and were not, unless the load was begun
 * before: that of the same command, which has built them at its end, or when it failed.
 */
export async function tellPrepared(
  { model, deferIndexes, onEvent = ignoreEvents }: IndexOptions,
  { deferred, reason }: Prepared,
  isBegun: () => Promise<boolean>,
): Promise<void> {
  const table = tableName(model)
  if (deferred) onEvent({ type: 'indexes', table, state: 'deferred' })
  else if (deferIndexes !== 'always') return
  else if (await isBegun()) onEvent({ type: 'indexes', table, state: 'kept' })
  else throw new LadingError('DEFER_REFUSED', `table ${table}: ${reason ?? 'it has its indexes already'}`)
}

/** Builds what was taken away, once everything is loaded. */
export async function buildIndexes({
  sink,
  model,
  signal,
  onEvent = ignoreEvents,
}: IndexOptions): Promise<Built> {
  const table = tableName(model)
  onEvent({ type: 'indexes', table, state: 'building' })
  const built = (await sink.buildIndexes?.(model, { signal })) ?? 'nothing'
  if (built !== 'refused') onEvent({ type: 'indexes', table, state: built === 'left' ? 'left' : 'built' })
  return built
}

/** Once it is certain that everything can be loaded again. */
export function tellAgain({ model, onEvent = ignoreEvents }: IndexOptions): void {
  const message = `table ${tableName(model)}: an index refuses a row (two share a key, mostly), so everything is loaded again, with the indexes in place`
  onEvent({ type: 'warning', message })
}
