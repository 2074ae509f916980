/** A load with a model or without one, of whatever the program gives: what it calls. */
import type { Model } from '../model/model.ts'
import {
  type GivenPaths,
  type GivenObjects,
  type GivenSource,
  type GivenStream,
  type RecordOf,
  sourceOptions,
} from './given.ts'
import type { LoadOptions, LoadResult } from './options.ts'
import { load } from './load.ts'
import { unmodelled } from './unmodelled.ts'
import type { UnmodelledOptions } from './unmodelled-options.ts'

type Without<T> = Omit<T, 'paths' | 'stdin' | 'stdinName' | 'held' | 'input'>

/** What is loaded, and by which model; everything else is in `LoadOptions`. */
export type ModelledLoadOptions<M extends Model, R extends RecordOf<M>> = Without<LoadOptions> & {
  readonly model: M
} & (GivenPaths | GivenStream | GivenObjects<R>)

/** Without a model, the files say what a record is, and the table that they go to. */
export interface UnmodelledLoadOptions
  extends
    Omit<LoadOptions, 'model' | 'ofTable' | 'held' | 'input' | 'namesColumns'>,
    Pick<UnmodelledOptions, 'table' | 'choices' | 'types' | 'usual'> {
  readonly model?: undefined
}

/** What became of a load, and what it decided by itself. */
export interface LoadedFiles extends LoadResult {
  /** What was decided without being stated, one line each; none with a model. */
  readonly decisions: readonly string[]
}

/**
 * Loads files, a stream or objects, and resolves with the receipts when every record has its verdict. Calling it again
 * with the same source goes on where it stopped, or does nothing.
 *
 * @throws LadingError `SOURCE_…` and `HEADER_MISMATCH` before anything is loaded, `SINK_…` and `QUEUE_…` where a system
 *   refuses, `ABORTED` after `signal`. Records that are refused throw nothing: they are in the
 *   receipts.
 * @example
 * const { account } = await load({ paths: ['orders.csv'], model: orders, queue, sink })
 * console.log(account.totals.loaded, account.totals.rejected)
 */
export async function loadFiles<M extends Model, R extends RecordOf<M>>(
  options:
    | ModelledLoadOptions<M, R>
    | (Without<UnmodelledLoadOptions> & (GivenPaths | GivenStream | GivenObjects<object>)),
): Promise<LoadedFiles>
export async function loadFiles(options: LoadOptions | UnmodelledLoadOptions): Promise<LoadedFiles>
export async function loadFiles(given: object): Promise<LoadedFiles> {
  const { stream: _, objects: __, ...others } = given as GivenSource
  const options = { ...others, ...sourceOptions(given as GivenSource) } as LoadOptions | UnmodelledLoadOptions
  if (options.model !== undefined) return { ...(await load(options)), decisions: [] }
  await using found = await unmodelled(options)
  const { model, readingOf, files, held, input, ofTable, decisions } = found
  const settings = { ...options, model, readingOf, files, held, input, ofTable, namesColumns: true }
  return { ...(await load(settings)), decisions }
}
