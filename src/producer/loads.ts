/** Sources → loads: their identity, their frozen plan, and what an interrupted run began. */
import type { Source } from '../source/source.ts'
import { loadIdOf } from './identity.ts'
import { openState, pipelineOf, type ProduceOptions, type ProducerOptions } from './options.ts'
import { planSource } from './plan.ts'
import type { ReadSource } from './reading.ts'
import { openSources } from './sources.ts'
import type { ProducerState } from './state.ts'

const defaultChunkBytes = 1024 * 1024
/** Of what a queue takes: a chunk ends with the record that reaches its size, which needs room. */
const shareOfQueue = 3 / 4

/**
 * Depends on nothing but the queue, because a load must resume with the chunks it was begun with.
 */
function defaultChunkBytesOf({ queue, carry }: Pick<ProduceOptions, 'queue' | 'carry'>): number {
  return carry === 'reference'
    ? defaultChunkBytes
    : Math.min(defaultChunkBytes, Math.floor(queue.traits.maxBytes * shareOfQueue))
}

export async function planLoad(
  source: ReadSource,
  options: ProduceOptions,
  state: ProducerState,
  onRead?: (bytes: number) => void,
) {
  const { chunkBytes = defaultChunkBytesOf(options) } = options
  const pipeline = pipelineOf(options)
  const draft = state.begin(pipeline, source.location, source.name)
  try {
    const plan = await planSource(source, { ...options, chunkBytes, onRead }, draft.add)
    draft.flush()
    const salt = options.again === true ? state.againSalt(pipeline) : ''
    const id = loadIdOf(pipeline, source.name, plan.sha256, salt)
    if ((await options.startFresh?.(id, state.isFresh(id))) === true) state.beginFresh(id)
    return { load: state.freeze(draft, id, plan), plan }
  } catch (error) {
    state.forget(draft)
    throw error
  }
}

/** Plans all sources: the ids of their loads as the sources are now, loaded or not. */
export async function planAll(options: ProduceOptions): Promise<readonly string[]> {
  using state = openState(options)
  const loads: string[] = []
  for (const source of await openSources(options))
    loads.push((await planLoad(source, options, state)).load.id)
  return loads
}

/**
 * Loads that an earlier run planned of sources that have not changed since: their chunks may wait in the
 * queue before the sources are planned again.
 */
export async function plannedBefore(
  options: ProduceOptions,
  sources: readonly Source[],
): Promise<readonly string[]> {
  const pipeline = pipelineOf(options)
  const found = new Map(sources.map((source) => [source.location, source]))
  using state = openState(options)
  const salt = options.again === true ? state.againSalt(pipeline) : ''
  const loads: string[] = []
  for (const { id, path, state: seen, sha256 } of state.planned(pipeline)) {
    const source = found.get(path)
    if (source === undefined || loadIdOf(pipeline, source.name, sha256, salt) !== id) continue
    if ((await source.state().catch(() => undefined)) === seen) loads.push(id)
  }
  return loads
}

/**
 * Ends an `again` whose loads have all taken effect, so that the next one makes loads of its own.
 */
export function endAgain(options: ProducerOptions): void {
  using state = openState(options)
  state.endAgain(pipelineOf(options))
}

/** The loads, and whether an earlier run that was interrupted has begun them from scratch. */
export function begunFresh(
  options: ProducerOptions,
  loads: readonly string[],
): readonly (readonly [loadId: string, isBegun: boolean])[] {
  using state = openState(options)
  return loads.map((loadId) => [loadId, state.isFresh(loadId)])
}

/**
 * Ends a start from scratch: the loads have taken effect, and the next such command begins them anew.
 */
export function endFresh(options: ProducerOptions, loads: readonly string[]): void {
  using state = openState(options)
  state.endFresh(loads)
}
