/** Every source of a command's options, in their order. */
import type { Command } from 'commander'
import { isTied } from '../run/signals.ts'
import { isUnderRun } from '../run/under.ts'
import { configureLogging, say } from '../terminal/log.ts'
import { applyConfig, type Config, readConfig } from './config/config.ts'
import { applyEnvironment } from './environment.ts'
import { hintsRepeat } from './hint.ts'
import { applyLast } from './last.ts'
import { refuseLone } from './lone.ts'

/** Commands that depend on no setting, or look at the file themselves. */
const without = new Set(['completions', 'config'])

let isSilent = false

/** The file, or the last run, that options come from is not said any more. */
export const tellNothing = (): void => void (isSilent = true)

/**
 * Flags and LADING_* are parsed already. The configuration file follows, then the variables of the pipelines
 * that lading replaces, then what the last run used; defaults come last.
 */
export async function settle(root: Command, command: Command): Promise<void> {
  const config = isTied() || without.has(command.name()) ? undefined : await readConfig(named(root))
  if (config !== undefined) applyConfig(command, config)
  applyEnvironment(command, process.env)
  configureLogging(command)
  hintsRepeat(command)
  if (config !== undefined) tell(config)
  if (isTied()) return
  refuseLone(command)
  applyLast(command, !isSilent)
}

/** The value of `--config`; `false` for `--no-config`. */
export const named = (root: Command): string | false | undefined =>
  root.opts<{ config?: string | false }>().config

/** Once, of a file that nobody named. */
function tell({ path, isFound }: Config): void {
  if (isFound && !isSilent && !isUnderRun() && !told.has(path))
    say('info', 'config', { path }, `settings from ${path}`)
  told.add(path)
}

const told = new Set<string>()
