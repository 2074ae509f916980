/** A consumer to be killed: node consumer.ts QUEUE TARGET. Small batches, so that a kill finds it at every point. Says what it did, batch by batch. */
import { createConsumer, openQueue, openSink } from '../../../src/index.ts'
import { retrying } from '../../../src/consumer/retry.ts'
import { readings } from './model.ts'

const [, , queueUrl = '', target = ''] = process.argv
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
const onEvent = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`)
await using queue = await retrying(() => openQueue(queueUrl), { signal: stop.signal, onEvent })
await using sink = await openSink(target)
const consumer = createConsumer({ queue, model: readings, sink, prefetch: 8, batch: { bytes: 32 * 1024, messages: 4 }, onEvent })
await consumer.run({ signal: stop.signal })
