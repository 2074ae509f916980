/** Files that come together and have nothing to do with one another: one that is at fault keeps no other out. */
import { LadingError, toLadingError } from '../core/errors.ts'
import { mayPass } from '../core/retry.ts'
import type { Model } from '../model/model.ts'
import { FoundFiles, type SourceFile } from '../source/registry.ts'
import { load } from './load.ts'
import { isOfFile } from './move.ts'
import type { LoadOptions, LoadResult } from './options.ts'
import { unmodelled } from './unmodelled.ts'
import type { UnmodelledOptions } from './unmodelled-options.ts'

/** Without a model, the first files decide on a table that is not there, and later ones must fit it. */
export interface ApartOptions
  extends
    Omit<LoadOptions, 'model' | 'files' | 'input' | 'again' | 'fresh' | 'limit'>,
    Pick<UnmodelledOptions, 'table' | 'choices' | 'types' | 'usual'> {
  readonly model?: Model | undefined
  readonly onDecided: (decision: string) => void
}

export interface ApartHandlers<File extends SourceFile> {
  /** Of files that were loaded together, each with its outcome in `result.produced`, in their order. */
  concluded(files: readonly File[], result: LoadResult): void
  /** Nothing of the file could be loaded. */
  refused(file: File, error: LadingError): void
  /** Whether an error that may pass is of one file all the same; without it, none is. */
  isApart?(error: LadingError): Promise<boolean>
}

/** Throws what is no single file's fault; stops without a word where the signal is aborted. */
export async function loadApart<File extends SourceFile>(
  files: readonly File[],
  options: ApartOptions,
  handlers: ApartHandlers<File>,
): Promise<void> {
  try {
    handlers.concluded(files, await loadTogether(files, options))
  } catch (error) {
    if (options.signal?.aborted) return
    const [first] = files
    if (first === undefined || !(error instanceof LadingError) || !isOfFile(error)) throw error
    if (mayPass(error) && (await handlers.isApart?.(error)) !== true) throw error
    if (files.length === 1) return handlers.refused(first, error)
    const half = Math.ceil(files.length / 2)
    for (const part of [files.slice(0, half), files.slice(half)]) await loadApart(part, options, handlers)
  }
}

async function loadTogether(named: readonly SourceFile[], options: ApartOptions): Promise<LoadResult> {
  const { model: stated, ...given } = options
  const files = new FoundFiles(named.map(({ path, ...file }) => ({ ...file, pathOf: () => path })))
  const settings = { ...given, files, keepsLoads: true }
  if (stated !== undefined) return await load({ ...settings, model: stated })
  await using found = await unmodelled(settings).catch((error: unknown) => {
    // The table does not take the fields of these files.
    if (toLadingError(error).code === 'SCHEMA_MISMATCH')
      throw new LadingError('HEADER_MISMATCH', toLadingError(error).message)
    throw error
  })
  const { model, readingOf, held, ofTable } = found
  found.decisions.forEach(options.onDecided)
  return await load({ ...settings, model, readingOf, held, ofTable, namesColumns: true })
}
