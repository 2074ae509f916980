/** What the ledger knows of files that grow, as a load asks for it. */
import { LadingError } from '../core/errors.ts'
import { tableName } from '../model/model.ts'
import type { Parts } from '../producer/parts.ts'
import type { Earlier } from './earlier.ts'
import type { Patiently, Running } from './options.ts'

/** Undefined where the files are loaded as a whole. */
export function partsOf(
  options: Running,
  { ask, meetParts }: Pick<Earlier, 'ask' | 'meetParts'>,
  patiently: Patiently,
): Parts | undefined {
  const { append, sink, model, pipeline = tableName(model) } = options
  if (append !== true) return undefined
  const { ledger } = sink
  const met = new Set<string>()
  return {
    of: async (source) => {
      if (!met.has(source)) await patiently(() => meetParts(source))
      met.add(source)
      return await patiently(async () => (await ledger.parts?.(pipeline, source)) ?? [])
    },
    follow: (load, follows) =>
      patiently(async () => (await ledger.follow?.(pipeline, load, follows)) ?? 'entered'),
    done: async (loadId) => {
      const [receipt] = await patiently(() => ledger.receipts({ loads: [loadId] }))
      // v8 ignore next -- only if the ledger is pruned at this point
      if (receipt === undefined) throw new LadingError('NOT_FOUND', `load ${loadId} was forgotten meanwhile`)
      const { source: name, sha256, bytes, plan, chunks, records } = receipt
      const load = { no: 0, id: loadId, name, sha256, bytes, plan, chunks, records, publishedAt: undefined }
      return { load, plan: undefined, known: (await ask([load])).get(loadId) }
    },
  }
}

/** Throws `USAGE` for what cannot be loaded in parts. */
export function requireGrowing({ sink, paths, again, fresh, deferIndexes }: Running): void {
  const { ledger } = sink
  const problem =
    ledger.parts === undefined || ledger.follow === undefined
      ? `${sink.place} keeps no account of files that grow`
      : paths.includes('-')
        ? 'standard input cannot be read again, as a file that grows is'
        : again === true || fresh === true
          ? 'what is appended is loaded once: neither again nor fresh'
          : deferIndexes === 'always'
            ? 'what is appended cannot be loaded again as it was, which deferred indexes may need'
            : undefined
  if (problem !== undefined) throw new LadingError('USAGE', `append: ${problem}`)
}
