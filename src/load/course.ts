/** What a load learns of its run from the events of the run, those of its consumer processes among them. */
import type { ForeignEvent, LadingEvent } from '../core/events.ts'
import { Notes, Ids } from '../core/ids.ts'
import { listed } from '../core/listed.ts'
import { sleep } from '../core/wait.ts'

/** The loads of a run. They become known one by one, as their files are planned. */
export class OwnLoads {
  /** Also of loads that are only asked about: whatever a run keeps of its loads is numbered by these. */
  readonly ids = new Ids()
  readonly #areOwn = new Notes()
  readonly #listeners: ((loadId: string) => void)[] = []

  has(loadId: string): boolean {
    return this.#areOwn.at(this.ids.indexOf(loadId)) === 1
  }

  /** Returns the number of the load. */
  add(loadId: string): number {
    const number = this.ids.add(loadId)
    if (this.#areOwn.at(number) === 1) return number
    this.#areOwn.set(number, 1)
    for (const tell of this.#listeners) tell(loadId)
    return number
  }

  /** Tells of each, also of those to come. */
  each(tell: (loadId: string) => void): void {
    for (const number of this.numbers()) tell(this.ids.at(number))
    this.#listeners.push(tell)
  }

  *numbers(): Generator<number> {
    for (let number = 0; number < this.ids.size; number++) if (this.#areOwn.at(number) === 1) yield number
  }
}

/** Sources that are named; of more, their number is said. */
const mostNamed = 10

/** How far a load is: it was planned, the queue holds some of its chunks or all, or there was nothing to publish. */
const stages = { planned: 0, begun: 1, published: 2, skipped: 3 } as const
type Stage = (typeof stages)[keyof typeof stages]

export class Course {
  readonly loads = new OwnLoads()
  readonly #foreign = new Map<string, ForeignEvent>()
  /** By the number of the load, as the chunks are. */
  readonly #stages = new Notes()
  readonly #chunks = new Notes(Uint32Array)
  readonly #deadKeys = new Set<string>()
  #published = 0
  #settled = 0
  #hasCaughtUp = false
  #wake: (() => void) | undefined

  listen = (event: LadingEvent): void => {
    if (event.type === 'foreign') this.#foreign.set(JSON.stringify(event), event)
    else if (event.type === 'batch') {
      this.#settled += event.messages - event.retried
      if (this.outstanding <= 0) this.#catchUp()
    } else if (event.type === 'window') {
      this.#published += event.messages
      for (const { loadId } of event.loads) this.#reach(loadId, stages.begun)
    } else if (event.type === 'published') {
      this.#reach(event.loadId, stages.published)
      if (event.due !== undefined) this.#chunks.set(this.loads.add(event.loadId), event.due)
    } else if (event.type === 'skipped') this.#skip(event.loadId)
    else if (event.type === 'planned') {
      const load = this.loads.add(event.loadId)
      this.#chunks.set(load, event.chunks)
    } else if (event.type === 'dead') this.#deadKeys.add(event.key)
  }

  #reach(loadId: string, stage: Stage): void {
    if (this.loads.has(loadId)) this.#stages.set(this.loads.ids.indexOf(loadId), stage)
  }

  /** Of two paths to one load, the second is skipped while the first is at work. */
  #skip(loadId: string): void {
    if (this.#stageOf(loadId) === stages.planned) this.#reach(loadId, stages.skipped)
  }

  #stageOf(loadId: string): number {
    return this.#stages.at(this.loads.ids.indexOf(loadId))
  }

  /** Messages of this run that have no verdict yet; fewer where an earlier run had published some already. */
  get outstanding(): number {
    return this.#published - this.#settled
  }

  #catchUp(): void {
    this.#hasCaughtUp = true
    this.#wake?.()
  }

  /** Waits `ms` milliseconds, or until a batch leaves nothing outstanding; not if one has since the last wait. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    if (!this.#hasCaughtUp) await sleep(ms, AbortSignal.any([signal, woken.signal]))
    this.#hasCaughtUp = false
  }

  /** The numbers of loads of which the queue was seen to hold everything. */
  *published(): Generator<number> {
    for (const load of this.loads.numbers()) if (this.#stages.at(load) === stages.published) yield load
  }

  /** Of a load that is planned: those of its plan, or those that get a verdict in this run or have one. */
  chunksOf(load: number): number {
    return this.#chunks.at(load)
  }

  /**
   * Keys of the load's chunks that became dead letters in this run, whether or not the ledger keeps a verdict
   * of them.
   */
  deadOf(loadId: string): readonly string[] {
    return [...this.#deadKeys].filter((key) => key.startsWith(`${loadId}/`))
  }

  /**
   * What became of the sources, where one of them is at fault and all that was published has its verdict,
   * except that of the loads `open`; nothing where it is the only one. `plansOf` tells the names of loads.
   */
  toldOf(
    names: readonly string[],
    plansOf: (loads: readonly string[]) => ReadonlyMap<string, { readonly name: string }>,
    open: ReadonlySet<string> = new Set(),
  ): string | undefined {
    if (names.length < 2) return undefined
    const reached = new Map<string, number>()
    const loads = Array.from(this.loads.numbers(), (load) => this.loads.ids.at(load))
    for (const [loadId, { name }] of plansOf(loads)) {
      const stage = this.#stageOf(loadId)
      if (stage !== stages.planned) reached.set(name, open.has(loadId) ? stages.begun : stage)
    }
    const groups = [
      ['loaded completely', names.filter((name) => (reached.get(name) ?? stages.begun) !== stages.begun)],
      ['loaded in part', names.filter((name) => reached.get(name) === stages.begun)],
      ['not loaded', names.filter((name) => !reached.has(name))],
    ] as const
    const parts = groups.flatMap(([what, of]) =>
      of.length === 0 ? [] : [`${what}: ${listed(of, mostNamed)}`],
    )
    return `one of ${names.length} files is at fault; ${parts.join('; ')}`
  }

  /** What was met and left, as far as it is not of a load of this run that was planned later. */
  get foreign(): readonly ForeignEvent[] {
    return [...this.#foreign.values()].filter(
      ({ load }) => load === undefined || load.database === 'any' || !this.loads.has(load.loadId),
    )
  }
}
