/** The sources that a producer is given, checked before anything else is opened. */
import { LadingError } from '../core/errors.ts'
import { listed } from '../core/listed.ts'
import { breath } from '../core/wait.ts'
import { otherSuffixes, splittersFor, suffixesOf } from '../format/registry.ts'
import { type CarryOptions, referencesFor } from '../source/carry.ts'
import { FoundFiles, Held, namedFiles, sourceOf } from '../source/registry.ts'
import { sourceFields, requireFields } from '../model/fields.ts'
import type { Model } from '../model/model.ts'
import { Ahead } from '../source/ahead.ts'
import { headPieceBytes } from '../source/pieces.ts'
import { sizeOf } from '../source/source.ts'
import type { ProduceOptions } from './options.ts'
import { checkHead, type HeadOptions } from './plan.ts'
import { reader, type ReadingOptions, type ReadSource } from './reading.ts'

/**
 * The sources of a run, in their order. There may be a hundred thousand, so one is made when it is asked for.
 */
export class Sources implements AsyncIterable<ReadSource> {
  readonly #files: FoundFiles
  readonly #read: ReturnType<typeof reader>
  readonly #last: ReadSource | undefined
  readonly #held: Held
  #bytes: number | undefined

  /** `last` comes behind the files. */
  constructor(files: FoundFiles, read: ReturnType<typeof reader>, held: Held, last?: ReadSource) {
    this.#files = files
    this.#read = read
    this.#held = held
    this.#last = last
  }

  get size(): number {
    return this.#files.length + (this.#last === undefined ? 0 : 1)
  }

  followedBy(last: ReadSource | undefined): Sources {
    return last === undefined ? this : new Sources(this.#files, this.#read, this.#held, last)
  }

  get names(): readonly string[] {
    const files = Array.from({ length: this.#files.length }, (_, index) => this.#files.nameOf(index))
    return this.#last === undefined ? files : [...files, this.#last.name]
  }

  /** A promise only where it takes one: it would cost as much as all else of a file that is not read. */
  at(index: number): ReadSource | Promise<ReadSource> {
    return index < this.#files.length
      ? this.#read(sourceOf(this.#files.at(index), this.#held))
      : (this.#last as ReadSource)
  }

  /** As they are stored, when they were asked first. */
  async bytes(): Promise<number> {
    return (this.#bytes ??= await sizeOf(this))
  }

  /** Where someone has asked each of them already. */
  setBytes(bytes: number): void {
    this.#bytes = bytes
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ReadSource> {
    for (let index = 0; index < this.size; index++) yield await this.at(index)
  }
}

/**
 * The files that the options name, standard input left out; throws for what cannot be right before anything
 * is opened or waited for.
 */
export async function openSources(
  options: Pick<ProduceOptions, 'paths' | 'files' | 'held'> &
    ReadingOptions &
    CarryOptions & { readonly model?: Model | undefined },
  onLeft?: (message: string) => void,
): Promise<Sources> {
  const { carry, readingOf, model } = options
  splittersFor(options)
  const referenceOf = await referencesFor(options)
  const found = options.files ?? (await findFiles(options, onLeft))
  const sources = new Sources(found, reader(options), options.held ?? new Held())
  // What the options say of one source they mostly say of all.
  const isEach = carry === 'reference' || readingOf !== undefined
  for (let index = 0; index < (isEach ? sources.size : Math.min(1, sources.size)); index++) {
    const source = await sources.at(index)
    // What lies outside the root cannot be referred to.
    if (carry === 'reference') await referenceOf(source)
  }
  if (model !== undefined && readingOf === undefined) requireFields(options, sourceFields(model))
  return sources
}

/** The files that the options name, without standard input, for callers that need them before `openSources` does. */
export async function findFiles(
  {
    paths,
    format,
  }: Pick<ProduceOptions, 'paths'> & { readonly format?: ProduceOptions['format'] | undefined },
  onLeft?: (message: string) => void,
): Promise<FoundFiles> {
  const named = paths.filter((path) => path !== '-')
  const isNone = named.length === 0 && paths.length > 0
  return isNone
    ? new FoundFiles([])
    : await namedFiles(named, suffixesOf(format), { others: otherSuffixes(format), onLeft })
}

/** Most paths that an error lists. */
const mostNamed = 5

/**
 * Reads the beginning of each source whose plan is not known; throws for the first that does not fit, and names
 * the others.
 */
export async function checkHeads(
  sources: Pick<Sources, 'size' | 'at'>,
  options: HeadOptions,
  known?: { readonly planOf: (index: number) => number | undefined },
): Promise<void> {
  let first: LadingError | undefined
  const others: string[] = []
  const isWanted = (index: number) => known?.planOf(index) === undefined
  using ahead = new Ahead(sources, { pieceBytes: headPieceBytes, isWanted })
  const breathe = breath()
  for (let index = 0; index < sources.size; index++) {
    if (!isWanted(index)) continue
    await breathe()
    const source = await ahead.at(index)
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
