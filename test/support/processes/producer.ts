/** A producer to be killed: node producer.ts FILE QUEUE STATE [MODEL]. Says what it does. */
import { openQueue, produce } from 'lading'
import { readings, sequence } from './model.ts'
import { patiently } from './patiently.ts'

const [, , file = '', queueUrl = '', statePath = '', model = 'readings'] = process.argv
const onEvent = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`)
await using queue = await patiently(() => openQueue(queueUrl))
await produce({
  paths: [file],
  model: { readings, sequence }[model] ?? readings,
  queue,
  statePath,
  chunkBytes: 8 * 1024,
  onEvent,
})
