/** Modules that a person writes: models, and configuration files. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { LadingError } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import { Column } from '../../model/columns.ts'

/** What a module is for, by the error where it is wrong. */
const kinds = { MODEL_INVALID: 'model', CONFIG_INVALID: 'configuration' } as const

/** What the module exports. */
export async function importModule(path: string, code: keyof typeof kinds): Promise<Record<string, unknown>> {
  const what = kinds[code]
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new LadingError(code, `${path} is a folder; name the file in it that exports the ${what}`)
  if (!existsSync(path)) throw new LadingError(code, `there is no file ${path} to take the ${what} from`)
  const file = resolve(path)
  adjustImports()
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>
  } catch (cause) {
    const place = cause instanceof Error ? placeOf(cause, file) : ''
    throw new LadingError(code, `${path}${place}: ${messageOf(cause, code)}`, { cause })
  }
}

function messageOf(cause: unknown, code: keyof typeof kinds): string {
  if (!(cause instanceof Error)) return `it threw ${String(cause)}`
  // The parser quotes the text, which may be a password.
  if (code === 'CONFIG_INVALID' && cause.name === 'SyntaxError') return 'not valid TypeScript or JavaScript'
  return `${cause.message.split('\n')[0]}${hintFor(cause.message)}`
}

let areAdjusted = false

/**
 * A module outside of a project that has lading installed gets it from the lading that runs. A module that
 * imports and exports is an ES module, also where package.json says `"type": "commonjs"`, as `npm init` writes.
 */
function adjustImports(): void {
  if (areAdjusted) return
  areAdjusted = true
  const own = import.meta.resolve(import.meta.url.endsWith('.ts') ? '../../index.ts' : 'lading')
  registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context)
      } catch (error) {
        if (specifier !== 'lading') throw error
        return { url: own, shortCircuit: true }
      }
    },
    load(url, context, next) {
      const { format } = context
      const isModule = format?.startsWith('commonjs') === true && hasModuleSyntax(url)
      return next(url, isModule ? { ...context, format: format.replace('commonjs', 'module') } : context)
    },
  })
}

const hasModuleSyntax = (url: string): boolean =>
  url.startsWith('file:') &&
  !url.includes('/node_modules/') &&
  /^(import|export)\b/m.test(readFileSync(fileURLToPath(url), 'utf8'))

function hintFor(message: string): string {
  const method = /\.(\w+) is not a function$/.exec(message)?.[1]
  const near =
    method === undefined ? undefined : nearest(method, Object.getOwnPropertyNames(Column.prototype))
  return near === undefined ? '' : `; did you mean .${near}()?`
}

/** `:LINE:COLUMN` of the error in the model's file, or with its path in another file, if Node tells. */
function placeOf({ name, stack = '' }: Error, file: string): string {
  const [, line, column] =
    stack
      .split(pathToFileURL(file).href)
      .find((rest) => /^:\d+:\d+/.test(rest))
      ?.match(/^:(\d+):(\d+)/) ?? []
  if (line !== undefined) return `:${line}:${column}`
  if (name !== 'SyntaxError') return ''
  // For a plain JavaScript module only `--check` reports the place.
  const place =
    syntaxPlace(stack, file) ??
    syntaxPlace(spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' }).stderr, file)
  return place ?? ''
}

/** Node reports a syntax error as `PATH:LINE`, the line, and a caret below the column. */
function syntaxPlace(shown: string, file: string): string | undefined {
  const [, where = '', line, mark = ''] = /^(.+):(\d+)\n[^]*?^( *)\^/m.exec(shown) ?? []
  if (line === undefined) return undefined
  const inOther = where !== file && where !== pathToFileURL(file).href
  return `${inOther ? ` (${where})` : ''}:${line}:${mark.length + 1}`
}
