/** What took effect of the files before this run, as far as the ledger knows. */
import type { LadingEvent } from '../core/events.ts'
import { Notes } from '../core/ids.ts'
import { tableName } from '../model/model.ts'
import { begunFresh, plannedBefore } from '../producer/loads.ts'
import type { LoadOutline } from '../producer/planned-load.ts'
import { Account } from '../sink/account.ts'
import { receiptPages } from '../sink/receipt-pages.ts'
import { storable } from '../sink/storable.ts'
import type { LoadProgress, Receipt, SettledLoad } from '../sink/ledger.ts'
import type { Source } from '../source/source.ts'
import { History } from './history.ts'
import { loadedOf } from './loaded.ts'
import type { Ask, Patiently, Running } from './options.ts'

export class Earlier {
  readonly #options: Running
  readonly #patiently: Patiently
  readonly #history: History
  /**
   * Records that took effect before the run, by load; undefined where the queue held nothing when the run began,
   * so that each load may be asked for when it is planned.
   */
  readonly #loadedBefore: Map<string, number> | undefined
  /** Records of the loads that were met that took effect before the run. */
  loaded = 0
  /** What was settled before the run, by the number of the load, and the sums of it. */
  #settled = new Notes()
  sums = new Account()

  private constructor(
    options: Running,
    patiently: Patiently,
    history: History,
    loadedBefore: Map<string, number> | undefined,
  ) {
    this.#options = options
    this.#patiently = patiently
    this.#history = history
    this.#loadedBefore = loadedBefore
  }

  /** To be called when the table is prepared and no consumer of the run is at work. */
  static async begin(
    options: Running,
    sources: AsyncIterable<Source>,
    patiently: Patiently,
  ): Promise<Earlier> {
    const { queue, sink, model, pipeline = tableName(model), fresh = false, onEvent, course } = options
    const { ready, inFlight } = await patiently(() => queue.depth())
    // What the queue holds may be loaded before its file is planned, so the ledger has to be asked first.
    const isQueueEmpty = ready + (inFlight ?? 1) === 0
    const loaded = isQueueEmpty ? undefined : await patiently(() => loadedOf(sink.ledger))
    // With these it is known that the files were loaded before.
    const isKnown = options.again === true || options.append === true
    const names = isKnown ? [] : isQueueEmpty ? undefined : options.names()
    const history = await patiently(() =>
      History.begin({ sink, model, pipeline, fresh, onEvent, ids: course.loads.ids }, names),
    )
    const earlier = new Earlier(options, patiently, history, loaded)
    if (!isQueueEmpty) await earlier.#adopt(sources)
    return earlier
  }

