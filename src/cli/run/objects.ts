/** `consume --s3-events`: loads the objects that notifications of S3 name. */
import type { RunOptions, Tally } from '../../consumer/consumer.ts'
import type { Listener } from '../../core/events.ts'
import { openQueue } from '../../queue/registry.ts'
import type { Queue } from '../../queue/queue.ts'
import { type ConsumeFlags, consumeSettings } from '../settings/consume.ts'
import { loadModel, usualModel } from '../settings/model.ts'
import type { ObjectsFlags } from '../settings/objects.ts'
import { tableSettings } from '../settings/options.ts'
import { readingSettings } from '../settings/reading.ts'
import { say } from '../terminal/log.ts'

interface Flags extends ObjectsFlags, ConsumeFlags {
  readonly model?: string
}

interface Given {
  readonly queue: Queue
  readonly onEvent: Listener
  readonly startTimeoutMs: number
}

/** What one of several consumers in this process does. */
export async function notifiedConsumer(
  flags: Flags,
  { queue: notifications, onEvent, startTimeoutMs }: Given,
): Promise<(run: RunOptions) => Promise<Tally>> {
  const [{ consumeObjects }, { openSink }, { objectsBelow }, usual, model] = await Promise.all([
    import('../../objects/consume.ts'),
    import('../../sink/registry.ts'),
    import('../../source/registry.ts'),
    loadModel(usualModel),
    flags.model === undefined ? undefined : loadModel(flags.model),
  ])
  const fileOf = objectsBelow(flags.s3Events ?? [])
  return async (run) => {
    // Chunks go no further than to this process.
    await using queue = await openQueue('memory:')
    await using sink = await openSink(flags.to)
    const options = {
      ...readingSettings(flags),
      ...consumeSettings(flags),
      ...tableSettings(flags),
      notifications,
      fileOf,
      usual,
      model,
      queue,
      sink,
      startTimeoutMs,
      onEvent,
      onDecided: (decision: string) => say('info', 'decided', { decision }, decision),
    }
    return await consumeObjects(options, run)
  }
}
