import type { Fault } from '../core/fault.ts'

/** What became of an attempt to place rows: all of them, or none. */
export type Attempt =
  | { readonly kind: 'placed' }
  /** `row` where the database named the row that it refused. */
  | { readonly kind: 'refused'; readonly fault: Fault; readonly row?: number | undefined }

/**
 * Places the rows from `start` to before `end`, leaving out exactly those that the database refuses. A row is refused only by
 * an attempt that held it alone, so that a bad row never costs a good one: the row that an error names is only a hint, because
 * the text of an error may quote data.
 *
 * A refused window narrows to the row that the database names, else by halves; with each success the window doubles. A batch
 * without a bad row costs one attempt, and n bad ones cost at most about n times twice the logarithm of the batch.
 */
export async function isolate(
  start: number,
  end: number,
  attempt: (start: number, end: number) => Promise<Attempt>,
  refuse: (row: number, fault: Fault) => void,
): Promise<void> {
  let at = start
  let window = end - start
  /** Before it is a row that was refused together with others. */
  let limit: number | undefined
  let suspect: number | undefined
  let trusting = true
  while (at < end) {
    const stop = at === suspect ? at + 1 : Math.min(end, at + (limit === undefined ? window : Math.ceil((limit - at) / 2)))
    const outcome = await attempt(at, stop)
    const named = outcome.kind === 'refused' && trusting ? outcome.row : undefined
    if (outcome.kind === 'placed') {
      // A named row that goes in alone shows that the names are not to be believed.
      if (at === suspect) trusting = false
      if (limit === undefined) window *= 2
      at = stop
      if (at === limit) limit = undefined
    } else if (stop - at === 1) {
      refuse(at, outcome.fault)
      at++
      limit = undefined
      window = Math.max(window, 2)
    } else if (named !== undefined && named >= at && named < stop) {
      suspect = named
      limit = undefined
      if (named > at) window = named - at
    } else {
      limit = stop
      window = 1
    }
  }
}
