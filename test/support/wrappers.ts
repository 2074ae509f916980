/**
 * Decorators of the contracts: faults are injected from the outside, around the real queue and the real sink.
 */
import { type Code, LadingError } from '../../src/core/errors.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import type { Delivery, Queue } from '../../src/queue/queue.ts'
import type { Ledger } from '../../src/sink/ledger.ts'
import type { Sink } from '../../src/sink/sink.ts'

export type SinkMethod = 'prepare' | 'write' | 'replayLetter' | 'replayRejects' | 'bury' | 'fold'
export type QueueMethod = 'publish' | 'deliveries' | 'depth' | 'settle' | 'extend'

/** Stands between the caller and the real call; `real` may be called never, once, or before an error. */
export type Between<Method> = <T>(method: Method, real: () => Promise<T>) => Promise<T>

export function wrapSink(sink: Sink, between: Between<SinkMethod>, over: Partial<Sink> = {}): Sink {
  const inner = sink.ledger
  const ledger: Ledger = {
    receipts: (...args) => inner.receipts(...args),
    messages: (...args) => inner.messages(...args),
    named: (...args) => inner.named(...args),
    newest: (...args) => inner.newest(...args),
    forget: (...args) => inner.forget(...args),
    progress: (...args) => inner.progress(...args),
    zoneReleases: (...args) => inner.zoneReleases(...args),
    rejects: (...args) => inner.rejects(...args),
    rejectGroups: (...args) => inner.rejectGroups(...args),
    editReject: (...args) => inner.editReject(...args),
    discardRejects: (...args) => inner.discardRejects(...args),
    deadLetters: (...args) => inner.deadLetters(...args),
    discardDeadLetters: (...args) => inner.discardDeadLetters(...args),
    bury: (...args) => between('bury', () => inner.bury(...args)),
    fold: (...args) => between('fold', () => inner.fold(...args)),
  }
  return {
    ledger,
    place: sink.place,
    prepare: (...args) => between('prepare', () => sink.prepare(...args)),
    isEmpty: (...args) => sink.isEmpty(...args),
    table: async (...args) => sink.table?.(...args),
    rows: (model) => sink.rows(model),
    write: (...args) => between('write', () => sink.write(...args)),
    replayLetter: (...args) => between('replayLetter', () => sink.replayLetter(...args)),
    replayRejects: (...args) => between('replayRejects', () => sink.replayRejects(...args)),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
    ...over,
  }
}

export function wrapQueue(queue: Queue, between: Between<QueueMethod>, over: Partial<Queue> = {}): Queue {
  return {
    id: queue.id,
    traits: queue.traits,
    publish: (...args) => between('publish', () => queue.publish(...args)),
    deliveries: (options) => wrapDeliveries(queue.deliveries(options), between),
    peek: (...args) => queue.peek(...args),
    depth: (...args) => between('depth', () => queue.depth(...args)),
    [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
    ...over,
  }
}

async function* wrapDeliveries(arrivals: AsyncIterable<readonly Delivery[]>, between: Between<QueueMethod>) {
  for await (const deliveries of arrivals) {
    yield await between('deliveries', async () =>
      deliveries.map((delivery) => wrapDelivery(delivery, between)),
    )
  }
}

export const wrapDelivery = (delivery: Delivery, between: Between<QueueMethod>): Delivery => ({
  key: delivery.key,
  body: delivery.body,
  headers: delivery.headers,
  attempt: delivery.attempt,
  settle: (outcome) => between('settle', () => delivery.settle(outcome)),
  extend: (ms) => between('extend', async () => delivery.extend?.(ms)),
})

/**
 * The n-th call (from 1) of `method` fails with `code`, before it reaches the real thing or after it took
 * effect.
 */
export function failingCall<Method>(method: Method, n: number, code: Code, when: 'before' | 'after') {
  let calls = 0
  let reached = false
  const between: Between<Method> = async (called, real) => {
    if (called !== method || ++calls !== n) return real()
    reached = true
    if (when === 'after') await real()
    throw new LadingError(code, `call ${n} of ${String(method)} fails, says the test`)
  }
  return { between, reached: () => reached }
}

export const untouched: Between<unknown> = (_, real) => real()

/** Keeps what happened, and can wait for it. */
export class EventLog {
  readonly events: LadingEvent[] = []
  readonly #waiting: { readonly type: LadingEvent['type']; readonly seen: () => void }[] = []

  listen = (event: LadingEvent): void => {
    this.events.push(event)
    for (const { type, seen } of this.#waiting) if (type === event.type) seen()
  }

  of<T extends LadingEvent['type']>(type: T): Extract<LadingEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<LadingEvent, { type: T }> => event.type === type)
  }

  /** Resolves at the next event of the type. */
  next(type: LadingEvent['type']): Promise<void> {
    return new Promise((seen) => this.#waiting.push({ type, seen }))
  }
}
