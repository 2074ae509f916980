/** Sources → plans → chunks → queue. */
import { count } from '../core/counted.ts'
import { LadingError } from '../core/errors.ts'
import { Ids } from '../core/ids.ts'
import { ignoreEvents, type Listener } from '../core/events.ts'
import type { LeftOut } from '../core/load.ts'
import { chunkKey } from '../queue/envelope.ts'
import { referencesFor } from '../source/carry.ts'
import { sourceAt, standardInput } from '../source/registry.ts'
import { planAppended } from './append.ts'
import { changedLayout, requireSamePlan } from './changed.ts'
import { type KnownPlans, knownPlans } from './known-plans.ts'
import { type FrozenLoad, planLoads } from './loads.ts'
import type { AskedLoad, DoneLoad, KnownLoad } from './parts.ts'
import { defaultStatePath, openState, pipelineOf, type ProduceOptions } from './options.ts'
import type { Plan, PlannedChunk } from './plan.ts'
import { Publisher } from './publish.ts'
import { readAs, type ReadSource } from './reading.ts'
import { openSources, type Sources } from './sources.ts'
import type { LoadOutline, PlannedLoad } from './planned-load.ts'
import { beginsWith } from './prefix.ts'
import type { ProducerState } from './state.ts'

/** What was made of a source. */
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
  /** Lines that belong to no record; absent where there are none. */
  readonly leftOut?: LeftOut
  /** Records that the limit leaves to a later run; absent where there are none. */
  readonly withheld?: number
}

/**
 * Plans some files, then publishes them, one after the other: a structural fault of a file shows before anything
 * of that file is published. Calling it again publishes what is not in the queue yet.
 *
 * @throws LadingError `SOURCE_…` and `HEADER_MISMATCH` of the files, `QUEUE_…` where the queue refuses, `ABORTED` after
 *   `signal`.
 * @example
 * const loads = await produce({ paths: ['in/*.csv'], model: orders, queue })
 */
export async function produce(options: ProduceOptions): Promise<readonly ProducedLoad[]> {
  const { onEvent = ignoreEvents } = options
  const sources = await openSources(options, (message) => onEvent({ type: 'warning', message }))
  const produced: ProducedLoad[] = []
  const plans = await knownPlans(sources, options)
  await produceAll(options, { sources, plans, onProduced: (load) => void produced.push(load) })
  return produced
}

export interface Producing {
  /** Standard input is not among them. */
  readonly sources: Sources
  readonly plans: KnownPlans
  /** Whether the run meets the load for the first time: two paths may lead to the same name and content. */
  readonly meet?: (loadId: string) => boolean
  /** Hears of each source in turn what was made of it. */
  readonly onProduced: (load: ProducedLoad) => void
}

export async function produceAll(
  options: ProduceOptions,
  { sources: named, plans, meet = meeting(), onProduced }: Producing,
): Promise<void> {
  const { queue, onEvent = ignoreEvents, statePath = defaultStatePath } = options
  const kept = options.input
  await using input =
    options.paths.includes('-') && kept === undefined ? await standardInput(statePath, options) : undefined
  using state = openState(options)
  // Chunks that the ledger lacks must be delivered again, even if the queue has taken and lost them before.
  const resend = options.known !== undefined || options.resend === true
  const publisher = new Publisher(queue, state, onEvent, await referencesFor(options), { ...options, resend })
  const run = { options, state, publisher, onEvent }
  const given = kept ?? input?.source
  const last = given === undefined ? undefined : await readAs(given, options)
  const bytes = (await named.bytes()) + ((await last?.size()) ?? 0)
  onEvent({ type: 'found', files: named.size + (last === undefined ? 0 : 1), bytes })
  try {
    const onRead = ({ name: source }: ReadSource, read: number, size: number) =>
      onEvent({ type: 'planning', source, bytes: read, size })
    const sources = named.followedBy(last)
    const planning = { sources, options, state, known: plans, onRead }
    const { parts } = options
    for await (const loads of parts === undefined ? planLoads(planning) : planAppended(planning, parts)) {
      const areNew = loads.map(({ load }) => meet(load.id))
      for (const [index, load] of loads.entries()) tellPlanned(load, areNew[index] === true, onEvent)
      const read = loads.filter((load) => load.plan !== undefined)
      const known = read.length === 0 ? undefined : await askOf(read, run)
      for (const [index, each] of loads.entries()) {
        const isNew = areNew[index] === true
        onProduced(
          each.plan === undefined
            ? skipDone(each, isNew, run)
            : await produceLoad(each, { isNew, known: known?.get(each.load.id) }, run),
        )
      }
    }
  } finally {
    await publisher.flush()
  }
  // With a ledger to ask, the loads are at their end only when it has them all.
  if (options.again === true && options.known === undefined) state.endAgain(pipelineOf(options))
}

