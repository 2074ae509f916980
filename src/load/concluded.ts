/** When the chunks of a load are done with, whether or not they took effect. */
import type { Ledger } from '../sink/ledger.ts'
import type { Course } from './course.ts'

export interface Conclusion {
  /** Nothing of the loads waits any more. */
  readonly isReached: boolean
  /** Chunks with a verdict. */
  readonly done: number
}

/**
 * Asks the ledger, and counts what became a dead letter of which the ledger keeps no verdict: the chunk stays
 * open, and nothing more comes of it.
 */
export async function concluded(
  loads: readonly string[],
  ledger: Ledger,
  course: Course,
): Promise<Conclusion> {
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
