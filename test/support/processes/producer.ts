/** A producer to be killed: node producer.ts FILE QUEUE STATE [MODEL]. Says what it does. */
import { openQueue, produce } from '../../../src/index.ts'
import { retrying } from '../../../src/core/retry.ts'
import { readings, sequence } from './model.ts'

const [, , file = '', queueUrl = '', statePath = '', model = 'readings'] = process.argv
const onEvent = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`)
await using queue = await retrying(() => openQueue(queueUrl), {
  signal: new AbortController().signal,
  onEvent,
})
await produce({
  paths: [file],
  model: { readings, sequence }[model] ?? readings,
  queue,
  statePath,
  chunkBytes: 8 * 1024,
  onEvent,
})
