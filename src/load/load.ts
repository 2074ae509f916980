/** Producer and consumers in one: files → queue → database, until every record has its verdict. */
import { LadingError } from '../core/errors.ts'
import { ignoreEvents, tellAll } from '../core/events.ts'
import { Ids } from '../core/ids.ts'
import { listed } from '../core/listed.ts'
import { retrying } from '../core/retry.ts'
import { sleep } from '../core/wait.ts'
import { modelOfChanges } from '../model/change.ts'
import { tableName } from '../model/model.ts'
import { knownPlans } from '../producer/known-plans.ts'
import { changedSince, endAgain, endFresh, planAll, plansOf } from '../producer/loads.ts'
import type { Producing } from '../producer/produce.ts'
import { checkHeads, openSources, type Sources } from '../producer/sources.ts'
import type { Queue } from '../queue/queue.ts'
import { preparedWarnings, requireChanges } from '../sink/table.ts'
import type { Carry } from '../source/carry.ts'
import { Course } from './course.ts'
import { Earlier } from './earlier.ts'
import { buildIndexes, indexPlan, tellAgain, tellPrepared } from './indexes.ts'
import { type Moved, move } from './move.ts'
import { partsOf, requireGrowing } from './parts.ts'
import { outcomeOf } from './outcome.ts'
import type { Produced } from './produced.ts'
import { askingUntil, type LoadOptions, type LoadResult, type Patiently, type Running } from './options.ts'

export type { LeftInQueue, LoadOptions, LoadResult, WorkerOptions, Workers } from './options.ts'

const defaultStartTimeoutMs = 30_000
/** Files that an error lists. */
const mostListed = 5

export async function load(wanted: LoadOptions): Promise<LoadResult> {
  const given = { ...wanted, ...(wanted.append === true && growing(wanted)), carry: carryOf(wanted) }
  const course = new Course()
  const onEvent = tellAll(course.listen, given.onEvent ?? ignoreEvents)
  const patiently = askingUntil(given.signal, onEvent)
  // A wrong path is reported before the database is waited for, and a wrong header must not leave tables
  // behind.
  const sources = await openSources(given, (message) => onEvent({ type: 'warning', message }))
  const model = modelOfChanges(given.model, given.unwrap)
  const names = () => [...sources.names, ...(given.paths.includes('-') ? [given.stdinName ?? 'stdin'] : [])]
  const options: Running = { ...given, model, target: given.sink.place, course, names, onEvent }
  requireChanges(given.sink, model)
  if (options.append === true) requireGrowing(options)
  const plans = await knownPlans(sources, options)
  await checkHeads(sources, given, plans)
  const isDeferred = await prepareTable(options, sources, patiently)
  const earlier = await Earlier.begin(options, sources, patiently)
  const moved = await moveAndIndex(options, { sources, plans }, { earlier, isDeferred, patiently })
  earlier.end()
  return await conclude(options, earlier, moved, patiently)
}

/** Of what grows nothing is known before it is read, and no load of it can be made again as it was. */
const growing = ({ ended, deferIndexes }: LoadOptions) => ({
  ...(ended !== true && { grows: true as const }),
  readAll: true,
  deferIndexes: deferIndexes === 'always' ? deferIndexes : ('never' as const),
})

/**
 * The consumers of a load run on its machine; those of a broker's queue may be others. A file that grows may be
 * rotated before they read it.
 */
function carryOf({ carry, append, queue }: LoadOptions): Carry {
  return carry ?? (queue.traits.isLocal === true && append !== true ? 'local' : 'bytes')
}

/** Whether the indexes of the table are left for the end. */
async function prepareTable(options: Running, sources: Sources, patiently: Patiently): Promise<boolean> {
  const { sink, model, signal, onEvent, startTimeoutMs: deadlineMs = defaultStartTimeoutMs } = options
  const prepare = async (connectMs: number) =>
    sink.prepare(model, { signal, deferIndexes: await indexPlan(options, sources), connectMs })
  const prepared = await retrying(prepare, { signal, onEvent, deadlineMs })
  for (const warning of preparedWarnings(model, prepared)) onEvent(warning)
  await tellPrepared(options, prepared, () => isBegun(options, patiently))
  return prepared.deferred
}

