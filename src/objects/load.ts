/** Objects, as files → what became of each. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { counted } from '../core/counted.ts'
import { LadingError, toLadingError } from '../core/errors.ts'
import { ignoreEvents } from '../core/events.ts'
import { type ApartHandlers, type ApartOptions, loadApart } from '../load/apart.ts'
import type { LoadResult } from '../load/options.ts'
import { balance } from '../sink/receipt.ts'
import { Held, type SourceFile, sourceOf } from '../source/registry.ts'

/** `known`: there was nothing left to load. */
export type Fate = 'loaded' | 'known' | LadingError

export interface Outcome {
  readonly fate: Fate
  /** The state in which it was read; undefined where that is whichever it had at that moment. */
  readonly seen: string | undefined
}

/** A load waits for a database that has gone away meanwhile. */
const databasePatienceMs = 86_400_000

export type LoadObjectsOptions = Omit<
  ApartOptions,
  'paths' | 'statePath' | 'carry' | 'append' | 'deferIndexes'
>

/** What tells an object that its store fails to send from a store that fails. */
interface Known {
  /** A file that the store had an answer for. */
  readonly answered?: SourceFile | undefined
  /** Whether all of them have failed together for a while. */
  readonly isLate?: boolean
}

/**
 * By the path of each file; one is not in the answer where the signal aborts before it has its verdict. Throws what is
 * no single object's fault.
 */
export async function loadObjects(
  files: readonly SourceFile[],
  given: LoadObjectsOptions,
  { answered, isLate }: Known = {},
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>()
  if (files.length === 0) return outcomes
  await using kept = new AsyncDisposableStack()
  // What a load remembers of its files would grow for ever, and the ledger knows what is needed.
  const folder = await mkdtemp(join(tmpdir(), 'lading-objects-'))
  kept.defer(() => rm(folder, { recursive: true, force: true }))
  const options: ApartOptions = {
    ...given,
    paths: [],
    carry: 'bytes',
    deferIndexes: 'never',
    statePath: join(folder, 'producer.db'),
    // Those that go again without one that is at fault are not asked for again.
    held: new Held(),
    startTimeoutMs: databasePatienceMs,
  }
  const handlers: ApartHandlers<SourceFile> = {
    concluded: (loaded, result) => {
      for (const [{ path, seen }, fate] of fatesOf(loaded, result, options))
        outcomes.set(path, { fate, seen })
    },
    refused: ({ path, seen }, error) => {
      // No object is at fault where the store refuses whoever asks.
      if (error.code === 'SOURCE_REFUSED') throw error
      outcomes.set(path, { fate: error, seen })
    },
    isApart: async (error) => isUnavailable(error) && (isLate === true || (await answers(answered))),
  }
  await loadApart(files, options, handlers)
  // Written anew since its event: what is there now is loaded.
  const isOther = ({ path, seen }: SourceFile) =>
    seen !== undefined && codeOf(outcomes.get(path)?.fate) === 'SOURCE_CHANGED'
  const others = files.filter(isOther).map(({ path, name }) => ({ path, name }))
  if (others.length > 0) await loadApart(others, options, handlers)
  const fates = [...outcomes.values()].map(({ fate }) => fate)
  if (fates.every(isUnavailable) && fates[0] !== undefined && !(await answers(answered))) throw fates[0]
  return outcomes
}

/** The store failed to send the object. */
export const isUnavailable = (fate: Fate): boolean => codeOf(fate) === 'SOURCE_UNAVAILABLE'

/** Whether the store says anything of a file, even that it is gone. */
const answers = async (file: SourceFile | undefined): Promise<boolean> =>
  file !== undefined &&
  (await sourceOf({ path: file.path, name: file.name })
    .state()
    .then(
      () => true,
      (error: unknown) => !isUnavailable(toLadingError(error)),
    ))

const codeOf = (fate: Fate | undefined) => (fate instanceof LadingError ? fate.code : undefined)

function* fatesOf(
  files: readonly SourceFile[],
  { produced, receipts }: LoadResult,
  { signal, onEvent = ignoreEvents }: ApartOptions,
): Generator<readonly [SourceFile, Fate]> {
  const receiptOf = new Map(receipts.map((receipt) => [receipt.loadId, receipt]))
  for (const [index, file] of files.entries()) {
    const { path } = file
    const made = produced[index]
    const receipt = made && receiptOf.get(made.loadId)
    // v8 ignore next -- a stop between two steps of the load
    if (made === undefined || receipt === undefined) continue
    const { open, problems } = balance(receipt)
    if (open > 0 && signal?.aborted) continue
    for (const problem of problems) onEvent({ type: 'warning', message: `${path}: ${problem}` })
    if (open === 0) yield [file, made.published > 0 ? 'loaded' : 'known']
    // v8 ignore start -- a load that is not stopped ends when none is open
    else
      yield [file, new LadingError('UNPROCESSABLE', `${path}: ${counted(open, 'record')} without a verdict`)]
    // v8 ignore stop
  }
}
