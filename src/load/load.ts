/** Producer and consumers in one: files → queue → database, until every record has its verdict. */
import { pagesOf } from '../core/pages.ts'
import { LadingError } from '../core/errors.ts'
import { ignoreEvents, tellAll } from '../core/events.ts'
import { listed } from '../core/listed.ts'
import { retrying } from '../core/retry.ts'
import { sleep } from '../core/wait.ts'
import { modelOfChanges } from '../model/change.ts'
import { tableName } from '../model/model.ts'
import { changedSince, endAgain, endFresh, planAll } from '../producer/loads.ts'
import type { ProducedLoad } from '../producer/produce.ts'
import { checkHeads, openSources } from '../producer/sources.ts'
import type { Queue } from '../queue/queue.ts'
import { balance, openReceipt } from '../sink/receipt.ts'
import type { Receipt } from '../sink/ledger.ts'
import { preparedWarnings } from '../sink/table.ts'
import type { Carry } from '../source/carry.ts'
import type { Source } from '../source/source.ts'
import { Course } from './course.ts'
import { Earlier } from './earlier.ts'
import { buildIndexes, indexPlan, tellAgain, tellPrepared } from './indexes.ts'
import { type Moved, move } from './move.ts'
import { askingUntil, type LoadOptions, type LoadResult, type Patiently, type Running } from './options.ts'

export type { LeftInQueue, LoadOptions, LoadResult, WorkerOptions, Workers } from './options.ts'

const defaultStartTimeoutMs = 30_000
/** Files that an error lists. */
const mostListed = 5

export async function load(wanted: LoadOptions): Promise<LoadResult> {
  const given = { ...wanted, carry: wanted.carry ?? carryThrough(wanted.queue) }
  const course = new Course()
  const onEvent = tellAll(course.listen, given.onEvent ?? ignoreEvents)
  const patiently = askingUntil(given.signal, onEvent)
  // A wrong path is reported before the database is waited for, and a wrong header must not leave tables
  // behind.
  const sources = await openSources(given)
  await checkHeads(sources, given)
  const names = [
    ...sources.map(({ name }) => name),
    ...(given.paths.includes('-') ? [given.stdinName ?? 'stdin'] : []),
  ]
  const model = modelOfChanges(given.model, given.unwrap)
  const options: Running = { ...given, model, target: given.sink.place, course, names, onEvent }
  const isDeferred = await prepareTable(options, sources, patiently)
  const earlier = await Earlier.begin(options, sources, patiently)
  const moved = await moveAndIndex(options, earlier, isDeferred, patiently)
  earlier.end()
  const receipts = await patiently(() => receiptsOf(options, moved.produced, earlier))
  return await conclude(options, earlier, moved, receipts, patiently)
}

/** The consumers of a load run on its machine; those of a broker's queue may be others. */
const carryThrough = ({ traits }: Queue): Carry => (traits.isLocal === true ? 'local' : 'bytes')

/** Whether the indexes of the table are left for the end. */
async function prepareTable(
  options: Running,
  sources: readonly Source[],
  patiently: Patiently,
): Promise<boolean> {
  const { sink, model, signal, onEvent, startTimeoutMs: deadlineMs = defaultStartTimeoutMs } = options
  const prepare = async (connectMs: number) =>
    sink.prepare(model, { signal, deferIndexes: await indexPlan(options, sources), connectMs })
  const prepared = await retrying(prepare, { signal, onEvent, deadlineMs })
  for (const warning of preparedWarnings(model, prepared)) onEvent(warning)
  await tellPrepared(options, prepared, () => isBegun(options, patiently))
  return prepared.deferred
}

/**
 * Moves everything, and builds the indexes that were left for the end; again with them if they refuse a row.
 */
