/** Files → plans → chunks → queue. */
import { LadingError } from '../core/errors.ts'
import { ignoreEvents, type Listener } from '../core/events.ts'
import { listed } from '../core/listed.ts'
import { type FormatOptions, splittersFor, suffixesOf } from '../format/splitters.ts'
import { type Model, tableName } from '../model/model.ts'
import { chunkKey } from '../queue/envelope.ts'
import type { Queue } from '../queue/queue.ts'
import { type CarryOptions, referencesFor } from '../source/carry.ts'
import { namedSources, sourceAt, type SpoolOptions, standardInput } from '../source/registry.ts'
import { type Source, sizeOf } from '../source/source.ts'
import { loadIdOf } from './identity.ts'
import { checkHead, type Plan, planSource } from './plan.ts'
import { Publisher, type PublishOptions } from './publish.ts'
import { type PlannedLoad, ProducerState } from './state.ts'

export const defaultStatePath = './.lading/producer.db'
const defaultChunkBytes = 1024 * 1024
/** Of what a queue takes: a chunk ends with the record that reaches its size, which needs room. */
const shareOfQueue = 3 / 4

/** What the target's ledger knows of a load; undefined where it knows nothing. */
export interface KnownLoad {
  readonly plan: string
  readonly complete: boolean
  readonly keys: ReadonlySet<string>
}

export interface ProduceOptions extends PublishOptions, CarryOptions, SpoolOptions, FormatOptions {
  /** Files, folders, patterns; `-` is standard input, for which `stdin` gives the stream. */
  readonly paths: readonly string[]
  readonly model: Model
  readonly queue: Queue
  /** Name under which the ledger keeps the loads; the model's table where it is not given. */
  readonly pipeline?: string
  /**
   * Wanted size of a chunk, in bytes of the source; 1 MiB where it is not given, or three quarters of what the queue
   * takes where that is less.
   */
  readonly chunkBytes?: number
  /** Cells of the files that the model does not know are left out instead of refused. */
  readonly ignoreExtra?: boolean
  /** Load once more what was loaded before. */
  readonly again?: boolean
  /** File that remembers plans between runs. */
  readonly statePath?: string
  /**
   * Asks the target's ledger. With it, what took effect is left out, and everything else is published;
   * without it, what the queue was seen to hold is left out.
   */
  readonly known?: (
    loadId: string,
    load: Pick<PlannedLoad, 'id' | 'name' | 'sha256'>,
  ) => Promise<KnownLoad | undefined>
  /**
   * Asked of each load before its plan is frozen: true where it is begun from scratch, and its target has
   * forgotten it. `isBegun` tells that an earlier run, which was interrupted, has begun it so already.
   */
  readonly startFresh?: (loadId: string, isBegun: boolean) => Promise<boolean>
  readonly onEvent?: Listener
}

export interface ProducedLoad {
  readonly loadId: string
  readonly source: string
  readonly sha256: string
  readonly bytes: number
  readonly plan: string
  readonly records: number
  readonly chunks: number
  /** Chunks published by this run; 0 where the load was skipped. */
  readonly published: number
}

/**
 * The files that the options name, standard input left out; throws for what cannot be right before anything
 * is opened or waited for.
 */
export async function openSources(
  options: Pick<ProduceOptions, 'paths'> & FormatOptions & CarryOptions,
  onLeft?: (message: string) => void,
): Promise<readonly Source[]> {
  const { paths, format } = options
  splittersFor(options)
  const referenceOf = await referencesFor(options)
  const named = paths.filter((path) => path !== '-')
  const sources =
    named.length > 0 || paths.length === 0 ? await namedSources(named, suffixesOf(format), onLeft) : []
  for (const source of sources) await referenceOf(source)
  return sources
}

/** Files whose headers do not fit that are named. */
const mostNamed = 5

