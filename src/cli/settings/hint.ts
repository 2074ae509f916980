/**
 * Commands that a person may paste: they repeat what this one was told, and work where this one was started.
 * What a variable of the environment gave is left out, because it is still set there.
 */
import type { Command, Option } from 'commander'

/** Options that mean the same to every command that has them. */
const shared: readonly string[] = [
  'to',
  'queue',
  'state',
  'model',
  'pipeline',
  'ignoreExtra',
  'dedupKey',
  'root',
]

/** URLs, and the variables that can hold them. */
const variables: Readonly<Record<string, string>> = { to: 'LADING_TO', queue: 'LADING_QUEUE' }

let running: Command | undefined

export const hintsRepeat = (command: Command): void => void (running = command)

/** The command with these words, as `lading rejects list --load 4fc3ab34 --to sqlite:my.db`. */
export function hint(command: string, ...words: readonly (string | number)[]): string {
  const repeated = shared.filter((name) => !words.includes(`--${name}`))
  const given = running === undefined ? [] : givenOptions(running, repeated, named(running, command))
  return ['lading', command, ...words.map(String).map(quoted), ...given].join(' ')
}

/** The same command with one more option. */
export function sameCommand(paths: readonly string[], option: string): string {
  const given = running === undefined ? [] : givenOptions(running, undefined, running)
  return ['lading', running?.name() ?? '', ...paths.map(quoted), option, ...given].join(' ')
}

function named(from: Command, command: string): Command | undefined {
  let at: Command | undefined = from
  while (at.parent !== null) at = at.parent
  for (const word of command.split(' ')) at = at?.commands.find((each) => each.name() === word)
  return at
}

/** As typed, or as a configuration file gave them; of all, or of the names alone that `known` has too. */
function givenOptions(
  command: Command,
  names: readonly string[] | undefined,
  known: Command | undefined,
): string[] {
  return command.options.flatMap((option) => {
    const name = option.attributeName()
    const source = command.getOptionValueSource(name)
    if ((source !== 'cli' && source !== 'config') || names?.includes(name) === false) return []
    return known?.options.some((each) => each.attributeName() === name) === true
      ? worded(option, command.getOptionValue(name))
      : []
  })
}

function worded(option: Option, value: unknown): string[] {
  const flag = option.long ?? ''
  // `--no-header` and `--header` are two options of one name.
  if (typeof value === 'boolean') return value === option.negate ? [] : [flag]
  if (typeof value !== 'string' && typeof value !== 'number') return []
  const variable = variables[option.attributeName()]
  return [
    flag,
    variable !== undefined && holdsSecret(String(value)) ? `"$${variable}"` : quoted(String(value)),
  ]
}

/**
 * A password before the host, or among the parameters. A shell that does not know the variable makes an empty
 * URL of it, which is refused.
 */
function holdsSecret(url: string): boolean {
  const user = /^[^:]+:\/\/(.*)@/s.exec(url)?.[1]
  return user?.includes(':') === true || /[?&][^=&]*(pass|secret|token|key)[^=&]*=/i.test(url)
}

/** For a POSIX shell. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