const asked = ({ load, source }: FrozenLoad): AskedLoad => ({
  ...load,
  beginsWith: (prefix) => beginsWith(source, prefix),
})

/** What is refused as a whole is no load that could be finished. */
async function askOf(read: readonly FrozenLoad[], { options, state }: Run) {
  try {
    return await options.known?.(read.map(asked))
  } catch (error) {
    if (error instanceof LadingError && error.code === 'SOURCE_GROWN')
      state.forgetUnpublished(read.map(({ load }) => load.id))
    throw error
  }
}

interface Run {
  readonly options: ProduceOptions
  readonly state: ProducerState
  readonly publisher: Publisher
  readonly onEvent: Listener
}

const aboutOf = ({ id: loadId, name: source, records, chunks }: LoadOutline) => ({
  loadId,
  source,
  records,
  chunks,
})

const leftOutOf = ({ leftOut }: Plan) => (isSome(leftOut) ? { leftOut } : {})

function tellPlanned({ load, plan }: FrozenLoad | DoneLoad, isNew: boolean, onEvent: Listener): void {
  for (const message of plan?.warnings ?? []) onEvent({ type: 'warning', message })
  const told = { ...aboutOf(load), bytes: load.bytes, ...(plan && leftOutOf(plan)) }
  onEvent({ type: 'planned', ...told, ...(isNew ? {} : { isTwice: true }) })
}

function meeting(): (loadId: string) => boolean {
  const ids = new Ids()
  return (loadId) => {
    const { size } = ids
    return ids.add(loadId) === size
  }
}

const twiceReason = (isNew: boolean, { id }: LoadOutline): string | undefined =>
  isNew ? undefined : `the same name and content was named twice (load ${id})`

function skipDone(
  { load, known, ...done }: DoneLoad,
  isNew: boolean,
  { options, onEvent }: Run,
): ProducedLoad {
  const { sha256, bytes, plan } = load
  const about = aboutOf(load)
  const reason = twiceReason(isNew, load) ?? done.reason ?? skipReason(load, undefined, known, options) ?? ''
  onEvent({ type: 'skipped', ...about, reason })
  return { ...about, sha256, bytes, plan, published: 0 }
}

