/** A queue as a server that all processes share. In what queues differ is data: `QueueKind`. */
import { longestPauseMs } from '../src/consumer/foreign.ts'
import type { Settlement } from '../src/core/settlement.ts'
import { sha256Of } from '../src/core/sha256.ts'
import { readableEnvelope } from '../src/queue/envelope.ts'
import type { Depth, Outcome, Outgoing } from '../src/queue/queue.ts'
import { nameOf, type Published } from './messages.ts'
import type { Verdicts } from './verdicts.ts'
import type { World } from './world.ts'

export interface QueueKind {
  readonly name: string
  /** How long a silent consumer keeps a delivery; without it, as long as it is connected. */
  readonly leaseMs?: number
  /** A message that is given back has been delivered all the same. */
  readonly countsReleases?: boolean
  /** It does not know what consumers have in hand. */
  readonly countsWaitingOnly?: boolean
  /** Groups come in their order. */
  readonly isOrdered?: boolean
  /** It lies in the database of the sink, whose transactions settle. */
  readonly isInSink?: boolean
}

export const queueKinds: readonly QueueKind[] = [
  { name: 'with leases', leaseMs: 30_000 },
  { name: 'with connections', countsReleases: true, countsWaitingOnly: true },
  { name: 'in order', leaseMs: 30_000, countsReleases: true, isOrdered: true },
  { name: 'in the database', leaseMs: 30_000, isInSink: true },
]

interface Message {
  readonly published: Published
  attempt: number
  /** When it can be had (again); of one that is held, when its lease ends. */
  due: number
  holder: Held | undefined
  isSettled: boolean
}

/** A delivery, as its client has it. */
export interface Held {
  readonly message: Message
  readonly owner: number
  /** It has come to its process, which is there. */
  isInHand: boolean
  since: number
  /** When its process asked for its lease the last time. */
  askedAt: number
  /** The client has settled it. */
  isLeft: boolean
  /** A message of its group was given back before it. */
  isOvertaken: boolean
}

/** Names the database, for a queue that lies in it. */
export const databaseName = 'the database'

/** What the simulated database runs in its transaction. */
export interface SimulatedSettlement extends Settlement {
  readonly run: () => void
}

export class QueueServer {
  readonly kind: QueueKind
  readonly #world: World
  readonly #verdicts: Verdicts
  readonly #messages: Message[] = []
  /** When other programs took theirs. */
  readonly #takenAt: number[] = []
  /** Since when nobody reaches it. */
  awaySince: number | undefined
  /** It is reached, and does and answers nothing. */
  isSilent = false

  constructor(world: World, kind: QueueKind, verdicts: Verdicts) {
    this.#world = world
    this.kind = kind
    this.#verdicts = verdicts
  }

  publish(published: Published): void {
    this.#messages.push({ published, attempt: 0, due: 0, holder: undefined, isSettled: false })
  }

  /** What a process publishes, with its bytes as they are now: it may use their memory again. */
  sent({ key, headers, body }: Outgoing): Published {
    const copy = Buffer.from(body)
    const expected = this.#verdicts.expected(sha256Of(copy))
    const group = `${key}/${readableEnvelope(headers)?.target}`
    if (expected !== undefined) return { ...expected, key, headers, body: copy, group }
    this.#world.violated('only what is in the files is published', key)
    throw new Error(`nobody expects ${key}`)
  }

  get isEmpty(): boolean {
    return this.#messages.every(({ isSettled }) => isSettled)
  }

