/** The rows of a batch, part by part: what all SQL sinks do that can place rows together. */
import type { Fault, Reject } from '../../core/fault.ts'
import type { Counts } from '../ledger.ts'
import type { BatchVerdict, Part } from '../sink.ts'

/**
 * The order in which every statement enters keys into the ledger: two consumers with the same messages wait
 * for each other instead of deadlocking.
 */
export const inOrderOfEntry = (a: { readonly key: string }, b: { readonly key: string }): number =>
  a.key < b.key ? -1 : a.key > b.key ? 1 : 0

/** Rows of the buffer that lie next to each other. */
export interface Stretch {
  readonly start: number
  /** The row after the last one. */
  readonly end: number
}

export interface Refusal {
  readonly row: number
  readonly fault: Fault
}

export interface Placed {
  /** Rows that the conflict policy left out. */
  readonly skipped: number
  readonly refusals: readonly Refusal[]
}

/** Places rows of one batch, within its transaction. */
export interface Placing {
  /** Whether the table has taken a row. */
  readonly taken: boolean
  /**
   * Uncertain errors, by their words, that refused a row alone and name no column: two at most, which says
   * that they differ.
   */
  readonly objections: ReadonlyMap<string, unknown>
  /**
   * Places all rows at once, without isolating any. Returns false if the database refused some; then none is
   * placed.
   */
  placeAll(start: number, end: number): Promise<boolean>
  /**
   * For parts whose rows may be left out: how many rows of each part took effect. Undefined if the database
   * refused some; then none is placed.
   */
  placeParts(starts: readonly number[], end: number): Promise<ReadonlyMap<number, number> | undefined>
  place(start: number, end: number): Promise<Placed>
}

/** Where a part's rows lie in the buffer. */
export interface Span extends Stretch {
  readonly part: Part
  readonly index: number
}

export function spansOf(parts: readonly Part[]): Span[] {
  let end = 0
  return parts.map((part, index) => ({ part, index, start: end, end: (end += part.rows) }))
}

/** What became of the rows of parts. */
export interface PlacedSpans {
  readonly rejects: readonly (readonly [Part, Reject])[]
  /** Parts of which not every row was loaded: they were entered as if it would be. */
  readonly corrections: readonly (readonly [Part, Counts])[]
  readonly refused: readonly (readonly [Part, readonly Refusal[]])[]
}

/** Places the rows of parts whose keys are new; their verdicts are `verdicts` by their index. */
export async function placeSpans(
  placement: Placing,
  spans: readonly Span[],
  leavesOut: boolean,
  verdicts: BatchVerdict[],
): Promise<PlacedSpans> {
  const rejects: (readonly [Part, Reject])[] = []
  const corrections: (readonly [Part, Counts])[] = []
  const refused: (readonly [Part, readonly Refusal[]])[] = []
  for (const run of adjacent(spans)) {
    const placed = await placeRun(placement, run, leavesOut)
    for (const { part, index, start, end } of run) {
      const { skipped, refusals } = placed(start, end) ?? (await placement.place(start, end))
      for (const reject of [...part.rejects, ...describe(part, start, refusals)]) rejects.push([part, reject])
      const { filtered = 0 } = part
      const counts = {
        loaded: part.rows - skipped - refusals.length,
        rejected: part.records - part.rows - filtered + refusals.length,
        skipped: skipped + filtered,
      }
      if (counts.loaded !== part.rows) corrections.push([part, counts])
      verdicts[index] = { kind: 'applied', ...counts }
      refused.push([part, refusals])
    }
  }
  return { rejects, corrections, refused }
}

const describe = (part: Part, start: number, refusals: readonly Refusal[]): Reject[] =>
  refusals.map(({ row, fault }) => part.describe(row - start, fault))

/**
 * Places the rows of a run together if the counts of each part can still be known. Returns a function that
 * gives the outcome of the rows from `start` to before `end`, or undefined if each part must be placed by
 * itself. With one message per record there are thousands of parts.
 */
export async function placeRun(
  placement: Placing,
  run: readonly Stretch[],
  leavesOut: boolean,
): Promise<(start: number, end: number) => Placed | undefined> {
  const [first, last] = [(run[0] as Stretch).start, (run.at(-1) as Stretch).end]
  if (await placement.placeAll(first, last)) return () => ({ skipped: 0, refusals: [] })
  if (leavesOut) {
    const starts = run.filter(({ start, end }) => start < end).map(({ start }) => start)
    const placed = starts.length > 1 ? await placement.placeParts(starts, last) : undefined
    return (start, end) =>
      placed && { skipped: start === end ? 0 : end - start - (placed.get(start) ?? 0), refusals: [] }
  }
  const refusals = (await placement.place(first, last)).refusals.values()
  let next = refusals.next()
  // Refusals and spans both ascend.
  return (_, end) => {
    const own: Refusal[] = []
    for (; next.done !== true && next.value.row < end; next = refusals.next()) own.push(next.value)
    return { skipped: 0, refusals: own }
  }
}

/** Runs of spans whose rows are adjacent: one run, unless a duplicate lies in between. */
export function adjacent<S extends Stretch>(spans: readonly S[]): S[][] {
  const runs: S[][] = []
  for (const span of spans) {
    const run = runs.at(-1)
    if (run !== undefined && run.at(-1)?.end === span.start) run.push(span)
    else runs.push([span])
  }
  return runs
}
