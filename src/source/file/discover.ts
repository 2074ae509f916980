import { type Dir, type Dirent, opendirSync, type Stats, statSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { LadingError, toLadingError } from '../../core/errors.ts'
import { listed } from '../../core/listed.ts'
import { shownUrl } from '../../core/url.ts'
import { breath } from '../../core/wait.ts'
import { packedSuffixes } from '../compressed/foreign.ts'
import {
  type Found,
  FoundFiles,
  hidden,
  type Looked,
  type PathOf,
  type Reason,
  toldAs,
  wildcard,
} from '../found.ts'

/** Files that a folder or a pattern holds and that are not loaded, and what to say of them. */
const reasons = {
  format: 'files of other formats are left out; --format loads those of one, or name them',
  packed:
    'files that are packed with neither gzip nor zstd are left out; unpack them, or name one to hear how it is loaded',
  hidden: 'hidden files are left out; name one to load it',
  name: 'files whose names are not UTF-8 cannot be opened, and are left out; rename them',
  unreadable: 'folders that cannot be read are left out',
} as const satisfies Record<Reason, string>

/** The files that the URL of a store names; undefined for what is no such URL. */
export type Elsewhere = (url: string, looked: Looked) => AsyncIterable<readonly Found[]> | undefined

export interface DiscoverOptions {
  /** Suffixes of files that a warning names, where folders have them. */
  readonly others?: readonly string[]
  /** Hears what is left out. */
  readonly onLeft?: ((message: string) => void) | undefined
  /**
   * Whether the folders are looked at again and again: no file yet is no fault, nor is a folder below that cannot be
   * read, which a person may just be making. Hidden files are expected there.
   */
  readonly isWatched?: boolean
}

/**
 * The files that `paths` name, in the order of their names: files as they are, folders with all files below them that
 * have one of the suffixes, patterns with the files that match. Hidden files are left out, and with them files that are
 * still written under a temporary name; so are other files in folders.
 */
export async function discover(
  paths: readonly string[],
  suffixes: readonly string[],
  { others = [], onLeft, isWatched = false }: DiscoverOptions = {},
  elsewhere: Elsewhere = () => undefined,
): Promise<FoundFiles> {
  const looked = {
    wanted: endingWith(suffixes),
    others: endingWith(others),
    packed: endingWith([...suffixes, ...others], `\\.(${packedSuffixes.join('|')})`),
  }
  const found: Found[] = []
  const left: Record<Reason, string[]> = { format: [], packed: [], hidden: [], name: [], unreadable: [] }
  // A file that is named twice has the name under which it came first. One path alone names none twice.
  const named = paths.length === 1 ? undefined : new Set<string>()
  const isNew = ({ name, pathOf }: Found) => {
    if (named === undefined) return true
    const { size } = named
    return named.add(placeOf(pathOf(name))).size > size
  }
  for (const path of paths) {
    for await (const files of elsewhere(path, looked) ?? filesOf(path, looked)) {
      for (const file of files) {
        if (file.fault !== undefined && !isWatched) throw file.fault
        if (file.left !== undefined) left[file.left].push(file.pathOf(file.name))
        else if (isNew(file)) found.push(file)
      }
    }
  }
  left.format = left.format.filter((path) => named?.has(placeOf(path)) !== true)
  if (isWatched) left.hidden = []
  const leftOut = (Object.keys(reasons) as Reason[]).flatMap((reason) =>
    left[reason].length > 0 ? [`${reasons[reason]}: ${listed(left[reason], mostListed)}`] : [],
  )
  if (found.length === 0 && !isWatched) {
    const besides = leftOut.map((each) => `; ${each}`).join('')
    throw new LadingError(
      'SOURCE_EMPTY',
      `no file to load in ${paths.map(shownPath).join(', ')} (looked for ${searched(suffixes)}; --format looks for others)${besides}`,
    )
  }
  if (onLeft !== undefined) for (const message of leftOut) onLeft(message)
  return new FoundFiles(found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)))
}

const mostListed = 5

const hasScheme = (path: string): boolean => path.includes('://')

