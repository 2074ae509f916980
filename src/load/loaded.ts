import type { Ledger, ReceiptFilter } from '../sink/ledger.ts'
import { receiptPages } from '../sink/receipt-pages.ts'

/** Of each load that the ledger knows, how many of its records took effect. */
export async function loadedOf(
  ledger: Pick<Ledger, 'receipts'>,
  filter: Pick<ReceiptFilter, 'pipeline'> = {},
): Promise<Map<string, number>> {
  const all = new Map<string, number>()
  for await (const receipts of receiptPages(ledger, filter))
    for (const { loadId, loaded } of receipts) all.set(loadId, loaded)
  return all
}
