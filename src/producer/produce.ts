/** Files → plans → chunks → queue. */
import { createHash, randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { LadingError } from '../core/errors.ts'
import { ignoreEvents, type Listener } from '../core/events.ts'
import type { Abortable } from '../core/wait.ts'
import { defaultDialect, type Dialect, validateDialect } from '../csv/dialect.ts'
import { type Model, tableName } from '../model/model.ts'
import type { Queue } from '../queue/queue.ts'
import { discover, type SourceFile } from './discover.ts'
import { loadIdOf } from './identity.ts'
import { planFile } from './plan.ts'
import { Publisher } from './publish.ts'
import { spool } from './spool.ts'
import { type PlannedLoad, ProducerState } from './state.ts'

export const defaultStatePath = './.lading/producer.db'
export const defaultChunkBytes = 1024 * 1024

/** What the target's ledger knows of a load; undefined where it knows nothing. */
export interface KnownLoad {
  readonly plan: string
  readonly complete: boolean
  readonly keys: ReadonlySet<string>
}

export interface ProduceOptions extends Abortable {
  /** Files, folders, patterns; `-` is standard input, for which `stdin` gives the stream. */
  readonly paths: readonly string[]
  readonly model: Model
  readonly queue: Queue
  /** Identifies the queue in the producer's state; its URL without secrets. */
  readonly queueName?: string
  /** Name under which the ledger keeps the loads; the model's table where it is not given. */
  readonly pipeline?: string
  readonly dialect?: Dialect
  /** Wanted size of a chunk, in bytes of CSV. */
  readonly chunkBytes?: number
  /** Cells of the files that the model does not know are left out instead of refused. */
  readonly ignoreExtra?: boolean
  /** Load once more what was loaded before. */
  readonly again?: boolean
  /** File that remembers plans between runs. */
  readonly statePath?: string
  readonly stdin?: AsyncIterable<Uint8Array>
  /** Asks the target's ledger. With it, what took effect is left out, and everything else is published; without it, what the queue was seen to hold is left out. */
  readonly known?: (loadId: string) => Promise<KnownLoad | undefined>
  readonly onEvent?: Listener
}

export interface ProducedLoad {
  readonly loadId: string
  readonly source: string
  readonly records: number
  readonly chunks: number
  /** Chunks published by this run; 0 where the load was skipped. */
  readonly published: number
}

/** The files that the options name, standard input left out; throws for what cannot be right before anything is opened or waited for. */
export async function namedFiles({
  paths,
  dialect = defaultDialect,
}: Pick<ProduceOptions, 'paths' | 'dialect'>): Promise<readonly SourceFile[]> {
  validateDialect(dialect)
  const named = paths.filter((path) => path !== '-')
  return named.length > 0 || paths.length === 0 ? discover(named) : []
}

/** Plans a file, then publishes it, one after the other: a structural fault of a file shows before anything of that file is published. */
export async function produce(options: ProduceOptions): Promise<readonly ProducedLoad[]> {
  const { queue, onEvent = ignoreEvents, dialect = defaultDialect, statePath = defaultStatePath } = options
  const named = await namedFiles(options)
  await using input = options.paths.includes('-') ? await spool(options.stdin, statePath) : undefined
  using state = new ProducerState(statePath, options.queueName ?? '')
  const publisher = new Publisher(queue, state, onEvent, options)
  const run = { options, dialect, state, publisher, onEvent, loads: new Set<string>() }
  const produced: ProducedLoad[] = []
  try {
    for (const file of [...named, ...(input === undefined ? [] : [input.file])]) produced.push(await produceFile(file, run))
  } finally {
    await publisher.flush()
  }
  return produced
}

interface Run {
  readonly options: ProduceOptions
  readonly dialect: Dialect
  readonly state: ProducerState
  readonly publisher: Publisher
  readonly onEvent: Listener
  /** Loads of this run: two paths may lead to the same name and content. */
  readonly loads: Set<string>
}

async function produceFile(file: SourceFile, { options, dialect, state, publisher, onEvent, loads }: Run): Promise<ProducedLoad> {
  const load = await planLoad(file, options, dialect, state)
  const about = { loadId: load.id, source: load.name, records: load.records, chunks: load.chunks }
  onEvent({ type: 'planned', ...about, bytes: load.bytes })
  const known = await options.known?.(load.id)
  const reason = loads.has(load.id) ? `the same name and content was named twice (load ${load.id})` : skipReason(load, known, options)
  loads.add(load.id)
  if (reason !== undefined) {
    onEvent({ type: 'skipped', ...about, reason })
    return { ...about, published: 0 }
  }
  if (known !== undefined && known.plan !== load.plan) {
    throw new LadingError(
      'PLAN_CHANGED',
      `${load.path} is being loaded already (load ${load.id}) with another chunk size, dialect or model`,
    )
  }
  const chunks = state.chunks(load, options.known !== undefined)
  const published = await publisher.publish(load, chunks, (key) => known?.keys.has(key) !== true)
  return { ...about, published }
}

function skipReason(load: PlannedLoad, known: KnownLoad | undefined, options: ProduceOptions): string | undefined {
  const again = '--again loads it once more'
  if (known?.complete === true || known?.keys.size === load.chunks)
    return `the same name and content is loaded already (load ${load.id}); ${again}`
  if (options.known !== undefined || load.publishedAt === undefined) return undefined
  const lost = 'verify --republish-missing publishes what was lost'
  return `the same name and content was published to this queue at ${load.publishedAt} (load ${load.id}); ${lost}, ${again}`
}

async function planLoad(file: SourceFile, options: ProduceOptions, dialect: Dialect, state: ProducerState): Promise<PlannedLoad> {
  const { model, pipeline = tableName(model), chunkBytes = defaultChunkBytes, ignoreExtra = false, signal } = options
  const draft = state.begin(pipeline, resolve(file.path), file.name)
  try {
    const plan = await planFile(file.path, { model, dialect, chunkBytes, ignoreExtra, signal }, draft.add)
    draft.flush()
    const base = loadIdOf(pipeline, file.name, plan.sha256)
    const id = options.again === true ? await againId(base, pipeline, file.name, plan.sha256, options, state) : base
    return state.freeze(draft, id, base, plan, dialect)
  } catch (error) {
    state.forget(draft)
    throw error
  }
}

/** A second load of the same file that was interrupted goes on; one that was finished is followed by a new one. */
async function againId(base: string, pipeline: string, name: string, sha256: string, options: ProduceOptions, state: ProducerState) {
  const newest = state.newestAgain(base)
  if (newest !== undefined) {
    const known = await options.known?.(newest.id)
    const finished =
      options.known === undefined ? newest.publishedAt !== undefined : known?.complete === true || known?.keys.size === newest.chunks
    if (!finished) return newest.id
  }
  return loadIdOf(pipeline, name, sha256, createHash('sha256').update(randomUUID()).digest('hex'))
}
