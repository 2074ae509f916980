/** A queue as a process has it open. */
import { LadingError } from '../src/core/errors.ts'
import type { Abortable } from '../src/core/wait.ts'
import type {
  Delivery,
  Depth,
  Outcome,
  Outgoing,
  Peeked,
  Queue,
  QueueTraits,
  Settling,
} from '../src/queue/queue.ts'
import { nameOf, type Published } from './messages.ts'
import { databaseName, type Held, type QueueServer, type SimulatedSettlement } from './queue-server.ts'
import type { Call } from './operation.ts'
import type { World } from './world.ts'

/** How long a client waits for an answer, and for a message. */
const answerMs = 30_000
const idleMs = 5_000

/** Hears of what a process publishes. */
export interface Publishing {
  readonly called: (sent: readonly Published[]) => void
  /** The queue holds them. */
  readonly taken?: (sent: readonly Published[]) => void
  /** The process has heard that it does. */
  readonly confirmed?: (sent: readonly Published[]) => void
}

/** What came over one connection and is not settled yet, in its order. */
interface Intake {
  readonly held: Set<Held>
  /** The server has handed them out, and the process has not heard of it. */
  readonly unheard: Set<Held>
  isOver: boolean
}

export class QueueClient implements Queue {
  readonly id = 'simulated'
  readonly traits: QueueTraits
  readonly settling: Settling | undefined
  readonly #server: QueueServer
  readonly #world: World
  readonly #owner: number
  /** One of each consumer of the process, and those that it had before. */
  readonly #intakes = new Set<Intake>()
  publishing: Publishing | undefined
  /** What the process has published and does not know to be in the queue, by the hashes of the bodies. */
  readonly unconfirmed = new Set<string>()
  /** The queue holds messages of which the process does not know it. */
  isUnheard = false
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
    this.#endIntakes()
    const intake: Intake = { held: new Set(), unheard: new Set(), isOver: false }
    this.#intakes.add(intake)
    try {
      yield* this.#taken(intake, prefetch, signal)
    } finally {
      intake.isOver = true
    }
  }

  /** What an earlier connection had is not held by the next one. */
  #endIntakes(): void {
    for (const intake of this.#intakes) {
      if (!intake.isOver) continue
      this.#server.leave([...intake.held, ...intake.unheard])
      this.#intakes.delete(intake)
    }
  }

  async *#taken(
    intake: Intake,
    prefetch: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly Delivery[]> {
    const { held: inHand, unheard } = intake
    while (!signal?.aborted) {
      const room = prefetch - inHand.size
      const take = (most: number) => () => {
        const came = this.#server.take(this.#owner, Math.min(most, room))
        for (const held of came) unheard.add(held)
        // A connection that has ended meanwhile takes nothing.
        if (!this.#intakes.has(intake)) this.#server.leave(came)
        return came
      }
      const taken = await this.#call<readonly Held[]>('receive', take(room), {
        others: [
          { name: 'receive one', effect: take(1) },
          { name: 'receive nothing', effect: () => [] },
        ],
        errors: ['QUEUE_UNAVAILABLE', 'QUEUE_BUSY', 'QUEUE_REFUSED'],
        early: { name: 'receive nothing', value: [] },
        isReady: () => room > 0 && this.#server.ready().length > 0,
        isOfSession: true,
        patienceMs: answerMs,
        signal,
        aborted: [],
        timeout: { ms: idleMs, give: () => [] },
      })
      for (const held of taken) {
        held.isInHand = true
        held.since = held.askedAt = this.#world.clock.now
        unheard.delete(held)
        inHand.add(held)
      }
      if (inHand.size > prefetch)
        this.#world.violated('at most prefetch unsettled', `${inHand.size} of ${prefetch}`)
      yield taken.map((held) => this.#delivery(held))
    }
  }

  #call<T>(name: string, effect: () => T, more: Partial<Call<T>> = {}): Promise<T> {
    const isAway = () => this.#server.awaySince !== undefined
    const isSilent = () => this.#server.isSilent
    return this.#world.call<T>({
      name,
      effect,
      lost: 'QUEUE_UNAVAILABLE',
      errors: ['QUEUE_UNAVAILABLE'],
      isAway,
      isSilent,
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
    for (const intake of this.#intakes) intake.held.delete(held)
  }

  /** Those of its group that came behind it go back as well, the last one first. */
  #overtaken(held: Held): readonly Held[] {
    if (this.#server.kind.isOrdered !== true) return []
    const { group } = held.message.published
    const all = [...this.#intakes].flatMap((intake) => (intake.held.has(held) ? [...intake.held] : []))
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

  async publish(messages: readonly Outgoing[], { signal }: Abortable = {}): Promise<void> {
    const sent = messages.map((message) => this.#server.sent(message))
    this.publishing?.called(sent)
    for (const { sha256 } of sent) this.unconfirmed.add(sha256)
    const take = (most: number) => {
      const taken = sent.slice(0, most)
      for (const each of taken) this.#server.publish(each)
      this.publishing?.taken?.(taken)
      this.isUnheard = true
    }
    const all = () => take(sent.length)
    const twice = () => [all(), all()]
    const broken = () => {
      take(Math.ceil(sent.length / 2))
      throw new LadingError('QUEUE_UNAVAILABLE', 'the connection breaks off')
    }
    const publishing = this.#call<unknown>('publish', all, {
      signal,
      others: [
        { name: 'publish twice', kind: 'late', effect: twice },
        { name: 'publish in part', kind: 'lost', effect: broken },
      ],
      errors: ['QUEUE_UNAVAILABLE', 'QUEUE_BUSY', 'QUEUE_HOLD', 'QUEUE_REFUSED'],
      timeout: this.#silence,
      about: sent.map(nameOf).join(),
    })
    await publishing.finally(() => (this.isUnheard = false))
    for (const { sha256 } of sent) this.unconfirmed.delete(sha256)
    this.publishing?.confirmed?.(sent)
  }

  peek(): Promise<readonly Peeked[]> {
    throw new Error('nobody looks at the queue')
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
