/** Options that mean nothing without another one. */
import type { Command } from 'commander'
import { LadingError } from '../../core/errors.ts'
import { originOf } from './origins.ts'

const needed: Readonly<Record<string, string>> = {
  ended: 'append',
  rotated: 'append',
  settle: 'watch',
  done: 'watch',
  failed: 'watch',
  httpLinger: 'http',
}

/**
 * Throws `USAGE` for one that the command line or a pipeline states alone: whoever wrote it expects what would
 * not happen. A default for all commands is none of them.
 */
export function refuseLone(command: Command): void {
  for (const option of command.options) {
    const name = option.attributeName()
    const other = needed[name]
    const value: unknown = command.getOptionValue(name)
    if (other === undefined || value === undefined || value === false || command.getOptionValue(other))
      continue
    const source = command.getOptionValueSource(name)
    if (source === 'cli' || (source === 'config' && originOf(command, option)?.isForAll !== true))
      throw new LadingError('USAGE', `${option.long} needs --${other}`)
  }
}
