import { LadingError } from '../core/errors.ts'
import { ignoreEvents, type Listener } from '../core/events.ts'
import type { Abortable } from '../core/wait.ts'
import type { Queue } from '../queue/queue.ts'
import type { KnownLoad } from './parts.ts'
import { Publisher } from './publish.ts'
import { type CarryOptions, referencesFor } from '../source/carry.ts'
import { sourceAt } from '../source/registry.ts'
import { written } from './reading.ts'
import { ProducerState } from './state.ts'

export interface RepublishOptions extends Abortable, CarryOptions {
  readonly loadId: string
  readonly queue: Queue
  readonly statePath: string
  readonly known: KnownLoad | undefined
  /** Place of the database in which chunks are missing. */
  readonly place: string
  readonly onEvent?: Listener
}

/**
 * Publishes again those chunks of a load that have no verdict, wherever they were lost; for this database
 * alone, where they had been published for one. Those that are only late come twice, which the ledger
 * absorbs.
 */
export async function republishMissing(options: RepublishOptions): Promise<number> {
  const { loadId, queue, known, place, onEvent = ignoreEvents } = options
  if (known?.complete === true) return 0
  using state = new ProducerState(options.statePath, queue.id, place)
  const load = state.findAnywhere(loadId)
  if (load === undefined) {
    throw new LadingError(
      'NOT_FOUND',
      `${options.statePath} has no plan of load ${loadId}; load the file again instead`,
    )
  }
  const target = load.target && place
  const publisher = new Publisher(queue, state, onEvent, await referencesFor(options), {
    ...options,
    target,
    resend: true,
  })
  const published = await publisher.publish(
    load,
    written(sourceAt(load.path, load.name), load.reading),
    state.chunks(load, 'all'),
    (key) => known?.keys.has(key) !== true,
  )
  await publisher.flush()
  return published
}
