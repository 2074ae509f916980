/** A producer to be killed: node producer.ts FILE QUEUE STATE. Says what it does. */
import { openQueue, produce } from '../../../src/index.ts'
import { readings } from './model.ts'

const [, , file = '', queueUrl = '', statePath = ''] = process.argv
await using queue = await openQueue(queueUrl)
await produce({
  paths: [file],
  model: readings,
  queue,
  statePath,
  chunkBytes: 8 * 1024,
  onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
})
