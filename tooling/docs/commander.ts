/** All commands with their options, as the parser has them. */
import type { Command, Option } from 'commander'
import { program } from '../../src/cli/main.ts'
import { defined } from '../../src/cli/settings/defined.ts'

export interface Leaf {
  /** `rejects list`. */
  readonly name: string
  readonly command: Command
  readonly options: readonly Option[]
}

export async function leaves(): Promise<readonly Leaf[]> {
  const root = await program()
  return root.commands.flatMap((command) => leavesOf(command, ''))
}

/** Options before the name of a command. */
export const globalOptions = async (): Promise<readonly Option[]> => (await program()).options

function leavesOf(command: Command, before: string): readonly Leaf[] {
  const name = `${before}${command.name()}`
  const { commands, options } = defined(command)
  return commands.length === 0
    ? [{ name, command, options: options.filter(({ hidden }) => !hidden) }]
    : commands.flatMap((child) => leavesOf(child, `${name} `))
}

/** Its text, and in words what else holds of it. */
export function aboutOption({ description, argChoices, envVar, defaultValue }: Option): string {
  const parts = [
    ...(argChoices === undefined ? [] : [`one of ${argChoices.map(quoted).join(', ')}`]),
    ...(isShown(defaultValue) ? [`default ${quoted(String(defaultValue))}`] : []),
    ...(envVar === undefined ? [] : [`variable ${quoted(envVar)}`]),
  ]
  const text = description.replaceAll('<', '&lt;')
  return parts.length === 0 ? text : `${text}. ${sentence(parts.join('; '))}`
}

const isShown = (value: unknown): boolean =>
  value !== undefined && typeof value !== 'boolean' && !(Array.isArray(value) && value.length === 0)

const quoted = (text: string): string => `\`${text}\``
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
