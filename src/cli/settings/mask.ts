/** The mask from the environment: an HMAC if there is a key, otherwise the plain hash, with its warning. */
import { LadingError } from '../../core/errors.ts'
import { hmacSha256, type Mask, type MaskKey, maskKey, maskKeyFromFile, sha256 } from '../../model/mask.ts'

export type MaskEnvironment = Readonly<Record<string, string | undefined>>

/** Throws `CONFIG_INVALID`, which never shows a value. An empty variable counts as unset. */
export function maskFrom(env: MaskEnvironment): Mask {
  // Both default to `k1`: a key keeps its id when it becomes the previous key.
  const current = keyFrom(env, 'LADING_MASK_KEY', 'k1')
  const previous = keyFrom(env, 'LADING_MASK_KEY_PREVIOUS', 'k1')
  if (current === undefined) {
    const variable = Object.keys(env).find(
      (name) => name.startsWith('LADING_MASK_') && read(env, name) !== undefined,
    )
    if (variable !== undefined)
      throw invalid(`${variable} is set, but neither LADING_MASK_KEY nor LADING_MASK_KEY_FILE is`)
    return sha256()
  }
  if (current.id === previous?.id) {
    throw invalid(
      'LADING_MASK_KEY_ID and LADING_MASK_KEY_PREVIOUS_ID are the same (default: k1): give the new key another id',
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
