/** A load that writes nothing: every record is decoded as the load would decode it, and the ledger is asked. */
import { ignoreEvents } from '../core/events.ts'
import { decodeSource, type Outcome } from '../infer/decoded.ts'
import { modelOfChanges } from '../model/change.ts'
import { loadIdOf } from '../producer/identity.ts'
import { pipelineOf, type ProduceOptions } from '../producer/options.ts'
import { planSource } from '../producer/plan.ts'
import { beginsWith, type Prefix } from '../producer/prefix.ts'
import { readAs } from '../producer/reading.ts'
import { checkHeads, openSources, type Sources } from '../producer/sources.ts'
import type { Receipt } from '../sink/ledger.ts'
import { balance } from '../sink/receipt.ts'
import type { Sink } from '../sink/sink.ts'
import { requireChanges } from '../sink/table.ts'
import { Ahead } from '../source/ahead.ts'
import { History, tableNotEmpty } from './history.ts'

/** What would be loaded. */
export interface DryRunOptions extends Omit<ProduceOptions, 'queue'> {
  /** Asked, and not written to. */
  readonly sink: Pick<Sink, 'ledger' | 'table' | 'isEmpty' | 'changesRows'>
  readonly fresh?: boolean | undefined
}

/** What a load would make of a source. */
export interface Rehearsal extends Outcome {
  /** Records that the load would hand to the database; of one that was begun before, at most so many. */
  readonly wouldLoad: number
  /** Why these are not all. */
  readonly known?: string
}

/**
 * What a load would do, of each source in their order; nothing is written. An `again` that was interrupted counts as a
 * new one.
 *
 * @throws LadingError `SOURCE_…` and `HEADER_MISMATCH`, as a load does.
 */
export async function dryRun(given: DryRunOptions): Promise<readonly Rehearsal[]> {
  const options = { ...given, model: modelOfChanges(given.model, given.unwrap) }
  const { input, onEvent = ignoreEvents, model } = options
  requireChanges(given.sink, model)
  const warn = (message: string) => onEvent({ type: 'warning', message })
  const named = await openSources(options, warn)
  const sources = named.followedBy(input && (await readAs(input, options)))
  await checkHeads(sources, options)
  const history = await historyOf(options, sources)
  const planned = new Set<string>()
  const rehearsals: Rehearsal[] = []
  using ahead = new Ahead(sources)
  for (let index = 0; index < sources.size; index++) {
    const source = await ahead.at(index)
    const { sha256, warnings } = await planSource(source, { ...options, chunkBytes }, () => undefined)
    warnings.forEach(warn)
    const id = loadIdOf(pipelineOf(options), source.name, sha256)
    const receipt = history && (await receiptOf(options, id))
    const met = { id, name: source.name, sha256, beginsWith: (prefix: Prefix) => beginsWith(source, prefix) }
    await history?.meet([met], () => receipt?.loaded)
    const outcome = await decodeSource(source, model, options)
    const isTwice = planned.has(id)
    rehearsals.push(
      isTwice ? { ...outcome, wouldLoad: 0, known: 'named twice' } : rehearsed(outcome, receipt),
    )
    planned.add(id)
  }
  history?.end()
  return rehearsals
}

/** Nothing that is said depends on it. */
const chunkBytes = 1024 * 1024

/** Undefined where nothing was ever loaded into the database. */
async function historyOf(options: DryRunOptions, sources: Sources): Promise<History | undefined> {
  const { sink, model, again = false, fresh = false, onEvent = ignoreEvents } = options
  if ((await sink.ledger.isThere?.(options)) === false) return undefined
  const facts = await sink.table?.({ schema: model.schema, table: model.table, ofModel: true })
  const isEmpty = async () => facts === undefined || (await sink.isEmpty(model))
  const about = {
    sink: { ledger: sink.ledger, isEmpty },
    model,
    pipeline: pipelineOf(options),
    fresh,
    onEvent,
  }
  return History.begin(about, again ? [] : sources.names)
}

/** What the ledger has of the load; throws `TABLE_NOT_EMPTY` where it would have to be forgotten and cannot be. */
async function receiptOf(
  { sink, model, again, fresh }: DryRunOptions,
  id: string,
): Promise<Receipt | undefined> {
  if (again === true) return undefined
  const [receipt] = await sink.ledger.receipts({ loads: [id] })
  if (fresh !== true || receipt === undefined) return receipt
  if (model.onConflict === 'error' && receipt.loaded > 0 && !(await sink.isEmpty(model)))
    throw tableNotEmpty(model, receipt)
  return undefined
}

function rehearsed(outcome: Outcome, receipt: Receipt | undefined): Rehearsal {
  const good = outcome.records - outcome.rejected - outcome.filtered
  if (receipt === undefined) return { ...outcome, wouldLoad: good }
  const { open } = balance(receipt)
  const known = `${open === 0 ? 'loaded' : 'begun'} before (load ${receipt.loadId})`
  return { ...outcome, wouldLoad: Math.min(good, open), known }
}
