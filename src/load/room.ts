/** Back-pressure: the producer waits while the consumers have enough to do. */
import { sleep } from '../core/wait.ts'
import type { PublishOptions } from '../producer/publish.ts'
import type { Queue } from '../queue/queue.ts'

/**
 * CSV that may wait in the queue, in bytes: a second's work of a fast database, so that a consumer never runs
 * dry.
 */
const mostWaitingBytes = 64 * 1024 * 1024
const firstPollMs = 20
const lastPollMs = 200
/**
 * A queue that does not shrink for this long holds other messages, or has no consumer: publishing goes on.
 */
const patienceMs = 1_000

interface RoomOptions {
  readonly patiently: <T>(ask: () => Promise<T>) => Promise<T>
  /**
   * Known messages of this load without a verdict; whatever else waits in the queue belongs to other loads.
   */
  readonly outstanding: () => number
}

/** A `room` that waits as long as the queue holds more than enough of ours and gets shorter. */
export function roomIn(
  queue: Queue,
  signal: AbortSignal,
  { patiently, outstanding }: RoomOptions,
): NonNullable<PublishOptions['room']> {
  let messages = 0
  let bytes = 0
  return async (next) => {
    messages += next.messages
    bytes += next.bytes
    const mostWaiting = (mostWaitingBytes * messages) / Math.max(1, bytes)
    let fewest = Number.POSITIVE_INFINITY
    let since = performance.now()
    for (
      let pollMs = firstPollMs;
      !signal.aborted && performance.now() - since < patienceMs;
      pollMs = Math.min(pollMs * 2, lastPollMs)
    ) {
      if (outstanding() <= mostWaiting) return
      const { ready } = await patiently(() => queue.depth())
      if (ready <= mostWaiting) return
      if (ready < fewest) since = performance.now()
      fewest = Math.min(fewest, ready)
      await sleep(pollMs, signal)
    }
  }
}