interface Moving {
  readonly earlier: Earlier
  readonly isDeferred: boolean
  readonly patiently: Patiently
}

/**
 * Moves everything, and builds the indexes that were left for the end; again with them if they refuse a row.
 */
async function moveAndIndex(
  options: Running,
  given: Pick<Producing, 'sources' | 'plans'>,
  { earlier, isDeferred, patiently }: Moving,
): Promise<Moved> {
  const { sink, model, signal } = options
  const { ask } = earlier
  const parts = partsOf(options, earlier, patiently)
  const moving = {
    ...options,
    ...(options.fresh === true && { startFresh: earlier.startFresh }),
    ...(parts && { parts }),
  }
  const moved = await move(moving, given, { ask, indexesDeferred: isDeferred }).catch(
    async (error: unknown) => {
      // The load may never be run again, and a table without its key is worse than a slower load.
      if (isDeferred && signal?.aborted !== true) await buildIndexes(options).catch(() => undefined)
      throw error
    },
  )
  if (!isDeferred || signal?.aborted === true) return moved
  if ((await patiently(() => buildIndexes(options))) !== 'refused') return moved
  await requireSameSources(options, moved.produced)
  tellAgain(options)
  const loads = [...moved.produced.loads()]
  await patiently(async () => sink.startOver?.(model, loads, { signal }))
  earlier.startOver()
  return await move(moving, given, { ask, indexesDeferred: false })
}

async function conclude(
  options: Running,
  earlier: Earlier,
  { produced, isEmpty }: Moved,
  patiently: Patiently,
): Promise<LoadResult> {
  const { queue, signal, course } = options
  const { account, before, receipts, open } = await outcomeOf(options, produced, earlier, patiently)
  if (open.length > 0 && signal?.aborted !== true) await requireUnchanged(options, open)
  const isComplete = account.isComplete
  if (options.again === true && isComplete) endAgain(options)
  if (options.fresh === true && isComplete) endFresh(options, [...produced.loads()])
  const mayHold = !isEmpty && isComplete && signal?.aborted !== true
  const messages = mayHold ? await patiently(() => messagesIn(queue)) : 0
  return {
    produced: produced.each,
    receipts,
    account,
    before,
    files: produced.files,
    loadsBefore: produced.before,
    // Another run may have loaded what the limit has left.
    withheld: Math.min(produced.withheld, account.totals.open),
    leftOut: produced.leftOut,
    loadedNow: account.totals.loaded - earlier.loaded,
    left: { messages, of: messages === 0 ? [] : course.foreign },
    emptied: earlier.emptied,
    emptiedRecords: earlier.emptiedRecords,
  }
}

/**
 * Bytes that travelled were proved before. What was referred to may have been changed until it was read, and
 * its chunks are open then.
 */
async function requireUnchanged(options: Running, open: readonly string[]): Promise<void> {
  if (options.carry === 'bytes') return
  const changed = await changedSince(options, open)
  if (changed.length === 0) return
  const told = options.course.toldOf(options.names(), (loads) => plansOf(options, loads), new Set(open))
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
async function requireSameSources(options: LoadOptions, produced: Produced): Promise<void> {
  const planned = new Ids()
  if (!options.paths.includes('-')) for (const loadId of await planAll(options)) planned.add(loadId)
  for (const loadId of produced.loads()) {
    if (planned.has(loadId)) continue
    const source = plansOf(options, [loadId]).get(loadId)?.name ?? `load ${loadId}`
    const detail = `a row of table ${tableName(options.model)} is refused (two share a key, mostly), and ${source} cannot be loaded again as it was`
    throw new LadingError('INDEXES_BLOCKED', detail)
  }
}
