/**
 * Files that grow (`--append`): what is behind the part that was loaded becomes a load of its own. The ledger
 * says how far a file is loaded, and lets one load alone follow another, so that of several runs, on whichever
 * machines, one loads a part. What a run that was killed has entered there is planned again as it was.
 */
import { count, counted } from '../core/counted.ts'
import { LadingError } from '../core/errors.ts'
import { ignoreEvents } from '../core/events.ts'
import { listed } from '../core/listed.ts'
import type { LoadInfo } from '../core/load.ts'
import type { Reading } from '../format/reading.ts'
import { formatOfPath } from '../format/registry.ts'
import type { FilePart } from '../sink/ledger.ts'
import { rotatedSources, sourceAt } from '../source/registry.ts'
import { loadIdOf } from './identity.ts'
import { chunkBytesOf, type FrozenLoad, type Planning } from './loads.ts'
import { pipelineOf, type ProduceOptions } from './options.ts'
import { type Behind, type Plan, planSource } from './plan.ts'
import type { DoneLoad, Parts } from './parts.ts'
import { beginsWith, differenceOf, firstRecord, type Prefix, seamAt } from './prefix.ts'
import { type ReadSource, written } from './reading.ts'
import type { Draft } from './state.ts'

/** Files that a warning names. */
const mostListed = 5

interface Made {
  readonly source: ReadSource
  readonly draft: Draft
  readonly plan: Plan
}

/** What is loaded next of a file, if anything, and where the parts before it lie. */
interface Next {
  readonly home: ReadSource
  readonly made: Made | undefined
  /** Whether more may be behind it. */
  readonly isRest?: true
}

/** Plans what of the sources is not loaded, in their order: parts that are open, and what is behind them. */
export async function* planAppended(
  planning: Planning,
  parts: Parts,
): AsyncGenerator<readonly (FrozenLoad | DoneLoad)[]> {
  for (let index = 0; index < planning.sources.size; index++)
    yield* new Appending(await planning.sources.at(index), planning, parts).loads()
}

class Appending {
  readonly #source: ReadSource
  readonly #planning: Planning
  readonly #options: ProduceOptions
  readonly #parts: Parts
  readonly #pipeline: string
  /** Ids of loads that were planned in this run. */
  readonly #planned = new Set<string>()
  /** Behind this load nothing can be entered under the usual id, which an earlier rotation has. */
  #salted: string | undefined

  constructor(source: ReadSource, planning: Planning, parts: Parts) {
    this.#source = source
    this.#planning = planning
    this.#options = planning.options
    this.#parts = parts
    this.#pipeline = pipelineOf(planning.options)
  }

