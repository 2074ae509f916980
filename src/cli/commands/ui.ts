import type { Command, Option } from 'commander'
import { LadingError } from '../../core/errors.ts'
import type { DedupKey } from '../../consumer/decode/identity.ts'
import type { Queue } from '../../queue/queue.ts'
import { exampleQueueUrl } from '../../queue/registry.ts'
import { exampleSinkUrl, placeOfSink } from '../../sink/registry.ts'
import { observed } from '../run/http.ts'
import { untilSignal } from '../run/signals.ts'
import { withExamples } from '../settings/examples.ts'
import { requireDatabase } from '../settings/files.ts'
import { type AccessFlags, anyPort, pageOptions } from '../settings/http.ts'
import {
  dedupKeyOption,
  ignoreExtraOption,
  type InsideFlags,
  insideOptions,
  keptModelOption,
  queueOption,
  rootOption,
  type TableFlags,
  tableOptions,
  toOption,
} from '../settings/options.ts'

interface Flags extends AccessFlags, InsideFlags, TableFlags {
  readonly to: string
  readonly queue?: string
  readonly model?: string
  readonly ignoreExtra?: boolean
  readonly dedupKey: DedupKey
  readonly root: string
}

export function uiCommand(command: Command): Command {
  // Of a queue that nobody names, nothing is shown.
  const queue = queueOption().default(undefined) as Option
  const replaying = [
    keptModelOption(),
    ...tableOptions(),
    ignoreExtraOption(),
    dedupKeyOption(),
    ...insideOptions(),
    rootOption(),
  ]
  for (const option of [toOption(), queue, ...pageOptions(), ...replaying]) command.addOption(option)
  withExamples(command, [
    ['ui', 'of ./lading.db, until Ctrl-C'],
    [`ui --to ${exampleSinkUrl} --http 9090`],
    [`ui --queue ${exampleQueueUrl}`, 'with what waits in the queue'],
  ])
  const action = observed('ui', async (open, flags: Flags) => {
    if (placeOfSink(flags.to).writers === 'self')
      throw new LadingError('USAGE', 'no other process can see into a database in memory')
    requireDatabase(flags.to)
    // A page of nothing would have no word for what is wrong.
    await requireAnswer(flags.to)
    const watch = await open({ ...flags, http: flags.http ?? anyPort })
    await using seen = flags.queue === undefined ? undefined : new SeenQueue(flags.queue)
    if (seen !== undefined) watch.see(seen)
    await untilSignal(Number.POSITIVE_INFINITY)
  })
  return command.action(action)
}

async function requireAnswer(to: string): Promise<void> {
  const { openSink } = await import('../../sink/registry.ts')
  await using sink = await openSink(to)
  await sink.ledger.receipts({ limit: 1 })
}

/** A queue that is looked at now and then: it is opened when somebody looks, and again after a failure. */
class SeenQueue implements AsyncDisposable {
  readonly #url: string
  #opening: Promise<Queue> | undefined

  constructor(url: string) {
    this.#url = url
  }

  depth = () => this.#look((queue) => queue.depth())
  oldest = () => this.#look(async (queue) => queue.oldest?.())

  async #look<T>(ask: (queue: Queue) => Promise<T>): Promise<T> {
    const { openQueue } = await import('../../queue/registry.ts')
    // Looking makes nothing.
    this.#opening ??= openQueue(this.#url, { create: false })
    try {
      return await ask(await this.#opening)
    } catch (error) {
      await this[Symbol.asyncDispose]()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opening = this.#opening
    this.#opening = undefined
    await opening?.then(async (queue) => queue[Symbol.asyncDispose]()).catch(() => undefined)
  }
}