  /**
   * Whether a consumer may take the queue for empty: it knows messages of other pipelines by having seen them, and the
   * queue tells it numbers alone. So one that another program took since passes for one that is still there.
   */
  get mayLookEmpty(): boolean {
    const own = this.#messages.filter(
      ({ isSettled, published, holder }) =>
        !isSettled &&
        published.sort !== 'other pipeline' &&
        (holder === undefined || this.kind.countsWaitingOnly !== true),
    )
    const since = this.#world.clock.now - 2 * longestPauseMs
    return own.length <= this.#takenAt.filter((at) => at >= since).length
  }

  /** That can be had now, in their order. */
  ready(): Message[] {
    const free = this.#messages.filter(
      ({ isSettled, holder, due }) =>
        !isSettled &&
        due <= this.#world.clock.now &&
        (holder === undefined || this.kind.leaseMs !== undefined),
    )
    if (this.kind.isOrdered !== true) return free
    const blocked = new Set(
      this.#messages
        .filter((each) => !each.isSettled && !free.includes(each))
        .map(({ published }) => published.group),
    )
    return free.filter(({ published }) => !blocked.has(published.group))
  }

  get #foreign(): Message | undefined {
    return this.ready().find(
      ({ published, holder }) => published.sort === 'other pipeline' && holder === undefined,
    )
  }

  get hasForeign(): boolean {
    return this.#foreign !== undefined
  }

  /** Another program takes what is for its pipeline. */
  takeForeign(): void {
    const message = this.#foreign
    if (message === undefined) return
    message.isSettled = true
    this.#takenAt.push(this.#world.clock.now)
  }

  take(owner: number, most: number): Held[] {
    const { clock } = this.#world
    return this.ready()
      .slice(0, most)
      .map((message) => {
        if (message.holder !== undefined) {
          const { isInHand, askedAt } = message.holder
          if (isInHand && clock.now - askedAt >= (this.kind.leaseMs ?? 0))
            this.#world.violated('leases are extended', nameOf(message.published))
          this.#world.count(
            message.holder.owner === owner
              ? 'a lease ends, and its holder has the message again'
              : 'a lease ends, and another has the message',
          )
          this.#verdicts.loseOrder(message.published)
        }
        if (message.attempt > 0) this.#world.count('a message is delivered again')
        message.attempt++
        this.#verdicts.delivered(message.published, message.attempt)
        message.due = clock.now + (this.kind.leaseMs ?? Number.POSITIVE_INFINITY)
        return (message.holder = {
          message,
          owner,
          isInHand: false,
          since: clock.now,
          askedAt: clock.now,
          isLeft: false,
          isOvertaken: false,
        })
      })
  }

  settle(held: Held, outcome: Outcome): void {
    const { message } = held
    if (message.isSettled || message.holder !== held) return this.#world.count('a settlement comes too late')
    if (outcome.kind === 'done') {
      this.#verdicts.settled(message.published)
      message.isSettled = true
      return
    }
    this.#world.count(outcome.kind === 'retry' ? 'a message is to be tried again' : 'a message is given back')
    if (outcome.kind === 'release' && this.kind.countsReleases !== true) message.attempt--
    message.holder = undefined
    message.due = this.#world.clock.now + (outcome.afterMs ?? 0)
  }

  extend(held: Held, ms: number): void {
    if (held.message.holder === held && !held.message.isSettled) held.message.due = this.#world.clock.now + ms
    else this.#world.count('an extension comes too late')
  }

  #heldBy(owner: number): Message[] {
    return this.#messages.filter(({ holder, isSettled }) => holder?.owner === owner && !isSettled)
  }

  /** The connections of a process have ended. */
  disconnect(owner: number): void {
    this.leave(this.#heldBy(owner).flatMap(({ holder }) => holder ?? []))
  }

  /** The connection over which these came has ended. */
  leave(all: Iterable<Held>): void {
    if (this.kind.leaseMs !== undefined) return
    for (const held of all) {
      const { message } = held
      if (message.holder !== held || message.isSettled) continue
      message.holder = undefined
      message.due = 0
    }
  }

  /** Its process is gone. */
  gone(owner: number): void {
    for (const { holder } of this.#heldBy(owner)) if (holder !== undefined) holder.isInHand = false
    this.disconnect(owner)
  }

  /** What a process has in hand since that time, and has not tried to settle. */
  inHand(owner: number, since = Number.POSITIVE_INFINITY): number {
    return this.#heldBy(owner).filter(({ holder }) => holder?.isInHand === true && holder.since <= since)
      .length
  }

  depth(): Depth {
    const left = this.#messages.filter(({ isSettled }) => !isSettled)
    const inFlight = left.filter(
      ({ holder, due }) => holder !== undefined && due > this.#world.clock.now,
    ).length
    return {
      ready: left.length - inFlight,
      inFlight: this.kind.countsWaitingOnly === true ? undefined : inFlight,
      dead: 0,
    }
  }
}
