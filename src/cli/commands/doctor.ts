import { type Command, Option } from 'commander'
import { exits } from '../../core/errors.ts'
import type { Finding } from '../../core/finding.ts'
import type { DoctorOptions } from '../../doctor/doctor.ts'
import { findFiles } from '../../producer/sources.ts'
import { defaultConsumers, consumersAsTold } from '../run/default-consumers.ts'
import { createOption } from '../run/queue.ts'
import { stopSignal } from '../run/signals.ts'
import { withExamples } from '../settings/examples.ts'
import { completed } from '../settings/hint.ts'
import { loadModel, usualModel } from '../settings/model.ts'
import {
  ignoreExtraOption,
  jsonOption,
  loadModelOption,
  pipelineOption,
  queueOption,
  stateOption,
  type TableFlags,
  tableOptions,
  tableSettings,
  toOption,
} from '../settings/options.ts'
import { type ReadingFlags, readingOptions, readingSettings } from '../settings/reading.ts'
import { printFindings } from '../terminal/findings.ts'
import { looking } from '../terminal/looking.ts'
import { printJson } from '../terminal/output.ts'
import { exampleSinkUrl } from '../../sink/registry.ts'

interface Flags extends TableFlags, ReadingFlags {
  readonly to: string
  readonly queue: string
  readonly model?: string
  readonly pipeline?: string
  readonly state: string
  readonly create: boolean
  readonly consumers?: number
  readonly ignoreExtra?: boolean
  readonly withTriggers?: boolean
  readonly json?: boolean
}

const note = `

Nothing is written that stays. Exit codes: 0 nothing stands against a load, 1 something does; all: docs/reference/errors.md`

export function doctorCommand(command: Command): Command {
  command.argument(
    '[path...]',
    'files that are to be loaded; without any, the database, the queue and this machine alone',
  )
  for (const option of [
    toOption(),
    queueOption(),
    loadModelOption(),
    ...tableOptions(),
    ...readingOptions(),
    ignoreExtraOption(),
    pipelineOption(),
    stateOption(),
    createOption(),
    new Option(
      '--with-triggers',
      'measure the triggers of the table too: on a copy and rolled back, but what they do outside of the database stays',
    ),
    jsonOption(),
  ])
    command.addOption(option)
  withExamples(
    command,
    [
      [`doctor --to ${exampleSinkUrl}`],
      [`doctor orders.csv --to ${exampleSinkUrl} --table shop.orders`, 'how fast, and what each index costs'],
      ['doctor orders.csv --json'],
    ],
    note,
  )
  return command.action(async (paths: string[], flags: Flags) => {
    const [usual, model] = await Promise.all([
      loadModel(usualModel),
      flags.model === undefined ? undefined : loadModel(flags.model),
    ])
    const settings = tableSettings(flags)
    const found = await look({
      ...readingSettings(flags),
      ...settings,
      paths,
      usual,
      model,
      to: flags.to,
      queue: flags.queue,
      pipeline: flags.pipeline,
      statePath: flags.state,
      create: flags.create,
      consumers: await consumersOf(paths, flags),
      withTriggers: flags.withTriggers === true,
      signal: stopSignal(),
    })
    if (flags.json) printJson(found)
    else printFindings(found)
    if (found.some(({ level }) => level === 'fail')) process.exitCode = exits.unfit
  })
}

/** The findings, when there are all: what was there to be seen meanwhile is gone. */
async function look(options: DoctorOptions): Promise<Finding[]> {
  const { examine } = await import('../../doctor/doctor.ts')
  using shown = looking()
  const found: Finding[] = []
  for await (const finding of examine({ ...options, onLook: (at) => shown.at(at) }))
    found.push(withCommands(finding, options.paths))
  return found
}

/** What is to be pasted does the same as this command, with the same files, database and table. */
const withCommands = (finding: Finding, paths: readonly string[]): Finding =>
  finding.cure === undefined ? finding : { ...finding, cure: completed(finding.cure, paths) }

/** Of files that cannot be read, their own finding tells. */
async function consumersOf(paths: readonly string[], flags: Flags): Promise<number> {
  const hasStdin = paths.includes('-')
  const counted = findFiles({ paths, format: flags.format }).then((files) =>
    defaultConsumers(files, { ...flags, hasStdin }),
  )
  const counts = (await counted.catch(() => consumersAsTold.bind(undefined, 1)))(false)
  return Math.max(counts.processes, counts.inProcess)
}
