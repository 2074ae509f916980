/** What can be said of the files behind URLs without opening them. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { LadingError } from '../../core/errors.ts'
import { splitScheme } from '../../core/url.ts'

/**
 * The file that a URL names, as the registries read it: only a queue has parameters. Undefined for a server.
 */
function fileOf(url: string): string | undefined {
  const { scheme, rest = '' } = splitScheme(url) ?? {}
  if (scheme !== 'sqlite' && scheme !== 'embedded') return undefined
  const path = scheme === 'sqlite' ? rest : (rest.split('?')[0] as string)
  return path === '' || path === ':memory:' ? undefined : path
}

/** The file that a URL names, where there is none: a command that only looks must not make it. */
export function absentFile(url: string): string | undefined {
  const path = fileOf(url)
  return path === undefined || existsSync(path) ? undefined : path
}

/** A wrong path must not look like a database into which nothing was loaded. */
export function requireDatabase(url: string): void {
  const path = absentFile(url)
  if (path !== undefined)
    throw new LadingError('SOURCE_MISSING', `there is no database ${path}; nothing was loaded into it`)
}

/**
 * Queue and target have each a file of their own: the one is thrown away without a thought, the other is
 * kept.
 */
export function requireTwoFiles(queue: string, to: string): void {
  const [one, other] = [fileOf(queue), fileOf(to)]
  if (one === undefined || other === undefined || resolve(one) !== resolve(other)) return
  throw new LadingError('USAGE', `--queue and --to name the same file ${one}; each needs its own`)
}
