/**
 * Commands to copy and paste: they repeat the options of this command, and work in the same folder. Options
 * from environment variables and from the configuration file are left out, because both are still there.
 */
import type { Command, Option } from 'commander'
import { quoted } from '../../core/shell.ts'
import { shownUrl, urlWithoutPassword } from '../../core/url.ts'
import { isUrl } from '../../source/root.ts'
import { chosenPipeline } from './chosen.ts'
import { defined } from './defined.ts'
import { originOf } from './origins.ts'

/** Options with the same meaning in all commands that have them. */
const shared: readonly string[] = [
  'to',
  'queue',
  'state',
  'model',
  'table',
  'pipeline',
  'ignoreExtra',
  'dedupKey',
  'records',
  'unwrap',
  'root',
]

/** What identifies a row, what becomes of one that is there, and how values are written: a replay of rejects takes it too. */
const ofRecords: readonly string[] = [
  'key',
  'onConflict',
  'zone',
  'null',
  'decimal',
  'thousands',
  'money',
  'dateFormat',
  'round',
  'excelText',
]

/** URL options and their variables. */
const variables: Readonly<Record<string, string>> = { to: 'LADING_TO', queue: 'LADING_QUEUE' }

let running: Command | undefined

export const hintsRepeat = (command: Command): void => void (running = command)

/** As typed, of values that are no texts. */
const typed = new WeakMap<object, readonly string[]>()

/** Lets hints repeat options whose parsers make lists or objects of texts. */
export function keepTyped({ options }: Command): void {
  for (const option of options) {
    const { parseArg } = option
    if (parseArg === undefined) continue
    option.argParser<unknown>((text, earlier) => {
      const value: unknown = parseArg(text, earlier)
      if (isObject(value)) typed.set(value, [...((isObject(earlier) && typed.get(earlier)) || []), text])
      return value
    })
  }
}

/** The texts that such a value was made of; one, where it is no list. */
export function typedOf(value: unknown): readonly string[] | string | undefined {
  const texts = isObject(value) ? typed.get(value) : undefined
  return Array.isArray(value) ? texts : texts?.at(-1)
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** The command with these words, for example `lading rejects list --load 4fc3ab34 --to sqlite:my.db`. */
export function hint(command: string, ...words: readonly (string | number)[]): string {
  const names = command === 'rejects replay' ? [...shared, ...ofRecords] : shared
  const repeated = names.filter((name) => !words.includes(`--${name}`))
  const given = running === undefined ? [] : givenOptions(running, repeated, named(running, command))
  return ['lading', command, ...words.map(String).map(quoted), ...given, ...configWords().map(quoted)].join(
    ' ',
  )
}

/** Of a URL nothing secret is repeated. */
const fileWord = (path: string): string =>
  quoted(isUrl(path) ? (urlWithoutPassword(path) ?? shownUrl(path)) : path)

/** The same command with one more option, and without those that do not go with it. */
export function sameCommand(
  paths: readonly string[],
  option: string,
  without: readonly string[] = [],
): string {
  const pipeline = chosenPipeline()
  const words =
    pipeline === undefined ? [running?.name() ?? '', ...paths.map(fileWord)] : ['run', pipeline.name]
  const names = running?.options.map((each) => each.attributeName()).filter((name) => !without.includes(name))
  const given = running === undefined ? [] : givenOptions(running, names, running)
  return ['lading', ...words, option, ...given, ...configWords().map(quoted)].join(' ')
}

/**
 * A command that a finding names, with these files in place of its `…` and with the options of this command
 * that it takes too.
 */
export function completed(line: string, paths: readonly string[]): string {
  const words = line.split(' ')
  const [program, name = ''] = words
  const command = running === undefined ? undefined : named(running, name)
  if (program !== 'lading' || running === undefined || command === undefined) return line
  const noFile = name === 'load' ? ['FILE'] : []
  const files = paths.length > 0 ? paths.map(fileWord) : noFile
  const names = running.options
    .filter(({ long }) => long !== '--json' && !words.includes(long ?? ''))
    .map((option) => option.attributeName())
  return [
    ...words.flatMap((word) => (word === '…' ? files : [word])),
    ...givenOptions(running, names, command),
    ...configWords().map(quoted),
  ].join(' ')
}

/** The configuration file as the command line names it. */
export function configWords(): readonly string[] {
  const path: unknown = running?.optsWithGlobals()['config']
  if (path === false) return ['--no-config']
  return typeof path === 'string' ? ['--config', path] : []
}

function named(from: Command, command: string): Command | undefined {
  let at = from
  while (at.parent !== null) at = at.parent
  for (const word of command.split(' ')) {
    const next: Command | undefined = at.commands.find((each) => each.name() === word)
    if (next === undefined) return undefined
    at = defined(next)
  }
  return at
}

/**
 * Options as typed, or as a pipeline states them, which the other command does not take; all of them, or those
 * that `known` also has.
 */
function givenOptions(
  command: Command,
  names: readonly string[] | undefined,
  known: Command | undefined,
): string[] {
  return command.options.flatMap((option) => {
    const name = option.attributeName()
    const source = command.getOptionValueSource(name)
    const { isForAll, isSecret } = originOf(command, option) ?? {}
    const isGiven =
      source === 'cli' ||
      (source === 'config' && isForAll !== true && isSecret !== true) ||
      // A load takes nothing of the last run by itself.
      (source === 'last' && known?.name() === 'load')
    const isRepeated = known === command && chosenPipeline() !== undefined ? source === 'cli' : isGiven
    if (!isRepeated || names?.includes(name) === false) return []
    return known?.options.some((each) => each.attributeName() === name) === true
      ? worded(option, command.getOptionValue(name))
      : []
  })
}

function worded(option: Option, value: unknown): string[] {
  const flag = option.long ?? ''
  // `--no-header` and `--header` have the same name.
  if (typeof value === 'boolean') return value === option.negate ? [] : [flag]
  if (isObject(value))
    return (typed.get(value) ?? []).flatMap((text) => (holdsSecret(text) ? [] : [flag, quoted(text)]))
  if (typeof value !== 'string' && typeof value !== 'number') return []
  const variable = variables[option.attributeName()]
  return [
    flag,
    variable !== undefined && holdsSecret(String(value)) ? `"$${variable}"` : quoted(String(value)),
  ]
}

/**
 * Has a password before the host or among the parameters. If the variable is unset, the URL is empty and
 * refused.
 */
function holdsSecret(url: string): boolean {
  const user = /^[^:]+:\/\/(.*)@/s.exec(url)?.[1]
  return user?.includes(':') === true || /[?&][^=&]*(pass|secret|token|key)[^=&]*=/i.test(url)
}

/** The words of a line of which each is as `quoted` writes it. */
export const unquoted = (line: string): readonly string[] =>
  (line.match(/('[^']*'|\\.|[^\s'\\])+/g) ?? []).map((word) =>
    word.replaceAll(/'([^']*)'|\\(.)/g, (_, inner: string | undefined, escaped) => inner ?? String(escaped)),
  )
