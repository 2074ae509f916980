/** What the ledger says of the loads of a run at its end. */
import { pagesOf } from '../core/pages.ts'
import { tableName } from '../model/model.ts'
import { plansOf } from '../producer/loads.ts'
import { Account } from '../sink/account.ts'
import type { Receipt, SettledLoad } from '../sink/ledger.ts'
import { balance, openReceipt } from '../sink/receipt.ts'
import { type Earlier, receiptEvent } from './earlier.ts'
import type { Patiently, Running } from './options.ts'
import type { Produced } from './produced.ts'

export interface Outcome {
  readonly account: Account
  readonly before: Account
  /** In the order of the files; empty if they are not kept. */
  readonly receipts: readonly Receipt[]
  /** Loads with records that have no verdict. */
  readonly open: readonly string[]
}

/** Loads that the ledger is asked about at once. */
const page = 1_000
/** Of no more loads every receipt is asked for: they fit on a screen. */
const fewLoads = 20

export async function outcomeOf(
  options: Running,
  produced: Produced,
  earlier: Earlier,
  patiently: Patiently,
): Promise<Outcome> {
  const { sink, onEvent } = options
  const keeps = options.keepsLoads !== false
  const wantsAll = keeps || produced.size <= fewLoads
  const account = wantsAll ? new Account() : earlier.sums
  const before = new Account()
  const receipts: Receipt[] = []
  const open: string[] = []
  const add = (receipt: Receipt) => {
    if (keeps) receipts.push(receipt)
    account.add(receipt)
    if (balance(receipt).open > 0) open.push(receipt.loadId)
    if (produced.isBefore(receipt.loadId)) before.add(receipt)
    if (!earlier.isSettled(receipt.loadId)) onEvent(receiptEvent(receipt, receipt.source))
  }
  for (const loads of pagesOf(produced.loads(), page)) {
    const asked = wantsAll ? loads : loads.filter((loadId) => !earlier.isSettled(loadId))
    if (asked.length === 0) continue
    await patiently(() => sink.ledger.fold(asked))
    const settled = wantsAll ? [] : await patiently(async () => (await sink.ledger.settled?.(asked)) ?? [])
    const isSettled = new Map(settled.map((load) => [load.loadId, load]))
    const others = asked.filter((loadId) => !isSettled.has(loadId))
    if (settled.length > 0) addSettled(settled, options, account)
    for (const receipt of await receiptsOf(options, others, patiently)) add(receipt)
  }
  return { account, before, receipts, open }
}

function addSettled(settled: readonly SettledLoad[], options: Running, account: Account): void {
  const names = plansOf(
    options,
    settled.map(({ loadId }) => loadId),
  )
  for (const load of settled) {
    account.addSettled(load)
    options.onEvent(receiptEvent(load, names.get(load.loadId)?.name ?? load.loadId))
  }
}

/** Of each load in turn: of one that the ledger does not know, everything is open. */
async function receiptsOf(
  options: Running,
  loads: readonly string[],
  patiently: Patiently,
): Promise<readonly Receipt[]> {
  const { sink, model, pipeline = tableName(model) } = options
  if (loads.length === 0) return []
  const known = await patiently(() => sink.ledger.receipts({ loads }))
  const receipts = new Map(known.map((receipt) => [receipt.loadId, receipt]))
  const plans = plansOf(
    options,
    loads.filter((loadId) => !receipts.has(loadId)),
  )
  const startedAt = new Date().toISOString()
  for (const [loadId, { name: source, sha256, bytes, plan, records, chunks }] of plans)
    receipts.set(
      loadId,
      openReceipt({ loadId, pipeline, source, sha256, bytes, plan, records, chunks, startedAt }),
    )
  return loads.flatMap((loadId) => receipts.get(loadId) ?? [])
}