/** Two paths with the same one lead to the same file. */
const placeOf = (path: string): string => (hasScheme(path) ? path : resolve(path))

const shownPath = (path: string): string => (hasScheme(path) ? shownUrl(path) : path)

function searched(suffixes: readonly string[]): string {
  const all = suffixes.flatMap((suffix) => ['', '.gz', '.zst'].map((packed) => `*.${suffix}${packed}`))
  return `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`
}

const endingWith = (suffixes: readonly string[], packing = '(\\.gz|\\.zst)?'): RegExp =>
  suffixes.length === 0 ? /(?!)/ : new RegExp(`\\.(${suffixes.join('|')})${packing}$`, 'i')

/** A folder's files at once: a promise for each would take longer than all else. */
async function* filesOf(path: string, looked: Looked): AsyncGenerator<readonly Found[]> {
  const stats = statsOf(path)
  if (stats === undefined) refuseOther(path)
  if (stats?.isDirectory()) yield* filesBelow(path, '', looked)
  else if (stats !== undefined) yield [{ name: basename(path), pathOf: () => path }]
  else if (wildcard.test(path)) yield await filesMatching(path)
  else throw new LadingError('SOURCE_MISSING', `there is no file or folder ${path}`)
}

/** Throws for what is named and is no path, or a path through a file. */
function refuseOther(path: string): void {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(path)?.[1]?.toLowerCase()
  if (scheme !== undefined) throw new LadingError('USAGE', notAPath(path, scheme))
  for (let above = dirname(path); above !== dirname(above); above = dirname(above))
    if (isFile(above)) throw new LadingError('SOURCE_MISSING', `${above} is a file, and not a folder`)
  if (/[/\\]$/.test(path) && isFile(path.replace(/[/\\]+$/, '')))
    throw new LadingError('SOURCE_MISSING', `${path} ends as a folder does, and it is a file`)
}

/** By the scheme of an address: the command that writes what lies there to standard output. */
const fetching: Readonly<Record<string, string>> = {
  ftp: 'curl -sS URL',
  sftp: 'curl -sS URL',
  gs: 'gcloud storage cat URL',
  hdfs: 'hdfs dfs -cat URL',
}

/** Never shows what of an address may be a secret. */
function notAPath(address: string, scheme: string): string {
  const shown = shownUrl(address)
  if (scheme === 'file') return `${shown} is a URL; name the file by its path`
  const command = fetching[scheme]
  if (command === undefined)
    return `${shown} is the URL of a server, and not a file; a database goes behind --to`
  const suffix = /\.(json|ndjson|jsonl|tsv)(\.(gz|zst))?$/i.exec(shown)?.[1]?.toLowerCase()
  const format = suffix === undefined ? '' : ` --format ${suffix === 'jsonl' ? 'ndjson' : suffix}`
  return `${shown} is the address of a file that lies elsewhere: ${command} | lading load -${format}`
}

/** Entries of a folder that are asked for at once. */
const entriesTogether = 1_000

/** `way` leads from the folder that was named to one below it, with '/' behind each part. */
async function* filesBelow(named: string, way: string, looked: Looked): AsyncGenerator<readonly Found[]> {
  const { wanted } = looked
  const before = join(named, 'x').slice(0, -1)
  const pathOf = pathBelow(before)
  const files: Found[] = []
  const folders: string[] = []
  const breathe = breath()
  for (const entry of entriesOf(join(named, way))) {
    const pause = breathe()
    if (pause !== undefined) await pause
    const name = way + entry.name
    const add = (left?: Reason) =>
      void files.push(left === undefined ? { name, pathOf } : { name, pathOf, left })
    if (isLost(before, name)) {
      if (wanted.test(name) || entry.isDirectory()) add('name')
    } else if (entry.isDirectory()) folders.push(`${name}/`)
    else if (wanted.test(name) && isFileEntry(entry, before + name))
      add(isHidden(name) ? 'hidden' : undefined)
    else {
      const told = toldAs(name, looked)
      if (told !== undefined && !isHidden(name) && isFileEntry(entry, before + name)) add(told)
    }
  }
  yield files
  for (const below of folders) {
    try {
      yield* filesBelow(named, below, looked)
    } catch (error) {
      // A hidden folder holds nothing that is loaded.
      const left = isHidden(below)
        ? { left: 'hidden' as const }
        : { left: 'unreadable' as const, fault: toLadingError(error) }
      yield [{ name: below, pathOf, ...left }]
    }
  }
}

