/** The sources that a producer is given, checked before anything else is opened. */
import { LadingError } from '../core/errors.ts'
import { listed } from '../core/listed.ts'
import { breath } from '../core/wait.ts'
import { otherSuffixes, splittersFor, suffixesOf } from '../format/registry.ts'
import { type CarryOptions, referencesFor } from '../source/carry.ts'
import { namedSources } from '../source/registry.ts'
import type { ProduceOptions } from './options.ts'
import { checkHead, type HeadOptions } from './plan.ts'
import { reader, type ReadingOptions, type ReadSource } from './reading.ts'

/**
 * The files that the options name, standard input left out; throws for what cannot be right before anything
 * is opened or waited for.
 */
export async function openSources(
  options: Pick<ProduceOptions, 'paths'> & ReadingOptions & CarryOptions,
  onLeft?: (message: string) => void,
): Promise<readonly ReadSource[]> {
  const { paths, format } = options
  splittersFor(options)
  const referenceOf = await referencesFor(options)
  const named = paths.filter((path) => path !== '-')
  const found =
    named.length > 0 || paths.length === 0
      ? await namedSources(named, suffixesOf(format), otherSuffixes(format), onLeft)
      : []
  const sources: ReadSource[] = []
  const read = reader(options)
  for (const source of found) sources.push(await read(source))
  // What lies outside the root cannot be referred to.
  if (options.carry === 'reference') for (const source of sources) await referenceOf(source)
  return sources
}

/** Most paths that an error lists. */
const mostNamed = 5

/** Reads the beginning of each source; throws for the first that does not fit, and names the others. */
export async function checkHeads(sources: readonly ReadSource[], options: HeadOptions): Promise<void> {
  let first: LadingError | undefined
  const others: string[] = []
  const breathe = breath()
  for (const source of sources) {
    await breathe()
    try {
      await checkHead(source, options)
    } catch (error) {
      if (!(error instanceof LadingError) || error.code === 'ABORTED') throw error
      if (first === undefined) first = error
      else others.push(source.path)
    }
  }
  if (first === undefined) return
  const more = others.length === 0 ? '' : `; these cannot be loaded either: ${listed(others, mostNamed)}`
  throw new LadingError(first.code, `${first.message}${more}; nothing was loaded`, { cause: first })
}