async function moveAndIndex(
  options: Running,
  earlier: Earlier,
  isDeferred: boolean,
  patiently: Patiently,
): Promise<Moved> {
  const { sink, model, signal } = options
  const moving = options.fresh === true ? { ...options, startFresh: earlier.startFresh } : options
  const moved = await move(moving, earlier.ask, isDeferred).catch(async (error: unknown) => {
    // The load may never be run again, and a table without its key is worse than a slower load.
    if (isDeferred && signal?.aborted !== true) await buildIndexes(options).catch(() => undefined)
    throw error
  })
  if (!isDeferred || signal?.aborted === true) return moved
  if ((await patiently(() => buildIndexes(options))) !== 'refused') return moved
  await requireSameSources(options, moved.produced)
  tellAgain(options)
  const loads = moved.produced.map(({ loadId }) => loadId)
  await patiently(async () => sink.startOver?.(model, loads, { signal }))
  return await move(moving, earlier.ask, false)
}

async function conclude(
  options: Running,
  earlier: Earlier,
  { produced, isEmpty }: Moved,
  receipts: readonly Receipt[],
  patiently: Patiently,
): Promise<LoadResult> {
  const { queue, signal, course, onEvent } = options
  for (const { loadId, source, records, loaded, rejected, skipped, dead } of receipts)
    onEvent({ type: 'receipt', loadId, source, records, loaded, rejected, skipped, dead })
  const open = receipts.filter((receipt) => balance(receipt).open > 0)
  if (open.length > 0 && signal?.aborted !== true) await requireUnchanged(options, open)
  const isComplete = open.length === 0
  const loads = receipts.map(({ loadId }) => loadId)
  if (options.again === true && isComplete) endAgain(options)
  if (options.fresh === true && isComplete) endFresh(options, loads)
  const mayHold = !isEmpty && isComplete && signal?.aborted !== true
  const messages = mayHold ? await patiently(() => messagesIn(queue)) : 0
  return {
    produced,
    receipts,
    loadedNow: receipts.reduce((sum, { loadId, loaded }) => sum + loaded - earlier.loadedOf(loadId), 0),
    left: { messages, of: messages === 0 ? [] : course.foreign },
    emptied: earlier.emptied,
  }
}

/**
 * Bytes that travelled were proved before. What was referred to may have been changed until it was read, and
 * its chunks are open then.
 */
async function requireUnchanged(options: Running, open: readonly Receipt[]): Promise<void> {
  if (options.carry === 'bytes') return
  const changed = await changedSince(
    options,
    open.map(({ loadId }) => loadId),
  )
  if (changed.length === 0) return
  const told = options.course.toldOf(options.names, new Set(open.map(({ loadId }) => loadId)))
  if (told !== undefined) options.onEvent({ type: 'warning', message: told })
  throw new LadingError(
    'SOURCE_CHANGED',
    `${listed(changed, mostListed)} changed while it was loaded; nothing was loaded but what was planned`,
  )
}

/** Long enough for a broker to move a message from one of its queues to another, in milliseconds. */
const movesWithinMs = 250
const mostCounts = 8

/** A broker counts a message twice or not at all while it moves it, so the same count has to come twice. */
async function messagesIn(queue: Queue): Promise<number> {
  const count = async () => {
    const { ready, inFlight } = await queue.depth()
    return ready + (inFlight ?? 0)
  }
  let last = await count()
  for (let counts = 1; last > 0 && counts < mostCounts; counts++) {
    await sleep(movesWithinMs)
    const next = await count()
    if (next === last) break
    last = next
  }
  return last
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

/** Loads whose receipts are asked for at once. */
const askedAtOnce = 1_000

async function receiptsOf(
  { sink, model, pipeline = tableName(model) }: LoadOptions,
  produced: readonly ProducedLoad[],
  earlier: Earlier,
): Promise<readonly Receipt[]> {
  // Two paths may lead to one load.
  const loads = new Map(produced.map((each) => [each.loadId, each]))
  const asked = [...loads.keys()].filter((loadId) => earlier.receiptOf(loadId) === undefined)
  await sink.ledger.fold([...loads.keys()])
  const receipts = new Map<string, Receipt>()
  for (const page of pagesOf(asked, askedAtOnce))
    for (const receipt of await sink.ledger.receipts({ loads: page })) receipts.set(receipt.loadId, receipt)
  const startedAt = new Date().toISOString()
  return [...loads.values()].map(
    (each) =>
      receipts.get(each.loadId) ??
      earlier.receiptOf(each.loadId) ??
      openReceipt({ ...each, pipeline, startedAt }),
  )
}
