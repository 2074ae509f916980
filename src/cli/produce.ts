import { Command } from 'commander'
import { withExamples } from './examples.ts'
import { loadModel } from './model.ts'
import {
  type DialectFlags,
  dialectOf,
  jsonOption,
  modelOption,
  pipelineOption,
  produceOptions,
  queueOption,
  quietOption,
} from './options.ts'
import { count, counted, print, printJson } from './output.ts'
import { reporter } from './report.ts'
import { stopSignal } from './signals.ts'

/** Flags of everything that produces. */
export interface ProduceFlags extends DialectFlags {
  readonly model: string
  readonly queue: string
  readonly pipeline?: string
  readonly chunkBytes: number
  readonly ignoreExtra?: boolean
  readonly again?: boolean
  readonly state: string
  readonly json?: boolean
  readonly quiet?: boolean
}

/** The options of the library's `produce` that the flags stand for. */
export const produceSettings = (paths: readonly string[], flags: ProduceFlags) => ({
  paths,
  ...(flags.pipeline === undefined ? {} : { pipeline: flags.pipeline }),
  dialect: dialectOf(flags),
  chunkBytes: flags.chunkBytes,
  ignoreExtra: flags.ignoreExtra === true,
  again: flags.again === true,
  statePath: flags.state,
  stdin: process.stdin,
})

export function produceCommand(): Command {
  const command = new Command('produce')
    .description('split CSV files into chunks and put them into a queue')
    .argument('<path...>', "files, folders, patterns; '-' is standard input")
  for (const option of [modelOption(), queueOption(), pipelineOption(), ...produceOptions(), jsonOption(), quietOption()])
    command.addOption(option)
  withExamples(command, [
    ['produce data', 'a folder, with all CSV files below it'],
    ["produce 'in/*.csv.gz' --model ./my-model.ts --queue embedded:/var/lib/lading/queue.db"],
    ["produce export.csv --delimiter ';'"],
  ])
  return command.action(async (paths: string[], flags: ProduceFlags) => {
    const [{ produce }, { openQueue }, model] = await Promise.all([
      import('../producer/produce.ts'),
      import('../queue/registry.ts'),
      loadModel(flags.model),
    ])
    await using queue = await openQueue(flags.queue)
    const produced = await produce({ ...produceSettings(paths, flags), model, queue, signal: stopSignal(), onEvent: reporter(flags.quiet) })
    if (flags.json) return printJson(produced)
    const published = produced.filter((each) => each.published > 0)
    const records = published.reduce((sum, each) => sum + each.records, 0)
    print(`published ${count(published.length)} of ${counted(produced.length, 'file')} with ${counted(records, 'record')}`)
  })
}
