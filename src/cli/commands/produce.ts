import { exampleQueueUrl } from '../../queue/registry.ts'
import { Command } from 'commander'
import { requirePaths } from '../settings/environment.ts'
import { LadingError } from '../../core/errors.ts'
import { tellAll } from '../../core/events.ts'
import { withExamples } from '../settings/examples.ts'
import { observed } from '../run/http.ts'
import { type HttpFlags, httpOptions } from '../settings/http.ts'
import { remember } from '../settings/last.ts'
import { loadModel } from '../settings/model.ts'
import {
  type CarryFlags,
  jsonOption,
  modelOption,
  pipelineOption,
  produceOptions,
  queueOption,
} from '../settings/options.ts'
import { type ReadingFlags, readingOptions, readingSettings } from '../settings/reading.ts'
import { count, counted, paceOf, print, printJson } from '../terminal/output.ts'
import { printLeftOut } from '../run/left-out.ts'
import { createOption, openWorkingQueue, startTimeoutOption } from '../run/queue.ts'
import { reporting } from '../terminal/progress.ts'
import { stopSignal } from '../run/signals.ts'
import { isTraced } from '../run/traces.ts'

/** Flags of all commands that produce. */
export interface ProduceFlags extends ReadingFlags, CarryFlags, HttpFlags {
  readonly queue: string
  readonly pipeline?: string
  readonly chunkBytes?: number
  readonly ignoreExtra?: boolean
  readonly again?: boolean
  readonly readAll?: boolean
  readonly name?: string
  readonly state: string
  readonly create: boolean
  readonly startTimeout: number
  readonly json?: boolean
}

/** Converts flags into options of the library's `produce`. */
export const produceSettings = (paths: readonly string[], flags: ProduceFlags) => ({
  paths,
  ...nameOf(paths, flags),
  ...(flags.pipeline === undefined ? {} : { pipeline: flags.pipeline }),
  ...readingSettings(flags),
  ...(flags.chunkBytes === undefined ? {} : { chunkBytes: flags.chunkBytes }),
  carry: flags.carry,
  root: flags.root,
  ignoreExtra: flags.ignoreExtra === true,
  again: flags.again === true,
  readAll: flags.readAll === true,
  statePath: flags.state,
  stdin: process.stdin,
  traced: isTraced(process.env),
})

function nameOf(paths: readonly string[], { name }: ProduceFlags): { readonly stdinName?: string } {
  if (name === undefined) return {}
  if (name === '' || !paths.includes('-'))
    throw new LadingError('USAGE', "--name names standard input, which is '-'; a file has its own name")
  return { stdinName: name }
}

export function produceCommand(command: Command): Command {
  command.argument('[path...]', "files, folders, patterns; '-' is standard input")
  for (const option of [
    modelOption(),
    queueOption(),
    pipelineOption(),
    ...readingOptions(),
    ...produceOptions(),
    createOption(),
    startTimeoutOption(),
    ...httpOptions(),
    jsonOption(),
  ])
    command.addOption(option)
  withExamples(command, [
    ['produce data', 'the CSV files below a folder'],
    [`produce 'in/*.csv.gz' --model ./my-model.ts --queue ${exampleQueueUrl}`],
    ["produce export.csv --delimiter ';'"],
  ])
  const action = observed(
    'produce',
    async (open, named: string[], flags: ProduceFlags & { readonly model: string }) => {
      const paths = requirePaths(named, command, process.env)
      const [{ produce }, model] = await Promise.all([
        import('../../producer/produce.ts'),
        loadModel(flags.model),
      ])
      const since = performance.now()
      const watch = await open(flags)
      using report = reporting('produce')
      const onEvent = tellAll(report.onEvent, watch.listener)
      const signal = stopSignal()
      await using queue = await openWorkingQueue(flags, onEvent, signal)
      watch.see(queue)
      remember(command)
      const produced = await produce({ ...produceSettings(paths, flags), model, queue, signal, onEvent })
      const ms = performance.now() - since
      report[Symbol.dispose]()
      if (flags.json) return printJson(produced)
      printLeftOut(produced)
      const published = produced.filter((each) => each.published > 0)
      const records = published.reduce((sum, each) => sum + each.records, 0)
      print(
        `published ${count(published.length)} of ${counted(produced.length, 'file')} with ${counted(records, 'record')}${paceOf(records, ms)}`,
      )
    },
  )
  return command.action(action)
}
