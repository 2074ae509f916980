import type { Ledger, Receipt, ReceiptFilter } from './ledger.ts'

/** Receipts in memory at once: a ledger may have a million of them, of which the id of each is kept. */
const page = 1_000

type Asked = Pick<Ledger, 'receipts'>

/** What one call of `receipts` gives, a page at a time. */
export async function* receiptPages(
  ledger: Asked,
  filter: Omit<ReceiptFilter, 'after' | 'limit'> = {},
): AsyncGenerator<readonly Receipt[]> {
  const seen: string[] = []
  for (;;) {
    const receipts = await ledger.receipts({ ...filter, after: seen.at(-1), limit: page })
    if (receipts.length === 0) {
      if (seen.length === 0 || !(await passGone(ledger, seen))) return
      continue
    }
    yield receipts
    if (receipts.length < page) return
    for (const { loadId } of receipts) seen.push(loadId)
  }
}

/** Behind a load that was pruned meanwhile nothing is found: takes it off, and those before it that are gone. */
async function passGone(ledger: Asked, seen: string[]): Promise<boolean> {
  const last = seen.slice(-page)
  const there = new Set((await ledger.receipts({ loads: last })).map(({ loadId }) => loadId))
  const end = last.findLastIndex((each) => there.has(each)) + 1
  seen.length -= last.length - end
  return end < last.length
}
