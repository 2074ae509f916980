/**
 * A load that replaces the rows of a table (`--replace`): everything is loaded into a table beside it, and then
 * takes the place of what was there in one transaction. Nothing of it can be resumed, so it needs neither a queue nor
 * plans that last: a run that was killed is begun anew, and removes what was gathered.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { count, counted } from '../core/counted.ts'
import { LadingError } from '../core/errors.ts'
import { ignoreEvents } from '../core/events.ts'
import { retrying } from '../core/retry.ts'
import { type Model, tableName } from '../model/model.ts'
import { loadIdOf } from '../producer/identity.ts'
import { planAll } from '../producer/loads.ts'
import { pipelineOf } from '../producer/options.ts'
import { openSources } from '../producer/sources.ts'
import { Account } from '../sink/account.ts'
import type { Receipt } from '../sink/ledger.ts'
import { receiptPages } from '../sink/receipt-pages.ts'
import type { Replacement } from '../sink/sink.ts'
import { requireChanges } from '../sink/table.ts'
import { load } from './load.ts'
import type { LoadOptions, LoadResult } from './options.ts'

export interface ReplaceOptions extends Omit<
  LoadOptions,
  'statePath' | 'start' | 'append' | 'again' | 'limit'
> {
  /** Replaces the rows although records were rejected. The queue may be one that lasts no longer than the process. */
  readonly allowRejects?: boolean
}

const defaultStartTimeoutMs = 30_000

export async function replaceRows(given: ReplaceOptions): Promise<LoadResult> {
  const {
    sink,
    model,
    signal,
    onEvent = ignoreEvents,
    startTimeoutMs: deadlineMs = defaultStartTimeoutMs,
  } = given
  const pipeline = pipelineOf(given)
  const folder = await mkdtemp(join(tmpdir(), 'lading-replace-'))
  await using kept = new AsyncDisposableStack()
  kept.defer(() => rm(folder, { recursive: true, force: true }))
  const options = { ...given, statePath: join(folder, 'producer.db') }
  // A wrong path is reported before anything is made.
  await openSources(options)
  requireChanges(sink, model)
  const begin = async (connectMs: number) => {
    if (sink.replacing === undefined) throw new LadingError('USAGE', `${sink.place} replaces no rows`)
    await sink.prepare(model, { signal, connectMs })
    return await sink.replacing(model, pipeline, { signal })
  }
  // A stop breaks off what waits for the database, which fails with the error of a lost connection.
  const unlessStopped = (told: string) => (error: unknown) => {
    throw signal?.aborted === true ? new LadingError('ABORTED', told, { cause: error }) : error
  }
  const replacement = kept.use(
    await retrying(begin, { signal, onEvent, deadlineMs }).catch(unlessStopped(stopped(model))),
  )
  const current = given.fresh === true ? undefined : await currentOf(options, replacement)
  if (current !== undefined) return nothingNew(current)
  const { fresh: _fresh, ...own } = options
  const result = await load({
    ...own,
    model: replacement.model,
    pipeline: replacement.pipeline,
    keepsLoads: true,
  })
  await requireWhole(given, replacement, result)
  const loads = result.receipts.map(({ loadId, source, sha256 }) => ({
    gathered: loadId,
    id: loadIdOf(pipeline, source, sha256),
  }))
  const replaced = await retrying(() => replacement.take(loads, { signal }), { signal, onEvent }).catch(
    unlessStopped(
      `stopped while the rows of table ${tableName(model)} were replaced; all of them were, or none`,
    ),
  )
  const ids = new Map(loads.map(({ gathered, id }) => [gathered, id]))
  const receipts = result.receipts.map((receipt) => renamed(receipt, ids, pipeline))
  const produced = result.produced.map((each) => ({ ...each, loadId: ids.get(each.loadId) ?? each.loadId }))
  return { ...result, produced, receipts, account: Account.of(receipts), replaced }
}

const stopped = (model: Model): string => `stopped; table ${tableName(model)} holds what it held`

const renamed = (receipt: Receipt, ids: ReadonlyMap<string, string>, pipeline: string): Receipt => ({
  ...receipt,
  loadId: ids.get(receipt.loadId) as string,
  pipeline,
})

/** The receipts of the files, where the rows of the table are those that they brought when they replaced others. */
async function currentOf(
  options: ReplaceOptions & { readonly statePath: string },
  replacement: Replacement,
): Promise<readonly Receipt[] | undefined> {
  const { sink, signal } = options
  // Reading the files is not worth it where something else was loaded since.
  const pipeline = pipelineOf(options)
  const hasLoads = (await sink.ledger.receipts({ pipeline, limit: 1 })).length > 0
  if (!hasLoads || options.paths.includes('-')) return undefined
  const loads = [...new Set(await planAll(options))]
  if (!(await replacement.isCurrent(loads, { signal }))) return undefined
  const current: Receipt[] = []
  for await (const receipts of receiptPages(sink.ledger, { pipeline }))
    current.push(...receipts.filter(({ isReplaced }) => isReplaced !== true))
  return current
}

function nothingNew(receipts: readonly Receipt[]): LoadResult {
  const account = Account.of(receipts)
  return {
    produced: [],
    receipts,
    account,
    before: account,
    files: receipts.length,
    loadsBefore: receipts.length,
    leftOut: [],
    loadedNow: 0,
    withheld: 0,
    left: { messages: 0, of: [] },
    emptied: [],
    emptiedRecords: 0,
    replaced: 'already',
  }
}

const mostRejects = 5

/** Throws `REPLACE_REFUSED` unless every record was loaded, or those that were not may be left out. */
async function requireWhole(
  { sink, model, allowRejects, signal }: ReplaceOptions,
  { pipeline }: Replacement,
  { account: { totals, isComplete } }: LoadResult,
): Promise<void> {
  if (signal?.aborted === true) throw new LadingError('ABORTED', stopped(model))
  const left = totals.deadLetters > 0 || !isComplete
  if (!left && (totals.rejected === 0 || allowRejects === true)) {
    if (totals.loaded > 0) return
    // An export that failed is empty, too, and would cost the table.
    const none =
      totals.records === 0 ? 'there is no record' : `none of ${counted(totals.records, 'record')} is left`
    throw new LadingError(
      'REPLACE_REFUSED',
      `table ${tableName(model)}: ${none} to replace its rows by; if it is to be empty, delete them`,
    )
  }
  const rejects = await sink.ledger.rejects({ pipeline, limit: mostRejects })
  const shown = rejects.map(
    ({ source, line, code, column }) =>
      `${source}:${line}: ${code}${column === undefined ? '' : ` in ${column}`}`,
  )
  const what = left
    ? `${count(totals.records - totals.loaded - totals.skipped - totals.rejected)} records could not be loaded`
    : `${count(totals.rejected)} of ${count(totals.records)} records are rejected, which --allow-rejects leaves out (${shown.join(', ')}${totals.rejected > mostRejects ? ', …' : ''})`
  throw new LadingError('REPLACE_REFUSED', `table ${tableName(model)}: ${what}`)
}
