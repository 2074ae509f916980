/** The JSON schema of the configuration file, made of the options of all commands. */
import type { Command, Option } from 'commander'
import { pipelineCommands } from '../chosen.ts'
import { defined } from '../defined.ts'
import { hasOwnMeaning } from '../groups.ts'
import { settableOptions } from './config.ts'
import { takesList } from './values.ts'

type Schema = Readonly<Record<string, unknown>>

export function configSchema(root: Command): Schema {
  const ofPipelines = pipelineCommands.flatMap((name) => optionsOf(root, name))
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of Lading',
    type: 'object',
    properties: {
      $schema: { type: 'string' },
      pipelines: {
        description: 'What `lading run NAME` runs.',
        type: 'object',
        additionalProperties: {
          type: 'object',
          properties: {
            command: { enum: pipelineCommands, default: 'load' },
            paths: {
              description: 'Files, folders and patterns of load and produce.',
              ...orListOf({ type: 'string' }),
            },
            ...propertiesOf(ofPipelines),
          },
          additionalProperties: false,
        },
      },
      ...propertiesOf(sharedOptions(root)),
    },
    additionalProperties: false,
  }
}

/** Of a command that takes pipelines. */
export const optionsOf = (root: Command, name: string): readonly Option[] =>
  settableOptions(defined(root.commands.find((each) => each.name() === name) as Command))

/** Of all commands; of one name the first, which is that of a load where it has one. */
export function sharedOptions(root: Command): readonly Option[] {
  const of = (command: Command) =>
    settableOptions(command).filter((option) => !hasOwnMeaning(command, option))
  const all = (command: Command): readonly Option[] => {
    const { commands } = defined(command)
    return [...of(command), ...commands.flatMap(all)]
  }
  const load = root.commands.filter((command) => command.name() === 'load')
  return [...load, ...root.commands].flatMap(all)
}

/** The first of each name, in their order. */
export function byName(options: readonly Option[]): ReadonlyMap<string, Option> {
  const found = new Map<string, Option>()
  for (const option of options)
    if (!found.has(option.attributeName())) found.set(option.attributeName(), option)
  return found
}

const propertiesOf = (options: readonly Option[]): Schema =>
  Object.fromEntries([...byName(options)].map(([name, option]) => [name, propertyOf(option)]))

function propertyOf(option: Option): Schema {
  const { defaultValue } = option
  const isPreset = ['string', 'number'].includes(typeof defaultValue)
  return { description: aboutOf(option), ...valueOf(option), ...(isPreset && { default: defaultValue }) }
}

/** Of `--no-header`, it is said what `header: false` means. */
export const aboutOf = ({ description, negate }: Option): string => `${negate ? 'false: ' : ''}${description}`

/** Whether its value may be written as a number. */
export const isNumeric = ({ flags }: Option): boolean =>
  /[<[](n|id|seconds|bytes|share|address)[\]>]/.test(flags)

/** What stands for a value that the environment has. */
const expanded = { type: 'string', pattern: '\\$\\{' }

function valueOf(option: Option): Schema {
  if (option.isBoolean() || option.negate) return { type: 'boolean' }
  if (option.argChoices !== undefined) return { anyOf: [{ enum: option.argChoices }, expanded] }
  const types = ['string', ...(isNumeric(option) ? ['number'] : []), ...(option.optional ? ['boolean'] : [])]
  const one = { type: types.length === 1 ? 'string' : types }
  return takesList(option) ? orListOf(one) : one
}

const orListOf = (one: Schema): Schema => ({ anyOf: [one, { type: 'array', items: one }] })
