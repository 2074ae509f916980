/**
 * The log, on standard error: one line per entry, as text or JSON, filtered by level. It removes secrets from
 * every entry. Results go to standard output, not through the log.
 */
import { styleText } from 'node:util'
import { type Command, Option } from 'commander'
import { type Code, codes, type LadingError, toLadingError } from '../../core/errors.ts'
import { shortened } from '../../core/text.ts'
import { pipelineOfRun } from '../run/under.ts'
import { hint } from '../settings/hint.ts'
import { visible, withoutSecrets } from './output.ts'

/** Most important first. */
const levels = ['error', 'warn', 'info', 'debug'] as const
export type Level = (typeof levels)[number]
const formats = ['pretty', 'json'] as const
type Format = (typeof formats)[number]

interface Logging {
  level: Level
  format: Format
}

/** Process-wide, because an error may come from anywhere. */
const logging: Logging = { level: 'info', format: 'pretty' }

export const isJson = (): boolean => logging.format === 'json'

const formatVariable = 'LADING_LOG_FORMAT'

/** Options of every command. */
export const loggingOptions = () => [
  new Option('--log-level <level>', 'log entries of this level and above, on standard error')
    .choices(levels)
    .env('LADING_LOG_LEVEL')
    .default('info'),
  new Option('--log-format <format>', 'text for people, or one JSON object per line')
    .choices(formats)
    .env(formatVariable)
    .default('pretty'),
  new Option('--quiet', 'log only errors; short for --log-level error'),
]

/** Sources of an option's value, in ascending priority. */
const sources = ['default', 'environment', 'config', 'env', 'cli']

/** Applies the command's options, once all are known. */
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

/** Guesses the format before parsing, for errors in the command line itself. */
export function presumeFormat(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): void {
  const at = argv.findLastIndex((word) => word === '--log-format' || word.startsWith('--log-format='))
  const typed = argv[at]?.split('=')[1] ?? argv[at + 1]
  logging.format = (at < 0 ? env[formatVariable] : typed) === 'json' ? 'json' : 'pretty'
}

/** Options that make a child process log in the same way. */
export const loggingArguments = (): string[] => ['--log-level', logging.level, '--log-format', logging.format]

/** Whether this level is logged, as text. */
export const isForPeople = (level: Level): boolean => !isJson() && isSaid(level)

export const isSaid = (level: Level): boolean => levels.indexOf(level) <= levels.indexOf(logging.level)

type Write = (text: string) => void

const writeDirectly: Write = (text) => void process.stderr.write(text)
let write = writeDirectly

/**
 * Redirects whole lines, so that they do not break a drawing on the terminal; undefined ends the redirection.
 */
export const writeThrough = (through: Write | undefined): void => void (write = through ?? writeDirectly)

export const isRedirected = (): boolean => write !== writeDirectly

/** A line of a child process: below the drawing once that is over. */
export const writeLine = (line: string): void => write(`${line}\n`)

/** Not the only sign of a line's level: its first word tells it too. */
const styles = { error: 'red', warn: 'yellow', debug: 'dim' } as const

/** `fields` is for programs, `line` for people. Neither may contain data of a record. `clean` removes secrets. */
export function say(level: Level, type: string, fields: object, line: string, clean = withoutSecrets): void {
  if (!isSaid(level)) return
  if (isJson()) return writeJson({ level, type, ...fields })
  // A log file needs the time of each line; a terminal does not.
  const time = process.stderr.isTTY ? '' : `${new Date().toISOString().slice(0, -5)}Z `
  const text = safeText(line, clean)
  write(`${time}${level === 'info' ? text : coloured(styles[level], text)}\n`)
}

const coloured = (style: 'red' | 'yellow' | 'dim', text: string): string =>
  styleText(style, text, { stream: process.stderr })

/** Prints the error and its advice on one line, and returns the exit code. */
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
    : [`to continue without the message: ${hint('consume', '--set-aside', stoppedAt)}`]

export function printErrorLine(code: Code, message: string, advice: string, stack?: string): void {
  if (isJson()) return writeJson({ level: 'error', type: 'error', code, message, advice, stack })
  write(`${coloured('red', 'error')} ${code}: ${safeText(message)} (${advice})\n`)
  if (stack !== undefined) write(`${visible(withoutSecrets(stack), '\n')}\n`)
}

/** Limits the length, because an external message may be megabytes long. */
const safeText = (text: string, clean = withoutSecrets): string => shortened(visible(shortened(clean(text))))

/** Limits a list, and appends the number of the other entries. */
const mostOfList = 20
const someOf = (list: readonly unknown[]): readonly unknown[] =>
  list.length > mostOfList ? [...list.slice(0, mostOfList), `… ${list.length - mostOfList} more`] : list

function writeJson(fields: object): void {
  const line = JSON.stringify(
    { time: new Date().toISOString(), run: pipelineOfRun(), ...fields },
    (_, value: unknown) =>
      typeof value === 'string'
        ? shortened(withoutSecrets(value))
        : Array.isArray(value)
          ? someOf(value)
          : value,
  )
  // The escapes of `visible` are valid JSON too.
  write(`${visible(line)}\n`)
}
