/** What became of entries that a person replayed or discarded. */
import { LadingError, toLadingError } from '../core/errors.ts'
import type { Verdict } from '../sink/sink.ts'
import type { Outcome } from './answers.ts'

export const withoutModel = 'its load had a model of its own, which this run was not started with'

/** An error is as good as a refusal to whoever asked for it. */
type Result = Verdict | LadingError | undefined
export type Results<Stored> = ReadonlyMap<Stored, Result>

/** All at once; one by one where that fails, because the failure of one says nothing about the others. */
export async function resultsOf<Stored>(
  stored: readonly Stored[],
  replay: (some: readonly Stored[]) => Promise<readonly (Verdict | undefined)[]>,
): Promise<Results<Stored>> {
  try {
    const verdicts = await replay(stored)
    return new Map(stored.map((each, index) => [each, verdicts[index]]))
  } catch {
    return resultsOneByOne(stored, async (each) => (await replay([each]))[0])
  }
}

export async function resultsOneByOne<Stored>(
  stored: readonly Stored[],
  replay: (one: Stored) => Promise<Verdict | undefined>,
): Promise<Results<Stored>> {
  const results = new Map<Stored, Result>()
  for (const each of stored) results.set(each, await replay(each).catch(toLadingError))
  return results
}

export async function eachOf(
  ids: readonly number[],
  change: (id: number) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const id of new Set(ids))
    outcomes.push(await change(id).catch((thrown: unknown) => outcomeOf(id, toLadingError(thrown))))
  return outcomes
}

export const gone = (id: number): Outcome => ({ id, outcome: 'gone', detail: 'it no longer exists' })

export function outcomeOf(id: number, verdict: Result): Outcome {
  if (verdict === undefined) return { id, outcome: 'refused', detail: `WRONG_PIPELINE: ${withoutModel}` }
  if (verdict instanceof LadingError)
    return { id, outcome: 'refused', detail: `${verdict.code}: ${verdict.message}` }
  if (verdict.kind === 'refused')
    return { id, outcome: 'refused', detail: `${verdict.code}: ${verdict.detail}` }
  if (verdict.kind === 'duplicate')
    return { id, outcome: 'duplicate', detail: 'it is no longer open, or was already applied' }
  const { loaded, rejected, skipped } = verdict
  return { id, outcome: 'replayed', detail: `loaded ${loaded}, rejected ${rejected}, skipped ${skipped}` }
}