/** On its own, so that it holds nothing else of its folder. */
const pathBelow =
  (before: string): PathOf =>
  (name) =>
    before + (sep === '/' ? name : name.replaceAll('/', sep))

/** A hundred thousand at once take 20 MiB that stay with the process, and a promise for each takes long. */
function* entriesOf(folder: string): Generator<Dirent> {
  let entries: Dir | undefined
  try {
    entries = opendirSync(folder, { bufferSize: entriesTogether })
    for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) yield entry
  } catch (cause) {
    throw unreadableFolder(folder, cause)
  } finally {
    entries?.closeSync()
  }
}

/** Whether Node has put U+FFFD for bytes of the name that are not UTF-8, and so cannot find the file by it any more. */
const isLost = (folder: string, name: string): boolean =>
  name.includes('\ufffd') && statsOf(folder + name) === undefined

const isFileEntry = (entry: Dirent, path: string): boolean => entry.isFile() || isFile(path)

/** Through a link, as whole folders of them are mounted in containers. */
const isFile = (path: string): boolean => statsOf(path)?.isFile() === true

/** Without a promise, which costs ten times the call. */
function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

async function filesMatching(pattern: string): Promise<readonly Found[]> {
  const files: Found[] = []
  const faults = new Map<string, Found>()
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
  const foundAt = (path: string) => ({
    name: relative(base, path).split(sep).join('/'),
    pathOf: () => shown(path),
  })
  const shown = (path: string) => (isAbsolute(pattern) ? path : relative('', path))
  const resolved = resolve(pattern).split(sep)
  // Node passes over folders that it cannot read, or stumbles over them.
  const exclude = (entry: Dirent): boolean => {
    if (!entry.isDirectory()) return false
    const folder = resolve(entry.parentPath, entry.name)
    const fault = unreadable(folder, resolved)
    if (fault === undefined) return false
    const why = isLost('', folder) ? { left: 'name' as const } : { left: 'unreadable' as const, fault }
    if (!isHidden(shown(folder), meant)) faults.set(folder, { ...foundAt(folder), ...why })
    return true
  }
  // Below `./`, and nowhere else, Node follows links to folders.
  const asked = pattern.replace(/^(\.[/\\])+/, '')
  for await (const entry of glob(asked, { withFileTypes: true, exclude })) {
    const path = resolve(entry.parentPath, entry.name)
    const file = foundAt(path)
    if (isLost('', path)) files.push({ ...file, left: 'name' })
    if (!isFile(path)) continue
    if (isHidden(shown(path), meant)) {
      files.push({ ...file, left: 'hidden' })
      continue
    }
    matches++
    files.push(file)
  }
  if (matches + faults.size === 0) throw new LadingError('SOURCE_MISSING', `no file matches ${pattern}`)
  return [...files, ...faults.values()]
}

/**
 * Why the files below a folder that match a pattern, in its parts, cannot be found; undefined where they can. By a part
 * without wildcards, a file is found without the entries of its folder.
 */
function unreadable(folder: string, parts: readonly string[]): LadingError | undefined {
  const depth = folder.split(sep).length
  const isAnyDepth = parts.slice(0, depth + 1).includes('**')
  const next = parts[depth]
  if (next === undefined && !isAnyDepth) return undefined
  try {
    statSync(`${folder}${sep}.`)
    if (isAnyDepth || wildcard.test(next ?? '')) opendirSync(folder).closeSync()
    return undefined
  } catch (cause) {
    return unreadableFolder(folder, cause)
  }
}

const unreadableFolder = (folder: string, cause: unknown): LadingError =>
  new LadingError('SOURCE_UNREADABLE', `folder ${folder}: ${(cause as Error).message}`, { cause })

const isHidden = (name: string, meant?: ReadonlySet<string>): boolean => hidden(name.split(sep), meant)