  async *loads(): AsyncGenerator<readonly (FrozenLoad | DoneLoad)[]> {
    for (;;) {
      const known = await this.#parts.of(this.#source.name)
      const [last] = known
      const { home, made, isRest } = await this.#nextOf(last)
      for (const part of known.filter(({ isOpen, loadId }) => isOpen && !this.#planned.has(loadId)))
        yield [await this.#plannedAgain(part, home, known)]
      const entered = made && (await this.#enter(made, last?.loadId))
      if (entered !== undefined) yield [entered]
      // Another run was quicker, or more is behind this part.
      if (made !== undefined && (entered === undefined || isRest === true)) continue
      if (made === undefined && last !== undefined && !this.#planned.has(last.loadId))
        yield [{ ...(await this.#parts.done(last.loadId)), reason: this.#nothingNew(last) }]
      else if (made === undefined) this.#tell(waitingText(home))
      return
    }
  }

  async #nextOf(last: FilePart | undefined): Promise<Next> {
    const source = this.#source
    if (last === undefined) {
      const begun = await this.#begunHere()
      return begun === undefined
        ? { home: source, made: await this.#recordsOf(source) }
        : { home: source, made: await this.#recordsOf(begun), isRest: true }
    }
    const tail = await this.#behind(source, last)
    if (tail !== 'other') return { home: source, made: tail }
    const head = await this.#recordsOf(source)
    if (this.#options.rotated === true) return { home: source, made: head }
    const rotated = await this.#rotatedFrom(last)
    // What writes to the new file writes no more to the old one: its last record is whole.
    const home = head === undefined ? rotated : asIs(rotated)
    const rest = await this.#behind(home, last)
    if (rest === undefined || rest === 'other') return { home, made: head }
    if (head === undefined) return { home, made: rest }
    this.#planning.state.forget(head.draft)
    return { home, made: rest, isRest: true }
  }

  /** A load of which chunks may be in the queue, though the ledger has none of them. */
  async #begunHere(): Promise<ReadSource | undefined> {
    const source = asIs(this.#source)
    const planned = this.#planning.state.planned(this.#pipeline)
    const ofFile = planned.filter(
      ({ name, path, records }) => name === source.name && path === source.location && records > 0,
    )
    for (const { bytes, sha256 } of ofFile.toReversed())
      if (await beginsWith(source, { bytes, sha256 })) return upTo(source, bytes)
    return undefined
  }

  /** Undefined where no record is behind the part; `other` where the source does not begin with it. */
  async #behind(source: ReadSource, { bytes, sha256 }: Prefix): Promise<Made | 'other' | undefined> {
    const seam = await seamAt(asIs(source), bytes)
    if (typeof seam === 'object') {
      const made = await this.#plan(source, { bytes, start: seam.start })
      if (bytes === 0 || made.plan.before === sha256) return this.#orNothing(made)
      this.#planning.state.forget(made.draft)
      return 'other'
    }
    if (!(await beginsWith(asIs(source), { bytes, sha256 }))) return 'other'
    if (seam === 'open') return undefined
    throw new LadingError(
      'SOURCE_DIFFERS',
      `${source.path}: the last record that was loaded had no line end, and goes on behind byte ${count(bytes)}`,
    )
  }

  /** The whole source. */
  async #recordsOf(source: ReadSource): Promise<Made | undefined> {
    return this.#orNothing(await this.#plan(source))
  }

  #orNothing(made: Made): Made | undefined {
    if (made.plan.records > 0) return made
    this.#planning.state.forget(made.draft)
    return undefined
  }

  async #plan(source: ReadSource, behind?: Behind): Promise<Made> {
    const { state, onRead } = this.#planning
    const draft = state.begin(this.#pipeline, source.location, source.name)
    try {
      const size = await source.size()
      const chunkBytes = chunkBytesOf(this.#options)
      const hear = (bytes: number) => onRead?.(source, bytes, size)
      const plan = await planSource(source, { ...this.#options, behind, chunkBytes, onRead: hear }, draft.add)
      return { source, draft, plan }
    } catch (error) {
      state.forget(draft)
      throw error
    }
  }

  /** A part that the ledger knows, from the file or from what a rotation has made of it. */
  async #plannedAgain(part: FilePart, home: ReadSource, known: readonly FilePart[]): Promise<FrozenLoad> {
    const isHome = await beginsWith(asIs(home), part)
    const source = upTo(isHome ? home : await this.#rotatedFrom(part), part.bytes)
    const before = known.find(({ loadId }) => loadId === part.follows)
    const isBehind = before !== undefined && before.bytes <= part.bytes && (await beginsWith(source, before))
    const seam = isBehind ? await seamAt(source, before.bytes) : undefined
    const behind = typeof seam === 'object' && before ? { bytes: before.bytes, start: seam.start } : undefined
    const { load } = await this.#parts.done(part.loadId)
    return this.#freeze(await this.#plan(source, behind), load)
  }

  /** Undefined if another run has entered something meanwhile. */
  async #enter(made: Made, last: string | undefined): Promise<FrozenLoad | undefined> {
    const { source, draft } = made
    const plan = { ...made.plan, warnings: [...made.plan.warnings, ...waitingText(source)] }
    if (source.reading.grows === true) Object.assign(plan, { reading: readingUpTo(source, plan.bytes) })
    const salt = last !== undefined && this.#salted === last ? last : ''
    const id = loadIdOf(this.#pipeline, source.name, plan.sha256, salt)
    const { sha256, bytes, chunks, records } = plan
    const info = { id, source: source.name, sha256, bytes, plan: plan.plan, chunks, records }
    const first = loadIdOf(this.#pipeline, source.name, '')
    const followed = await this.#parts.follow(info, last ?? first)
    if (followed === 'entered') return this.#freeze({ source, draft, plan }, info)
    this.#planning.state.forget(draft)
    if (followed === 'known') this.#salted = last
    return undefined
  }

  /** `known`: as the ledger has it. A load that was begun otherwise, with a limit, goes on with its plan. */
  #freeze({ source, draft, plan }: Made, known: Pick<LoadInfo, 'id' | 'plan'>): FrozenLoad {
    const { id } = known
    this.#planned.add(id)
    // A whole load of the same bytes, which was refused, has the same id.
    this.#planning.state.forgetOther(id, known.plan)
    const [frozen] = this.#planning.state.freeze([{ draft, id, plan }])
    return { source, plan, ...(frozen as NonNullable<typeof frozen>) }
  }

  /** What the source was before it was rotated; throws `SOURCE_DIFFERS`. */
  async #rotatedFrom(part: Prefix): Promise<ReadSource> {
    const source = asIs(this.#source)
    const reading = { ...this.#source.reading, format: source.reading.format ?? formatOfPath(source.path) }
    /** Where the file was rotated several times since, these came in between; or they are no part of it. */
    const younger: string[] = []
    for (const candidate of rotatedSources(this.#source)) {
      const rotated = written(candidate, reading)
      if (!(await beginsWith(asIs(rotated), part))) {
        if ((await candidate.size()) > 0) younger.push(candidate.path)
        continue
      }
      const [first, now] = [await firstRecord(asIs(rotated), reading), await firstRecord(source, reading)]
      // A file that was changed beside a copy of it is not rotated.
      if (first !== undefined && now?.equals(first) === true) break
      this.#tell([`${source.name} was rotated: what it held is in ${rotated.path}, and is loaded from there`])
      if (younger.length > 0)
        this.#tell([
          `${listed(younger, mostListed)} is younger than ${rotated.path}, and nothing of it is loaded: if ${this.#source.name} was rotated several times since it was loaded, load it by its own name`,
        ])
      return rotated
    }
    const { state } = this.#planning
    const difference = await differenceOf(source, part, state, this.#pipeline)
    throw new LadingError('SOURCE_DIFFERS', `${this.#source.path}: ${difference}`)
  }

  #nothingNew({ bytes, loadId }: FilePart): string {
    const waiting = waitingText(this.#source).map((text) => `; ${text}`)
    return `nothing was added behind byte ${count(bytes)} (load ${loadId})${waiting.join('')}`
  }

  #tell(messages: readonly string[]): void {
    const { onEvent = ignoreEvents } = this.#options
    for (const message of messages) onEvent({ type: 'warning', message })
  }
}

const waitingText = ({ name, waiting }: ReadSource): readonly string[] =>
  waiting === undefined
    ? []
    : [
        `${name}: 1 incomplete record of ${counted(waiting.bytes, 'byte')} waits at line ${count(waiting.line)}`,
      ]

const readingUpTo = ({ reading: { grows: _grows, ...reading } }: ReadSource, until: number): Reading => ({
  ...reading,
  until,
})

/** All of its bytes, whether or not its last record has an end. */
function asIs({
  location,
  name,
  reading: { grows: _grows, until: _until, ...reading },
}: ReadSource): ReadSource {
  return written(sourceAt(location, name), reading)
}

const upTo = (source: ReadSource, bytes: number): ReadSource =>
  written(sourceAt(source.location, source.name), readingUpTo(source, bytes))
