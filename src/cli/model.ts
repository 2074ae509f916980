import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { LadingError } from '../core/errors.ts'
import type { Model } from '../model/model.ts'

/** Models that ship with lading, by name. */
const shipped: Readonly<Record<string, () => Promise<Model>>> = {
  records: async () => (await import('../models/records.ts')).records,
  user_logins: async () => {
    const [{ userLogins }, { maskFrom }] = await Promise.all([import('../models/user-logins.ts'), import('./mask.ts')])
    return userLogins({ mask: maskFrom(process.env) })
  },
}

/** A shipped model by its name, or the one that a TypeScript or JavaScript module exports: as default, as `model`, or as its only model. */
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
  const model = [module['default'], module['model'], models.length === 1 ? models[0] : undefined].find(isModel)
  if (model === undefined) throw new LadingError('MODEL_INVALID', `${name} exports no model: export default defineModel({ … })`)
  return model
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  if (!existsSync(path)) throw new LadingError('MODEL_INVALID', `there is no file ${path} to take the model from`)
  try {
    return (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : `it threw ${String(cause)}`
    // A package.json that says "type": "commonjs", as npm init writes it, makes .ts and .js files what they are not.
    const hint = /import statement outside a module/.test(message) ? '; name it .mts, or set "type": "module" in package.json' : ''
    throw new LadingError('MODEL_INVALID', `${path}: ${message.split('\n')[0]}${hint}`, { cause })
  }
}

function isModel(value: unknown): value is Model {
  return typeof value === 'object' && value !== null && 'fingerprint' in value && 'columns' in value && 'table' in value
}
