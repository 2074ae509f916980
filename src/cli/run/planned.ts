import { existsSync } from 'node:fs'
import { LadingError } from '../../core/errors.ts'
import type { PlannedLoad } from '../../producer/planned-load.ts'
import { receiptPages } from '../../sink/receipt-pages.ts'
import { asTaken, openReceipt } from '../../sink/receipt.ts'
import type { Receipt } from '../../sink/ledger.ts'
import type { Sink } from '../../sink/sink.ts'
import { answersTo, findLoads, theOne } from './ledger.ts'

interface Wanted {
  readonly id: string | undefined
  readonly pipeline?: string | undefined
  readonly state: string
  /** The database. */
  readonly place: string
}

/**
 * Receipts of planned loads that have not `arrived` in the ledger: all their records are open. Includes loads for
 * this database, and loads for any database that have not arrived in one. One of which nothing was published
 * counts only while its source is what was planned.
 */
export async function plannedReceipts(
  { id, pipeline, state, place }: Wanted,
  arrived: ReadonlySet<string> = new Set(),
): Promise<readonly Receipt[]> {
  // Reading must not create the file, and a producer on another machine keeps its state there.
  if (!existsSync(state)) return []
  const [{ ProducerState }, { cannotPublish }] = await Promise.all([
    import('../../producer/state.ts'),
    import('../../producer/loads.ts'),
  ])
  // An empty queue id: the plans of all queues count, because a lost queue cannot tell its id.
  using plans = new ProducerState(state, '', place)
  const wanted = plans.ids(pipeline).filter((each) => !arrived.has(each) && (id === undefined || each === id))
  const receipts: Receipt[] = []
  for (const plan of wanted.flatMap((each) => plans.findAnywhere(each) ?? [])) {
    // Of a plan that no run could begin with, nothing is anywhere.
    const isLoad = plans.isBegun(plan.id) || !(await cannotPublish(plan))
    if (isLoad && plan.records > 0) receipts.push(receiptOf(plan))
  }
  return receipts
}

/** The named load: one in the ledger, or one that this producer planned and that has not arrived yet. Of a file, all. */
export async function loadsNamed(
  { ledger, place }: Pick<Sink, 'ledger' | 'place'>,
  name: string,
  { pipeline, state }: Pick<Wanted, 'pipeline' | 'state'>,
): Promise<readonly string[]> {
  const loads = await findLoads(ledger, name)
  if (loads.length > 0) return loads
  const planned = await plannedReceipts({ id: undefined, pipeline, state, place })
  const found = theOne(name, planned.filter(answersTo(name)))
  if (found === undefined)
    throw new LadingError('NOT_FOUND', `neither the ledger nor ${state} knows a load ${name}`)
  return [found]
}

/**
 * Those in the ledger, newest first, and then those that this producer planned and that have not arrived yet. Throws
 * `NOT_FOUND` where none of `loads` is known, unless they are to be published again.
 */
export async function* receiptsOf(
  { ledger, place }: Pick<Sink, 'ledger' | 'place'>,
  loads: readonly string[] | undefined,
  {
    pipeline,
    state,
    republishMissing,
  }: Pick<Wanted, 'pipeline' | 'state'> & { readonly republishMissing?: boolean },
): AsyncGenerator<Receipt> {
  const begun = new Set<string>()
  for await (const receipts of receiptPages(ledger, { loads, pipeline })) {
    for (const { loadId } of receipts) begun.add(loadId)
    yield* receipts.map(asTaken)
  }
  // Several are in the ledger.
  const planned = loads === undefined || loads.length === 1
  const wanted = { id: loads?.[0], pipeline, state, place }
  const others = planned ? await plannedReceipts(wanted, begun) : []
  yield* others
  if (loads !== undefined && begun.size + others.length === 0 && republishMissing !== true)
    throw new LadingError('NOT_FOUND', `neither the ledger nor ${state} knows a load ${loads.join(', ')}`)
}

/** Forgets plans of loads that the ledger of the database has forgotten, which would count as open otherwise. */
export async function forgetPlans(
  { state, place }: Pick<Wanted, 'state' | 'place'>,
  loads: readonly string[],
): Promise<void> {
  if (loads.length === 0 || !existsSync(state)) return
  const { ProducerState } = await import('../../producer/state.ts')
  using plans = new ProducerState(state, '', place)
  plans.forgetLoads(loads)
}

function receiptOf({
  id,
  pipeline,
  name,
  sha256,
  bytes,
  plan,
  records,
  chunks,
  publishedAt = '',
}: PlannedLoad): Receipt {
  return openReceipt({
    loadId: id,
    pipeline,
    source: name,
    sha256,
    bytes,
    plan,
    records,
    chunks,
    startedAt: publishedAt,
  })
}
