/** Producer and consumers in one: files → queue → database, until every record has its verdict. */
import { type ConsumerOptions, createConsumer } from '../consumer/consumer.ts'
import { LadingError } from '../core/errors.ts'
import { retrying } from '../core/retry.ts'
import { type ForeignEvent, ignoreEvents, type Listener, tellAll } from '../core/events.ts'
import { sleep, unlessAborted } from '../core/wait.ts'
import { tableName } from '../model/model.ts'
import { begunFresh, endAgain, endFresh, planAll, plannedBefore } from '../producer/loads.ts'
import type { ProduceOptions } from '../producer/options.ts'
import { produce, type ProducedLoad } from '../producer/produce.ts'
import { checkHeads, openSources } from '../producer/sources.ts'
import type { Queue } from '../queue/queue.ts'
import { concluded } from './concluded.ts'
import { Course, type OwnLoads } from './course.ts'
import { buildIndexes, type DeferIndexes, indexPlan, tellAgain, tellPrepared } from './indexes.ts'
import { History } from './history.ts'
import { roomIn } from './room.ts'
import { balance, openReceipt } from '../sink/receipt.ts'
import type { Receipt } from '../sink/ledger.ts'
import type { Sink } from '../sink/sink.ts'
import { preparedWarnings } from '../sink/table.ts'

/** Consumers at work beside the producer. */
export interface Workers {
  /** Settles when they have ended, by themselves or because they were told to; rejects where one failed. */
  readonly ended: Promise<void>
  /** Tells them to finish what is in hand and end. */
  stop(): void
  /** Tells them to end when nothing of the loads waits any more; what else is in the queue is others'. */
  finish(): void
}

/** What workers have to know of the load beside which they are at work. */
export interface WorkerOptions {
  readonly signal: AbortSignal
  readonly indexesDeferred: boolean
  /** Whose chunks they take, and no others. */
  readonly loads: OwnLoads
  /** Hears of what they do. */
  readonly onEvent: Listener
}

/** What waits in the queue when the load is complete. */
export interface LeftInQueue {
  readonly messages: number
  /** Whose they are, as far as they were met. */
  readonly of: readonly ForeignEvent[]
}

export interface LoadOptions
  extends
    Omit<ProduceOptions, 'known' | 'startFresh' | 'target'>,
    Pick<
      ConsumerOptions,
      | 'dedupKey'
      | 'batch'
      | 'prefetch'
      | 'maxAttempts'
      | 'setAside'
      | 'batchRetry'
      | 'messageRetry'
      | 'startTimeoutMs'
      | 'graceMs'
    > {
  readonly sink: Sink
  /**
   * Forget what the ledger knows of the files and load them from scratch; throws `TABLE_NOT_EMPTY` where rows
   * would be there twice.
   */
  readonly fresh?: boolean
  /**
   * Whether the indexes of an empty table, its key among them, are built when everything is loaded; `auto`
   * where it is not given.
   */
  readonly deferIndexes?: DeferIndexes
  /** Starts the consumers; one in this process where it is not given, or gives none. */
  readonly start?: (options: WorkerOptions) => Workers | undefined
}

export interface LoadResult {
  readonly produced: readonly ProducedLoad[]
  /** The paper of each load, in the order of the files. */
  readonly receipts: readonly Receipt[]
  /** Records that took effect during this run; what took effect before is in the receipts too. */
  readonly loadedNow: number
  /**
   * Messages of others. Nothing is known of them while a load is not complete, because then they may be its
   * own.
   */
  readonly left: LeftInQueue
  /**
   * Loads whose rows had been loaded before, though the table held none when the run began; `fresh` loads
   * them again.
   */
  readonly emptied: readonly string[]
}

/** As `LoadOptions`, with the target named and every event heard. */
interface Moving extends LoadOptions, Pick<ProduceOptions, 'startFresh'> {
  readonly target: string
  readonly course: Course
  readonly onEvent: Listener
  /** Names of all the sources. */
  readonly names: readonly string[]
}

