import { within } from '../core/wait.ts'

/**
 * Asks no more often than every `freshMs`, and waits for the answer no longer than it is told to. A question
 * that fails is asked again.
 */
export function seldom(freshMs: number, ask: () => Promise<void>): (ms: number) => Promise<void> {
  let underWay: Promise<void> | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  const answer = async () => {
    try {
      await ask()
    } finally {
      askedAt = performance.now()
      underWay = undefined
    }
  }
  return async (ms) => {
    if (performance.now() - askedAt < freshMs) return
    await within(ms, (underWay ??= answer()))
  }
}
