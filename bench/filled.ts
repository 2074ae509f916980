/** Queues that are filled before a run, which is not timed; how fast that went is told beside the table. */
import { median } from './figures.ts'
import { openQueue } from '../src/queue/registry.ts'
import type { Outgoing } from '../src/queue/queue.ts'
import { type Command, measure } from './process.ts'
import { whole } from './report.ts'
import type { Way } from './rounds.ts'

const windowMessages = 1000

export class Filling {
  readonly #rates: number[] = []

  /** Memory does not grow with the number of messages. */
  async fill(url: string, messages: Iterable<Outgoing>): Promise<void> {
    const start = performance.now()
    let count = 0
    await using queue = await openQueue(url)
    let window: Outgoing[] = []
    for (const message of messages) {
      window.push(message)
      if (window.length < windowMessages) continue
      await queue.publish(window)
      count += window.length
      window = []
    }
    if (window.length > 0) await queue.publish(window)
    this.#rates.push((count + window.length) / ((performance.now() - start) / 1000))
  }

  /** A sentence for the document. */
  note(): string[] {
    if (this.#rates.length === 0) return []
    return [
      `Filling the queue, which no way is timed for: \`publish\` of the library, ${whole(median(this.#rates))} messages/s.`,
    ]
  }
}

interface FilledWay {
  readonly name: string
  readonly isLading: boolean
  /** Makes an empty queue, and says its URL. */
  readonly fresh: () => Promise<string>
  readonly fill: (url: string) => Promise<void>
  readonly command: (url: string) => Command
}

/** A queue of its own for each run, filled before it. */
export function filledWay({ name, isLading, fresh, fill, command }: FilledWay): Way {
  let url = ''
  return {
    name,
    isLading,
    prepare: async () => {
      url = await fresh()
      await fill(url)
    },
    run: (folder) => measure([command(url)], folder),
  }
}
