import type { Point, Series } from './snapshot.ts'

const stepMs = 5_000
const steps = 120

/**
 * Sums of the last ten minutes in steps of five seconds; however long a run is, it takes no more memory than
 * that.
 */
export class SeriesKeeper {
  readonly #points: Point[] = []

  /** The point that the moment belongs to, to be added to. */
  at(now: number): Point {
    const at = Math.floor(now / stepMs) * stepMs
    const last = this.#points.at(-1)
    if (last !== undefined && last.at >= at) return last
    const point = {
      at,
      published: 0,
      loaded: 0,
      rejected: 0,
      skipped: 0,
      deadMessages: 0,
      batches: 0,
      bytes: 0,
      ...noTimes,
    }
    this.#points.push(point)
    this.#forget(now)
    return point
  }

  snapshot(now: number): Series {
    this.#forget(now)
    return { stepMs, points: this.#points.map((point) => ({ ...point })) }
  }

  #forget(now: number): void {
    const first = this.#points.findIndex(({ at }) => at > now - steps * stepMs)
    this.#points.splice(0, first < 0 ? this.#points.length : first)
  }
}

const noTimes = { writeMs: 0, longestWriteMs: 0, settleMs: 0, longestSettleMs: 0 }
