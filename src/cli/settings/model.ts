import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { LadingError } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import { Column } from '../../model/columns.ts'
import type { Model } from '../../model/model.ts'

/** Taken without `--model` where the files fit it. */
export const usualModel = 'records'

/** Models that ship with lading, by name. */
const shipped: Readonly<Record<string, () => Promise<Model>>> = {
  records: async () => (await import('../../model/shipped/records.ts')).records,
  user_logins: async () => {
    const [{ userLogins }, { maskFrom }] = await Promise.all([
      import('../../model/shipped/user-logins.ts'),
      import('./mask.ts'),
    ])
    return userLogins({ mask: maskFrom(process.env) })
  },
}

/**
 * A shipped model by its name, or the model of a TypeScript or JavaScript module: its default export, its
 * export `model`, or its only model.
 */
export async function loadModel(name: string): Promise<Model> {
  if (Object.hasOwn(shipped, name)) return (shipped[name] as () => Promise<Model>)()
  if (!/[/\\]|\.[cm]?[jt]s$/.test(name)) {
    throw new LadingError(
      'MODEL_INVALID',
      `there is no model ${name}; there is ${Object.keys(shipped).join(', ')}, or give the path of a module`,
    )
  }
  const module = await importModule(name)
  const models = Object.values(module).filter(isModel)
  const model = [module['default'], module['model'], models.length === 1 ? models[0] : undefined].find(
    isModel,
  )
  if (model === undefined)
    throw new LadingError('MODEL_INVALID', `${name} exports no model: export default defineModel({ … })`)
  return model
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new LadingError('MODEL_INVALID', `${path} is a folder; name the file in it that exports the model`)
  if (!existsSync(path))
    throw new LadingError('MODEL_INVALID', `there is no file ${path} to take the model from`)
  const file = resolve(path)
  adjustImports()
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : `it threw ${String(cause)}`
    const place = cause instanceof Error ? placeOf(cause, file) : ''
    throw new LadingError('MODEL_INVALID', `${path}${place}: ${message.split('\n')[0]}${hintFor(message)}`, {
      cause,
    })
  }
}

let areAdjusted = false

/**
 * A model outside of a project that has lading installed gets it from the lading that runs. A model that
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

function isModel(value: unknown): value is Model {
  return (
    typeof value === 'object' &&
    value !== null &&
    'fingerprint' in value &&
    'columns' in value &&
    'table' in value
  )
}
