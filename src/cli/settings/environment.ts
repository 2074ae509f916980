/**
 * Reads the environment variables of the two pipelines that lading replaces, as defaults. The command line,
 * LADING_* and the configuration file override them; they override built-in defaults. An empty variable
 * counts as unset. Messages name a variable but never its value, which may be a secret. URLs made of values
 * exist only in memory.
 */
import { isIPv6 } from 'node:net'
import type { Command, Option } from 'commander'
import { LadingError } from '../../core/errors.ts'
import { isTied } from '../run/signals.ts'
import { chosenPipeline } from './chosen.ts'
import { isStated, setOption } from './origins.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** The value of an option, as if typed, and the variable it comes from. */
export interface Found {
  readonly text: string
  readonly variable: string
}

/** The variables of options that use them unchanged; with the command's name, for that command only. */
const plain: Readonly<Record<string, string>> = {
  batchMessages: 'POSTGRES_BATCH_UPSERT_SIZE',
  delimiter: 'CSV_PARSER_DELIMITER',
  'consume idleTimeout': 'RABBITMQ_POLLING_TIMEOUT',
  'sensors sensors': 'GEN_NUM_SENSORS',
  'sensors records': 'GEN_NUM_RECORDS',
  'sensors interval': 'GEN_RECORD_INTERVAL',
  'sensors start': 'GEN_START_DATE',
  'sensors timezone': 'GEN_TIMEZONE',
  'sensors dir': 'TARGET_FILE_DIR',
}

/** Levels of other loggers. More than one pipeline had, because LOG_LEVEL is a common name. */
const logLevels: Readonly<Record<string, string>> = {
  critical: 'error',
  fatal: 'error',
  error: 'error',
  warning: 'warn',
  warn: 'warn',
  notice: 'info',
  info: 'info',
  debug: 'debug',
  trace: 'debug',
  notset: 'debug',
}

/**
 * Longest connection timeout of a queue, in seconds. An existing socket timeout may be a day, and stopping
 * would wait for it.
 */
const longestTimeout = 60

/** Empty LADING_* variables count as unset, too. */
export function dropEmpty(env: Record<string, string | undefined>): void {
  for (const name of Object.keys(env)) if (name.startsWith('LADING_') && env[name] === '') delete env[name]
}

/** Sets the options that nothing else sets. */
export function applyEnvironment(command: Command, env: Environment): void {
  for (const option of command.options) {
    const name = option.attributeName()
    if (isStated(command, name) || (name === 'idleTimeout' && endsOtherwise(command, env))) continue
    const found = environmentDefault(command.name(), name, env)
    if (found !== undefined)
      setOption(command, name, parse(option, found), 'environment', { from: found.variable })
  }
}

/** The paths on the command line, or else of the pipeline, or else from the variables. */
export function requirePaths(
  paths: readonly string[],
  command: Command,
  env: Environment,
): readonly string[] {
  const pipeline = chosenPipeline()
  const stated = paths.length > 0 ? paths : (pipeline?.paths ?? [])
  if (stated.length > 0) return stated
  const missing =
    pipeline === undefined
      ? "missing required argument 'path', and TARGET_FILE_DIR is not set"
      : `pipeline ${pipeline.name} has no paths, and the command names none`
  return environmentPaths(env) ?? command.error(`error: ${missing}`)
}

/** An option's value from the variables. Throws `CONFIG_INVALID` for an invalid value. */
export function environmentDefault(command: string, option: string, env: Environment): Found | undefined {
  if (option === 'to') return onlyOne(wholeUrl(env, 'PG_URL'), databaseUrl(env))
  // Never publish generated events by default to a queue that others consume from.
  if (option === 'queue') return command === 'logins' ? undefined : queueDefault(env)
  if (option === 'logLevel') return logLevel(env)
  const variable = plain[option] ?? plain[`${command} ${option}`]
  const text = variable === undefined ? undefined : read(env, variable)
  if (variable === undefined || text === undefined) return undefined
  if (option === 'delimiter' && !/^(\\t|[^\P{ASCII}\r\n])$/u.test(text))
    throw invalid(variable, 'must be one ASCII character')
  return { text, variable }
}

/** A pattern for the files with the extension below TARGET_FILE_DIR; without an extension, the folder. */
export function environmentPaths(env: Environment): readonly string[] | undefined {
  const folder = read(env, 'TARGET_FILE_DIR')
  if (folder === undefined) return undefined
  const variable = ['TARGET_FILE_EXTENSION', 'CSV_PARSER_FILE_EXTENSION'].find(
    (name) => read(env, name) !== undefined,
  )
  if (variable === undefined) return [folder]
  const extension = (read(env, variable) as string).replace(/^\./, '')
  if (!/^\w+(\.\w+)*$/.test(extension)) throw invalid(variable, 'must be an extension such as .csv')
  // Escape the folder: it is a name, not a pattern.
  return [`${folder.replace(/\/+$/, '').replaceAll(/[*?[{]/g, '[$&]')}/**/*.${extension}`]
}

/** The queue from the variables. */
export const queueDefault = (env: Environment): Found | undefined =>
  onlyOne(wholeUrl(env, 'SQS_URL'), queueUrl(env))

