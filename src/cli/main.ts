/** argv → one run. Only this folder decides what a command prints and how it exits. */
import { Command, CommanderError } from 'commander'
import { exits, LadingError } from '../core/errors.ts'
import { zoneRelease } from '../model/zones.ts'
import { applyConfig } from './settings/config.ts'
import { consumeCommand } from './commands/consume.ts'
import { deadCommand } from './commands/dead.ts'
import { applyEnvironment, dropEmpty, nameRegion } from './settings/environment.ts'
import { withExamples } from './settings/examples.ts'
import { generateCommand } from './commands/generate.ts'
import { hintsRepeat } from './settings/hint.ts'
import { initCommand } from './commands/init.ts'
import { inspectCommand } from './commands/inspect.ts'
import { loadCommand } from './commands/load.ts'
import {
  configureLogging,
  loggingOptions,
  presumeFormat,
  printError,
  printErrorLine,
} from './terminal/log.ts'
import { peekCommand } from './commands/peek.ts'
import { produceCommand } from './commands/produce.ts'
import { rejectsCommand } from './commands/rejects.ts'
import { statusCommand } from './commands/status.ts'
import { verifyCommand } from './commands/verify.ts'
import { defaultSinkUrl, exampleSinkUrl } from '../sink/registry.ts'
import { version } from './run/version.ts'

const examples = [
  ['generate sensors --sensors 10 --records 1000 --dir data'],
  ['load data', `into ${defaultSinkUrl}`],
  [`load data --to ${exampleSinkUrl}`, 'into a database server'],
  ["load 'in/*.csv.gz' --model ./my-model.ts"],
  ['verify', 'check the receipts: does everything add up?'],
  ['rejects list', 'rejected records, and why'],
] as const

const exitCodes = `

Exit codes: 0 everything loaded, 3 complete but with rejects or dead letters (--allow-rejects makes it 0),
1 a receipt does not add up or records are open, 64 wrong usage, 78 wrong configuration; all: docs/errors.md`

export function program(): Command {
  const lading = new Command('lading')
    .description(
      'Loads files and queue messages into databases: fast, each record exactly once, with a receipt.',
    )
    // Local times depend on this data.
    .version(`${version()} (time-zone data ${zoneRelease})`)
    .option('--config <file>', 'JSON file with defaults for the options of a command, such as {"to": "…"}')
    .hook('preAction', (root, command) => {
      applyConfig(command, root.opts()['config'] as string | undefined)
      applyEnvironment(command, process.env)
      configureLogging(command)
      hintsRepeat(command)
    })
  withExamples(lading, examples, exitCodes)
  const commands = [
    generateCommand(),
    loadCommand(),
    inspectCommand(),
    initCommand(),
    produceCommand(),
    consumeCommand(),
    peekCommand(),
    statusCommand(),
    verifyCommand(),
    rejectsCommand(),
    deadCommand(),
  ]
  for (const command of commands) lading.addCommand(command)
  for (const command of [lading, ...descendants(lading)]) {
    command.exitOverride().configureOutput({ outputError: (text) => printUsageError(text, command) })
    if (command.commands.length === 0) for (const option of loggingOptions()) command.addOption(option)
  }
  return lading
}

/** Prints the parser's error on one line, like every other error. */
function printUsageError(text: string, command: Command): void {
  const message = text
    .trim()
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ')
  printErrorLine('USAGE', message, `see ${fullName(command)} --help`)
}

const fullName = (command: Command): string =>
  command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`

function descendants(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)])
}

export async function main(argv: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', onOutputError)
  dropEmpty(process.env)
  presumeFormat(argv, process.env)
  nameRegion(process.env)
  try {
    await program().parseAsync(argv)
  } catch (error) {
    // Commander has already printed its message. Help and version are not errors.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exits.ok : 64
    else process.exitCode = printError(error)
  }
}

/** A reader may close our output early (`lading verify | head`), which is not an error. */
function onOutputError(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE')
    process.exitCode = printError(new LadingError('OUTPUT_UNWRITABLE', `standard output: ${error.message}`))
}
