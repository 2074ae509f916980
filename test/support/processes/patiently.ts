import { setTimeout as sleep } from 'node:timers/promises'
import { LadingError } from 'lading'

/** Tries again for as long as the fault may pass and nobody stops it: servers are down now and then. */
export async function patiently<Result>(
  attempt: () => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const mayPass = error instanceof LadingError && ['retry', 'reconnect', 'hold'].includes(error.action)
      if (!mayPass || signal?.aborted === true) throw error
      await sleep(200)
    }
  }
}