  /** What waits of planned loads takes effect as soon as consumers are at work, so it is forgotten first. */
  async #adopt(sources: AsyncIterable<Source>): Promise<void> {
    const planned = await plannedBefore(this.#options, sources)
    if (this.#options.fresh === true)
      for (const [loadId, wasBegun] of begunFresh(this.#options, planned))
        await this.startFresh(loadId, wasBegun)
    for (const loadId of planned) this.#options.course.loads.add(loadId)
  }

  readonly startFresh = async (loadId: string, wasBegun: boolean): Promise<boolean> => {
    const isFresh = await this.#patiently(() => this.#history.startFresh(loadId, wasBegun))
    if (isFresh) this.#loadedBefore?.set(loadId, 0)
    return isFresh
  }

  /** What the ledger knows of loads that were planned just now. */
  readonly ask: Ask = async (planned) => {
    const { ledger } = this.#options.sink
    const settled = await this.#settledOf(planned)
    const ids = planned.map(({ id }) => id).filter((id) => !settled.has(id))
    const receipts = ids.length === 0 ? [] : await ledger.receipts({ loads: ids })
    const known = new Map<string, LoadProgress>()
    for (const { id, plan } of planned) {
      const loaded = settled.get(id)?.loaded
      if (loaded !== undefined) known.set(id, { plan, complete: true, loaded, keys: noKeys })
    }
    for (const receipt of receipts) {
      const progress = wholeProgress(receipt) ?? (await ledger.progress(receipt.loadId))
      if (progress !== undefined) known.set(receipt.loadId, progress)
    }
    const loadedBefore = this.#loadedBefore
    const before = ({ id }: LoadOutline) =>
      loadedBefore === undefined ? known.get(id)?.loaded : loadedBefore.get(id)
    for (const load of await this.#history.meet(planned, before)) this.loaded += before(load) ?? 0
    this.#note(planned, settled)
    return known
  }

  /** Of a file that grows, before anything of it is loaded in this run. */
  readonly meetParts = async (name: string): Promise<void> => {
    if (!this.#history.isEmpty) return
    const { sink, model, pipeline = tableName(model) } = this.#options
    const source = storable(name)
    for await (const receipts of receiptPages(sink.ledger, { pipeline, named: source })) {
      for (const { loadId, loaded } of receipts.filter((each) => each.source === source))
        this.#history.miss(
          loadId,
          this.#loadedBefore === undefined ? loaded : (this.#loadedBefore.get(loadId) ?? 0),
        )
    }
  }

  /** What was published before may be settled, and where each load need not be kept, that is asked first. */
  async #settledOf(planned: readonly LoadOutline[]): Promise<ReadonlyMap<string, SettledLoad>> {
    const { sink, keepsLoads } = this.#options
    const asked = planned.filter(({ publishedAt }) => typeof publishedAt === 'string').map(({ id }) => id)
    if (keepsLoads !== false || asked.length === 0) return new Map()
    const settled = (await sink.ledger.settled?.(asked)) ?? []
    return new Map(settled.map((each) => [each.loadId, each]))
  }

  #note(planned: readonly LoadOutline[], settled: ReadonlyMap<string, SettledLoad>): void {
    const { ids } = this.#options.course.loads
    for (const { id, name } of planned) {
      const load = settled.get(id)
      if (load === undefined || this.isSettled(id)) continue
      this.#settled.set(ids.add(id), 1)
      this.sums.addSettled(load)
      this.#options.onEvent(receiptEvent(load, name))
    }
  }

  /** Loads whose rows had been loaded before, though the table held none when the run began. */
  get emptied(): readonly string[] {
    return this.#history.emptied
  }

  get emptiedRecords(): number {
    return this.#history.emptiedRecords
  }

  isSettled(loadId: string): boolean {
    return this.#settled.at(this.#options.course.loads.ids.indexOf(loadId)) === 1
  }

  /** Everything is loaded a second time. */
  startOver(): void {
    this.#settled = new Notes()
    this.sums = new Account()
  }

  /** When every file was met. */
  end(): void {
    this.#history.end()
  }
}

const noKeys: ReadonlySet<string> = new Set()

type Counts = Pick<Receipt, 'loadId' | 'records' | 'loaded'> &
  Partial<Pick<Receipt, 'rejected' | 'skipped' | 'dead'>>

/** Of a settled load, what was not loaded was skipped. */
export function receiptEvent(load: Counts, source: string): LadingEvent {
  const { loadId, records, loaded, rejected = 0, skipped = records - loaded, dead = 0 } = load
  return { type: 'receipt', loadId, source, records, loaded, rejected, skipped, dead }
}

/** Of a load of which all chunks have taken effect, or none has a verdict; undefined where they have to be asked for. */
function wholeProgress(receipt: Receipt): LoadProgress | undefined {
  const { plan, chunks, chunksDone, dead, loaded, isReplaced, isAbandoned } = receipt
  const complete = chunksDone === chunks && dead === 0
  const over = { ...(isReplaced && { isReplaced }), ...(isAbandoned && { isAbandoned }) }
  const progress = { plan, complete, loaded, keys: new Set<string>(), ...over }
  return complete || chunksDone === 0 ? progress : undefined
}
