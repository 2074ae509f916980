import type { Ledger, ReceiptFilter } from '../sink/ledger.ts'

/** Receipts in memory at once: a ledger may have a million of them, of which a number each is kept. */
const page = 1_000

/** Of each load that the ledger knows, how many of its records took effect. */
export async function loadedOf(
  ledger: Pick<Ledger, 'receipts'>,
  filter: Pick<ReceiptFilter, 'pipeline'> = {},
): Promise<Map<string, number>> {
  const all = new Map<string, number>()
  for (let after: string | undefined; ;) {
    const receipts = await ledger.receipts({ ...filter, after, limit: page })
    for (const { loadId, loaded } of receipts) all.set(loadId, loaded)
    if (receipts.length < page) return all
    after = receipts.at(-1)?.loadId
  }
}
