/**
 * The mask that the environment stands for: a key of its own where one is given, else the plain hash, which
 * says what it lacks.
 */
import { LadingError } from '../../core/errors.ts'
import { hmacSha256, type Mask, type MaskKey, maskKey, maskKeyFromFile, sha256 } from '../../model/mask.ts'

export type MaskEnvironment = Readonly<Record<string, string | undefined>>

/** Throws `CONFIG_INVALID`, which names variables and shows no value. An empty variable counts as not set. */
export function maskFrom(env: MaskEnvironment): Mask {
  // The id that the key has before it is replaced is the one that the next one's predecessor has.
  const current = keyFrom(env, 'LADING_MASK_KEY', 'k1')
  const previous = keyFrom(env, 'LADING_MASK_KEY_PREVIOUS', 'k1')
  if (current === undefined) {
    const variable = Object.keys(env).find(
      (name) => name.startsWith('LADING_MASK_') && read(env, name) !== undefined,
    )
    if (variable !== undefined)
      throw invalid(`${variable} is set, and neither LADING_MASK_KEY nor LADING_MASK_KEY_FILE`)
    return sha256()
  }
  if (current.id === previous?.id) {
    throw invalid(
      'LADING_MASK_KEY_ID and LADING_MASK_KEY_PREVIOUS_ID are the same (k1 without a word): give the new key an id of its own',
    )
  }
  return hmacSha256({ keys: previous === undefined ? [current] : [current, previous] })
}

function keyFrom(env: MaskEnvironment, name: string, defaultId: string): MaskKey | undefined {
  const key = read(env, name)
  const file = read(env, `${name}_FILE`)
  const id = read(env, `${name}_ID`) ?? defaultId
  if (key !== undefined && file !== undefined) throw invalid(`${name} and ${name}_FILE are both set`)
  if (key !== undefined) return maskKey(id, key)
  return file === undefined ? undefined : maskKeyFromFile(id, file)
}

const read = (env: MaskEnvironment, name: string): string | undefined =>
  env[name] === '' ? undefined : env[name]

const invalid = (message: string): LadingError => new LadingError('CONFIG_INVALID', message)
