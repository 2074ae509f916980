import type { EventOf } from '../core/events.ts'
import type { ConsumerSnapshot } from './snapshot.ts'

/** How long a consumer without messages is kept after its last event, in milliseconds. */
const keptMs = 600_000

type Consumer = { -readonly [Name in keyof ConsumerSnapshot]: ConsumerSnapshot[Name] } & { heardAt: number }

/** The consumers of a run, as they told. */
export class Consumers {
  readonly #all = new Map<string, Consumer>()

  /** Messages that they have in hand. */
  get inHand(): number {
    return [...this.#all.values()].reduce((sum, { held }) => sum + held, 0)
  }

  held({ consumer, messages }: EventOf<'held'>, now: number): void {
    this.#of(consumer, now).held = messages
  }

  batch({ consumer: name, records, writeMs, settleMs }: EventOf<'batch'>, now: number): void {
    const consumer = this.#of(name, now)
    consumer.batches++
    consumer.records += records
    consumer.last = { at: now, records, writeMs, settleMs }
  }

  snapshot(now: number): ConsumerSnapshot[] {
    this.#forget(now)
    return Array.from(this.#all.values(), ({ consumer, held, batches, records, last }) => {
      return { consumer, held, batches, records, last }
    })
  }

  #of(name: string, now: number): Consumer {
    let consumer = this.#all.get(name)
    if (consumer === undefined) {
      this.#forget(now)
      consumer = { consumer: name, held: 0, batches: 0, records: 0, heardAt: now }
      this.#all.set(name, consumer)
    }
    consumer.heardAt = now
    return consumer
  }

  #forget(now: number): void {
    for (const [name, { heardAt, held }] of this.#all)
      if (held === 0 && now - heardAt > keptMs) this.#all.delete(name)
  }
}
