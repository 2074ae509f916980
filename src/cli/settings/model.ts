import { LadingError } from '../../core/errors.ts'
import type { Model } from '../../model/model.ts'
import { importModule } from './module.ts'

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
  const module = await importModule(name, 'MODEL_INVALID')
  const models = Object.values(module).filter(isModel)
  const model = [module['default'], module['model'], models.length === 1 ? models[0] : undefined].find(
    isModel,
  )
  if (model === undefined)
    throw new LadingError('MODEL_INVALID', `${name} exports no model: export default defineModel({ … })`)
  return model
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
