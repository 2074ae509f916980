import { readFileSync } from 'node:fs'
import type { Command, Option } from 'commander'
import { defined } from './defined.ts'
import { LadingError } from '../../core/errors.ts'

const mostBytes = 1024 * 1024

/**
 * Sets the options that the command line and the environment leave unset from a JSON file. Every key must be
 * the name of an option.
 */
export function applyConfig(command: Command, path: string | undefined): void {
  if (path === undefined) return
  for (const [key, value] of Object.entries(readConfig(path))) {
    const option = command.options.find((each) => isNamed(each, key))
    if (option === undefined) {
      // One file serves several commands, so a key is wrong only if no command has it.
      if (isKnownAnywhere(command, key)) continue
      throw new LadingError(
        'CONFIG_INVALID',
        `${path}: there is no option ${key}; lading ${command.name()} --help lists them`,
      )
    }
    const source = command.getOptionValueSource(option.attributeName())
    if (source === undefined || source === 'default')
      command.setOptionValueWithSource(option.attributeName(), parse(option, value, path), 'config')
  }
}

function readConfig(path: string): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new LadingError('CONFIG_INVALID', `${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
  if (text.length > mostBytes) throw new LadingError('CONFIG_INVALID', `${path}: larger than 1 MiB`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's message quotes the text, which may contain a password.
    throw new LadingError('CONFIG_INVALID', `${path}: not valid JSON`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new LadingError('CONFIG_INVALID', `${path}: not a JSON object`)
  return value as Record<string, unknown>
}

function isKnownAnywhere(command: Command, key: string): boolean {
  let root = command
  while (root.parent !== null) root = root.parent
  const all = (each: Command): Command[] => [defined(each), ...each.commands.flatMap(all)]
  return all(root).some(({ options }) => options.some((each) => isNamed(each, key)))
}

/** `chunkBytes` or `chunk-bytes`, but not `no-header`, which would mean the opposite of its value. */
const isNamed = (option: Option, key: string): boolean =>
  option.attributeName() === key || (option.long === `--${key}` && !option.negate)

function parse(option: Option, value: unknown, path: string): unknown {
  // `--no-header` is `"header": false`.
  if (option.isBoolean() || option.negate) {
    if (typeof value === 'boolean') return value
    throw new LadingError('CONFIG_INVALID', `${path}: ${option.attributeName()} must be true or false`)
  }
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new LadingError('CONFIG_INVALID', `${path}: ${option.attributeName()} must be text or a number`)
  }
  try {
    return option.parseArg === undefined ? String(value) : option.parseArg(String(value), undefined)
  } catch (cause) {
    throw new LadingError(
      'CONFIG_INVALID',
      `${path}: ${option.attributeName()}: ${(cause as Error).message}`,
      { cause },
    )
  }
}
