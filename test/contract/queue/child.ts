/**
 * A process beside the test: publishes or drains a queue, and reports each step on its standard output once
 * it is done. Ends when its standard input does, so that none outlives its test.
 */
import { writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { Queue } from 'lading'
import { messagesOf } from './messages.ts'

/** What a queue is opened by, in any process. */
export interface QueueModule {
  readonly openQueue: (url: string) => Promise<Queue>
}

/** `module` is the URL of a `QueueModule`. */
export type Job = { readonly module: string; readonly url: string } & (
  | { readonly kind: 'publish'; readonly name: string; readonly count: number; readonly batch: number }
  | { readonly kind: 'drain'; readonly prefetch: number }
)

export interface Report {
  /** How many messages of this job are surely in the queue. */
  readonly confirmed?: number
  /** Keys that were received and settled as done. */
  readonly drained?: readonly string[]
}

const job = JSON.parse(process.argv[2] ?? '') as Job
const stop = new AbortController()
process.stdin.on('end', () => stop.abort()).resume()

const { openQueue } = (await import(job.module)) as QueueModule
const queue = await openQueue(job.url)
try {
  await (job.kind === 'publish' ? publish(queue, job) : drain(queue, job))
} finally {
  await queue[Symbol.asyncDispose]()
  process.stdin.destroy()
}

async function publish(to: Queue, { name, count, batch }: Extract<Job, { kind: 'publish' }>): Promise<void> {
  for (let sent = 0; sent < count && !stop.signal.aborted; sent += batch) {
    await to.publish(messagesOf(name, sent, batch))
    report({ confirmed: sent + batch })
    await setImmediate()
  }
}

async function drain(from: Queue, { prefetch }: Extract<Job, { kind: 'drain' }>): Promise<void> {
  for await (const deliveries of from.deliveries({ prefetch, signal: stop.signal })) {
    if (deliveries.length === 0) continue
    await Promise.all(deliveries.map((delivery) => delivery.settle({ kind: 'done' })))
    report({ drained: deliveries.map(({ key }) => key) })
  }
}

/** Written at once, so that a process that is killed has reported all that it knew. */
function report(line: Report): void {
  writeSync(1, `${JSON.stringify(line)}\n`)
}
