/** When nothing of a load waits any more, whether or not it took effect. */
import { pagesOf } from '../core/pages.ts'
import { unlessAborted } from '../core/wait.ts'
import type { Ledger } from '../sink/ledger.ts'
import type { Course } from './course.ts'
import type { Patiently, Running } from './options.ts'

/**
 * How often the queue is asked whether it is empty, in milliseconds; and how often while messages of this run
 * have no verdict that was heard of.
 */
const pollMs = 50
const pollBusyMs = 250
/** How often the ledger is asked, which costs more; and how often once everything seems to be done. */
const askEveryMs = 1_000
const askAtEndEveryMs = 200
/**
 * If the ledger shows no change for so long while nothing waits, what is missing is not in flight any more.
 */
const mostUnchangedMs = 300_000

/**
 * Until the queue is empty (true), or holds nothing of the loads with these numbers (false). Only the ledger can tell the
 * latter, and also the former if the queue cannot count what is in flight.
 */
export async function settled(
  loads: Iterable<number>,
  { queue, sink, course }: Running,
  signal: AbortSignal,
  patiently: Patiently,
): Promise<boolean> {
  const conclusions = new Conclusions(loads, sink.ledger, course)
  let done = 0
  let unchangedMs = 0
  let askedAt = performance.now()
  while (!signal.aborted) {
    const depth = await unlessAborted(
      patiently(() => queue.depth()),
      signal,
    )
    // v8 ignore next -- a stop between two questions
    if (depth === undefined) return false
    const { ready, inFlight } = depth
    if (ready === 0 && inFlight === 0) return true
    if (conclusions.isEmpty) return false
    const mayBeDone = ready === 0 && inFlight === undefined
    const askAfterMs = mayBeDone || course.outstanding <= 0 ? askAtEndEveryMs : askEveryMs
    if (performance.now() - askedAt >= askAfterMs) {
      const answer = await patiently(() => conclusions.ask())
      if (answer.isReached) return false
      // The time in which the queue or the ledger was away does not count: consumers waited as well.
      const sinceMs = Math.min(performance.now() - askedAt, askEveryMs)
      unchangedMs = mayBeDone && answer.done === done ? unchangedMs + sinceMs : 0
      askedAt = performance.now()
      done = answer.done
      // Messages were taken out of the queue: the receipts will show what is open.
      // v8 ignore next -- no test waits for five minutes
      if (unchangedMs >= mostUnchangedMs) return false
    }
    await nextPoll(course, signal)
  }
  return false
}

async function nextPoll(course: Course, signal: AbortSignal): Promise<void> {
  for (let waitedMs = 0; waitedMs < pollBusyMs && !signal.aborted; waitedMs += pollMs) {
    await course.wait(pollMs, signal)
    if (course.outstanding <= 0) return
  }
}

interface Conclusion {
  /** Nothing of the loads waits any more. */
  readonly isReached: boolean
  /** Chunks with a verdict. */
  readonly done: number
}

/** Loads that the ledger is asked about at once. */
const page = 1_000

/** What the ledger says of the loads. One of which nothing waits any more is not asked about again. */
class Conclusions {
  readonly isEmpty: boolean
  /** Numbers of loads. */
  #open: readonly number[]
  readonly #ledger: Ledger
  readonly #course: Course
  #done = 0

  constructor(loads: Iterable<number>, ledger: Ledger, course: Course) {
    this.#open = [...loads]
    this.isEmpty = this.#open.length === 0
    this.#ledger = ledger
    this.#course = course
  }

  /**
   * Counts too what became a dead letter of which the ledger keeps no verdict: the chunk stays open, and
   * nothing more comes of it.
   */
  async ask(): Promise<Conclusion> {
    let doneOfOpen = 0
    const open: number[] = []
    for (const numbers of pagesOf(this.#open, page)) {
      const loads = numbers.map((load) => this.#course.loads.ids.at(load))
      const receipts = await this.#ledger.receipts({ loads })
      const known = new Map(receipts.map((receipt) => [receipt.loadId, receipt]))
      for (const [place, loadId] of loads.entries()) {
        const load = numbers[place] as number
        const chunks = this.#course.chunksOf(load)
        const chunksDone = known.get(loadId)?.chunksDone ?? 0
        const isOver = chunksDone >= chunks || chunksDone + (await this.#withoutVerdict(loadId)) >= chunks
        if (isOver) this.#done += chunksDone
        else {
          open.push(load)
          doneOfOpen += chunksDone
        }
      }
    }
    this.#open = open
    return { isReached: open.length === 0, done: this.#done + doneOfOpen }
  }

  /** Mostly there are none, and then nothing is asked. */
  async #withoutVerdict(loadId: string): Promise<number> {
    const dead = this.#course.deadOf(loadId)
    if (dead.length === 0) return 0
    const progress = await this.#ledger.progress(loadId)
    return dead.filter((key) => progress?.keys.has(key) !== true).length
  }
}
