import { existsSync } from 'node:fs'
import { LadingError } from '../../../core/errors.ts'

const suffixes = ['ts', 'mts', 'js', 'mjs', 'json', 'yaml', 'yml'] as const

/** The configuration file of the working directory. Asks for its few names: the folder may hold a million files. */
export function foundConfig(): string | undefined {
  const [one, other] = suffixes.map((suffix) => `lading.config.${suffix}`).filter((name) => existsSync(name))
  if (one !== undefined && other !== undefined)
    throw new LadingError(
      'CONFIG_INVALID',
      `there are ${one} and ${other} in this folder; keep one, or name one with --config`,
    )
  return one
}
