/** A consumer of events to be killed: node sequence-consumer.ts QUEUE TARGET. Says what it did, batch by batch. */
import { createConsumer, openQueue, openSink } from '../../../src/index.ts'
import { retrying } from '../../../src/consumer/retry.ts'
import { sequence } from './sequence.ts'

const [, , queueUrl = '', target = ''] = process.argv
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
const onEvent = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`)
await using queue = await retrying(() => openQueue(queueUrl), { signal: stop.signal, onEvent })
await using sink = await openSink(target)
const consumer = createConsumer({ queue, model: sequence, sink, prefetch: 200, batch: { messages: 50 }, onEvent })
await consumer.run({ signal: stop.signal })