/** AWS SDKs for other languages also read AWS_DEFAULT_REGION; the one for JavaScript does not. */
export function nameRegion(env: Record<string, string | undefined>): void {
  const region = read(env, 'AWS_DEFAULT_REGION')
  if (read(env, 'AWS_REGION') === undefined && region !== undefined) env['AWS_REGION'] = region
}

/** Whether something else decides when the consumer ends, so that it must not end earlier. */
function endsOtherwise(command: Command, env: Environment): boolean {
  return isTied(env) || ['untilEmpty', 'batches'].some((name) => command.getOptionValue(name) !== undefined)
}

function wholeUrl(env: Environment, variable: string): Found | undefined {
  const text = read(env, variable)
  return text === undefined ? undefined : { text, variable }
}

/** Only the operator can say which of two places is meant. */
function onlyOne(one: Found | undefined, other: Found | undefined): Found | undefined {
  if (one !== undefined && other !== undefined) {
    const message = `the environment variables ${one.variable} and ${other.variable} are both set; unset one, or use the option`
    throw new LadingError('CONFIG_INVALID', message)
  }
  return one ?? other
}

function logLevel(env: Environment): Found | undefined {
  const variable = 'LOG_LEVEL'
  const name = read(env, variable)?.trim().toLowerCase()
  if (name === undefined) return undefined
  if (!Object.hasOwn(logLevels, name))
    throw invalid(variable, 'must be DEBUG, INFO, WARNING, ERROR or CRITICAL')
  return { text: logLevels[name] as string, variable }
}

function databaseUrl(env: Environment): Found | undefined {
  const names = [
    'POSTGRES_HOST',
    'POSTGRES_PORT',
    'POSTGRES_USERNAME',
    'POSTGRES_PASSWORD',
    'POSTGRES_DATABASE',
  ] as const
  const variable = names.find((name) => read(env, name) !== undefined)
  if (variable === undefined) return undefined
  const [hostName, portName, userName, passwordName, databaseName] = names
  const user = `${encoded(env, userName, 'postgres')}:${encoded(env, passwordName, 'postgres')}`
  // A folder contains a Unix socket.
  const host =
    read(env, hostName)?.startsWith('/') === true ? encoded(env, hostName, '') : hostOf(env, hostName)
  const text = `postgresql://${user}@${host}:${portOf(env, portName, '5432')}/${encoded(env, databaseName, 'postgres')}`
  return { text, variable }
}

function queueUrl(env: Environment): Found | undefined {
  const names = [
    'RABBITMQ_HOST',
    'RABBITMQ_PORT',
    'RABBITMQ_USERNAME',
    'RABBITMQ_PASSWORD',
    'RABBITMQ_QUEUE_NAME',
  ] as const
  const variable = names.find((name) => read(env, name) !== undefined)
  if (variable === undefined) return undefined
  const [hostName, portName, userName, passwordName, queueName] = names
  const user = `${encoded(env, userName, 'guest')}:${encoded(env, passwordName, 'guest')}`
  const parameters = [
    ...(read(env, queueName) === undefined ? [] : [`queue=${encoded(env, queueName, '')}`]),
    ...(read(env, 'RABBITMQ_SOCKET_TIMEOUT') === undefined
      ? []
      : [`timeout=${timeoutOf(env, 'RABBITMQ_SOCKET_TIMEOUT')}`]),
  ]
  const query = parameters.length === 0 ? '' : `?${parameters.join('&')}`
  return {
    text: `amqp://${user}@${hostOf(env, hostName)}:${portOf(env, portName, '5672')}/${query}`,
    variable,
  }
}

const read = (env: Environment, name: string): string | undefined =>
  env[name] === '' ? undefined : env[name]

const encoded = (env: Environment, name: string, otherwise: string): string =>
  encodeURIComponent(read(env, name) ?? otherwise)

function hostOf(env: Environment, name: string): string {
  const host = (read(env, name) ?? 'localhost').replace(/^\[(.*)\]$/, '$1')
  if (isIPv6(host)) return `[${host}]`
  if (!/^[\w.-]+$/.test(host))
    throw invalid(name, 'must be the name or the address of a host alone, without scheme, user and port')
  return host
}

function portOf(env: Environment, name: string, otherwise: string): string {
  const port = read(env, name) ?? otherwise
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    throw invalid(name, 'must be a port from 1 to 65535')
  return port
}

function timeoutOf(env: Environment, name: string): number {
  const seconds = Number(read(env, name))
  if (!(seconds >= 0.1)) throw invalid(name, 'must be a number of seconds of 0.1 or more')
  return Math.min(seconds, longestTimeout)
}

function parse(option: Option, { text, variable }: Found): unknown {
  try {
    return option.parseArg === undefined ? text : option.parseArg(text, undefined)
  } catch (cause) {
    throw invalid(variable, `cannot be used: ${(cause as Error).message}`)
  }
}

const invalid = (variable: string, fault: string): LadingError =>
  new LadingError('CONFIG_INVALID', `the environment variable ${variable} ${fault}`)
