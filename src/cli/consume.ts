import { Command, Option } from 'commander'
import { exits } from '../core/errors.ts'
import type { RunOptions } from '../consumer/consumer.ts'
import { withExamples } from './examples.ts'
import { requireTwoFiles } from './files.ts'
import { loadModel } from './model.ts'
import {
  allowRejectsOption,
  ignoreExtraOption,
  jsonOption,
  modelOption,
  pipelineOption,
  positive,
  queueOption,
  quietOption,
  toOption,
  whole,
} from './options.ts'
import { print, printJson, table } from './output.ts'
import { reporter } from './report.ts'
import { parentSignal, stopSignal } from './signals.ts'

/** Flags of everything that consumes. */
export interface ConsumeFlags {
  readonly model: string
  readonly queue: string
  readonly to: string
  readonly pipeline?: string
  readonly ignoreExtra?: boolean
  readonly maxAttempts?: number
  readonly startTimeout?: number
  readonly allowRejects?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
}

interface RunFlags extends ConsumeFlags {
  readonly untilEmpty?: boolean
  readonly batches?: number
}

export const consumeOptions = () => [
  toOption(),
  ignoreExtraOption(),
  new Option('--max-attempts <n>', 'deliveries without a verdict before a message becomes a dead letter').default(20).argParser(whole(1)),
  new Option('--start-timeout <seconds>', 'how long to wait for a database that is not there at the start').default(30).argParser(positive),
  allowRejectsOption(),
]

/** The options of the library's consumer that the flags stand for. */
export const consumeSettings = (flags: ConsumeFlags) => ({
  ...(flags.pipeline === undefined ? {} : { pipeline: flags.pipeline }),
  ignoreExtra: flags.ignoreExtra === true,
  ...(flags.maxAttempts === undefined ? {} : { maxAttempts: flags.maxAttempts }),
  ...(flags.startTimeout === undefined ? {} : { startTimeoutMs: flags.startTimeout * 1000 }),
})

export function consumeCommand(): Command {
  const command = new Command('consume')
    .description('write messages of a queue into a database, each once; without a limit until told to stop')
    .addOption(new Option('--until-empty', 'end when the queue is empty').conflicts('batches'))
    .addOption(new Option('--batches <n>', 'end after so many batches').argParser(whole(1)))
  for (const option of [modelOption(), queueOption(), pipelineOption(), ...consumeOptions(), jsonOption(), quietOption()])
    command.addOption(option)
  withExamples(command, [
    ['consume --to postgresql://me@localhost/mydb', 'until told to stop'],
    ['consume --until-empty --model ./my-model.ts'],
  ])
  return command.action(async (flags: RunFlags) => {
    requireTwoFiles(flags.queue, flags.to)
    const [{ createConsumer }, { openQueue }, { openSink }, model] = await Promise.all([
      import('../consumer/consumer.ts'),
      import('../queue/registry.ts'),
      import('../sink/registry.ts'),
      loadModel(flags.model),
    ])
    await using queue = await openQueue(flags.queue)
    await using sink = await openSink(flags.to)
    const consumer = createConsumer({ queue, model, sink, ...consumeSettings(flags), onEvent: reporter(flags.quiet) })
    const run: RunOptions = {
      signal: AbortSignal.any([stopSignal(), parentSignal()]),
      untilEmpty: flags.untilEmpty === true,
      ...(flags.batches === undefined ? {} : { batches: flags.batches }),
    }
    const tally = await consumer.run(run)
    if (flags.json) printJson(tally)
    else for (const line of table(Object.keys(tally), [Object.values(tally)])) print(line)
    if ((tally.rejected > 0 || tally.dead > 0) && flags.allowRejects !== true) process.exitCode = exits.rejects
  })
}