/** Reads the beginning of each source; throws for the first that does not fit, and names the others. */
export async function checkHeads(sources: readonly Source[], options: ProduceOptions): Promise<void> {
  let first: LadingError | undefined
  const others: string[] = []
  for (const source of sources) {
    try {
      await checkHead(source, options)
    } catch (error) {
      if (!(error instanceof LadingError) || error.code === 'ABORTED') throw error
      if (first === undefined) first = error
      else others.push(source.path)
    }
  }
  if (first === undefined) return
  const more = others.length === 0 ? '' : `; these cannot be loaded either: ${listed(others, mostNamed)}`
  throw new LadingError(first.code, `${first.message}${more}; nothing was loaded`, { cause: first })
}

/**
 * Plans a file, then publishes it, one after the other: a structural fault of a file shows before anything of
 * that file is published.
 */
export async function produce(options: ProduceOptions): Promise<readonly ProducedLoad[]> {
  const { queue, onEvent = ignoreEvents, statePath = defaultStatePath } = options
  const named = await openSources(options, (message) => onEvent({ type: 'warning', message }))
  await using input = options.paths.includes('-') ? await standardInput(statePath, options) : undefined
  using state = new ProducerState(statePath, queue.id, options.target)
  const publisher = new Publisher(queue, state, onEvent, await referencesFor(options), options)
  const run = { options, state, publisher, onEvent, loads: new Set<string>() }
  const produced: ProducedLoad[] = []
  const sources = [...named, ...(input === undefined ? [] : [input.source])]
  onEvent({ type: 'found', files: sources.length, bytes: await sizeOf(sources) })
  try {
    for (const source of sources) produced.push(await produceSource(source, run))
  } finally {
    await publisher.flush()
  }
  // With a ledger to ask, the loads are at their end only when it has them all.
  if (options.again === true && options.known === undefined) state.endAgain(pipelineOf(options))
  return produced
}

/** The loads that the files would be now, whatever has become of them. */
export async function planAll(options: ProduceOptions): Promise<readonly string[]> {
  const { queue, statePath = defaultStatePath } = options
  using state = new ProducerState(statePath, queue.id, options.target)
  const loads: string[] = []
  for (const source of await openSources(options))
    loads.push((await planLoad(source, options, state)).load.id)
  return loads
}

/**
 * Loads of the files as they are that an earlier run planned: their chunks may wait in the queue before the
 * files are planned again.
 */
export async function plannedBefore(
  options: ProduceOptions,
  sources: readonly Source[],
): Promise<readonly string[]> {
  const { queue, statePath = defaultStatePath, target } = options
  const pipeline = pipelineOf(options)
  const found = new Map(sources.map((source) => [source.location, source]))
  using state = new ProducerState(statePath, queue.id, target)
  const salt = options.again === true ? state.againSalt(pipeline) : ''
  const loads: string[] = []
  for (const { id, path, state: seen, sha256 } of state.planned(pipeline)) {
    const source = found.get(path)
    if (source === undefined || loadIdOf(pipeline, source.name, sha256, salt) !== id) continue
    if ((await source.state().catch(() => undefined)) === seen) loads.push(id)
  }
  return loads
}

const pipelineOf = ({ pipeline, model }: Pick<ProduceOptions, 'pipeline' | 'model'>): string =>
  pipeline ?? tableName(model)

/**
 * Says that everything that was loaded once more on purpose has taken effect, so that the next `again` is
 * another one.
 */
export function endAgain(
  options: Pick<ProduceOptions, 'queue' | 'target' | 'statePath' | 'pipeline' | 'model'>,
): void {
  using state = new ProducerState(options.statePath ?? defaultStatePath, options.queue.id, options.target)
  state.endAgain(pipelineOf(options))
}

/** The loads, and whether an earlier run that was interrupted has begun them from scratch. */
export function begunFresh(
  options: Pick<ProduceOptions, 'queue' | 'target' | 'statePath' | 'pipeline' | 'model'>,
  loads: readonly string[],
): readonly (readonly [loadId: string, isBegun: boolean])[] {
  using state = new ProducerState(options.statePath ?? defaultStatePath, options.queue.id, options.target)
  return loads.map((loadId) => [loadId, state.isFresh(loadId)])
}

/**
 * Says that the loads, which were begun from scratch, have taken effect, so that the next such command begins
 * them anew.
 */
