/** Loads all files of a round into a table whose indexes it builds at the end. */
import { load, openQueue, openSink } from 'lading'
import { assignment, chunkBytes, model, patiently, say, sizes, stopping } from './assignment.ts'

const { folder, target, format } = assignment
await using queue = await patiently(() => openQueue(assignment.queue))
await using sink = await openSink(target)
await using second = await openSink(target)
const { account } = await load({
  paths: [`${folder}/*.${format}`],
  model,
  queue,
  sink,
  moreSinks: () => [second],
  deferIndexes: 'always',
  statePath: process.argv[3] ?? '',
  chunkBytes,
  ...sizes,
  signal: stopping,
  onEvent: say,
})
if (!account.isComplete && !stopping.aborted)
  throw new Error(`the load has ended, and ${account.totals.open} records are open`)
