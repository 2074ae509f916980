/** A queue as a process has it open. */
import { LadingError } from '../src/core/errors.ts'
import type { Abortable } from '../src/core/wait.ts'
import type { Delivery, Depth, Outcome, Peeked, Queue, QueueTraits, Settling } from '../src/queue/queue.ts'
import { nameOf } from './messages.ts'
import { databaseName, type Held, type QueueServer, type SimulatedSettlement } from './queue-server.ts'
import type { Call, World } from './world.ts'

/** How long a client waits for an answer, and for a message. */
const answerMs = 15_000
const idleMs = 5_000

export class QueueClient implements Queue {
  readonly id = 'simulated'
  readonly traits: QueueTraits
  readonly settling: Settling | undefined
  readonly #server: QueueServer
  readonly #world: World
  readonly #owner: number
  /** Not settled yet, in the order in which they came. */
  #held = new Set<Held>()
  readonly #heldBy = new WeakMap<Delivery, Held>()

  constructor(world: World, server: QueueServer, owner: number) {
    this.#world = world
    this.#server = server
    this.#owner = owner
    this.traits = { maxBytes: 1e6, leaseMs: server.kind.leaseMs }
    if (server.kind.isInSink === true)
      this.settling = { by: databaseName, settlement: (deliveries) => this.#settlement(deliveries) }
  }

  async *deliveries({
    prefetch,
    signal,
  }: Abortable & { readonly prefetch: number }): AsyncIterable<readonly Delivery[]> {
    // What an earlier connection had is not held by this one.
    this.#server.disconnect(this.#owner)
    this.#held = new Set()
    while (!signal?.aborted) {
      const room = prefetch - this.#held.size
      const take = (most: number) => () => this.#server.take(this.#owner, Math.min(most, room))
      const taken = await this.#call<readonly Held[]>('receive', take(room), {
        others: [
          { name: 'receive one', effect: take(1) },
          { name: 'receive nothing', effect: () => [] },
        ],
        errors: ['QUEUE_UNAVAILABLE', 'QUEUE_BUSY', 'QUEUE_REFUSED'],
        early: { name: 'receive nothing', value: [] },
        isReady: () => room > 0 && this.#server.ready().length > 0,
        isOfSession: true,
        signal,
        aborted: [],
        timeout: { ms: idleMs, give: () => [] },
      })
      for (const held of taken) {
        held.isInHand = true
        held.since = held.askedAt = this.#world.clock.now
        this.#held.add(held)
      }
      if (this.#held.size > prefetch)
        this.#world.violated('at most prefetch unsettled', `${this.#held.size} of ${prefetch}`)
      yield taken.map((held) => this.#delivery(held))
    }
  }

  #call<T>(name: string, effect: () => T, more: Partial<Call<T>> = {}): Promise<T> {
    const isAway = () => this.#server.awaySince !== undefined
    return this.#world.call<T>({
      name,
      effect,
      lost: 'QUEUE_UNAVAILABLE',
      errors: ['QUEUE_UNAVAILABLE'],
      isAway,
      ...more,
    })
  }

  #delivery(held: Held): Delivery {
    const { published, attempt } = held.message
    const { key, body, headers } = published
    let settlement: Promise<void> | undefined
    const settle = (outcome: Outcome): Promise<void> => {
      held.isInHand = false
      if (held.isLeft) return Promise.resolve()
      const behind = outcome.kind === 'done' ? [] : this.#overtaken(held)
      return this.#settle(held, outcome, behind)
    }
    const delivery: Delivery = {
      key,
      body,
      headers,
      attempt,
      settle: (outcome) =>
        (settlement ??= settle(outcome).catch((error: unknown) => {
          settlement = undefined
          throw error
        })),
      extend: async (ms) => {
        held.askedAt = this.#world.clock.now
        if (settlement === undefined && !held.isLeft)
          await this.#call('extend', () => this.#server.extend(held, ms), {
            timeout: this.#silence,
            about: nameOf(published),
          })
      },
      ...(this.#server.kind.isOrdered === true && { isCurrent: () => !held.isOvertaken }),
    }
    this.#heldBy.set(delivery, held)
    return delivery
  }

  async #settle(held: Held, outcome: Outcome, behind: readonly Held[]): Promise<void> {
    const effect = () => {
      for (const each of behind) this.#server.settle(each, { kind: 'release' })
      this.#server.settle(held, outcome)
    }
    const errors = ['QUEUE_UNAVAILABLE', 'QUEUE_BUSY', 'QUEUE_REFUSED'] as const
    await this.#call(`settle as ${outcome.kind}`, effect, {
      errors,
      timeout: this.#silence,
      about: nameOf(held.message.published),
    })
    this.#left(held)
  }

  readonly #silence = {
    ms: answerMs,
    give: (): void => {
      throw new LadingError('QUEUE_UNAVAILABLE', 'the queue does not answer')
    },
  }

  #left(held: Held): void {
    held.isLeft = true
    held.isInHand = false
    this.#held.delete(held)
  }

  /** Those of its group that came behind it go back as well, the last one first. */
  #overtaken(held: Held): readonly Held[] {
    if (this.#server.kind.isOrdered !== true) return []
    const { group } = held.message.published
    const all = [...this.#held]
    const behind = all
      .slice(all.indexOf(held) + 1)
      .filter(({ message }) => message.published.group === group)
      .reverse()
    for (const each of behind) {
      each.isOvertaken = true
      this.#left(each)
    }
    return behind
  }

  #settlement(deliveries: readonly Delivery[]): SimulatedSettlement {
    const held = deliveries.flatMap((delivery) => this.#heldBy.get(delivery) ?? [])
    return {
      sql: 'settles',
      run: () => {
        for (const each of held) this.#server.settle(each, { kind: 'done' })
      },
      committed: () => {
        for (const each of held) this.#left(each)
      },
    }
  }

  depth({ signal }: Abortable = {}): Promise<Depth> {
    return this.#call('depth', () => this.#server.depth(), {
      signal,
      timeout: { ms: answerMs, give: () => this.#silence.give() as never },
    })
  }

  publish(): Promise<void> {
    throw new Error('consumers publish nothing')
  }

  peek(): Promise<readonly Peeked[]> {
    throw new Error('consumers look at nothing')
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
