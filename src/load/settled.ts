/** When nothing of a load waits any more, whether or not it took effect. */
import { sleep, unlessAborted } from '../core/wait.ts'
import type { Ledger } from '../sink/ledger.ts'
import type { Course } from './course.ts'
import type { Patiently, Running } from './options.ts'

/** How often the queue is asked whether it is empty, in milliseconds. */
const pollMs = 50
/** How often the ledger is asked, which costs more; and how often once everything seems to be done. */
const askEveryMs = 1_000
const askAtEndEveryMs = 200
/**
 * If the ledger shows no change for so long while nothing waits, what is missing is not in flight any more.
 */
const mostUnchangedMs = 300_000

/**
 * Until the queue is empty (true), or holds nothing of the loads (false). Only the ledger can tell the
 * latter, and also the former if the queue cannot count what is in flight.
 */
export async function settled(
  loads: readonly string[],
  { queue, sink, course }: Running,
  signal: AbortSignal,
  patiently: Patiently,
): Promise<boolean> {
  let done = 0
  let unchangedMs = 0
  let askedAt = performance.now()
  while (!signal.aborted) {
    const depth = await unlessAborted(
      patiently(() => queue.depth()),
      signal,
    )
    if (depth === undefined) return false
    const { ready, inFlight } = depth
    if (ready === 0 && inFlight === 0) return true
    if (loads.length === 0) return false
    const mayBeDone = ready === 0 && inFlight === undefined
    const askAfterMs = mayBeDone || course.outstanding <= 0 ? askAtEndEveryMs : askEveryMs
    if (performance.now() - askedAt >= askAfterMs) {
      const answer = await patiently(() => concluded(loads, sink.ledger, course))
      if (answer.isReached) return false
      // The time in which the queue or the ledger was away does not count: consumers waited as well.
      const sinceMs = Math.min(performance.now() - askedAt, askEveryMs)
      unchangedMs = mayBeDone && answer.done === done ? unchangedMs + sinceMs : 0
      askedAt = performance.now()
      done = answer.done
      // Messages were taken out of the queue: the receipts will show what is open.
      if (unchangedMs >= mostUnchangedMs) return false
    }
    await sleep(pollMs, signal)
  }
  return false
}

interface Conclusion {
  /** Nothing of the loads waits any more. */
  readonly isReached: boolean
  /** Chunks with a verdict. */
  readonly done: number
}

/**
 * Asks the ledger, and counts what became a dead letter of which the ledger keeps no verdict: the chunk stays
 * open, and nothing more comes of it.
 */
async function concluded(loads: readonly string[], ledger: Ledger, course: Course): Promise<Conclusion> {
  const receipts = new Map((await ledger.receipts({ loads })).map((receipt) => [receipt.loadId, receipt]))
  let isReached = true
  let done = 0
  for (const loadId of new Set(loads)) {
    const { chunks = course.chunksOf(loadId), chunksDone = 0 } = receipts.get(loadId) ?? {}
    done += chunksDone
    if (chunksDone !== chunks && chunksDone + (await withoutVerdict(loadId, ledger, course)) !== chunks)
      isReached = false
  }
  return { isReached, done }
}

/** Mostly there are none, and then nothing is asked. */
async function withoutVerdict(loadId: string, ledger: Ledger, course: Course): Promise<number> {
  const dead = course.deadOf(loadId)
  if (dead.length === 0) return 0
  const progress = await ledger.progress(loadId)
  return dead.filter((key) => progress?.keys.has(key) !== true).length
}
