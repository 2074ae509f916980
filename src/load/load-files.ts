/** A load with a model or without one: what a program calls. */
import type { LoadOptions, LoadResult } from './options.ts'
import { load } from './load.ts'
import { unmodelled } from './unmodelled.ts'
import type { UnmodelledOptions } from './unmodelled-options.ts'

/** Without a model, the files say what a record is, and the table that they go to. */
export interface UnmodelledLoadOptions
  extends
    Omit<LoadOptions, 'model' | 'ofTable' | 'input' | 'namesColumns'>,
    Pick<UnmodelledOptions, 'table' | 'choices' | 'types' | 'usual'> {
  readonly model?: undefined
}

export interface LoadedFiles extends LoadResult {
  /** What was decided without being stated, one line each; none with a model. */
  readonly decisions: readonly string[]
}

export async function loadFiles(options: LoadOptions | UnmodelledLoadOptions): Promise<LoadedFiles> {
  if (options.model !== undefined) return { ...(await load(options)), decisions: [] }
  await using found = await unmodelled(options)
  const { model, readingOf, input, ofTable, decisions } = found
  const settings = { ...options, model, readingOf, input, ofTable, namesColumns: true }
  return { ...(await load(settings)), decisions }
}