type Ask = NonNullable<ProduceOptions['known']>

/** Asks until it is answered, or until nobody waits for the answer any more. */
type Patiently = <T>(ask: () => Promise<T>) => Promise<T>

/** How often the queue is asked whether it is empty, in milliseconds. */
const pollMs = 50
const pollsPerQuestion = 20
/** Where nothing waits and the queue cannot tell what is in flight, so that only the ledger knows. */
const pollsPerQuestionAtEnd = 4
/**
 * Answers of the ledger in a row, of five minutes, by which nothing has changed: what is missing then is not
 * in flight any more.
 */
const mostSameAnswers = 1_500

export async function load(given: LoadOptions): Promise<LoadResult> {
  const course = new Course()
  const onEvent = tellAll(course.listen, given.onEvent ?? ignoreEvents)
  // A wrong path is reported before the database is waited for, and a wrong header must not leave tables
  // behind.
  const sources = await openSources(given)
  await checkHeads(sources, given)
  const names = [
    ...sources.map(({ name }) => name),
    ...(given.paths.includes('-') ? [given.stdinName ?? 'stdin'] : []),
  ]
  const options = { ...given, target: given.sink.place, course, names, onEvent }
  const { queue, sink, model, signal } = options
  const patiently = askingUntil(signal, onEvent)
  const prepare = async (connectMs: number) =>
    sink.prepare(model, { signal, deferIndexes: await indexPlan(options, sources), connectMs })
  const prepared = await retrying(prepare, { signal, onEvent, deadlineMs: options.startTimeoutMs ?? 30_000 })
  for (const warning of preparedWarnings(model, prepared)) onEvent(warning)
  await tellPrepared(options, prepared, () => isBegun(options, patiently))
  const { ready, inFlight } = await patiently(() => queue.depth())
  // What the queue holds already may be loaded before its file is planned, so that the question has to come
  // first.
  const before = ready + (inFlight ?? 1) === 0 ? undefined : await patiently(() => sink.ledger.receipts({}))
  const loadedBefore = new Map(before?.map(({ loadId, loaded }) => [loadId, loaded]))
  const history = await patiently(() => historyOf(options))
  const startFresh = async (loadId: string, wasBegun: boolean) => {
    const isFresh = await patiently(() => history.startFresh(loadId, wasBegun))
    if (isFresh) loadedBefore.set(loadId, 0)
    return isFresh
  }
  const moving = options.fresh === true ? { ...options, startFresh } : options
  if (before !== undefined) {
    const planned = await plannedBefore(options, sources)
    // What waits of them takes effect as soon as consumers are at work, and is not to be forgotten then.
    if (options.fresh === true)
      for (const [loadId, wasBegun] of begunFresh(options, planned)) await startFresh(loadId, wasBegun)
    for (const loadId of planned) course.loads.add(loadId)
  }
  const ask: Ask = async (loadId, planned) => {
    const progress = await sink.ledger.progress(loadId)
    await history.meet(planned, before === undefined ? progress?.loaded : loadedBefore.get(loadId))
    if (before === undefined && !loadedBefore.has(loadId)) loadedBefore.set(loadId, progress?.loaded ?? 0)
    return progress
  }
  let moved = await move(moving, ask, prepared.deferred).catch(async (error: unknown) => {
    // The load may never be run again, and a table without its key is worse than a slower load.
    if (prepared.deferred && signal?.aborted !== true) await buildIndexes(options).catch(() => undefined)
    throw error
  })
  if (
    prepared.deferred &&
    signal?.aborted !== true &&
    (await patiently(() => buildIndexes(options))) === 'refused'
  ) {
    await requireSameSources(options, moved.produced)
    tellAgain(options)
    const loads = moved.produced.map(({ loadId }) => loadId)
    await patiently(async () => sink.startOver?.(model, loads, { signal }))
    moved = await move(moving, ask, false)
  }
  history.end()
  const { produced, isEmpty } = moved
  const receipts = await patiently(() => receiptsOf(options, produced))
  for (const { loadId, source, records, loaded, rejected, skipped, dead } of receipts)
    onEvent({ type: 'receipt', loadId, source, records, loaded, rejected, skipped, dead })
  const loadedNow = receipts.reduce(
    (sum, { loadId, loaded }) => sum + loaded - (loadedBefore.get(loadId) ?? 0),
    0,
  )
  const isComplete = receipts.every((receipt) => balance(receipt).open === 0)
  if (options.again === true && isComplete) endAgain(options)
  if (options.fresh === true && isComplete)
    endFresh(
      options,
      receipts.map(({ loadId }) => loadId),
    )
  const left =
    isEmpty || !isComplete || signal?.aborted === true ? 0 : await patiently(() => messagesIn(queue))
  return {
    produced,
    receipts,
    loadedNow,
    left: { messages: left, of: left === 0 ? [] : course.foreign },
    emptied: history.emptied,
  }
}

