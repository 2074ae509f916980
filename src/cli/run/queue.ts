import { Option } from 'commander'
import { retrying } from '../../core/retry.ts'
import type { Listener } from '../../core/events.ts'
import type { Queue } from '../../queue/queue.ts'
import { positive } from '../settings/options.ts'

/** Flags of everything that opens a queue to work with it. */
export interface QueueFlags {
  readonly queue: string
  readonly create: boolean
  readonly startTimeout: number
}

export const createOption = () =>
  new Option('--no-create', 'refuse a queue that is not there, instead of making it')

export const startTimeoutOption = () =>
  new Option(
    '--start-timeout <seconds>',
    'how long to wait for a database or queue that is not there at the start',
  )
    .default(30)
    .argParser(positive)

/**
 * What is left of the time that the whole start may wait, in milliseconds. `since` is when the first of them
 * was asked.
 */
export const startLeftMs = ({ startTimeout }: Pick<QueueFlags, 'startTimeout'>, since: number): number =>
  Math.max(0, startTimeout * 1000 - (performance.now() - since))

/** Opens the queue, waits for one that is not there yet, and says what it does not promise. */
export async function openWorkingQueue(
  { queue, create, startTimeout }: QueueFlags,
  onEvent: Listener,
  signal: AbortSignal,
): Promise<Queue> {
  const { openQueue } = await import('../../queue/registry.ts')
  const opened = await retrying(() => openQueue(queue, { create, onEvent, signal }), {
    signal,
    onEvent,
    deadlineMs: startTimeout * 1000,
  })
  for (const message of opened.traits.warnings ?? []) onEvent({ type: 'warning', message })
  return opened
}
