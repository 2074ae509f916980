/** What becomes of a file that is dealt with: it stays, goes to a folder, or is deleted; never another one. */
import { existsSync, mkdirSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { LadingError } from '../core/errors.ts'
import { makeFolder } from '../core/files.ts'
import { sourceOf, wildcard } from '../source/registry.ts'
import type { Arrival } from './arrivals.ts'

export type Aside = 'keep' | 'delete' | { readonly move: string }

/** The stamp without the time of the last change of the file's entry (ctime), which moving it sets. */
const contentOf = (stamp: string | undefined): string | undefined => stamp?.split(':').slice(0, 4).join(':')

const stampAt = (path: string, name: string): string | undefined => sourceOf({ path, name }).stamp?.()?.text

/** Whether it is still the file that was looked at. */
export const isAsSeen = ({ path, name, stamp }: Arrival): boolean => stampAt(path, name) === stamp

/** Whether neither it nor another one is there. */
export const isGone = ({ path, name }: Arrival): boolean => stampAt(path, name) === undefined

/** Returns where the file is now; undefined where it stays, or where another one has come in its place. */
export function putAside(file: Arrival, aside: Aside): string | undefined {
  const { path, name, stamp } = file
  if (aside === 'keep' || !isAsSeen(file)) return undefined
  try {
    const target = aside === 'delete' ? besides(path) : freeName(join(aside.move, name))
    mkdirSync(dirname(target), { recursive: true })
    renameSync(path, target)
    if (contentOf(stampAt(target, name)) === contentOf(stamp)) {
      if (aside === 'delete') unlinkSync(target)
      return aside === 'delete' ? '' : target
    }
    // It was replaced between the two calls, and what came is not loaded yet.
    if (!existsSync(path)) renameSync(target, path)
    return undefined
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new LadingError('OUTPUT_UNWRITABLE', `${path} cannot be put aside: ${(cause as Error).message}`, {
      cause,
    })
  }
}

/** Hidden, so that nobody loads it. */
const besides = (path: string): string => freeName(join(dirname(path), `.${basename(path)}.loaded`))

/** No file that lies there is replaced. */
function freeName(path: string): string {
  for (let n = 0; ; n++) {
    const name = n === 0 ? path : `${path}.${n}`
    if (!existsSync(name)) return name
  }
}

/** The folder below which the files lie that a path or a pattern names, and the pattern's parts below it. */
export function baseOf(path: string): { readonly base: string; readonly below: readonly string[] } {
  const parts = resolve(path).split(sep)
  const wild = parts.findIndex((part) => wildcard.test(part))
  return wild < 0
    ? { base: parts.join(sep), below: [] }
    : { base: parts.slice(0, wild).join(sep), below: parts.slice(wild) }
}

/**
 * Throws `USAGE` for a folder in which the files would be found again, or to which none can be moved at once, and
 * `OUTPUT_UNWRITABLE` for one that cannot be made.
 */
export function requireAside(aside: Aside, paths: readonly string[]): void {
  if (typeof aside === 'string') return
  const to = resolve(aside.move)
  try {
    makeFolder(to)
  } catch (cause) {
    const why = (cause as Error).message
    throw new LadingError('OUTPUT_UNWRITABLE', `the folder ${aside.move} cannot be made: ${why}`, { cause })
  }
  for (const path of paths) {
    const { base, below } = baseOf(path)
    // A pattern whose last part alone is one matches nothing in folders below.
    const isFlat = below.length === 1 && !below[0]?.includes('**')
    const isBelow = isFlat ? to === base : `${to}${sep}`.startsWith(`${base}${sep}`)
    if (isBelow)
      throw new LadingError(
        'USAGE',
        `${aside.move} lies in ${path}, where its files would be found again: name a folder beside it`,
      )
    if (existsSync(base) && statSync(base).dev !== statSync(to).dev)
      throw new LadingError(
        'USAGE',
        `${aside.move} lies on another file system than ${path}, and files can only be renamed into it`,
      )
  }
}
