/** Lading as users run it: its commands as processes, with a queue and a memory of their own for each run. */
import { join } from 'node:path'
import type { RabbitServer } from '../tooling/servers/rabbitmq.ts'
import { type Command, type Cost, measure, together } from './process.ts'
import { deleteQueue, freshQueue } from './rabbit.ts'
import type { Way } from './rounds.ts'

const root = join(import.meta.dirname, '..')
export const ladingProgram = join(root, 'bin', 'lading.js')

export function ladingCommand(role: string, args: readonly string[], more: Partial<Command> = {}): Command {
  return { role, program: process.execPath, args: [ladingProgram, ...args, '--quiet'], ...more }
}

export interface ConsumeOptions {
  readonly model: string
  readonly target: string
  readonly queue: string
}

/** `lading consume`, until nothing waits any more. */
export const consumeCommand = ({ model, target, queue }: ConsumeOptions, ...more: string[]): Command =>
  ladingCommand('consumer', [
    'consume',
    '--until-empty',
    '--model',
    model,
    '--to',
    target,
    '--queue',
    queue,
    ...more,
  ])

export interface LadingOptions {
  /** A folder of CSV files. */
  readonly data: string
  /** Without one, `flags` name a table. */
  readonly model?: string
  readonly target: string
  /** Without any, as many as `lading load` chooses. */
  readonly consumers?: readonly number[]
  /** Messages go through a quorum queue of it, and else through the embedded queue. */
  readonly rabbit?: RabbitServer | undefined
  readonly carry?: 'bytes' | 'reference'
  /** More flags of `lading load`. */
  readonly flags?: readonly string[]
  /** Flags that the section tells of for all its ways. */
  readonly common?: readonly string[]
  readonly prepare?: Way['prepare']
}

/** `lading load`, once for each number of consumers. */
export function loadWays(options: LadingOptions): Way[] {
  const { data, model, target, flags = [], common = [], prepare } = options
  const counts = options.consumers?.map((consumers) => ['--consumers', String(consumers)]) ?? [[]]
  return counts.map((consumers) => ({
    name: nameOf(['load', ...shownFlags(options), ...flags, ...consumers]),
    isLading: true,
    ...(prepare === undefined ? {} : { prepare }),
    run: (folder) =>
      withQueue(options, folder, (queue) => {
        const args = [
          'load',
          data,
          ...(model === undefined ? [] : ['--model', model]),
          '--to',
          target,
          ...consumers,
          ...queue,
          ...stateOf(folder),
        ]
        return measure(
          [
            ladingCommand('load', [...args, ...carried(options), ...flags, ...common], {
              childRole: 'consumer',
            }),
          ],
          folder,
        )
      }),
  }))
}

/** The two halves as commands of their own, one after the other, so that the memory of each can be told. */
export function halvesWay(options: Omit<LadingOptions, 'consumers'> & { readonly model: string }): Way {
  const { data, model, target } = options
  return {
    name: `${nameOf(['produce', ...shownFlags(options)])}, then \`lading consume\``,
    isLading: true,
    run: (folder) =>
      withQueue(options, folder, async (queue) => {
        const produce = ['produce', data, '--model', model, ...queue, ...stateOf(folder), ...carried(options)]
        const consume = [
          'consume',
          '--until-empty',
          '--model',
          model,
          '--to',
          target,
          ...queue,
          ...rooted(options),
        ]
        const produced = await measure([ladingCommand('producer', produce)], folder)
        return together([produced, await measure([ladingCommand('consumer', consume)], folder)])
      }),
  }
}

export const stateOf = (folder: string): readonly string[] => ['--state', join(folder, 'producer.db')]

type Queued = Pick<LadingOptions, 'rabbit'>

async function withQueue(
  { rabbit }: Queued,
  folder: string,
  run: (flags: readonly string[]) => Promise<Cost>,
): Promise<Cost> {
  if (rabbit === undefined) return await run(['--queue', `embedded:${join(folder, 'queue.db')}`])
  const queue = freshQueue(rabbit)
  try {
    return await run(['--queue', queue.url])
  } finally {
    await deleteQueue(rabbit, queue)
  }
}

type Carried = Pick<LadingOptions, 'carry' | 'data'>

const rooted = ({ carry, data }: Carried): readonly string[] =>
  carry === 'reference' ? ['--root', data] : []
const carried = (options: Carried): readonly string[] =>
  options.carry === undefined ? [] : ['--carry', options.carry, ...rooted(options)]

const shownFlags = ({ rabbit, carry }: Pick<LadingOptions, 'rabbit' | 'carry'>): readonly string[] => [
  ...(rabbit === undefined ? [] : ['--queue', 'amqp://…']),
  ...(carry === undefined ? [] : ['--carry', carry]),
]

const nameOf = (words: readonly string[]): string => `\`lading ${words.join(' ')}\``
