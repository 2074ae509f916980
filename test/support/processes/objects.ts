/**
 * A consumer of notifications to be killed: node objects.ts PLACE QUEUE TARGET. Few objects at a time, so that a kill
 * finds it at every point. Says what it did.
 */
import { openQueue, openSink } from '../../../src/index.ts'
import { retrying } from '../../../src/core/retry.ts'
import { consumeObjects } from '../../../src/objects/consume.ts'
import { objectsBelow } from '../../../src/source/registry.ts'
import { sequence } from './model.ts'

const [, , place = '', queueUrl = '', target = ''] = process.argv
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
const onEvent = (event: object) => void process.stdout.write(`${JSON.stringify(event)}\n`)
const opening = { signal: stop.signal, onEvent }
await using notifications = await retrying(() => openQueue(queueUrl), opening)
await using queue = await openQueue('memory:')
await using sink = await openSink(target)
const options = {
  notifications,
  queue,
  sink,
  model: sequence,
  fileOf: objectsBelow([place]),
  batch: { messages: 20 },
  chunkBytes: 4 * 1024,
  onDecided: () => undefined,
  onEvent,
}
const tally = await consumeObjects(options, { signal: stop.signal })
onEvent({ type: 'tally', ...tally })
