import type { Command } from 'commander'

/** A command line without `lading`, and an optional explanation. */
type Example = readonly [line: string, note?: string]

/** Adds examples to the help of a command. */
export function withExamples(command: Command, examples: readonly Example[], below = ''): Command {
  const width = Math.max(...examples.map(([line]) => line.length))
  const lines = examples.map(([line, note = '']) => `  lading ${line.padEnd(width)}  ${note}`.trimEnd())
  return command.addHelpText('after', `\n${['Examples:', ...lines].join('\n')}${below}`)
}
