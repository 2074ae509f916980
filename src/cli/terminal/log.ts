/**
 * Everything that goes to standard error: one line each, for people or as one JSON object, and no more of it
 * than was asked for. Secrets are taken out here, whoever speaks. Results go to standard output, and the log
 * has no part in them.
 */
import { styleText } from 'node:util'
import { type Command, Option } from 'commander'
import { type Code, codes, type LadingError, toLadingError } from '../../core/errors.ts'
import { shortened } from '../../core/text.ts'
import { hint } from '../settings/hint.ts'
import { visible, withoutSecrets } from './output.ts'

/** The first matters most. */
const levels = ['error', 'warn', 'info', 'debug'] as const
export type Level = (typeof levels)[number]
const formats = ['pretty', 'json'] as const
type Format = (typeof formats)[number]

interface Logging {
  level: Level
  format: Format
}

/** Of the whole process: an error has to be told wherever it comes from. */
const logging: Logging = { level: 'info', format: 'pretty' }

export const isJson = (): boolean => logging.format === 'json'

const formatVariable = 'LADING_LOG_FORMAT'

/** Options of every command. */
export const loggingOptions = () => [
  new Option('--log-level <level>', 'what is said on the way, on standard error: this and what matters more')
    .choices(levels)
    .env('LADING_LOG_LEVEL')
    .default('info'),
  new Option('--log-format <format>', 'for people, or one JSON object a line')
    .choices(formats)
    .env(formatVariable)
    .default('pretty'),
  new Option('--quiet', 'say nothing on the way; short for --log-level error'),
]

/** Where an option may come from, the strongest last. */
const sources = ['default', 'environment', 'config', 'env', 'cli']

/** As the options of the command say, once they are all known. */
export function configureLogging(command: Command): void {
  const { logLevel, logFormat, quiet } = command.opts<{
    logLevel: Level
    logFormat: Format
    quiet?: boolean
  }>()
  const strength = (option: string) => sources.indexOf(command.getOptionValueSource(option) ?? 'default')
  logging.level = quiet === true && strength('quiet') > strength('logLevel') ? 'error' : logLevel
  logging.format = logFormat
}

/** For what is wrong with the command line itself: the format that it seems to ask for. */
export function presumeFormat(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): void {
  const at = argv.findLastIndex((word) => word === '--log-format' || word.startsWith('--log-format='))
  const typed = argv[at]?.split('=')[1] ?? argv[at + 1]
  logging.format = (at < 0 ? env[formatVariable] : typed) === 'json' ? 'json' : 'pretty'
}

/** The options that make another command of ours log as this one does. */
export const loggingArguments = (): string[] => ['--log-level', logging.level, '--log-format', logging.format]

/** Whether what matters so much is said, and to people. */
export const isForPeople = (level: Level): boolean => !isJson() && isSaid(level)

const isSaid = (level: Level): boolean => levels.indexOf(level) <= levels.indexOf(logging.level)

type Write = (text: string) => void

const writeDirectly: Write = (text) => void process.stderr.write(text)
let write = writeDirectly

/**
 * Whole lines take this way from now on, because something is drawn on the terminal that they must not break;
 * undefined ends that.
 */
export const writeThrough = (through: Write | undefined): void => void (write = through ?? writeDirectly)

/** Where lines of other processes have to take the same way. */
export const lineWriter = (): Write | undefined => (write === writeDirectly ? undefined : write)

/** Not the only sign of how much a line matters: its first word tells that as well. */
const styles = { error: 'red', warn: 'yellow', debug: 'dim' } as const

/** `fields` are for programs, `line` is for people. Neither may hold data of a record. */
export function say(level: Level, type: string, fields: object, line: string): void {
  if (!isSaid(level)) return
  if (isJson()) return writeJson({ level, type, ...fields })
  // Whoever sits at a terminal knows the time; whoever reads a file wants to know when it was.
  const time = process.stderr.isTTY ? '' : `${new Date().toISOString().slice(0, -5)}Z `
  const text = toldText(line)
  write(`${time}${level === 'info' ? text : coloured(styles[level], text)}\n`)
}

const coloured = (style: 'red' | 'yellow' | 'dim', text: string): string =>
  styleText(style, text, { stream: process.stderr })

/** Prints the error as one line with what to do, and returns the exit code. */
export function printError(thrown: unknown): number {
  const error = toLadingError(thrown)
  const stack =
    error.code === 'INTERNAL' ? ((error.cause as Error | undefined)?.stack ?? error.stack) : undefined
  const advice = [codes[error.code].advice, ...withoutMessage(error)].join('; ')
  printErrorLine(error.code, error.message, advice, stack)
  return error.exitCode
}

const withoutMessage = ({ stoppedAt }: LadingError): string[] =>
  stoppedAt === undefined
    ? []
    : [`to go on without the message: ${hint('consume', '--set-aside', stoppedAt)}`]

export function printErrorLine(code: Code, message: string, advice: string, stack?: string): void {
  if (isJson()) return writeJson({ level: 'error', type: 'error', code, message, advice, stack })
  write(`${coloured('red', 'error')} ${code}: ${toldText(message)} (${advice})\n`)
  if (stack !== undefined) write(`${visible(withoutSecrets(stack), '\n')}\n`)
}

/**
 * A line is read by people and kept by programs, neither of which want megabytes of what a stranger has sent.
 */
const toldText = (text: string): string => shortened(visible(shortened(withoutSecrets(text))))

/** Of a longer list, so many are told, and how many there are besides. */
const mostOfList = 20
const someOf = (list: readonly unknown[]): readonly unknown[] =>
  list.length > mostOfList ? [...list.slice(0, mostOfList), `… ${list.length - mostOfList} more`] : list

function writeJson(fields: object): void {
  const line = JSON.stringify({ time: new Date().toISOString(), ...fields }, (_, value: unknown) =>
    typeof value === 'string'
      ? shortened(withoutSecrets(value))
      : Array.isArray(value)
        ? someOf(value)
        : value,
  )
  // What is made visible is an escape of JSON as well.
  write(`${visible(line)}\n`)
}
