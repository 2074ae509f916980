/** argv → one run. Only this folder decides what a command prints and how it exits. */
import { Command, CommanderError } from 'commander'
import { exits, LadingError } from '../core/errors.ts'
import { zoneRelease } from '../model/zones.ts'
import { defined, defineLater } from './settings/defined.ts'
import { dropEmpty, nameRegion } from './settings/environment.ts'
import { withExamples } from './settings/examples.ts'
import { headingOf, inGroups } from './settings/groups.ts'
import { keepTyped } from './settings/hint.ts'
import { loggingOptions, presumeFormat, printError, printErrorLine } from './terminal/log.ts'
import { defaultSinkUrl, exampleSinkUrl } from '../sink/registry.ts'
import { boundGarbage, endGrowth } from './run/memory.ts'
import { checkCertificates, hideSecrets } from './run/surroundings.ts'
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
1 a receipt does not add up or records are open, 64 wrong usage, 78 wrong configuration; all: docs/reference/errors.md`

type Define = (command: Command) => Command

/**
 * What the help says of each command, and the function that defines its options and its work.
 */
const commands: readonly (readonly [name: string, about: string, definition: () => Promise<Define>])[] = [
  ['generate', 'generate test data', async () => (await import('./commands/generate.ts')).generateCommand],
  [
    'load',
    'load files into a database, through a durable queue, and print the receipt',
    async () => (await import('./commands/load.ts')).loadCommand,
  ],
  [
    'inspect',
    'show how files are written, the types of their columns, and why',
    async () => (await import('./commands/inspect.ts')).inspectCommand,
  ],
  [
    'doctor',
    'tell before a load whether it will work, how safe and how fast, and what to change',
    async () => (await import('./commands/doctor.ts')).doctorCommand,
  ],
  [
    'init',
    'write the model of a file or of a table, to change and to load with --model',
    async () => (await import('./commands/init.ts')).initCommand,
  ],
  [
    'produce',
    'split files into chunks and put them into a queue',
    async () => (await import('./commands/produce.ts')).produceCommand,
  ],
  [
    'consume',
    'write messages of a queue into a database, each exactly once, until stopped',
    async () => (await import('./commands/consume.ts')).consumeCommand,
  ],
  [
    'peek',
    'show the next messages of a queue, and what a consumer would do with each',
    async () => (await import('./commands/peek.ts')).peekCommand,
  ],
  [
    'status',
    'show what waits in the queue, and the state of the loads',
    async () => (await import('./commands/status.ts')).statusCommand,
  ],
  [
    'ui',
    'serve the page of a database: its loads, rejects and dead letters, without a run',
    async () => (await import('./commands/ui.ts')).uiCommand,
  ],
  [
    'verify',
    'print receipts and check them: records = loaded + rejected + skipped + dead + open',
    async () => (await import('./commands/verify.ts')).verifyCommand,
  ],
  [
    'rejects',
    'records that were not loaded: list, correct and replay them',
    async () => (await import('./commands/rejects.ts')).rejectsCommand,
  ],
  [
    'dead',
    'messages that could not be processed',
    async () => (await import('./commands/dead.ts')).deadCommand,
  ],
  [
    'run',
    'run pipelines of the configuration file, by their names',
    async () => (await import('./commands/run.ts')).runCommand,
  ],
  [
    'config',
    'show each setting of a command or pipeline, and where it comes from',
    async () => (await import('./commands/config.ts')).configCommand,
  ],
  [
    'completions',
    'print a script that completes commands and options in a shell',
    async () => (await import('./commands/completions.ts')).completionsCommand,
  ],
  [
    'abandon',
    'give up a load that was begun and is never to be finished',
    async () => (await import('./commands/abandon.ts')).abandonCommand,
  ],
  [
    'prune',
    'remove what is old from the ledger: settled rejects and dead letters, and more on request',
    async () => (await import('./commands/prune.ts')).pruneCommand,
  ],
]

/** Defines the commands that are among the words; all without words. None is loaded where no word names one. */
export async function program(words?: readonly string[]): Promise<Command> {
  const lading = new Command('lading')
    .description(
      'Loads files and queue messages into databases: fast, each record exactly once, with a receipt.',
    )
    // Local times depend on this data.
    .version(`${version()} (time-zone data ${zoneRelease})`)
    .option(
      '--config <file>',
      'file with defaults of options, and pipelines (default: lading.config.* in the folder)',
    )
    .option('--no-config', 'take no configuration file')
    .commandsGroup(headingOf('help'))
    .helpCommand(true)
    // The options of a command are in its own help.
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .hook('preAction', async (root, command) => {
      endGrowth()
      const { settle } = await import('./settings/settle.ts')
      await settle(root, command)
      checkCertificates(process.env)
    })
  withExamples(lading, examples, exitCodes)
  const isNamed = (name: string) => words?.includes(name) ?? true
  // Hints and configuration files name options of other commands.
  const areLoaded = commands.some(([name]) => isNamed(name))
  const loaded = areLoaded ? await Promise.all(commands.map(([, , definition]) => definition())) : []
  for (const [index, [name, about]] of commands.entries()) {
    const command = new Command(name).description(about).helpGroup(headingOf(name))
    lading.addCommand(withErrors(command))
    defineLater(command, () => {
      loaded[index]?.(command)
      for (const each of [command, ...descendants(command)]) withErrors(each)
      for (const each of leavesOf(command)) {
        for (const option of loggingOptions()) each.addOption(option)
        inGroups(each)
        keepTyped(each)
      }
    })
    if (isNamed(name)) defined(command)
  }
  return withErrors(lading)
}

const withErrors = (command: Command): Command =>
  command.exitOverride().configureOutput({ outputError: (text) => printUsageError(text, command) })

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

const descendants = (command: Command): Command[] =>
  command.commands.flatMap((child) => [child, ...descendants(child)])

const leavesOf = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf)

export async function main(argv: readonly string[]): Promise<void> {
  boundGarbage()
  for (const stream of [process.stdout, process.stderr]) stream.on('error', onOutputError)
  dropEmpty(process.env)
  presumeFormat(argv, process.env)
  nameRegion(process.env)
  hideSecrets(argv)
  try {
    await (await program(argv)).parseAsync(argv)
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
