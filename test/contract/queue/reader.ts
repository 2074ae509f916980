import type { Delivery, Queue } from 'lading'

const deadlineMs = 20_000

/** Takes deliveries of a queue step by step; a step that a correct queue ends fails when it does not end. */
export class Reader {
  readonly #abort = new AbortController()
  readonly #arrays: AsyncIterator<readonly Delivery[]>

  constructor(queue: Queue, prefetch = 100) {
    this.#arrays = queue.deliveries({ prefetch, signal: this.#abort.signal })[Symbol.asyncIterator]()
  }

  /** The next array; undefined at the end of the iteration. */
  async next(): Promise<readonly Delivery[] | undefined> {
    const result = await within(this.#arrays.next(), 'nothing was yielded, not even an empty array')
    return result.done ? undefined : result.value
  }

  /** All that comes until there are `count`, or until `enough`. */
  async take(
    count: number,
    enough: (taken: readonly Delivery[]) => boolean = (taken) => taken.length >= count,
  ): Promise<Delivery[]> {
    const taken: Delivery[] = []
    const deadline = performance.now() + deadlineMs
    while (!enough(taken)) {
      if (performance.now() > deadline)
        throw new Error(`${taken.length} deliveries came, ${count} were expected`)
      taken.push(...((await this.next()) ?? []))
    }
    return taken
  }

  /** The one message that there is. */
  async takeOne(): Promise<Delivery> {
    const [delivery, ...others] = await this.take(1)
    if (delivery === undefined || others.length > 0)
      throw new Error(`${1 + others.length} deliveries came, one was expected`)
    return delivery
  }

  /** All that comes until the queue has nothing to deliver now. */
  async takeAvailable(): Promise<Delivery[]> {
    const taken: Delivery[] = []
    for (;;) {
      const array = (await this.next()) ?? []
      if (array.length === 0) return taken
      taken.push(...array)
    }
  }

  /** Settles all that comes as done: at least `count`, and on until the queue has nothing to deliver. */
  async drain(count: number): Promise<Delivery[]> {
    const drained: Delivery[] = []
    for (let empty = false; !empty || drained.length < count;) {
      const array: readonly Delivery[] | undefined = await (empty ? this.take(1) : this.next())
      await Promise.all(array?.map((delivery) => delivery.settle({ kind: 'done' })) ?? [])
      drained.push(...(array ?? []))
      empty = !array?.length
    }
    return drained
  }

  abort(): void {
    this.#abort.abort()
  }

  /** Ends the iteration; what was taken can still be settled. */
  async stop(): Promise<void> {
    this.abort()
    const deadline = performance.now() + deadlineMs
    while ((await this.next()) !== undefined) {
      if (performance.now() > deadline) throw new Error('the iteration goes on after it was aborted')
    }
  }
}

async function within<T>(work: Promise<T>, complaint: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${complaint} in ${deadlineMs} ms`)), deadlineMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
