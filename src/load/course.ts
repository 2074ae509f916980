/** What a load learns of its run from the events of the run, those of its consumer processes among them. */
import type { ForeignEvent, LadingEvent } from '../core/events.ts'
import { listed } from '../core/listed.ts'
import { sleep } from '../core/wait.ts'

/** The loads of a run. They become known one by one, as their files are planned. */
export class OwnLoads {
  readonly #loads = new Set<string>()
  readonly #listeners: ((loadId: string) => void)[] = []

  has(loadId: string): boolean {
    return this.#loads.has(loadId)
  }

  add(loadId: string): void {
    if (this.#loads.has(loadId)) return
    this.#loads.add(loadId)
    for (const tell of this.#listeners) tell(loadId)
  }

  /** Tells of each, also of those to come. */
  each(tell: (loadId: string) => void): void {
    for (const loadId of this.#loads) tell(loadId)
    this.#listeners.push(tell)
  }
}

/** Sources that are named; of more, their number is said. */
const mostNamed = 10

/** How far a load is: the queue holds all its chunks or some, or there was nothing to publish. */
type Stage = 'begun' | 'published' | 'skipped'

export class Course {
  readonly loads = new OwnLoads()
  readonly #foreign = new Map<string, ForeignEvent>()
  readonly #sources = new Map<string, string>()
  readonly #stages = new Map<string, Stage>()
  readonly #chunks = new Map<string, number>()
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
      for (const { loadId } of event.loads) this.#stages.set(loadId, 'begun')
    } else if (event.type === 'published') this.#stages.set(event.loadId, 'published')
    else if (event.type === 'skipped')
      this.#stages.set(event.loadId, this.#stages.get(event.loadId) ?? 'skipped')
    else if (event.type === 'planned') {
      this.#sources.set(event.loadId, event.source)
      this.#chunks.set(event.loadId, event.chunks)
      this.loads.add(event.loadId)
    } else if (event.type === 'dead') this.#deadKeys.add(event.key)
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

  /** Loads of which the queue was seen to hold everything. */
  get published(): readonly string[] {
    return [...this.#stages].flatMap(([loadId, stage]) => (stage === 'published' ? [loadId] : []))
  }

  /** Of the load's plan; undefined before it is planned. */
  chunksOf(loadId: string): number | undefined {
    return this.#chunks.get(loadId)
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
   * except that of the loads `open`; nothing where it is the only one.
   */
  toldOf(names: readonly string[], open: ReadonlySet<string> = new Set()): string | undefined {
    if (names.length < 2) return undefined
    const stages = new Map(
      [...this.#stages].map(([loadId, stage]) => [
        this.#sources.get(loadId),
        open.has(loadId) ? 'begun' : stage,
      ]),
    )
    const groups = [
      ['loaded completely', names.filter((name) => stages.has(name) && stages.get(name) !== 'begun')],
      ['loaded in part', names.filter((name) => stages.get(name) === 'begun')],
      ['not loaded', names.filter((name) => !stages.has(name))],
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
