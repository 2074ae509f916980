import { Option } from 'commander'
import { retrying } from '../../core/retry.ts'
import type { Listener } from '../../core/events.ts'
import type { Queue } from '../../queue/queue.ts'
import { requireSharedQueue } from '../settings/files.ts'
import { positive } from '../settings/options.ts'

/** Flags of all commands that work with a queue. */
export interface QueueFlags {
  readonly queue: string
  readonly create: boolean
  readonly startTimeout: number
}

export const createOption = () =>
  new Option('--no-create', 'fail if the queue does not exist, instead of creating it')

export const startTimeoutOption = () =>
  new Option(
    '--start-timeout <seconds>',
    'how long to wait at the start for an unavailable database or queue',
  )
    .default(30)
    .argParser(positive)

/** Milliseconds left of the start timeout; `since` is when the first connection was attempted. */
export const startLeftMs = ({ startTimeout }: Pick<QueueFlags, 'startTimeout'>, since: number): number =>
  Math.max(0, startTimeout * 1000 - (performance.now() - since))

/**
 * Opens the queue, waits until it is available, and emits its warnings. `isOwn`: what the command publishes it
 * takes itself, so that no other process has to see the queue.
 */
export async function openWorkingQueue(
  { queue, create, startTimeout }: QueueFlags,
  onEvent: Listener,
  signal: AbortSignal,
  { isOwn = false }: { readonly isOwn?: boolean } = {},
): Promise<Queue> {
  if (!isOwn) requireSharedQueue(queue)
  const { openQueue } = await import('../../queue/registry.ts')
  const opened = await retrying(() => openQueue(queue, { create, onEvent, signal }), {
    signal,
    onEvent,
    deadlineMs: startTimeout * 1000,
  })
  for (const message of opened.traits.warnings ?? []) onEvent({ type: 'warning', message })
  return opened
}
