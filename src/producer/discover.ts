import { glob, readdir, stat } from 'node:fs/promises'
import { basename, join, relative, resolve, sep } from 'node:path'
import { LadingError } from '../core/errors.ts'

/** A file to load, and the name by which the load is known: relative to the folder that was named, or to the part of a pattern without wildcards, so that moving the folder changes nothing. */
export interface SourceFile {
  readonly path: string
  readonly name: string
}

const wildcard = /[*?[{]/
const csv = /\.csv(\.gz|\.zst)?$/i

/**
 * The files that `paths` name: files as they are, folders with all CSV files below them, patterns with the files that match.
 * Hidden files are left out, and with them whatever is written under a temporary name. In the order of their names.
 */
export async function discover(paths: readonly string[]): Promise<readonly SourceFile[]> {
  // A file that is named twice has the name under which it came first.
  const found = new Map<string, SourceFile>()
  for (const path of paths) {
    for await (const file of filesOf(path)) if (!found.has(resolve(file.path))) found.set(resolve(file.path), file)
  }
  if (found.size === 0)
    throw new LadingError('SOURCE_EMPTY', `no CSV file in ${paths.join(', ')} (looked for *.csv, *.csv.gz and *.csv.zst)`)
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

async function* filesOf(path: string): AsyncGenerator<SourceFile> {
  const stats = await stat(path).catch(() => undefined)
  if (stats?.isDirectory()) yield* filesBelow(path)
  else if (stats !== undefined) yield { path, name: basename(path) }
  else if (wildcard.test(path)) yield* filesMatching(path)
  else throw new LadingError('SOURCE_MISSING', `there is no file or folder ${path}`)
}

async function* filesBelow(folder: string): AsyncGenerator<SourceFile> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: Error) => {
    throw new LadingError('SOURCE_UNREADABLE', `folder ${folder}: ${cause.message}`, { cause })
  })
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    const name = relative(folder, path)
    if (csv.test(name) && !hidden(name) && (entry.isFile() || (await isFile(path)))) yield { path, name: name.split(sep).join('/') }
  }
}

/** Through a link, as whole folders of them are mounted in containers. */
async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true
}

async function* filesMatching(pattern: string): AsyncGenerator<SourceFile> {
  let matches = 0
  // Who writes the name of a hidden folder into the pattern means it.
  const parts = pattern.split(sep)
  const meant = new Set(parts)
  const base = parts
    .slice(
      0,
      parts.findIndex((part) => wildcard.test(part)),
    )
    .join(sep)
  for await (const path of glob(pattern)) {
    if (hidden(path, meant) || !(await isFile(path))) continue
    matches++
    yield { path, name: relative(base, path).split(sep).join('/') }
  }
  if (matches === 0) throw new LadingError('SOURCE_MISSING', `no file matches ${pattern}`)
}

const dots: ReadonlySet<string> = new Set(['.', '..'])

const hidden = (name: string, meant = dots): boolean =>
  name.split(sep).some((part) => part.startsWith('.') && !dots.has(part) && !meant.has(part))

/** As they lie on the disk; a file that is gone counts for nothing. */
export async function bytesOf(files: readonly SourceFile[]): Promise<number> {
  let bytes = 0
  for (const { path } of files) bytes += (await stat(path).catch(() => undefined))?.size ?? 0
  return bytes
}
