/** Sources → loads: their identity, their frozen plan, and what an interrupted run began. */
import { breath } from '../core/wait.ts'
import { sourceAt } from '../source/registry.ts'
import type { Source } from '../source/source.ts'
import { loadIdOf } from './identity.ts'
import { openState, pipelineOf, type ProduceOptions, type ProducerOptions } from './options.ts'
import { type Plan, planSource } from './plan.ts'
import { type ReadSource, written } from './reading.ts'
import { openSources } from './sources.ts'
import type { Draft, FrozenPlan, ProducerState } from './state.ts'

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

/**
 * Sources that are planned before the first of them is published: as many small ones as share a transaction of
 * the state and a question to the ledger. Consumers need not wait for them any longer than for one window.
 */
const mostTogether = 256
const mostBytesTogether = 4 * 1024 * 1024

interface DraftedLoad {
  readonly source: ReadSource
  readonly draft: Draft
  readonly plan: Plan
}

export interface FrozenLoad extends FrozenPlan {
  readonly source: ReadSource
  readonly plan: Plan
}

/** Hears of each source how far it is read, and its size as it is stored. */
type OnRead = (source: ReadSource, bytes: number, size: number) => void

/** Plans the sources, in their order. Of one that is at fault, the error comes behind the loads before it. */
export async function* planLoads(
  sources: readonly ReadSource[],
  options: ProduceOptions,
  state: ProducerState,
  onRead?: OnRead,
): AsyncGenerator<readonly FrozenLoad[]> {
  let drafted: DraftedLoad[] = []
  let bytes = 0
  const breathe = breath()
  for (const source of sources) {
    await breathe()
    try {
      drafted.push(await draftLoad(source, options, state, onRead))
    } catch (error) {
      if (drafted.length > 0) yield await freeze(drafted, options, state)
      throw error
    }
    bytes += drafted.at(-1)?.plan.bytes as number
    if (drafted.length < mostTogether && bytes < mostBytesTogether) continue
    yield await freeze(drafted, options, state)
    drafted = []
    bytes = 0
  }
  if (drafted.length > 0) yield await freeze(drafted, options, state)
}

async function draftLoad(
  source: ReadSource,
  options: ProduceOptions,
  state: ProducerState,
  onRead?: OnRead,
): Promise<DraftedLoad> {
  const { chunkBytes = defaultChunkBytesOf(options) } = options
  const draft = state.begin(pipelineOf(options), source.location, source.name)
  try {
    const size = onRead === undefined ? 0 : await source.size()
    const planning = { ...options, chunkBytes, onRead: (bytes: number) => onRead?.(source, bytes, size) }
    return { source, draft, plan: await planSource(source, planning, draft.add) }
  } catch (error) {
    state.forget(draft)
    throw error
  }
}

async function freeze(
  drafted: readonly DraftedLoad[],
  options: ProduceOptions,
  state: ProducerState,
): Promise<readonly FrozenLoad[]> {
  const pipeline = pipelineOf(options)
  const salt = options.again === true ? state.againSalt(pipeline) : ''
  try {
    const made = drafted.map(({ source, draft, plan }) => ({
      draft,
      plan,
      id: loadIdOf(pipeline, source.name, plan.sha256, salt),
    }))
    if (options.startFresh !== undefined)
      for (const { id } of made) if (await options.startFresh(id, state.isFresh(id))) state.beginFresh(id)
    const frozen = state.freeze(made)
    return drafted.map(({ source, plan }, index) => ({ source, plan, ...(frozen[index] as FrozenPlan) }))
  } catch (error) {
    for (const { draft } of drafted) state.forget(draft)
    throw error
  }
}

/** Plans all sources: the ids of their loads as the sources are now, loaded or not. */
export async function planAll(options: ProduceOptions): Promise<readonly string[]> {
  using state = openState(options)
  const ids: string[] = []
  for await (const loads of planLoads(await openSources(options), options, state))
    for (const { load } of loads) ids.push(load.id)
  return ids
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

/** Names of the sources of these loads that are not what was planned any more. */
export async function changedSince(
  options: ProducerOptions,
  loads: readonly string[],
): Promise<readonly string[]> {
  using state = openState(options)
  const changed: string[] = []
  for (const loadId of loads) {
    const load = state.find(loadId)
    if (load === undefined) continue
    const source = written(sourceAt(load.path, load.name), load.reading)
    if ((await source.state().catch(() => undefined)) !== load.state) changed.push(load.name)
  }
  return changed
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
