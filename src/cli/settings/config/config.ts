/**
 * The configuration file: defaults of options for all commands, and pipelines, each a command with its
 * options. Found in the working directory, or named by `--config`.
 */
import { dirname, resolve } from 'node:path'
import type { Command, Option } from 'commander'
import { LadingError } from '../../../core/errors.ts'
import { nearest } from '../../../core/nearest.ts'
import { chosenPipeline, type Pipeline, pipelineCommands } from '../chosen.ts'
import { defined } from '../defined.ts'
import { hasOwnMeaning } from '../groups.ts'
import { isStated, setOption } from '../origins.ts'
import { foundConfig } from './find.ts'
import { invalid, isSettings, readSettings, type Settings } from './read.ts'
import { basedPattern, parseValue, textOf } from './values.ts'

export interface Config {
  /** As it is shown. */
  readonly path: string
  /** Absolute. */
  readonly folder: string
  /** In the working directory, without being named. */
  readonly isFound: boolean
  readonly settings: Settings
  readonly pipelines: Settings
}

/** `named`: the value of `--config`, and `false` for `--no-config`. */
export async function readConfig(named: string | false | undefined): Promise<Config | undefined> {
  const path = named === false ? undefined : (named ?? foundConfig())
  if (path === undefined) return undefined
  const { $schema: _, pipelines = {}, ...settings } = await readSettings(path)
  if (!isSettings(pipelines)) throw invalid(path, 'pipelines must be an object of pipelines by their names')
  return { path, folder: dirname(resolve(path)), isFound: named === undefined, settings, pipelines }
}

export const pipelineNames = ({ pipelines }: Config): readonly string[] => Object.keys(pipelines)

/** Throws `CONFIG_INVALID`, and `USAGE` for a name that there is not. */
export function pipelineOf(config: Config, name: string): Pipeline {
  const { path, folder, pipelines } = config
  const names = pipelineNames(config)
  if (!names.includes(name)) {
    const near = nearest(name, names)
    const others = names.length === 0 ? 'it has none' : `there is ${names.join(', ')}`
    const help = near === undefined ? others : `did you mean ${near}?`
    throw new LadingError('USAGE', `${path} has no pipeline ${name}; ${help}`)
  }
  const key = `pipelines.${name}`
  const stated = pipelines[name]
  if (!/^\w[\w.-]*$/.test(name))
    throw invalid(path, `${key}: the name of a pipeline is letters, digits, _, . and -`)
  if (!isSettings(stated)) throw invalid(path, `${key} must be an object of options`)
  const { command = 'load', paths = [], ...settings } = stated
  if (!isPipelineCommand(command))
    throw invalid(path, `${key}.command must be ${pipelineCommands.join(', ')}`)
  const patterns = [paths].flat()
  if (!patterns.every((each): each is string => typeof each === 'string'))
    throw invalid(path, `${key}.paths must be text, or a list of texts`)
  if (patterns.length > 0 && command === 'consume')
    throw invalid(path, `${key}.paths: consume takes no paths`)
  const where = { path, folder, key: `${key}.paths` }
  return {
    name,
    command,
    paths: patterns.map((each) => basedPattern(textOf(each, where).text, folder)),
    settings,
  }
}

const isPipelineCommand = (command: unknown): command is Pipeline['command'] =>
  pipelineCommands.some((each) => each === command)

/** Sets the options that the command line and the environment leave unset: those of the pipeline first. */
export function applyConfig(command: Command, config: Config): void {
  const pipeline = chosenPipeline()
  if (pipeline?.command === command.name())
    applySettings(command, pipeline.settings, config, `pipelines.${pipeline.name}`)
  applySettings(command, config.settings, config)
}

function applySettings(command: Command, settings: Settings, config: Config, within?: string): void {
  const { path, folder } = config
  for (const [name, value] of Object.entries(settings)) {
    // A module may leave open what it has no value for.
    if (value === undefined) continue
    const key = within === undefined ? name : `${within}.${name}`
    const option = settableOptions(command).find((each) => isNamed(each, name))
    if (option === undefined) {
      // The options for all serve several commands, so a key is wrong only if no command has it.
      if (within === undefined && optionsAnywhere(command).some((each) => isNamed(each, name))) continue
      throw invalid(path, unknownKey(command, name, within))
    }
    if (isStated(command, option.attributeName())) continue
    // As a default for all, it means what the other commands mean by it.
    if (within === undefined && hasOwnMeaning(command, option)) continue
    const parsed = parseValue(option, value, { path, folder, key })
    const from = within === undefined ? path : `${path} ${within}`
    const isForAll = within === undefined
    setOption(command, option.attributeName(), parsed.value, 'config', {
      from,
      isForAll,
      isSecret: parsed.isSecret,
    })
  }
}

function unknownKey(command: Command, name: string, within: string | undefined): string {
  const options = within === undefined ? optionsAnywhere(command) : settableOptions(command)
  const ofPipeline = within === undefined ? [] : ['command', 'paths']
  const near = nearest(name, new Set([...ofPipeline, ...options.map((each) => each.attributeName())]))
  const help = near === undefined ? `lading ${command.name()} --help-all lists them` : `did you mean ${near}?`
  return within === undefined
    ? `there is no option ${name}; ${help}`
    : `${within}: ${command.name()} has no option ${name}; ${help}`
}

/** Options that a file may state. */
export const settableOptions = (command: Command): readonly Option[] =>
  command.options.filter(({ long }) => long !== '--help-all')

function optionsAnywhere(command: Command): readonly Option[] {
  let root = command
  while (root.parent !== null) root = root.parent
  const all = (each: Command): Command[] => [defined(each), ...each.commands.flatMap(all)]
  return root.commands.flatMap(all).flatMap(settableOptions)
}

/** `chunkBytes` or `chunk-bytes`, but not `no-header`, which would mean the opposite of its value. */
const isNamed = (option: Option, key: string): boolean =>
  option.attributeName() === key || (option.long === `--${key}` && !option.negate)
