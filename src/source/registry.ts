/** Finds sources: what a person names, what a producer remembers, and what a message refers to. */
import { decompressed } from './compressed/compressed.ts'
import { discover, wildcard } from './file/discover.ts'
import { FileSource } from './file/file.ts'
import { FoundFiles, type SourceFile } from './file/found.ts'
import { RootedFiles } from './file/rooted.ts'
import { rotatedFrom } from './file/rotated.ts'
import type { References, Source } from './source.ts'
import { textSource } from './text/text.ts'
import { isSpooled, spool, spooledSource, type SpoolOptions } from './stdin/spool.ts'

export type { SpoolOptions } from './stdin/spool.ts'
export { textSource }

/**
 * The files that paths and patterns name, and those of the suffixes in folders, in the order of their names;
 * `onLeft` hears what is left out, in folders also of the suffixes `others`.
 */
export const namedFiles = discover
export { FoundFiles, type SourceFile, wildcard }

export const sourceOf = ({ path, name }: SourceFile): Source => decompressed(new FileSource(path, name))

/** The sources of `namedFiles`. */
export const namedSources = async (...named: Parameters<typeof discover>): Promise<readonly Source[]> =>
  [...(await discover(...named))].map(sourceOf)

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
  decompressed(isSpooled(location) ? spooledSource(location, name) : new FileSource(location, name))

/** What a rotation may have made of the source: files beside it, under its name, the youngest first. */
export const rotatedSources = ({ path: named, name }: Source): readonly Source[] =>
  rotatedFrom(named).map((path) => sourceOf({ path, name }))

/**
 * Reads what messages refer to below `root`, and paths from '/' on wherever they lead, where `isAnywhere`;
 * throws `CONFIG_INVALID` if the root is no folder.
 */
export const openReferences = (root: string, isAnywhere = false): Promise<References> =>
  RootedFiles.open(root, isAnywhere)
