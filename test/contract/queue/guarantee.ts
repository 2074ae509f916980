/**
 * What every guarantee is tested on: a queue of its own, opened as often as the test needs, all closed at the
 * end.
 */
import { expect, it } from 'vitest'
import type { Depth, Queue } from 'lading'
import { type Child, startChild } from './start-child.ts'
import type { Job, QueueModule } from './child.ts'
import { Reader } from './reader.ts'

/** A new, empty queue somewhere; disposing removes it. */
export interface Place extends AsyncDisposable {
  /** What `openQueue` of the module takes, in any process of this machine. */
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
  /** A module that exports `openQueue(url)`. Other processes import it too, so it must not import Vitest. */
  readonly module: URL
  /** `leaseMs` is how long deliveries shall be held; a queue without leases ignores it. */
  readonly create: (leaseMs: number) => Promise<Place>
  readonly deviations?: readonly Deviation[]
  /** Messages that four processes share; fewer than usual for a queue that takes its time, in thousands. */
  readonly many?: number
}

/** Four processes share two cores, and a broker may count with a delay. */
const timeoutMs = 60_000
/** Longer than any test. */
const longLeaseMs = 300_000
/** Short enough to wait for, long enough that a busy machine does not lose it by chance. */
export const shortLeaseMs = 2_000

type ChildJob = Job extends infer J ? (J extends Job ? Omit<J, 'url' | 'module'> : never) : never

/** Its functions are properties, so that a test can take apart what it needs. */
export class TestQueue {
  readonly #module: string
  readonly #place: Place
  readonly #opened: (() => Promise<unknown>)[] = []
  readonly queue: Queue

  private constructor(module: string, place: Place, queue: Queue) {
    this.#module = module
    this.#place = place
    this.queue = queue
    this.#opened.push(async () => queue[Symbol.asyncDispose]())
  }

  static async open({ href }: URL, place: Place): Promise<TestQueue> {
    return new TestQueue(href, place, await openAt(href, place.url))
  }

  get url(): string {
    return this.#place.url
  }

  /** The same queue again, as another process would open it. */
  openAgain = async (): Promise<Queue> => {
    const queue = await openAt(this.#module, this.url)
    this.#opened.push(async () => queue[Symbol.asyncDispose]())
    return queue
  }

  read = (prefetch?: number, queue: Queue = this.queue): Reader => {
    const reader = new Reader(queue, prefetch)
    this.#opened.push(() => reader.stop().catch(() => undefined))
    return reader
  }

  startChild = (job: ChildJob, wrapper?: readonly string[]): Child => {
    const child = startChild({ ...job, module: this.#module, url: this.url }, wrapper)
    this.#opened.push(() => (child.kill(), child.ended))
    return child
  }

  /** Some queues count with a delay; what a queue cannot tell is not compared. */
  expectDepth = async (depth: Depth): Promise<void> => {
    const counted = async () => {
      const { ready, inFlight = depth.inFlight, dead } = await this.queue.depth()
      return { ready, inFlight, dead }
    }
    await expect.poll(counted, { timeout: 20_000 }).toEqual(depth)
  }

  async close(): Promise<void> {
    for (const close of this.#opened.toReversed()) await close()
    await this.#place[Symbol.asyncDispose]()
  }
}

async function openAt(module: string, url: string): Promise<Queue> {
  const { openQueue } = (await import(module)) as QueueModule
  return openQueue(url)
}

export type Guarantee = ReturnType<typeof guarantees>['guarantee']

/** Declares tests, each on a queue of its own; of what the queue does not promise there is none. */
export function guarantees({ module, create, deviations = [] }: QueueUnderTest) {
  const titles = new Set<string>()
  const guarantee = (
    title: string,
    work: (testQueue: TestQueue) => Promise<void>,
    leaseMs = longLeaseMs,
  ): void => {
    titles.add(title)
    if (deviations.some(({ tests }) => tests.includes(title))) return
    it(title, { timeout: timeoutMs }, async () => {
      const testQueue = await TestQueue.open(module, await create(leaseMs))
      try {
        await work(testQueue)
      } finally {
        await testQueue.close()
      }
    })
  }
  const unknown = () => deviations.flatMap(({ tests }) => tests).filter((title) => !titles.has(title))
  return { guarantee, unknown }
}
