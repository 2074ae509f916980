import { createConsumer, openQueue, openSink } from 'lading'
import { assignment, model, patiently, say, sizes, stopping } from './assignment.ts'

await using queue = await patiently(() => openQueue(assignment.queue))
await using sink = await openSink(assignment.target)
await createConsumer({ queue, sink, model, root: assignment.folder, ...sizes, onEvent: say }).run({
  signal: stopping,
})