export function endFresh(
  options: Pick<ProduceOptions, 'queue' | 'target' | 'statePath' | 'pipeline' | 'model'>,
  loads: readonly string[],
): void {
  using state = new ProducerState(options.statePath ?? defaultStatePath, options.queue.id, options.target)
  state.endFresh(loads)
}

interface Run {
  readonly options: ProduceOptions
  readonly state: ProducerState
  readonly publisher: Publisher
  readonly onEvent: Listener
  /** Loads of this run: two paths may lead to the same name and content. */
  readonly loads: Set<string>
}

async function produceSource(source: Source, run: Run): Promise<ProducedLoad> {
  const { options, state, publisher, onEvent, loads } = run
  const size = await source.size()
  const onRead = (bytes: number) => onEvent({ type: 'planning', source: source.name, bytes, size })
  const { load, plan } = await planLoad(source, options, state, onRead)
  const { sha256, bytes, records, chunks } = load
  const about = { loadId: load.id, source: load.name, records, chunks }
  const result = { ...about, sha256, bytes, plan: load.plan }
  onEvent({ type: 'planned', ...about, bytes })
  const known = await options.known?.(load.id, load)
  const reason = loads.has(load.id)
    ? `the same name and content was named twice (load ${load.id})`
    : skipReason(load, known, options)
  loads.add(load.id)
  if (reason !== undefined) {
    onEvent({ type: 'skipped', ...about, reason })
    return { ...result, published: 0 }
  }
  requireSamePlan(load, plan, known)
  // With a ledger to ask, what the queue was seen to hold counts for nothing: it may have been lost since.
  const which = options.known === undefined ? 'unconfirmed' : 'all'
  const isWanted = (key: string) => known?.keys.has(key) !== true
  let done = 0
  // Of most loads nothing is known, and then their chunks need not be looked through.
  if (options.known === undefined || (known?.keys.size ?? 0) > 0) {
    done = records
    for (const { chunk, records: wanted } of state.chunks(load, which))
      if (isWanted(chunkKey(load.id, chunk))) done -= wanted
  }
  if (done > 0) onEvent({ type: 'resuming', loadId: load.id, source: load.name, records, done })
  const published = await publisher.publish(load, source, state.chunks(load, which), isWanted)
  return { ...result, published }
}

/** A load goes on as it was begun; its chunks would overlap otherwise, or be read in two ways. */
function requireSamePlan(load: PlannedLoad, plan: Plan, known: KnownLoad | undefined): void {
  const isSameReading =
    JSON.stringify(load.layout) === JSON.stringify(plan.layout) && load.model === plan.model
  if (isSameReading && (known === undefined || known.plan === load.plan)) return
  const detail = `${load.path} was begun (load ${load.id}) with another chunk size, format, header, delimiter, quote or model`
  throw new LadingError('PLAN_CHANGED', detail)
}

function skipReason(
  load: PlannedLoad,
  known: KnownLoad | undefined,
  options: ProduceOptions,
): string | undefined {
  const again = `--again loads it a second time${sourceAt(load.path, load.name).isTransient ? ', --name NAME as a load of its own' : ''}`
  if (known?.complete === true || known?.keys.size === load.chunks)
    return options.again === true
      ? `the same --again, which was interrupted, has loaded it already (load ${load.id})`
      : `the same name and content is loaded already (load ${load.id}); ${again}`
  if (options.known !== undefined || load.publishedAt === undefined) return undefined
  const lost = 'verify --republish-missing publishes what was lost'
  return `the same name and content was published to this queue at ${load.publishedAt} (load ${load.id}); ${lost}, ${again}`
}

/**
 * The same for a queue whenever it is asked, because a load goes on with the chunks with which it was begun.
 */
function defaultChunkBytesOf({ queue, carry }: Pick<ProduceOptions, 'queue' | 'carry'>): number {
  return carry === 'reference'
    ? defaultChunkBytes
    : Math.min(defaultChunkBytes, Math.floor(queue.traits.maxBytes * shareOfQueue))
}

async function planLoad(
  source: Source,
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