/** Long enough for a broker to move a message from one of its queues to another, in milliseconds. */
const movesWithinMs = 250

/** A broker counts a message twice while it moves it, and never omits it: the smaller of two counts is right. */
async function messagesIn(queue: Queue): Promise<number> {
  const count = async () => {
    const { ready, inFlight } = await queue.depth()
    return ready + (inFlight ?? 0)
  }
  const first = await count()
  if (first === 0) return 0
  await sleep(movesWithinMs)
  return Math.min(first, await count())
}

/** Of the sources, what the ledger knows. With `--again` it is known that it was loaded before. */
function historyOf({
  sink,
  model,
  pipeline = tableName(model),
  again,
  fresh = false,
  onEvent,
  names,
}: Moving): Promise<History> {
  return History.begin({ sink, model, pipeline, fresh, onEvent }, again === true ? [] : names)
}

/** Whether the ledger knows a load of the files: the command has run before. */
async function isBegun(options: LoadOptions, patiently: Patiently): Promise<boolean> {
  const loads = await planAll(options)
  return (await patiently(() => options.sink.ledger.receipts({ loads, limit: 1 }))).length > 0
}

/**
 * What is emptied must be there to be loaded again: standard input is not, nor is a file that has changed.
 */
async function requireSameSources(options: LoadOptions, produced: readonly ProducedLoad[]): Promise<void> {
  const planned = new Set(options.paths.includes('-') ? [] : await planAll(options))
  const gone = produced.find(({ loadId }) => !planned.has(loadId))
  if (gone === undefined) return
  const detail = `a row of table ${tableName(options.model)} is refused (two share a key, mostly), and ${gone.source} cannot be loaded again as it was`
  throw new LadingError('INDEXES_BLOCKED', detail)
}

/** A database or a queue that goes away is waited for, as the consumers do. */
const askingUntil =
  (signal: AbortSignal | undefined, onEvent: Listener): Patiently =>
  (ask) =>
    retrying(ask, { signal, onEvent })

interface Moved {
  readonly produced: readonly ProducedLoad[]
  /** Whether the queue was empty in the end. */
  readonly isEmpty: boolean
}

