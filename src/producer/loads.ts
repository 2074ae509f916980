/** Sources → loads: their identity, their frozen plan, and what an interrupted run began. */
import { LadingError, toLadingError } from '../core/errors.ts'
import { breath } from '../core/wait.ts'
import { Ahead } from '../source/ahead.ts'
import { sourceAt } from '../source/registry.ts'
import type { Source } from '../source/source.ts'
import { Clues } from './clues.ts'
import { loadIdOf } from './identity.ts'
import type { KnownPlans } from './known-plans.ts'
import { openState, pipelineOf, type ProduceOptions, type ProducerOptions } from './options.ts'
import type { DoneLoad } from './parts.ts'
import type { LoadOutline, PlannedLoad } from './planned-load.ts'
import { type Plan, planSource } from './plan.ts'
import { type ReadSource, written } from './reading.ts'
import { openSources, type Sources } from './sources.ts'
import type { Draft, FrozenPlan, ProducerState } from './state.ts'

const defaultChunkBytes = 1024 * 1024
/** Of what a queue takes: a chunk ends with the record that reaches its size, which needs room. */
const shareOfQueue = 3 / 4

/**
 * By default it depends on nothing but the queue, because a load must resume with the chunks it was begun with.
 */
export function chunkBytesOf({ queue, carry, chunkBytes }: ProduceOptions): number {
  if (chunkBytes !== undefined) return chunkBytes
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
/** Loads that are known without reading their sources, and asked for together. */
const mostKnownTogether = 1_000

interface DraftedLoad {
  readonly source: ReadSource
  readonly draft: Draft
  readonly plan: Plan
  readonly clue: string | undefined
}

export interface FrozenLoad extends FrozenPlan {
  readonly source: ReadSource
  readonly plan: Plan
}

/** Hears of each source how far it is read, and its size as it is stored. */
type OnRead = (source: ReadSource, bytes: number, size: number) => void

export interface Planning {
  readonly sources: Pick<Sources, 'size' | 'at'>
  readonly options: ProduceOptions
  readonly state: ProducerState
  readonly known?: KnownPlans | undefined
  readonly onRead?: OnRead | undefined
}

/** Plans the sources, in their order. Of one that is at fault, the error comes behind the loads before it. */
export async function* planLoads(planning: Planning): AsyncGenerator<readonly (FrozenLoad | DoneLoad)[]> {
  const { sources, options, state, known } = planning
  const clues = new Clues(state.scope, pipelineOf(options), options)
  const breathe = breath()
  let done: ReadonlyMap<number, DoneLoad> = new Map()
  const doneAt = (index: number) => done.get(known?.planOf(index) ?? 0)
  // Of what may be known, as much as was asked for.
  const isWanted = (index: number) =>
    known?.planOf(index) === undefined || (index < asked && doneAt(index) === undefined)
  using ahead = new Ahead(sources, { isWanted })
  let asked = 0
  let group = new Group()
  for (let index = 0; index < sources.size; index++) {
    if (known !== undefined && index === asked) {
      done = await doneOf(known, index, planning)
      asked += mostKnownTogether
    }
    const isDone = doneAt(index)
    try {
      if (isDone === undefined) await breathe()
      group.add(isDone ?? (await draftLoad(await ahead.at(index), clues, planning)))
    } catch (error) {
      if (group.size > 0) yield await group.freeze(options, state)
      throw error
    }
    if (!group.isFull) continue
    yield await group.freeze(options, state)
    group = new Group()
  }
  if (group.size > 0) yield await group.freeze(options, state)
}

/** By the numbers of their plans: of the known loads from the source `index` on, those with nothing to do. */
async function doneOf(
  plans: KnownPlans,
  index: number,
  { options, state }: Planning,
): Promise<ReadonlyMap<number, DoneLoad>> {
  if (options.signal?.aborted) throw new LadingError('ABORTED', 'stopped before every file was planned')
  const loads = state.numbered(plans.plansOf(index, mostKnownTogether))
  const known = loads.length === 0 ? undefined : await options.known?.(loads)
  const isDone = ({ id, publishedAt }: LoadOutline) =>
    options.known === undefined ? typeof publishedAt === 'string' : known?.get(id)?.complete === true
  return new Map(
    loads
      .filter(isDone)
      .map((load) => [load.no, { load, plan: undefined, known: known?.get(load.id) }] as const),
  )
}

/** Loads that come together, in their order. */
class Group {
  readonly #loads: (DraftedLoad | DoneLoad)[] = []
  #drafts = 0
  #bytes = 0

  get size(): number {
    return this.#loads.length
  }

  get isFull(): boolean {
    return this.#drafts >= mostTogether || this.#bytes >= mostBytesTogether || this.size >= mostKnownTogether
  }

  add(load: DraftedLoad | DoneLoad): void {
    this.#loads.push(load)
    if (load.plan === undefined) return
    this.#drafts++
    this.#bytes += load.plan.bytes
  }

  async freeze(options: ProduceOptions, state: ProducerState): Promise<readonly (FrozenLoad | DoneLoad)[]> {
    const drafted = this.#loads.filter((load) => load.plan !== undefined)
    const frozen = (await freeze(drafted, options, state)).values()
    return this.#loads.map((load) => (load.plan === undefined ? load : (frozen.next().value as FrozenLoad)))
  }
}

async function draftLoad(
  source: ReadSource,
  clues: Clues,
  { options, state, onRead }: Planning,
): Promise<DraftedLoad> {
  const chunkBytes = chunkBytesOf(options)
  const draft = state.begin(pipelineOf(options), source.location, source.name)
  try {
    // Before it is read: what is changed while it is read shows in the next stamp.
    const stamp = options.again === true ? undefined : source.stamp?.()
    const size = onRead === undefined ? 0 : (stamp?.size ?? (await source.size()))
    const planning = { ...options, chunkBytes, onRead: (bytes: number) => onRead?.(source, bytes, size) }
    const plan = await planSource(source, planning, draft.add)
    const clue = stamp?.isSettled === true && !saysMore(plan) ? clues.of(source, stamp) : undefined
    return { source, draft, plan, clue }
  } catch (error) {
    state.forget(draft)
    throw error
  }
}

/** Whether a person hears more of the plan than the state keeps. */
const saysMore = ({ leftOut, warnings }: Plan): boolean =>
  warnings.length > 0 || Object.values(leftOut).some((lines) => lines > 0)

async function freeze(
  drafted: readonly DraftedLoad[],
  options: ProduceOptions,
  state: ProducerState,
): Promise<readonly FrozenLoad[]> {
  if (drafted.length === 0) return []
  const pipeline = pipelineOf(options)
  const salt = options.again === true ? state.againSalt(pipeline) : ''
  try {
    const made = drafted.map(({ source, draft, plan, clue }) => ({
      draft,
      plan,
      clue,
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
  for await (const loads of planLoads({ sources: await openSources(options), options, state }))
    for (const { load } of loads) ids.push(load.id)
  return ids
}

/**
 * Loads that an earlier run planned of sources that have not changed since: their chunks may wait in the
 * queue before the sources are planned again.
 */
export async function plannedBefore(
  options: ProduceOptions,
  sources: AsyncIterable<Source>,
): Promise<readonly string[]> {
  const pipeline = pipelineOf(options)
  const found = new Map<string, Source>()
  for await (const source of sources) found.set(source.location, source)
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
    if ((await stateNow(load).catch(() => undefined)) !== load.state) changed.push(load.name)
  }
  return changed
}

const stateNow = ({ path, name, reading }: PlannedLoad): Promise<string> =>
  written(sourceAt(path, name), reading).state()

/** Whether the source is gone, or not what was planned any more. One that cannot be asked may still be that. */
export async function cannotPublish(load: PlannedLoad): Promise<boolean> {
  try {
    return (await stateNow(load)) !== load.state
  } catch (error) {
    return toLadingError(error).code === 'SOURCE_MISSING'
  }
}

/** The plans of loads, by their ids. */
export function plansOf(
  options: ProducerOptions,
  loads: readonly string[],
): ReadonlyMap<string, LoadOutline> {
  if (loads.length === 0) return new Map()
  using state = openState(options)
  return new Map(state.outlines(loads).map((load) => [load.id, load]))
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
