/** The queue of a process that is started while its server may be down. */
import { setTimeout } from 'node:timers/promises'
import { LadingError, openQueue, type Queue } from 'lading'

/** Tries again for as long as the fault may pass. */
export async function opened(url: string): Promise<Queue> {
  for (;;) {
    try {
      return await openQueue(url)
    } catch (error) {
      if (!(error instanceof LadingError) || !['retry', 'reconnect', 'hold'].includes(error.action))
        throw error
      await setTimeout(200)
    }
  }
}