/** Files → queue → database, with workers of its own. */
async function move(options: Moving, ask: Ask, indexesDeferred: boolean): Promise<Moved> {
  const { signal, course, onEvent } = options
  const stop = new AbortController()
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const patiently = askingUntil(stopped, onEvent)
  const workers =
    options.start?.({ signal: stopped, indexesDeferred, loads: course.loads, onEvent }) ??
    inProcess(options, stopped)
  // Consumers that end before they are told to have failed, or were stopped; either way the producer must not
  // go on alone.
  const early = workers.ended.finally(() => stop.abort())
  early.catch(() => undefined)
  const work = async () => {
    const room =
      options.room ?? roomIn(options.queue, stopped, { patiently, outstanding: () => course.outstanding })
    const known: Ask = (...asked) => patiently(() => ask(...asked))
    const producing = { ...options, room, signal: stopped, known }
    const produced = await produce(producing).catch(async (error: unknown) => {
      if (stopped.aborted || !isOfFile(error)) throw error
      // What was published of the other files is loaded first.
      await settled(course.published, options, stopped, patiently)
      const told = course.toldOf(options.names)
      if (told !== undefined) onEvent({ type: 'warning', message: told })
      throw error
    })
    const published = produced.filter((each) => each.published > 0).map(({ loadId }) => loadId)
    return { produced, isEmpty: await settled(published, options, stopped, patiently) }
  }
  try {
    const moved = await Promise.race([work(), early.then(() => new Promise<never>(() => undefined))])
    // What an earlier run published of the same loads may stand behind messages of others.
    if (moved.isEmpty) workers.stop()
    else workers.finish()
    await workers.ended
    return moved
  } finally {
    workers.stop()
    await workers.ended.catch(() => undefined)
  }
}

const fileCodes = /^(SOURCE|HEADER)_|^(UNCLOSED_QUOTE|RECORD_TOO_LARGE|MESSAGE_TOO_LARGE|PLAN_CHANGED)$/

/** Whether one file is at fault, and neither the queue nor the database. */
const isOfFile = (error: unknown): boolean => error instanceof LadingError && fileCodes.test(error.code)

function inProcess({ course, ...options }: Moving, signal: AbortSignal): Workers {
  const [stop, finish] = [new AbortController(), new AbortController()]
  const consumer = createConsumer({ ...options, loads: course.loads, besideLoad: true })
  const run = consumer.run({ signal: AbortSignal.any([signal, stop.signal]), finish: finish.signal })
  return { ended: run.then(() => undefined), stop: () => stop.abort(), finish: () => finish.abort() }
}

/**
 * Until the queue is empty (true), or holds only what is not ours: the ledger is asked for that, now and
 * then, because it costs more, and more often when by our own count everything is done.
 */
async function settled(
  loads: readonly string[],
  { queue, sink, course }: Moving,
  signal: AbortSignal,
  patiently: Patiently,
): Promise<boolean> {
  let last = 0
  let same = 0
  for (let poll = 1; !signal.aborted; poll++) {
    const depth = await unlessAborted(
      patiently(() => queue.depth()),
      signal,
    )
    if (depth === undefined) return false
    const { ready, inFlight } = depth
    if (ready === 0 && inFlight === 0) return true
    if (loads.length === 0) return false
    const mayBeDone = ready === 0 && inFlight === undefined
    if (poll % (mayBeDone || course.outstanding <= 0 ? pollsPerQuestionAtEnd : pollsPerQuestion) === 0) {
      const { isReached, done } = await patiently(() => concluded(loads, sink.ledger, course))
      if (isReached) return false
      same = mayBeDone && done === last ? same + 1 : 0
      last = done
      // Somebody has taken messages out of the queue: the receipts will show what is open.
      if (same >= mostSameAnswers) return false
    }
    await sleep(pollMs, signal)
  }
  return false
}

async function receiptsOf(
  { sink, model, pipeline = tableName(model) }: LoadOptions,
  produced: readonly ProducedLoad[],
): Promise<readonly Receipt[]> {
  // Two paths may lead to one load.
  const loads = new Map(produced.map((each) => [each.loadId, each]))
  await sink.ledger.fold([...loads.keys()])
  const receipts = new Map(
    (await sink.ledger.receipts({ loads: [...loads.keys()] })).map((receipt) => [receipt.loadId, receipt]),
  )
  const startedAt = new Date().toISOString()
  return [...loads.values()].map(
    (each) => receipts.get(each.loadId) ?? openReceipt({ ...each, pipeline, startedAt }),
  )
}
