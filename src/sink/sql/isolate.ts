import type { Fault } from '../../core/fault.ts'

/** What became of an attempt to place rows: all of them, or none. */
export type Attempt =
  | { readonly kind: 'placed' }
  /** `row` where the database named the row that it refused. */
  | { readonly kind: 'refused'; readonly fault: Fault; readonly row?: number | undefined }

/**
 * Places the rows from `start` to before `end`, leaving out exactly those that the database refuses. A row is
 * refused only by an attempt that held it alone, so that a bad row never costs a good one: the row that an
 * error names is only a hint, because the text of an error may quote data.
 *
 * A refused attempt narrows to the row that the database names, else by halves; with each success the window
 * doubles. A batch without a bad row costs one attempt, and n bad ones cost at most about n times twice the
 * logarithm of the batch.
 *
 * After a refused row the window is as long as the run of rows placed before it, so that an attempt that
 * fails sends no more than a few times what was placed: however many rows are bad, all attempts together send
 * a small multiple of the batch.
 */
export async function isolate(
  start: number,
  end: number,
  attempt: (start: number, end: number) => Promise<Attempt>,
  refuse: (row: number, fault: Fault) => void,
): Promise<void> {
  /** Every row before it has been placed or refused. */
  let at = start
  /** The row after the last one that was refused: all from here to `at` have been placed. */
  let runStart = start
  /** How many rows an attempt takes while `limit` is undefined. */
  let window = end - start
  /**
   * The rows from `at` to before it were refused together with rows that have been placed since, so one of
   * them is bad.
   */
  let limit: number | undefined
  /** The last row before `limit` is there because the database named it. */
  let named = false
  /** Names have been right so far. */
  let trusting = true
  while (at < end) {
    const size =
      limit === undefined ? window : named ? Math.max(1, limit - 1 - at) : Math.ceil((limit - at) / 2)
    const stop = Math.min(end, at + size)
    const outcome = await attempt(at, stop)
    if (outcome.kind === 'placed') {
      at = stop
      if (limit === undefined) window *= 2
      if (at !== limit) continue
      if (named) trusting = false
      limit = undefined
    } else if (stop - at === 1) {
      refuse(at, outcome.fault)
      window = Math.max(2, at - runStart)
      runStart = ++at
      limit = undefined
    } else {
      // The rows before the named one ought to have been good.
      if (limit !== undefined && named) trusting = false
      const { row } = outcome
      named = trusting && row !== undefined && row >= at && row < stop
      limit = named ? (row as number) + 1 : stop
    }
  }
}
