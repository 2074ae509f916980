/**
 * What a test of a queue stands on: a queue of its own, opened as often as it likes, all closed at the end.
 */
import { expect, it } from 'vitest'
import type { Depth, Queue } from '../../src/queue/queue.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { type Peer, startPeer } from './peers.ts'
import type { Job } from './peer.ts'
import { Reader } from './reader.ts'

/** A new, empty queue somewhere; disposing removes it. */
export interface Place extends AsyncDisposable {
  /** Opens the queue through the registry, from any process of this machine. */
  readonly url: string
}

/**
 * Guarantees that a queue does not give, by the names of their tests, and why not. The adapter's own tests
 * show what it does instead.
 */
export interface Deviation {
  readonly tests: readonly string[]
  readonly reason: string
}

export interface QueueUnderTest {
  /** `leaseMs` is how long deliveries shall be held; a queue without leases ignores it. */
  readonly create: (leaseMs: number) => Promise<Place>
  readonly deviations?: readonly Deviation[]
  /** Messages that four processes share; fewer than usual for a queue that takes its time, in thousands. */
  readonly many?: number
}

/** Longer than any test. */
const longLeaseMs = 300_000
/** Short enough to wait for, long enough that a busy machine does not lose it by chance. */
export const shortLeaseMs = 2_000

type PeerJob = Job extends infer J ? (J extends Job ? Omit<J, 'url'> : never) : never

/** Its functions are properties, so that a test can take apart what it needs. */
export class Workbench {
  readonly #place: Place
  readonly #opened: (() => Promise<unknown>)[] = []
  readonly queue: Queue

  private constructor(place: Place, queue: Queue) {
    this.#place = place
    this.queue = queue
    this.#opened.push(async () => queue[Symbol.asyncDispose]())
  }

  static async open(place: Place): Promise<Workbench> {
    return new Workbench(place, await openQueue(place.url))
  }

  get url(): string {
    return this.#place.url
  }

  /** The same queue once more, as another process would have it. */
  openAgain = async (): Promise<Queue> => {
    const queue = await openQueue(this.url)
    this.#opened.push(async () => queue[Symbol.asyncDispose]())
    return queue
  }

  read = (prefetch?: number, queue: Queue = this.queue): Reader => {
    const reader = new Reader(queue, prefetch)
    this.#opened.push(() => reader.stop().catch(() => undefined))
    return reader
  }

  startPeer = (job: PeerJob, wrapper?: readonly string[]): Peer => {
    const peer = startPeer({ ...job, url: this.url }, wrapper)
    this.#opened.push(() => (peer.kill(), peer.ended))
    return peer
  }

  /** Some queues count with a delay; what a queue cannot tell is not compared. */
  expectDepth = async (depth: Depth): Promise<void> => {
    const told = async () => {
      const { ready, inFlight = depth.inFlight, dead } = await this.queue.depth()
      return { ready, inFlight, dead }
    }
    await expect.poll(told, { timeout: 20_000 }).toEqual(depth)
  }

  async close(): Promise<void> {
    for (const close of this.#opened.toReversed()) await close()
    await this.#place[Symbol.asyncDispose]()
  }
}

export type Guarantee = ReturnType<typeof guarantees>['guarantee']

/** Declares tests on a fresh workbench each; of what the queue does not promise there is none. */
export function guarantees({ create, deviations = [] }: QueueUnderTest) {
  const titles = new Set<string>()
  const guarantee = (
    title: string,
    work: (bench: Workbench) => Promise<void>,
    leaseMs = longLeaseMs,
  ): void => {
    titles.add(title)
    if (deviations.some(({ tests }) => tests.includes(title))) return
    it(title, async () => {
      const bench = await Workbench.open(await create(leaseMs))
      try {
        await work(bench)
      } finally {
        await bench.close()
      }
    })
  }
  const unknown = () => deviations.flatMap(({ tests }) => tests).filter((title) => !titles.has(title))
  return { guarantee, unknown }
}
