import type { Command } from 'commander'
import { LadingError } from '../../core/errors.ts'
import { shownUrl, splitScheme } from '../../core/url.ts'
import { runPipelines } from '../run/pipelines.ts'
import { endWithRun } from '../run/under.ts'
import { choosePipeline } from '../settings/chosen.ts'
import { type Config, pipelineNames, pipelineOf, readConfig } from '../settings/config/config.ts'
import { defined } from '../settings/defined.ts'
import { withExamples } from '../settings/examples.ts'
import { configWords } from '../settings/hint.ts'
import { named } from '../settings/settle.ts'
import { loggingArguments } from '../terminal/log.ts'
import { print, printJson, table } from '../terminal/output.ts'

interface Flags {
  readonly all?: boolean
}

export function runCommand(command: Command): Command {
  command
    .argument(
      '[name...]',
      'pipelines; after a single one, options that go before its own (default: list them)',
    )
    .option('--all', 'every pipeline of the file')
    // They are those of the pipeline's command, which refuses what it does not know.
    .allowUnknownOption()
  withExamples(command, [
    ['run', 'what there is to run'],
    ['run orders'],
    ['run orders --dry-run', 'with an option more'],
    ['run orders customers', 'side by side, each line with the name before it'],
  ])
  return command.action(async (words: string[], flags: Flags) => {
    const root = command.parent as Command
    const config = await readConfig(named(root))
    if (config === undefined)
      throw new LadingError(
        'USAGE',
        'there is no lading.config.ts, .json or .yaml in this folder; --config names one',
      )
    const first = words.findIndex((word) => word.startsWith('-'))
    const stated = first < 0 ? words : words.slice(0, first)
    const options = first < 0 ? [] : words.slice(first)
    const names = flags.all === true ? pipelineNames(config) : [...new Set(stated)]
    if (names.length === 0) return list(config, options)
    // A wrong one is told before the first begins.
    const pipelines = names.map((name) => pipelineOf(config, name))
    const [pipeline] = pipelines
    const globals = configWords()
    // What the file says of the log, each pipeline finds by itself.
    const isTyped = ['logLevel', 'logFormat', 'quiet'].some(
      (each) => command.getOptionValueSource(each) === 'cli',
    )
    const logging = isTyped ? loggingArguments() : []
    if (pipeline !== undefined && pipelines.length === 1) {
      endWithRun()
      choosePipeline(pipeline)
      defined(root.commands.find((each) => each.name() === pipeline.command) as Command)
      await root.parseAsync([...globals, pipeline.command, ...options, ...logging], { from: 'user' })
      return
    }
    if (options.length > 0)
      throw new LadingError('USAGE', `${options[0]} goes after the name of a single pipeline`)
    process.exitCode = await runPipelines(names, globals, logging)
  })
}

function list(config: Config, options: readonly string[]): void {
  const isJson = options.length === 1 && options[0] === '--json'
  if (options.length > 0 && !isJson)
    throw new LadingError(
      'USAGE',
      `name the pipeline before ${options[0]}: ${pipelineNames(config).join(', ')}`,
    )
  const all = pipelineNames(config).map((name) => {
    const { command, settings } = pipelineOf(config, name)
    const stated = (key: string) => settings[key] ?? config.settings[key]
    const paths = [(config.pipelines[name] as { paths?: unknown }).paths ?? []].flat().map(String)
    return { name, command, paths, queue: shown(stated('queue')), to: shown(stated('to')) }
  })
  if (isJson) return printJson(all)
  if (all.length === 0) return print(`${config.path} has no pipelines`)
  const rows = all.map(({ name, command, paths, queue, to }) => [
    name,
    [command, ...paths].join(' '),
    command === 'load' ? '' : queue,
    command === 'produce' ? '' : to,
  ])
  for (const line of table(['pipeline', 'command', 'queue', 'to'], rows)) print(line)
}

/** As written, without user, password and what stands for them. */
function shown(url: unknown): string {
  if (typeof url !== 'string') return ''
  if (!url.includes('://')) return url
  const plain = url.replaceAll(/\$\{[^}]*\}/g, '…')
  return splitScheme(plain) === undefined ? plain : shownUrl(plain)
}
