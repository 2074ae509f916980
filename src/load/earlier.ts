/** What took effect of the files before this run, as far as the ledger knows. */
import { tableName } from '../model/model.ts'
import { begunFresh, plannedBefore } from '../producer/loads.ts'
import type { LoadProgress, Receipt } from '../sink/ledger.ts'
import type { Source } from '../source/source.ts'
import { History } from './history.ts'
import type { Ask, Patiently, Running } from './options.ts'

export class Earlier {
  readonly #options: Running
  readonly #patiently: Patiently
  readonly #history: History
  /**
   * Whether the queue held nothing when the run began, so that each load may be asked for when it is planned.
   */
  readonly #wasEmpty: boolean
  /** Records that took effect before the run, by load. */
  readonly #loaded: Map<string, number>
  /** Of loads that were complete before the run, when they were asked for last. */
  readonly #complete = new Map<string, Receipt>()

  private constructor(
    options: Running,
    patiently: Patiently,
    history: History,
    loaded: ReadonlyMap<string, number> | undefined,
  ) {
    this.#options = options
    this.#patiently = patiently
    this.#history = history
    this.#wasEmpty = loaded === undefined
    this.#loaded = new Map(loaded)
  }

  /** To be called when the table is prepared and no consumer of the run is at work. */
  static async begin(options: Running, sources: readonly Source[], patiently: Patiently): Promise<Earlier> {
    const { queue, sink, model, pipeline = tableName(model), fresh = false, onEvent } = options
    const { ready, inFlight } = await patiently(() => queue.depth())
    // What the queue holds may be loaded before its file is planned, so the ledger has to be asked first.
    const receipts =
      ready + (inFlight ?? 1) === 0 ? undefined : await patiently(() => sink.ledger.receipts({}))
    // With `--again` it is known that the files were loaded before.
    const names = options.again === true ? [] : options.names
    const history = await patiently(() => History.begin({ sink, model, pipeline, fresh, onEvent }, names))
    const loaded = receipts && new Map(receipts.map(({ loadId, loaded: count }) => [loadId, count]))
    const earlier = new Earlier(options, patiently, history, loaded)
    if (receipts !== undefined) await earlier.#adopt(sources)
    return earlier
  }

  /** What waits of planned loads takes effect as soon as consumers are at work, so it is forgotten first. */
  async #adopt(sources: readonly Source[]): Promise<void> {
    const planned = await plannedBefore(this.#options, sources)
    if (this.#options.fresh === true)
      for (const [loadId, wasBegun] of begunFresh(this.#options, planned))
        await this.startFresh(loadId, wasBegun)
    for (const loadId of planned) this.#options.course.loads.add(loadId)
  }

  readonly startFresh = async (loadId: string, wasBegun: boolean): Promise<boolean> => {
    const isFresh = await this.#patiently(() => this.#history.startFresh(loadId, wasBegun))
    if (isFresh) this.#loaded.set(loadId, 0)
    return isFresh
  }

  /** What the ledger knows of loads that were planned just now. */
  readonly ask: Ask = async (planned) => {
    const { ledger } = this.#options.sink
    const receipts = await ledger.receipts({ loads: planned.map(({ id }) => id) })
    const known = new Map<string, LoadProgress>()
    for (const { id } of planned) this.#complete.delete(id)
    for (const receipt of receipts) {
      const progress = wholeProgress(receipt) ?? (await ledger.progress(receipt.loadId))
      if (progress !== undefined) known.set(receipt.loadId, progress)
      if (progress?.complete === true) this.#complete.set(receipt.loadId, receipt)
    }
    for (const load of planned) {
      const loaded = this.#wasEmpty ? known.get(load.id)?.loaded : this.#loaded.get(load.id)
      await this.#history.meet(load, loaded)
      if (this.#wasEmpty && !this.#loaded.has(load.id)) this.#loaded.set(load.id, loaded ?? 0)
    }
    return known
  }

  /** The receipt of a load that was complete before it was planned; undefined of any other. */
  receiptOf(loadId: string): Receipt | undefined {
    return this.#complete.get(loadId)
  }

  /** Records of a load that took effect before the run. */
  loadedOf(loadId: string): number {
    return this.#loaded.get(loadId) ?? 0
  }

  /** Loads whose rows had been loaded before, though the table held none when the run began. */
  get emptied(): readonly string[] {
    return this.#history.emptied
  }

  /** When every file was met. */
  end(): void {
    this.#history.end()
  }
}

/** Of a load of which all chunks have taken effect, or none has a verdict; undefined where they have to be asked for. */
function wholeProgress({ plan, chunks, chunksDone, dead, loaded }: Receipt): LoadProgress | undefined {
  const complete = chunksDone === chunks && dead === 0
  return complete || chunksDone === 0 ? { plan, complete, loaded, keys: new Set() } : undefined
}
