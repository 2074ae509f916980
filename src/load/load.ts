/** Producer and consumers in one: files → queue → database, until every record has its verdict. */
import { type ConsumerOptions, createConsumer } from '../consumer/consumer.ts'
import { LadingError } from '../core/errors.ts'
import { retrying } from '../core/retry.ts'
import { ignoreEvents, type Listener } from '../core/events.ts'
import { sleep } from '../core/wait.ts'
import { tableName } from '../model/model.ts'
import { checkHeaders, endAgain, namedFiles, planAll, produce, type ProducedLoad, type ProduceOptions } from '../producer/produce.ts'
import { buildIndexes, type DeferIndexes, indexPlan, tellAgain, tellPrepared } from './indexes.ts'
import { roomIn } from './room.ts'
import { balance, openReceipt } from '../sink/receipt.ts'
import type { Receipt, Sink } from '../sink/sink.ts'
import { remadeCaution } from '../sink/table.ts'

/** Consumers at work beside the producer. */
export interface Workers {
  /** Settles when they have ended, by themselves or because they were told to; rejects where one failed. */
  readonly ended: Promise<void>
  /** Tells them to finish what is in hand and end. */
  stop(): void
}

export interface LoadOptions
  extends
    Omit<ProduceOptions, 'known'>,
    Pick<
      ConsumerOptions,
      'dedupKey' | 'batch' | 'prefetch' | 'maxAttempts' | 'setAside' | 'batchRetry' | 'messageRetry' | 'startTimeoutMs' | 'graceMs'
    > {
  readonly sink: Sink
  /** Whether the indexes of an empty table, its key among them, are built when everything is loaded; `auto` where it is not given. */
  readonly deferIndexes?: DeferIndexes
  /** Starts the consumers; one in this process where it is not given, or gives none. */
  readonly start?: (signal: AbortSignal, indexesDeferred: boolean) => Workers | undefined
}

export interface LoadResult {
  readonly produced: readonly ProducedLoad[]
  /** The paper of each load, in the order of the files. */
  readonly receipts: readonly Receipt[]
  /** Records that took effect during this run; what took effect before is in the receipts too. */
  readonly loadedNow: number
}

/** Asks until it is answered, or until nobody waits for the answer any more. */
type Patiently = <T>(ask: () => Promise<T>) => Promise<T>

/** How often the queue is asked whether it is empty, in milliseconds. */
const pollMs = 50
const pollsPerQuestion = 20
/** Where nothing waits and the queue cannot tell what is in flight, so that only the ledger knows. */
const pollsPerQuestionAtEnd = 4
/** Answers of the ledger in a row, of five minutes, by which nothing has changed: what is missing then is not in flight any more. */
const mostSameAnswers = 1_500

export async function load(options: LoadOptions): Promise<LoadResult> {
  const { queue, sink, model, signal, onEvent = ignoreEvents } = options
  // Nobody should wait for a database only to hear of a wrong path, and a wrong header must not leave tables behind.
  const files = await namedFiles(options)
  await checkHeaders(files, options)
  const patiently = askingUntil(signal, onEvent)
  const prepare = async (connectMs: number) => sink.prepare(model, { signal, deferIndexes: await indexPlan(options, files), connectMs })
  const prepared = await retrying(prepare, { signal, onEvent, deadlineMs: options.startTimeoutMs ?? 30_000 })
  if (prepared.remade === true) onEvent(remadeCaution(model))
  await tellPrepared(options, prepared, () => isBegun(options, patiently))
  const { ready, inFlight } = await patiently(() => queue.depth())
  // What the queue holds already may be loaded before its file is planned, so that the question has to come first.
  const before = ready + (inFlight ?? 1) === 0 ? undefined : await patiently(() => sink.ledger.receipts({}))
  const loadedBefore = new Map(before?.map(({ loadId, loaded }) => [loadId, loaded]))
  const ask = async (loadId: string) => {
    const progress = await sink.ledger.progress(loadId)
    if (before === undefined && !loadedBefore.has(loadId)) loadedBefore.set(loadId, progress?.loaded ?? 0)
    return progress
  }
  let produced = await move(options, ask, prepared.deferred).catch(async (error: unknown) => {
    // Nobody may come to load again, and a table without its key is worse than a load that is slower when it goes on.
    if (prepared.deferred && signal?.aborted !== true) await buildIndexes(options).catch(() => undefined)
    throw error
  })
  if (prepared.deferred && signal?.aborted !== true && (await patiently(() => buildIndexes(options))) === 'refused') {
    await requireSameSources(options, produced)
    tellAgain(options)
    const loads = produced.map(({ loadId }) => loadId)
    await patiently(async () => sink.startOver?.(model, loads, { signal }))
    produced = await move(options, ask, false)
  }
  const receipts = await patiently(() => receiptsOf(options, produced))
  for (const { loadId, source, records, loaded, rejected, skipped, dead } of receipts)
    onEvent({ type: 'receipt', loadId, source, records, loaded, rejected, skipped, dead })
  const loadedNow = receipts.reduce((sum, { loadId, loaded }) => sum + loaded - (loadedBefore.get(loadId) ?? 0), 0)
  if (options.again === true && receipts.every((receipt) => balance(receipt).open === 0)) endAgain(options)
  return { produced, receipts, loadedNow }
}

