/** Commands whose options are defined when they are asked for: most runs need those of one command. */
import type { Command } from 'commander'

const definitions = new WeakMap<Command, (command: Command) => void>()

export const defineLater = (command: Command, define: (command: Command) => void): void =>
  void definitions.set(command, define)

/** The same command, with its options and subcommands. */
export function defined(command: Command): Command {
  const define = definitions.get(command)
  definitions.delete(command)
  define?.(command)
  return command
}