async function produceLoad(
  { source, load, plan, chunks }: FrozenLoad,
  { isNew, known }: { readonly isNew: boolean; readonly known: KnownLoad | undefined },
  { options, state, publisher, onEvent }: Run,
): Promise<ProducedLoad> {
  const { sha256, bytes, records } = load
  const about = aboutOf(load)
  const result = { ...about, sha256, bytes, plan: load.plan, ...leftOutOf(plan) }
  const reason = twiceReason(isNew, load) ?? skipReason(load, { plan, load }, known, options)
  if (reason !== undefined) {
    onEvent({ type: 'skipped', ...about, reason })
    return { ...result, published: 0 }
  }
  const [first] = chunks ?? state.chunks(load, 'all')
  // Of a plan that is none of this load, nothing is kept: it would stand in the way of the right one.
  if (known !== undefined && known.plan !== load.plan) state.forgetUnpublished([load.id])
  requireSamePlan({ ...load, start: first?.byteStart }, plan, known)
  // With a ledger to ask, what the queue was seen to hold counts for nothing: it may have been lost since.
  const which = options.known === undefined ? 'unconfirmed' : 'all'
  const allChunks = () => chunks ?? state.chunks(load, which)
  const isWanted = (key: string) => known?.keys.has(key) !== true
  const { limit } = options
  const part =
    limit === undefined ? undefined : partOf(allChunks(), limit, (n) => isWanted(chunkKey(load.id, n)))
  if (part?.withheld && part.chunks === 0) {
    onEvent({
      type: 'skipped',
      ...about,
      reason: `its first ${limit} records are loaded already (load ${load.id})`,
    })
    return { ...result, published: 0, withheld: part.withheld }
  }
  if (limit !== undefined && part !== undefined && part.last > limit)
    onEvent({
      type: 'warning',
      message: `${load.name}: a load that was begun goes on by whole chunks, so up to record ${count(part.last)} and not ${count(limit)}`,
    })
  const chunksOf = () => (limit === undefined ? allChunks() : upTo(allChunks(), limit))
  let done = 0
  // Of most loads nothing is known, and then their chunks need not be looked through.
  if (options.known === undefined || (known?.keys.size ?? 0) > 0) {
    done = records - (part?.withheld ?? 0)
    for (const { chunk, records: wanted } of chunksOf())
      if (isWanted(chunkKey(load.id, chunk))) done -= wanted
  }
  if (done > 0) onEvent({ type: 'resuming', loadId: load.id, source: load.name, records, done })
  const left = part?.withheld ? { ...part, before: known?.keys.size ?? 0 } : undefined
  const published = await publisher.publish(load, source, chunksOf(), isWanted, { kept: plan.kept, left })
  return { ...result, published, ...(left && { withheld: left.withheld }) }
}

/** What is to be published of chunks without a verdict, where a limit leaves some of their records. */
function partOf(chunks: Iterable<PlannedChunk>, limit: number, isWanted: (chunk: number) => boolean) {
  const part = { chunks: 0, records: 0, withheld: 0, last: 0 }
  for (const { chunk, firstRecord, records } of chunks) {
    if (!isWanted(chunk)) continue
    if (firstRecord > limit) part.withheld += records
    else {
      part.chunks++
      part.records += records
      part.last = firstRecord + records - 1
    }
  }
  return part
}

function* upTo(chunks: Iterable<PlannedChunk>, limit: number): Generator<PlannedChunk> {
  for (const chunk of chunks) {
    if (chunk.firstRecord > limit) return
    yield chunk
  }
}

const isSome = (leftOut: LeftOut): boolean => Object.values(leftOut).some((lines) => lines > 0)

/** `now`: how it is read in this run; undefined where it was not read, and so is the same as it was. */
function skipReason(
  load: LoadOutline,
  now: { readonly plan: Plan; readonly load: PlannedLoad } | undefined,
  known: KnownLoad | undefined,
  options: ProduceOptions,
): string | undefined {
  const changed = now === undefined ? [] : changedLayout(now.load.layout, now.plan.layout)
  const reading =
    changed.length === 0 ? '' : `, with another reading (${changed.join(', ')}): load --fresh reads it anew`
  const isTransient = now !== undefined && sourceAt(now.load.path, load.name).isTransient
  const again = `--again loads it a second time${isTransient ? ', --name NAME as a load of its own' : ''}`
  if (known?.isReplaced === true && options.again !== true)
    return `the same name and content was loaded, and --replace has put other rows in the place of its rows since (load ${load.id}); --fresh loads it again`
  if (known?.isAbandoned === true && options.again !== true)
    return `a load of the same name and content was given up (load ${load.id}); ${again}`
  if (known?.complete === true || (known?.plan === load.plan && known.keys.size === load.chunks))
    return options.again === true
      ? `the same --again, which was interrupted, has loaded it already (load ${load.id})`
      : `the same name and content is loaded already (load ${load.id})${reading}; ${again}`
  if (options.known !== undefined || typeof load.publishedAt !== 'string') return undefined
  const lost = 'verify --republish-missing publishes what was lost'
  return `the same name and content was published to this queue at ${load.publishedAt} (load ${load.id}); ${lost}, ${again}`
}