/** Whether the ledger knows a load of the files: the command has run before. */
async function isBegun(options: LoadOptions, patiently: Patiently): Promise<boolean> {
  const loads = await planAll(options)
  return (await patiently(() => options.sink.ledger.receipts({ loads, limit: 1 }))).length > 0
}

/** What is emptied must be there to be loaded again: standard input is not, nor is a file that has changed. */
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

/** Files → queue → database, with workers of its own. */
async function move(
  options: LoadOptions,
  ask: NonNullable<ProduceOptions['known']>,
  indexesDeferred: boolean,
): Promise<readonly ProducedLoad[]> {
  const { signal, onEvent = ignoreEvents } = options
  const stop = new AbortController()
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const patiently = askingUntil(stopped, onEvent)
  const workers = options.start?.(stopped, indexesDeferred) ?? inProcess(options, stopped)
  // Consumers that end before they are told to have failed, or were stopped; either way the producer must not go on alone.
  const early = workers.ended.finally(() => stop.abort())
  early.catch(() => undefined)
  const work = async () => {
    const room = options.room ?? roomIn(options.queue, stopped, patiently)
    const produced = await produce({ ...options, room, signal: stopped, known: (loadId) => patiently(() => ask(loadId)) })
    const published = produced.filter((each) => each.published > 0).map(({ loadId }) => loadId)
    if (published.length > 0) await settled(published, options, stopped, patiently)
    return produced
  }
  try {
    const produced = await Promise.race([work(), early.then(() => new Promise<never>(() => undefined))])
    workers.stop()
    await workers.ended
    return produced
  } finally {
    workers.stop()
    await workers.ended.catch(() => undefined)
  }
}

function inProcess(options: LoadOptions, signal: AbortSignal): Workers {
  const stop = new AbortController()
  const run = createConsumer({ ...options, besideLoad: true }).run({ signal: AbortSignal.any([signal, stop.signal]) })
  return { ended: run.then(() => undefined), stop: () => stop.abort() }
}

/** Until the queue is empty, or holds only what is not ours: the ledger is asked for that, now and then, because it costs more. */
async function settled(loads: readonly string[], { queue, sink }: LoadOptions, signal: AbortSignal, patiently: Patiently): Promise<void> {
  let last = 0
  let same = 0
  for (let poll = 1; !signal.aborted; poll++) {
    const { ready, inFlight } = await patiently(() => queue.depth())
    if (ready === 0 && inFlight === 0) return
    const mayBeDone = ready === 0 && inFlight === undefined
    if (poll % (mayBeDone ? pollsPerQuestionAtEnd : pollsPerQuestion) === 0) {
      const receipts = await patiently(() => sink.ledger.receipts({ loads }))
      if (receipts.length === new Set(loads).size && receipts.every(({ chunks, chunksDone }) => chunksDone === chunks)) return
      const done = receipts.reduce((sum, { chunksDone }) => sum + chunksDone, 0)
      same = mayBeDone && done === last ? same + 1 : 0
      last = done
      // Somebody has taken messages out of the queue: the receipts will show what is open.
      if (same >= mostSameAnswers) return
    }
    await sleep(pollMs, signal)
  }
}

async function receiptsOf(
  { sink, model, pipeline = tableName(model) }: LoadOptions,
  produced: readonly ProducedLoad[],
): Promise<readonly Receipt[]> {
  // Two paths may lead to one load.
  const loads = new Map(produced.map((each) => [each.loadId, each]))
  await sink.ledger.fold([...loads.keys()])
  const receipts = new Map((await sink.ledger.receipts({ loads: [...loads.keys()] })).map((receipt) => [receipt.loadId, receipt]))
  const startedAt = new Date().toISOString()
  return [...loads.values()].map((each) => receipts.get(each.loadId) ?? openReceipt({ ...each, pipeline, startedAt }))
}
