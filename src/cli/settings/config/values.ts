/** A value of a configuration file → the value of an option, as if typed. */
import { isUrl } from '../../../source/root.ts'
import { readFileSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import type { Option } from 'commander'
import { splitScheme } from '../../../core/url.ts'
import { placeOfQueue } from '../../../queue/registry.ts'
import { placeOfSink } from '../../../sink/registry.ts'
import { expand } from './expand.ts'
import { invalid } from './read.ts'

/** Where a value stands. */
export interface Where {
  /** Of the file, as it is shown. */
  readonly path: string
  /** Of the file, absolute. */
  readonly folder: string
  /** `pipelines.orders.to` */
  readonly key: string
}

/** Options that may be given more than once. */
const repeated: ReadonlySet<string> = new Set([
  'setAside',
  'httpName',
  'decimal',
  'thousands',
  'dateFormat',
  'skipWhen',
  's3Events',
])
/** Options whose text is a list already. */
const listed: ReadonlySet<string> = new Set(['key', 'columns', 'unwrap', 'null'])

export const takesList = (option: Option): boolean =>
  repeated.has(option.attributeName()) || listed.has(option.attributeName())

export interface Parsed {
  readonly value: unknown
  /** A part of it comes from a file of secrets. */
  readonly isSecret: boolean
}

/** Messages name the file and the key, and never a value, which may be a secret. */
export function parseValue(option: Option, value: unknown, where: Where): Parsed {
  const { path, key } = where
  const fault = (what: string, cause?: unknown) => invalid(path, `${key} ${what}`, cause)
  // `--no-header` is `"header": false`.
  if (option.isBoolean() || option.negate || (option.optional && typeof value === 'boolean')) {
    if (typeof value !== 'boolean') throw fault('must be true or false')
    if (!option.optional) return { value, isSecret: false }
    const { presetArg } = option
    const preset = typeof presetArg === 'string' ? parseWords(option, [presetArg]) : (presetArg ?? true)
    return { value: value ? preset : undefined, isSecret: false }
  }
  const isList = Array.isArray(value) && takesList(option)
  const texts = (isList ? (value as readonly unknown[]) : [value]).map((each) => {
    if (typeof each !== 'string' && typeof each !== 'number')
      throw fault(`must be text or a number${takesList(option) ? ', or a list of them' : ''}`)
    return textOf(String(each), where)
  })
  const isSecret = texts.some((each) => each.isSecret)
  const words = texts.map(({ text }) => based(option, text, where.folder))
  try {
    return { value: parseWords(option, words), isSecret }
  } catch (error) {
    // The parser's message says what is allowed, without the value.
    throw invalid(path, `${key}: ${(error as Error).message}`, error)
  }
}

function parseWords(option: Option, words: readonly string[]): unknown {
  const { parseArg } = option
  const all = listed.has(option.attributeName()) ? [words.join(',')] : words
  if (parseArg === undefined) return all.at(-1)
  return all.reduce<unknown>((earlier, word) => parseArg(word, earlier), option.defaultValue)
}

export function textOf(template: string, { path, folder, key }: Where) {
  const fault = (what: string) => invalid(path, `${key}: ${what}`)
  return expand(template, {
    variable: (name) => (process.env[name] === '' ? undefined : process.env[name]),
    file: (name) => {
      try {
        return readFileSync(resolve(folder, name), 'utf8').replace(/\r?\n$/, '')
      } catch (error) {
        throw fault(`the file cannot be read: ${(error as Error).message}`)
      }
    },
    fault,
  })
}

/**
 * A path of the file is relative to its folder, so that the file means the same wherever a command starts.
 * Usually that is the working directory, and nothing changes.
 */
function based(option: Option, text: string, folder: string): string {
  if (folder === process.cwd()) return text
  const { flags } = option
  const name = option.attributeName()
  if (/<(file|folder)>/.test(flags) || (name === 'model' && /[/\\]|\.[cm]?[jt]s$/.test(text)))
    return basedPath(text, folder)
  if (['done', 'failed'].includes(name) && text.startsWith('move:'))
    return `move:${basedPath(text.slice('move:'.length), folder)}`
  if (name === 'to' || name === 'fromTable') return basedUrl(text, folder, placeOfSink)
  return name === 'queue' ? basedUrl(text, folder, placeOfQueue) : text
}

function basedPath(path: string, folder: string): string {
  if (isAbsolute(path)) return path
  const there = relative(process.cwd(), join(folder, path))
  return /^\.\.?(\/|$)/.test(there) ? there : `./${there}`
}

function basedUrl(
  url: string,
  folder: string,
  placeOf: (url: string) => { readonly file?: string | undefined },
): string {
  const { scheme, rest } = splitScheme(url) ?? {}
  // What is no URL is refused where it is used.
  if (scheme === undefined || rest === undefined) return url
  const { file } = placeOf(url)
  return file === undefined ? url : `${scheme}:${basedPath(file, folder)}${rest.slice(file.length)}`
}

/** A file, folder or pattern to load. The folder is a name and no pattern. */
export function basedPattern(pattern: string, folder: string): string {
  if (folder === process.cwd() || pattern === '-' || isUrl(pattern) || isAbsolute(pattern)) return pattern
  const base = basedPath('.', folder).replaceAll(/[*?[{]/g, '[$&]')
  return `${base}/${pattern}`
}
