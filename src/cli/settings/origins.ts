/** Where the value of an option comes from, for `lading config`. */
import type { Command, Option } from 'commander'

export interface Origin {
  /** `flag`, the name of a variable, `lading.config.ts pipelines.orders`, `default`. */
  readonly from: string
  /** The value, or a part of it, comes from a file of secrets. */
  readonly isSecret?: boolean
  /** The configuration file says it for every command. */
  readonly isForAll?: boolean
}

const noted = new WeakMap<Command, Map<string, Origin>>()

/** Sets an option that nothing else sets, and notes where the value comes from. */
export function setOption(
  command: Command,
  name: string,
  value: unknown,
  source: 'config' | 'environment' | 'last',
  origin: Origin,
): void {
  command.setOptionValueWithSource(name, value, source)
  const origins = noted.get(command) ?? new Map<string, Origin>()
  noted.set(command, origins.set(name, origin))
}

/** Whether the command line, a variable or a file states the option. */
export function isStated(command: Command, name: string): boolean {
  const source = command.getOptionValueSource(name)
  return source !== undefined && source !== 'default'
}

export function originOf(command: Command, option: Option): Origin | undefined {
  const name = option.attributeName()
  const source = command.getOptionValueSource(name)
  if (source === 'cli') return { from: 'flag' }
  if (source === 'env') return { from: option.envVar ?? source }
  return noted.get(command)?.get(name) ?? (source === undefined ? undefined : { from: source })
}
