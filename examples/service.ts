// node examples/service.ts
// Consumes a queue for as long as the process lives. On SIGTERM it takes nothing more, finishes what it has in hand, and
// ends; a second signal is not needed. What it did not finish stays in the queue.
import { createConsumer, LadingError, type LadingEvent, openQueue, openSink } from 'lading'
import orders from './orders.ts'

const { QUEUE_URL = 'embedded:./orders-queue.db', DATABASE_URL = 'sqlite:./orders.db' } = process.env

const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())

function onEvent(event: LadingEvent): void {
  if (event.type === 'batch') console.log(`loaded ${event.loaded} records of ${event.messages} messages`)
  if (event.type === 'dead') console.error(`not processed: ${event.code}`)
  if (event.type === 'waiting') console.error(`waits: ${event.message}`)
}

await using queue = await openQueue(QUEUE_URL)
await using sink = await openSink(DATABASE_URL)
const consumer = createConsumer({ queue, model: orders, sink, onEvent, graceMs: 20_000 })
try {
  console.log('ready')
  const { loaded, rejected } = await consumer.run({ signal: stop.signal })
  console.log(`stopped, with ${loaded} records loaded and ${rejected} rejected`)
} catch (error) {
  if (!(error instanceof LadingError)) throw error
  console.error(`${error.code}: ${error.message}; ${error.advice}`)
  process.exitCode = error.exitCode
}
