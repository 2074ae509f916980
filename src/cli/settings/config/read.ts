/** A configuration file → the object in it. No message quotes the text, which may contain a password. */
import { readFileSync } from 'node:fs'
import { LadingError } from '../../../core/errors.ts'
import { importModule } from '../module.ts'

/** Keys and values, as written. */
export type Settings = Readonly<Record<string, unknown>>

const mostBytes = 1024 * 1024

export async function readSettings(path: string): Promise<Settings> {
  const value = await read(path)
  if (!isSettings(value))
    throw invalid(path, isModule(path) ? 'its default export is no object' : `not ${kindOf(path)} object`)
  return value
}

export const isSettings = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const invalid = (path: string, fault: string, cause?: unknown): LadingError =>
  new LadingError('CONFIG_INVALID', `${path}: ${fault}`, { cause })

const isModule = (path: string): boolean => /\.[cm]?[jt]s$/.test(path)
const isYaml = (path: string): boolean => /\.ya?ml$/.test(path)
const kindOf = (path: string): string => (isYaml(path) ? 'a YAML' : 'a JSON')

async function read(path: string): Promise<unknown> {
  if (isModule(path)) return (await importModule(path, 'CONFIG_INVALID'))['default']
  const text = textOf(path)
  return isYaml(path) ? await fromYaml(path, text) : fromJson(path, text)
}

function textOf(path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new LadingError('CONFIG_INVALID', `${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
  if (text.length > mostBytes) throw invalid(path, 'larger than 1 MiB')
  return text
}

function fromJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const [, line, column] = /\(line (\d+) column (\d+)\)$/.exec((error as Error).message) ?? []
    const others = path.endsWith('.json') ? '' : '; other files end with .yaml, .ts or .js'
    throw invalid(line === undefined ? path : `${path}:${line}:${column}`, `not valid JSON${others}`)
  }
}

async function fromYaml(path: string, text: string): Promise<unknown> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text, { merge: true, stringKeys: true })
  // A tag that YAML itself does not have is a warning there, and its value taken for a text.
  const [error] = [...document.errors, ...document.warnings]
  if (error !== undefined) {
    const [{ line, col } = { line: 1, col: 1 }] = error.linePos ?? []
    throw invalid(`${path}:${line}:${col}`, `not valid YAML: ${error.code}`)
  }
  try {
    return document.toJS()
  } catch {
    throw invalid(path, 'not valid YAML: too many aliases')
  }
}
