/**
 * A consumer to be killed: node consumer.ts MODEL QUEUE TARGET. Small batches, so that a kill finds it at
 * every point. Says what it did, batch by batch.
 */
import { createConsumer, openQueue, openSink } from 'lading'
import { readings, sequence } from './model.ts'
import { patiently } from './patiently.ts'

/** Chunks of 8 KiB, and messages of one small record. */
const sizes = {
  readings: { model: readings, prefetch: 8, batch: { bytes: 32 * 1024, messages: 4 } },
  sequence: { model: sequence, prefetch: 200, batch: { messages: 50 } },
}

const [, , model = '', queueUrl = '', target = ''] = process.argv
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
const onEvent = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`)
await using queue = await patiently(() => openQueue(queueUrl), stop.signal)
await using sink = await openSink(target)
await createConsumer({ queue, sink, ...sizes[model as keyof typeof sizes], onEvent }).run({
  signal: stop.signal,
})
