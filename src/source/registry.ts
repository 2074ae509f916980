/** Finds sources: what a person names, what a producer remembers, and what a message refers to. */
import { splitScheme } from '../core/url.ts'
import { decompressed } from './compressed/compressed.ts'
import { discover } from './file/discover.ts'
import { FileSource } from './file/file.ts'
import { RootedFiles } from './file/rooted.ts'
import { rotatedFrom } from './file/rotated.ts'
import { FoundFiles, type SourceFile, wildcard } from './found.ts'
import { Held } from './held.ts'
import { https } from './https/https.ts'
import { refused } from './read-fault.ts'
import { Referred, type RemoteOf } from './referred.ts'
import { isPathDown, isUrl } from './root.ts'
import { s3 } from './s3/s3.ts'
import type { References, Source } from './source.ts'
import type { Store } from './store.ts'
import { textSource } from './text/text.ts'
import { isSpooled, spool, spooledSource, type SpoolOptions } from './stdin/spool.ts'

export type { SpoolOptions } from './stdin/spool.ts'
export { textSource }
export { objectsBelow } from './s3/below.ts'
export type { NamedObject } from './store.ts'

const stores: readonly Store[] = [s3, https]

/** The store that has what a URL names; undefined of a path. */
const storeOf = (path: string): Store | undefined =>
  isUrl(path) ? stores.find(({ schemes }) => schemes.includes(splitScheme(path)?.scheme ?? '')) : undefined

type Discovery = Parameters<typeof discover>

/**
 * The files that paths, URLs and patterns name, and those of the suffixes in folders, in the order of their names.
 */
export const namedFiles = (
  paths: Discovery[0],
  suffixes: Discovery[1],
  options?: Discovery[2],
): Promise<FoundFiles> =>
  discover(paths, suffixes, options, (url, looked) => storeOf(url)?.files(url, looked))
export { FoundFiles, Held, isUrl, type SourceFile, wildcard }

/** Small files of stores are held in `held`, and found there by whoever reads them next. */
export const sourceOf = ({ path, name, seen }: SourceFile, held?: Held): Source =>
  decompressed(storeOf(path)?.source(path, name, seen, held) ?? new FileSource(path, name))

/** The sources of `namedFiles`. */
export const namedSources = async (...named: Parameters<typeof namedFiles>): Promise<readonly Source[]> =>
  [...(await namedFiles(...named))].map((file) => sourceOf(file))

/** Standard input, kept beside the producer's state until it is disposed of. */
export async function standardInput(
  statePath: string,
  options: SpoolOptions,
): Promise<AsyncDisposable & { readonly source: Source }> {
  const input = await spool(statePath, options)
  return { ...input, source: decompressed(input.source) }
}

/** A source that an earlier run found at `location`. */
export const sourceAt = (location: string, name: string): Source =>
  isSpooled(location) ? decompressed(spooledSource(location, name)) : sourceOf({ path: location, name })

/** What a rotation may have made of the source: files beside it, under its name, the youngest first. */
export const rotatedSources = ({ path: named, name }: Source): readonly Source[] =>
  isUrl(named) ? [] : rotatedFrom(named).map((path) => sourceOf({ path, name }))

/**
 * Reads what messages refer to below `root`, a folder or the URL of one, and what is named by its whole path or URL
 * wherever it lies, where `isAnywhere`; throws `CONFIG_INVALID` if the root is no folder.
 */
export async function openReferences(root: string, isAnywhere = false): Promise<References> {
  const store = storeOf(root)
  const files = await RootedFiles.open(store === undefined ? root : '.', isAnywhere)
  const remoteOf: RemoteOf = (path) => {
    const isWhole = isUrl(path)
    if (!isWhole && (store === undefined || (isAnywhere && path.startsWith('/')))) return undefined
    try {
      const file = isWhole ? storeOf(path)?.file(path) : isPathDown(path) && store?.fileBelow(root, path)
      if (!file)
        return refused(path, isWhole ? 'is the URL of no store' : 'is no path downwards from the root')
      const isInside = store !== undefined && isPathDown(file.pathBelow(root) ?? '')
      return isInside || (isWhole && isAnywhere) ? file : refused(path, 'lies outside the root')
    } catch {
      // What it names no store would.
      return refused(path, 'names no file of a store')
    }
  }
  return new Referred(files, remoteOf)
}
