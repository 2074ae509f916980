/**
 * A folder that producers and consumers share, perhaps mounted at different places: what lies below it has a
 * path that means the same to all.
 */
import { realpath, stat } from 'node:fs/promises'
import { isAbsolute, relative, sep } from 'node:path'
import { LadingError } from '../core/errors.ts'

/** Longer paths are opened nowhere (PATH_MAX of Linux). */
const mostPathLength = 4096

/** Whether the text names what lies in a store, and not in the file system. */
export const isUrl = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text)

/** The folder's real path. */
export async function openRoot(path: string): Promise<string> {
  const invalid = (what: string, cause?: unknown) =>
    new LadingError('CONFIG_INVALID', `--root ${path}: ${what}`, { cause })
  let real: string
  let isFolder: boolean
  try {
    real = await realpath(path)
    isFolder = (await stat(real)).isDirectory()
  } catch (cause) {
    throw invalid((cause as Error).message, cause)
  }
  if (!isFolder) throw invalid('it is not a folder')
  return real
}

/**
 * The path from a real root to what lies below it at the real path `path`, with '/' between its parts;
 * undefined where it lies elsewhere.
 */
export function pathBelow(root: string, path: string): string | undefined {
  const way = relative(root, path)
  if (way === '' || isAbsolute(way) || way.split(sep)[0] === '..') return undefined
  return way.split(sep).join('/')
}

/**
 * Whether the text is a path downwards from a root on every system, by its form alone: no way up, no drive,
 * no other separator.
 */
export function isPathDown(text: string): boolean {
  if (text.length > mostPathLength || !text.isWellFormed() || /[\0\\]|^[a-z]:/i.test(text)) return false
  return text.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}
