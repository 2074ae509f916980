import type { Command, Option } from 'commander'
import { LadingError } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import { shownUrl, urlWithoutPassword } from '../../core/url.ts'
import { choosePipeline, chosenPipeline } from '../settings/chosen.ts'
import {
  type Config,
  pipelineNames,
  pipelineOf,
  readConfig,
  settableOptions,
} from '../settings/config/config.ts'
import { configSchema } from '../settings/config/schema.ts'
import { defined } from '../settings/defined.ts'
import { withExamples } from '../settings/examples.ts'
import { configWords, typedOf } from '../settings/hint.ts'
import { jsonOption } from '../settings/options.ts'
import { originOf } from '../settings/origins.ts'
import { named, tellNothing } from '../settings/settle.ts'
import { print, printJson, table } from '../terminal/output.ts'

interface Flags {
  readonly schema?: boolean
  readonly json?: boolean
}

export function configCommand(command: Command): Command {
  command
    .argument('[name...]', 'a pipeline or a command, and options as it would be given (default: load)')
    .option('--schema', 'print the JSON schema of the configuration file, for editors')
    .addOption(jsonOption())
    .allowUnknownOption()
  withExamples(command, [
    ['config', 'of a load'],
    ['config orders', 'of a pipeline'],
    ['config rejects list --json'],
    ['config --schema'],
  ])
  return command.action(async (words: string[], flags: Flags) => {
    const root = command.parent as Command
    if (flags.schema === true) return printJson(configSchema(root))
    const config = await readConfig(named(root))
    const { target, rest } = targetOf(root, config, words)
    const isJson = flags.json === true
    tellNothing()
    // Its options are settled as in a run; in place of its work, they are printed.
    for (const each of target.registeredArguments) each.required = false
    target.action(() => (isJson ? printJson(settingsOf(target, config)) : printSettings(target, config)))
    await root.parseAsync([...configWords(), ...wordsOf(target), ...rest], { from: 'user' })
  })
}

/** The command that the first words name, or that of a pipeline. */
function targetOf(root: Command, config: Config | undefined, words: readonly string[]) {
  const [name = 'load', ...others] = words[0]?.startsWith('-') === true ? ['load', ...words] : words
  const names = config === undefined ? [] : pipelineNames(config)
  if (config !== undefined && names.includes(name)) {
    const pipeline = pipelineOf(config, name)
    choosePipeline(pipeline)
    return { target: subcommand(root, pipeline.command) as Command, rest: others }
  }
  let target = subcommand(root, name)
  if (target === undefined) {
    const near = nearest(name, [...names, ...root.commands.map((each) => each.name())])
    throw new LadingError(
      'USAGE',
      `there is neither a command nor a pipeline ${name}${near === undefined ? '' : `; did you mean ${near}?`}`,
    )
  }
  const rest = [...others]
  while (target.commands.length > 0) {
    const next: Command | undefined = subcommand(target, rest[0] ?? '')
    if (next === undefined)
      throw new LadingError(
        'USAGE',
        `lading ${name} has commands of its own: ${target.commands.map((each) => each.name()).join(', ')}`,
      )
    target = next
    rest.shift()
  }
  return { target, rest }
}

function subcommand(command: Command, name: string): Command | undefined {
  const found = command.commands.find((each) => each.name() === name)
  return found && defined(found)
}

const wordsOf = (command: Command): string[] =>
  command.parent === null ? [] : [...wordsOf(command.parent), command.name()]

interface Setting {
  readonly name: string
  readonly value: unknown
  readonly origin: string | undefined
}

function settingsOf(command: Command, config: Config | undefined) {
  const pipeline = chosenPipeline()
  // `--trim` and `--no-trim` are one setting.
  const options = new Map(settableOptions(command).map((option) => [option.attributeName(), option]))
  return {
    command: wordsOf(command).join(' '),
    pipeline: pipeline?.name,
    config: config?.path,
    paths: pipeline?.paths,
    settings: [...options].map(([name, option]): Setting => {
      const origin = originOf(command, option)
      return { name, value: shown(command, option), origin: origin?.from }
    }),
  }
}

/** Without secrets. */
function shown(command: Command, option: Option): unknown {
  const value: unknown = command.getOptionValue(option.attributeName())
  const isSecret = originOf(command, option)?.isSecret === true
  if (typeof value !== 'string') return isSecret ? '(secret)' : (typedOf(value) ?? value)
  if (/^[a-z][a-z0-9+.-]*:/i.test(value) && option.flags.includes('url'))
    return isSecret ? shownUrl(value) : (urlWithoutPassword(value) ?? shownUrl(value))
  return isSecret ? '(secret)' : value
}

function printSettings(command: Command, config: Config | undefined): void {
  const { pipeline, paths = [], settings } = settingsOf(command, config)
  const what = pipeline === undefined ? '' : `, pipeline ${pipeline}`
  print(`lading ${wordsOf(command).join(' ')}${what}${config === undefined ? '' : `, with ${config.path}`}`)
  print('')
  const set = settings.filter(
    ({ value }) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  )
  const byOrigin = [
    ...set.filter(({ origin }) => origin !== 'default'),
    ...set.filter(({ origin }) => origin === 'default'),
  ]
  const rows = [
    ...(paths.length === 0 ? [] : [['paths', paths.join(' '), `${config?.path} pipelines.${pipeline}`]]),
    ...byOrigin.map(({ name, value, origin = '' }) => [name, textOf(value), origin]),
  ]
  for (const line of table(['setting', 'value', 'from'], rows)) print(line)
  const others = settings.length - set.length
  if (others > 0) print(`\n${others} more are not set; --json shows all`)
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
